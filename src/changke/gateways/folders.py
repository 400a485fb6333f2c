"""Folders of work under way: private, and gone when the work is over."""

import shutil
from pathlib import Path


def open_folder(path: Path) -> Path:
    """Make a folder that only its owner can enter, where it is missing, and return it."""
    path.mkdir(parents=True, exist_ok=True, mode=0o700)
    return path


def remove_folder(path: Path) -> None:
    """Remove a folder with all that is in it; one that is gone already is no error."""
    shutil.rmtree(path, ignore_errors=True)


def remove_others(folder: Path, *, keep: Path) -> None:
    """Remove what earlier work that was killed has left beside a folder."""
    for left in folder.iterdir():
        if left != keep:
            remove_folder(left)
