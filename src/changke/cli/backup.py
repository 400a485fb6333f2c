"""`changke backup`: database, uploads and keys in one file."""

import argparse
import json
import os
from pathlib import Path

from changke.config.backup import Backup, make_backup
from changke.config.home import home_folder, make_private
from changke.kernel.clock import utc_now


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "target", nargs="?", type=Path, help="file, or folder for a file named by the time (shipped: home/backups)"
    )


def run(arguments: argparse.Namespace) -> int:
    target = arguments.target or make_private(home_folder(os.environ) / "backups")
    tell(make_backup(os.environ, target=target.absolute(), now=utc_now()), verb="backed up to", as_json=arguments.json)
    if not arguments.json:
        print("The file holds the keys: whoever has it can read all data.")
    return 0


def tell(backup: Backup, *, verb: str, as_json: bool) -> None:
    """Print what a backup holds: one object as JSON, or two lines."""
    manifest = backup.manifest
    if as_json:
        said = {"path": str(backup.path), "made_at": manifest.made_at.isoformat(), "tables": dict(manifest.tables)}
        print(
            json.dumps(said | {"files": len(manifest.files), "bytes": backup.path.stat().st_size}, ensure_ascii=False)
        )
        return
    size = backup.path.stat().st_size / 1e6
    print(f"{verb} {backup.path}")
    print(f"{manifest.rows:,} rows in {len(manifest.tables)} tables, {len(manifest.files)} files, {size:,.1f} MB")
