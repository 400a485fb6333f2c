"""The home folder: all data of one installation under one folder that nobody else can read, and its keys."""

import fcntl
import os
import secrets
import stat
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from changke.kernel.errors import fail

SYSTEM_HOME: Final = Path("/var/lib/changke")  # of root; other users keep theirs under ~/.local/share
FOLDERS: Final = ("keys", "uploads", "lake", "backups", "logs", "static", "run")
KEY_FILES: Final = ("django.key", "master.key", "index.key")
KEY_BYTES: Final = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Keys:
    """The secrets of one installation; never shown, not even by repr()."""

    django_secret: str = field(repr=False)
    master_key: bytes = field(repr=False)  # 32 bytes: wraps the members' own keys (AES-256)
    index_key: bytes = field(repr=False)  # 32 bytes: HMAC of blind indexes


def home_folder(env: Mapping[str, str]) -> Path:
    """Return the folder of all data: CHANGKE_HOME, else /var/lib/changke for root, else under ~/.local/share."""
    if chosen := env.get("CHANGKE_HOME"):
        return Path(chosen).expanduser().absolute()
    if os.geteuid() == 0:
        return SYSTEM_HOME
    return Path(env.get("XDG_DATA_HOME") or Path.home() / ".local" / "share") / "changke"


def prepare_home(home: Path) -> Keys:
    """Make the home, its folders and its keys (0600) where they are missing; return the keys. Safe to repeat."""
    prepare_folders(home)
    with locked(home / "run" / "home.lock"):
        _make_keys(home)
    return load_keys(home)


def prepare_folders(home: Path) -> None:
    """Make the home and its folders, or close open ones (0700); ChangkeError for a place that is not fit for it.

    For root the home itself is 0710: the database's system user passes through, nobody lists it.
    """
    _refuse_foreign(home)
    make_private(home, mode=0o710 if os.geteuid() == 0 else 0o700)
    for name in FOLDERS:
        make_private(home / name)


def _make_keys(home: Path) -> None:
    keys = home / "keys"
    missing = [name for name in KEY_FILES if not (keys / name).exists()]
    if missing and (len(missing) < len(KEY_FILES) or (home / "postgres" / "data").exists()):
        raise fail(
            "keys_lost",
            "Keys are missing in %(folder)s: %(names)s. New ones could not read the encrypted data.",
            cure="Put them back from a backup: `changke restore FILE --force`, or copy the files.",
            folder=keys,
            names=", ".join(missing),
        )
    for name in missing:
        write_whole(keys / name, secrets.token_hex(KEY_BYTES) + "\n")


def load_keys(home: Path) -> Keys:
    """Read the keys; refuses missing, open or made-up ones (ChangkeError with the cure)."""
    texts = [_read_key(home / "keys" / name) for name in KEY_FILES]
    return Keys(django_secret=texts[0], master_key=bytes.fromhex(texts[1]), index_key=bytes.fromhex(texts[2]))


def make_private(folder: Path, *, mode: int = 0o700) -> Path:
    """Make a folder, or close one that others can read, and return it."""
    folder.mkdir(parents=True, exist_ok=True, mode=mode)
    if stat.S_IMODE(folder.stat().st_mode) & ~mode:
        folder.chmod(mode)
    return folder


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold a lock file: a second process waits here until the first is done, also when that one was killed."""
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def write_whole(path: Path, text: str) -> None:
    """Write a file that only its owner can read: whole and on the disk, or not at all."""
    draft = path.with_name(f".{path.name}.draft")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)


def open_parts(home: Path) -> list[Path]:
    """Return what of the home other users can read or write: it should be empty."""
    folders = [home, *(home / name for name in FOLDERS), home / "postgres", home / "postgres" / "data"]
    files = [home / "keys" / name for name in KEY_FILES]
    found = [path for path in folders if path.exists() and stat.S_IMODE(path.stat().st_mode) & 0o067]
    return found + [path for path in files if path.exists() and stat.S_IMODE(path.stat().st_mode) & 0o077]


def _refuse_foreign(home: Path) -> None:
    """Refuse a home that must not be closed to others or that belongs to another user."""
    known = home if home.exists() else next(parent for parent in home.parents if parent.exists())
    if home in Path.home().parents or (home.exists() and home.stat().st_mode & stat.S_ISVTX):
        raise fail(
            "home_shared",
            "%(home)s is shared with other things and cannot be the home of the data.",
            cure="Set CHANGKE_HOME to a folder of its own.",
            home=home,
        )
    if home.exists() and home.stat().st_uid != os.geteuid():
        raise fail(
            "home_of_another",
            "%(home)s belongs to user number %(owner)s.",
            cure="Run changke as that user, or choose another folder with CHANGKE_HOME.",
            home=home,
            owner=home.stat().st_uid,
        )
    if not os.access(known, os.W_OK | os.X_OK):
        raise fail(
            "home_unwritable",
            "%(known)s cannot be written.",
            cure="Give this user the right to write there, or choose another folder with CHANGKE_HOME.",
            known=known,
        )


def _read_key(path: Path) -> str:
    try:
        text = path.read_text().strip()
    except FileNotFoundError:
        raise fail(
            "key_missing", "The key file %(path)s is missing.", cure="Run `changke init` first.", path=path
        ) from None
    except PermissionError:
        raise fail(
            "key_unreadable", "The key file %(path)s cannot be read.", cure="Run changke as its owner.", path=path
        ) from None
    if stat.S_IMODE(path.stat().st_mode) & 0o077:
        raise fail("key_open", "Others can read %(path)s.", cure="Run: chmod 600 %(path)s", path=path)
    if len(text) != 2 * KEY_BYTES or len(set(text)) < 8 or set(text) - set("0123456789abcdef"):
        raise fail(
            "key_placeholder",
            "%(path)s does not hold a generated key.",
            cure="Put the right file back from a backup; for a new installation delete it and run `changke init`.",
            path=path,
        )
    return text
