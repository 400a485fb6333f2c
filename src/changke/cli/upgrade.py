"""`changke upgrade`: bring the data to this version of the program."""

import argparse
import json
import os
from pathlib import Path

from changke.config.backup import make_backup
from changke.config.database import ensure_database, grant_rights
from changke.config.home import home_folder, make_private, prepare_home
from changke.config.upgrade import needs_upgrade, upgrade_cluster
from changke.kernel.clock import utc_now


def add_arguments(parser: argparse.ArgumentParser) -> None:
    del parser


def run(arguments: argparse.Namespace) -> int:
    """Move the cluster to the bundled PostgreSQL, then apply migrations; each at need only, each after a backup."""
    home = home_folder(os.environ)
    prepare_home(home)
    backups: list[Path] = []
    if not os.environ.get("DATABASE_URL") and needs_upgrade(home):
        backups.append(upgrade_cluster(home, now=utc_now()).path)
    ensure_database(os.environ)
    applied = _migrate(home, backups=backups)
    if arguments.json:
        print(json.dumps({"backups": [str(path) for path in backups], "migrations": applied}))
        return 0
    for path in backups:
        print(f"what was there before: {path}")
    print(f"{len(applied)} migrations applied" if applied else "everything is up to date")
    return 0


def _migrate(home: Path, *, backups: list[Path]) -> list[str]:
    """Apply what is pending; before that, back up a database that holds tables unless this run has done so."""
    import django

    django.setup()
    from changke.config.dump import has_tables
    from changke.config.migrate import migrate_if_needed, pending_migrations

    if pending_migrations() and not backups and has_tables(os.environ):
        now = utc_now()
        target = make_private(home / "backups") / f"before-migration-{now:%Y%m%dT%H%M%SZ}.tar"
        backups.append(make_backup(os.environ, target=target, now=now).path)
    applied = migrate_if_needed()
    grant_rights(os.environ)  # also where a former run was killed before it came to that
    return applied
