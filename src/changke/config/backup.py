"""Backup and restore: database, uploads and keys in one file, checked to the last byte and row.

The file is a tar: the dump, the files, and at the end manifest.json with the rows of every table and the SHA-256 of
every file; without its manifest it is a broken one. The lake is not in it: it is made anew from the database.
"""

import hashlib
import io
import json
import os
import shutil
import tarfile
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import version
from pathlib import Path, PurePosixPath
from typing import IO, Final

from changke.config.database import server_facts
from changke.config.dump import has_tables, load_dump, write_dump
from changke.config.home import home_folder, load_keys, make_private
from changke.kernel.errors import ChangkeError, fail

FORMAT: Final = 1
DUMP: Final = "database.dump"
MANIFEST: Final = "manifest.json"
FOLDERS: Final = ("uploads", "keys")
CHUNK: Final = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """What a backup holds."""

    program: str  # version of Changke
    server: str  # version of PostgreSQL
    made_at: datetime
    tables: Mapping[str, int]  # rows by table
    files: Mapping[str, str]  # SHA-256 by name

    @property
    def rows(self) -> int:
        return sum(self.tables.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class Backup:
    """A backup file and what it holds."""

    path: Path
    manifest: Manifest


def make_backup(env: Mapping[str, str], *, target: Path, now: datetime) -> Backup:
    """Write a backup of a running installation to a file, or into a folder under a name with the time.

    Whole or not at all; only its owner may read it, for it holds the keys. Work goes on meanwhile: rows and counts are
    those of one moment. Needs room for the dump twice.
    """
    name = f"changke-{now:%Y%m%dT%H%M%SZ}.tar"
    path = target / name if target.is_dir() else target
    if path.exists():
        raise fail("backup_exists", "%(path)s exists already.", cure="Choose another name.", path=path)
    if not path.parent.is_dir():
        raise fail("folder_missing", "There is no folder %(folder)s.", cure="Make it first.", folder=path.parent)
    with tempfile.TemporaryDirectory(prefix=".changke-backup-", dir=path.parent) as staging:
        dump, draft = Path(staging) / DUMP, Path(staging) / name
        tables = write_dump(env, dump=dump)
        with tarfile.open(draft, "w") as tar:
            files = {DUMP: _add(tar, dump, name=DUMP)}
            for folder in FOLDERS:
                top = home_folder(env) / folder
                for file in sorted(top.rglob("*")):
                    if file.is_file() and not file.is_symlink():
                        inside = f"{folder}/{file.relative_to(top).as_posix()}"
                        files[inside] = _add(tar, file, name=inside)
            server = server_facts(env).version
            manifest = Manifest(program=version("changke"), server=server, made_at=now, tables=tables, files=files)
            spelled = _spell(manifest)
            head = tarfile.TarInfo(MANIFEST)
            head.size = len(spelled)
            tar.addfile(head, io.BytesIO(spelled))
        draft.chmod(0o600)
        _flush(draft)
        draft.replace(path)
        _flush(path.parent)
    return Backup(path=path, manifest=manifest)


def read_manifest(path: Path) -> Manifest:
    """Return what a backup says it holds; ChangkeError for a missing, broken or unknown file."""
    if not path.is_file():
        raise fail("backup_missing", "There is no file %(path)s.", cure="Check the name.", path=path)
    try:
        with tarfile.open(path) as tar:
            text = tar.extractfile(MANIFEST)
            said = json.load(text) if text else {}
        if said["format"] != FORMAT:
            raise ValueError
        return Manifest(
            program=said["program"],
            server=said["server"],
            made_at=datetime.fromisoformat(said["made_at"]),
            tables={str(table): int(rows) for table, rows in said["tables"].items()},
            files={str(name): str(digest) for name, digest in said["files"].items()},
        )
    except (tarfile.TarError, KeyError, ValueError, EOFError) as error:
        raise _broken(path) from error


def restore_backup(env: Mapping[str, str], *, source: Path) -> Backup:
    """Bring a backup into an installation without data; its server must run.

    Everything is checked before anything is touched, and the database changes in one transaction that counts the rows.
    """
    manifest = read_manifest(source)
    _refuse_newer(manifest)
    if has_tables(env):
        raise fail(
            "restore_over_data",
            "This installation holds data already.",
            cure="Use --force to replace them; they are backed up first.",
        )
    _bring_back(env, source=source, manifest=manifest)
    return Backup(path=source, manifest=manifest)


def replace_with_backup(env: Mapping[str, str], *, source: Path, now: datetime) -> Backup | None:
    """Bring a backup in place of the present data; returns the backup made of those, None where there were none."""
    manifest = read_manifest(source)
    _refuse_newer(manifest)
    refuse_busy(env)
    safety = None
    if has_tables(env):
        folder = make_private(home_folder(env) / "backups")
        safety = make_backup(env, target=folder / f"before-restore-{now:%Y%m%dT%H%M%SZ}.tar", now=now)
    _bring_back(env, source=source, manifest=manifest)
    return safety


def unpack(source: Path, *, manifest: Manifest, into: Path) -> None:
    """Unpack a backup into an empty folder, every file compared with the manifest; ChangkeError for a difference."""
    left = dict(manifest.files)
    try:
        with tarfile.open(source) as tar:
            for member in tar:
                if member.name == MANIFEST:
                    continue
                name, content = PurePosixPath(member.name), tar.extractfile(member)
                if content is None or name.is_absolute() or ".." in name.parts:
                    raise _broken(source)
                make_private((into / name).parent)
                if _copy(content, into / name) != left.pop(member.name, None):
                    raise _broken(source)
    except (tarfile.TarError, EOFError) as error:
        raise _broken(source) from error
    if left:
        raise _broken(source)
    load_keys(into)


def refuse_busy(env: Mapping[str, str]) -> None:
    """Raise ChangkeError where other sessions use the database."""
    if sessions := server_facts(env).other_sessions:
        raise fail(
            "database_in_use",
            "%(sessions)s other sessions use the database.",
            cure="Stop `changke up` and other commands first.",
            sessions=sessions,
        )


def _bring_back(env: Mapping[str, str], *, source: Path, manifest: Manifest) -> None:
    """Unpack and check, load the database, then put uploads and keys in place. A run broken off may be repeated."""
    home = home_folder(env)
    with tempfile.TemporaryDirectory(prefix=".restore-", dir=home) as staging:
        unpacked = make_private(Path(staging) / "unpacked")
        unpack(source, manifest=manifest, into=unpacked)
        load_dump(env, dump=unpacked / DUMP, tables=manifest.tables, staging=Path(staging))
        for folder in FOLDERS:
            make_private(unpacked / folder)
            if (home / folder).exists():
                (home / folder).rename(unpacked / f"old-{folder}")
            (unpacked / folder).rename(home / folder)
    shutil.rmtree(home / "lake", ignore_errors=True)  # it speaks of other rows
    make_private(home / "lake")


def _refuse_newer(manifest: Manifest) -> None:
    ours = version("changke")
    if [int(part) for part in manifest.program.split(".")[:2]] > [int(part) for part in ours.split(".")[:2]]:
        raise fail(
            "backup_newer",
            "The backup was made by Changke %(theirs)s, this is %(ours)s.",
            cure="Install that version or a newer one.",
            theirs=manifest.program,
            ours=ours,
        )


def _spell(manifest: Manifest) -> bytes:
    said = {
        "format": FORMAT,
        "program": manifest.program,
        "server": manifest.server,
        "made_at": manifest.made_at.isoformat(),
        "tables": dict(manifest.tables),
        "files": dict(manifest.files),
    }
    return json.dumps(said, ensure_ascii=False, indent=1).encode()


def _broken(path: Path) -> ChangkeError:
    return fail(
        "backup_broken",
        "%(path)s is not a whole backup of Changke.",
        cure="Copy it again from where it was made, or use another backup.",
        path=path,
    )


class _Digested(io.RawIOBase):
    """A file that is being read, and the SHA-256 of what was read."""

    def __init__(self, file: IO[bytes]) -> None:
        self.file, self.digest = file, hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        chunk = self.file.read(size)
        self.digest.update(chunk)
        return chunk


def _add(tar: tarfile.TarFile, path: Path, *, name: str) -> str:
    """Add a file and return the SHA-256 of the bytes that went in."""
    with path.open("rb") as file:
        head = tarfile.TarInfo(name)
        head.size, head.mtime = os.fstat(file.fileno()).st_size, int(os.fstat(file.fileno()).st_mtime)
        digested = _Digested(file)
        tar.addfile(head, digested)
    return digested.digest.hexdigest()


def _copy(content: IO[bytes], path: Path) -> str:
    """Write a file that only its owner can read and return its SHA-256."""
    digest = hashlib.sha256()
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        while chunk := content.read(CHUNK):
            digest.update(chunk)
            file.write(chunk)
    return digest.hexdigest()


def _flush(path: Path) -> None:
    """Wait until a file or the entries of a folder are on the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
