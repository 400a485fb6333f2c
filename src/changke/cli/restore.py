"""`changke restore`: bring a backup back."""

import argparse
import os
from pathlib import Path

from changke.cli.backup import tell
from changke.config.backup import Backup, read_manifest, replace_with_backup, restore_backup
from changke.config.database import ensure_database
from changke.config.home import home_folder, prepare_folders
from changke.kernel.clock import utc_now


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", type=Path, help="a file made by `changke backup`")
    parser.add_argument("--force", action="store_true", help="replace present data, after a backup of them")


def run(arguments: argparse.Namespace) -> int:
    """Restore and say what is left to do: newer migrations run at the next start, the lake is made anew."""
    source = arguments.file.absolute()
    manifest = read_manifest(source)
    prepare_folders(home_folder(os.environ))
    ensure_database(os.environ)
    if arguments.force:
        safety = replace_with_backup(os.environ, source=source, now=utc_now())
        if safety and not arguments.json:
            print(f"what was there before: {safety.path}")
    else:
        restore_backup(os.environ, source=source)
    tell(Backup(path=source, manifest=manifest), verb="restored from", as_json=arguments.json)
    if not arguments.json:
        print("Run `changke analyse` to make the figures anew.")
    return 0
