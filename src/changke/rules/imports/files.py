"""Files that people bring for an import: how many, how large, and the names under which they are kept."""

import re
from collections.abc import Sequence
from pathlib import PurePath
from typing import Final

FILES_MAX: Final = 50
FILE_BYTES_MAX: Final = 200_000_000
NAME_BYTES_MAX: Final = 200  # of 255 that a disk allows, with room for a number
_UNSAFE: Final = re.compile(r"[\x00-\x1f\x7f/\\:*?\"<>|]")


def safe_names(names: Sequence[str]) -> list[str]:
    """Return file names that are safe and distinct: without folders and control signs, the ending kept, never hidden.

    Reports call rows by these names, so they stay as close to the user's own as they can.
    """
    safe: list[str] = []
    for name in names:
        plain = _UNSAFE.sub("_", name.replace("\\", "/").rsplit("/", 1)[-1]).lstrip(". ") or "file"
        endings = "".join(PurePath(plain).suffixes[-2:])[-20:]
        room = NAME_BYTES_MAX - len(endings.encode())
        stem = plain.removesuffix(endings).encode()[:room].decode(errors="ignore")
        wanted, number = stem + endings, 2
        while wanted.lower() in {taken.lower() for taken in safe}:
            wanted, number = f"{stem} ({number}){endings}", number + 1
        safe.append(wanted)
    return safe
