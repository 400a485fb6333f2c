"""Bring the embedded cluster to the major version of PostgreSQL that this version of the program carries."""

from datetime import datetime
from pathlib import Path

from changke.config import embedded
from changke.config.backup import DUMP, Backup, make_backup, refuse_busy, unpack
from changke.config.database import ROLE_NAMES, ensure_server, stop_server
from changke.config.dump import load_dump
from changke.config.home import locked, make_private


def needs_upgrade(home: Path) -> bool:
    """Tell whether another major version of PostgreSQL wrote the data."""
    return embedded.data_major(home) not in {None, embedded.newest_major()}


def upgrade_cluster(home: Path, *, now: datetime) -> Backup:
    """Move the data to the newest bundled PostgreSQL: back up, load into a new cluster, count, then change places.

    The old data stay beside the new ones until the user deletes them. Killed at any point, it may be run again: until
    the last step the old cluster is the valid one. ChangkeError where the old version is not in the wheel any more.
    """
    old_major = embedded.data_major(home)
    env = {"CHANGKE_HOME": str(home)}
    with locked(make_private(home / "run") / "server.lock"):
        embedded.start(home, roles=tuple(ROLE_NAMES.values()))
        refuse_busy(env)
        folder = make_private(home / "backups")
        backup = make_backup(env, target=folder / f"before-upgrade-{now:%Y%m%dT%H%M%SZ}.tar", now=now)
        embedded.stop(home)
        fresh = home / "upgrade"
        embedded.remove_cluster(fresh)
        make_private(fresh)
        ensure_server(fresh)
        unpacked = make_private(fresh / "unpacked")
        unpack(backup.path, manifest=backup.manifest, into=unpacked)
        load_dump(
            {"CHANGKE_HOME": str(fresh)}, dump=unpacked / DUMP, tables=backup.manifest.tables, staging=fresh / "run"
        )
        stop_server(fresh)
        embedded.take_over(home, fresh, keep=f"data.{old_major}-{now:%Y%m%dT%H%M%SZ}")
        embedded.remove_cluster(fresh)
    return backup
