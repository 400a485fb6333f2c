"""The lake: immutable versions of facts and wide rows as Parquet, and a pointer file that names the current one.

    lake/CURRENT                  the name of the current version's folder
    lake/v000007/<table>/         sales lines members opportunities visits and features
    lake/v000007/<table>_changed/ keys whose rows in <table> no longer hold; their rows are in <table>_anew/
    lake/v000007/manifest.json

A version is never changed. The next one begins as hard links to its files, replaces those that differ and is published
by replacing CURRENT, so that a reader sees all of a refresh or nothing. A version is removed when two newer ones are
there and no reader holds it. There is one writer at a time.
"""

import fcntl
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime
from pathlib import Path
from typing import Any, Final

import ibis
from ibis.backends.duckdb import Backend

from changke.insight.engine import Facts, open_engine, parquet_view
from changke.insight.facts import KEYS
from changke.kernel.errors import fail

POINTER: Final = "CURRENT"
KEPT_VERSIONS: Final = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """What a version says of itself. `totals_key` says what its wide rows were made for."""

    number: int
    made_at: datetime
    as_of: date | None = None  # of its wide rows
    totals_key: str = ""
    cuts: dict[str, Any] | None = None  # of the scores in its wide rows


@dataclass(frozen=True, slots=True, kw_only=True)
class LakeVersion:
    """One version on disk."""

    folder: Path
    manifest: Manifest

    def files(self, table: str) -> Path:
        """Return the pattern of a table's Parquet files."""
        return self.folder / table / "*.parquet"

    def has(self, table: str) -> bool:
        return any((self.folder / table).glob("*.parquet"))


@dataclass(slots=True, kw_only=True)
class Draft:
    """The version being made: its folder, its engine and what its manifest will say."""

    folder: Path
    engine: Backend
    manifest: Manifest
    files_made: int = 0
    totals_kept: str = ""  # the key of the totals that its engine holds

    def new_file(self, table: str) -> Path:
        """Return a path for one more file of a table, of a name that no earlier version used."""
        self.files_made += 1
        (self.folder / table).mkdir(exist_ok=True)
        return self.folder / table / f"{self.manifest.number:06d}-{self.files_made:04d}.parquet"

    def drop(self, table: str) -> None:
        """Forget a table's files; other versions keep theirs."""
        shutil.rmtree(self.folder / table, ignore_errors=True)

    def version(self) -> LakeVersion:
        return LakeVersion(folder=self.folder, manifest=self.manifest)

    def facts(self) -> Facts:
        return facts_of(self.engine, self.version())


def read_current(lake: Path) -> LakeVersion | None:
    """Return the current version, or None where nothing was ever published."""
    pointer = lake / POINTER
    if not pointer.exists():
        return None
    folder = lake / pointer.read_text(encoding="ascii").strip()
    told = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    told["made_at"] = datetime.fromisoformat(told["made_at"])
    told["as_of"] = date.fromisoformat(told["as_of"]) if told["as_of"] else None
    return LakeVersion(folder=folder, manifest=Manifest(**told))


@contextmanager
def hold_current(lake: Path) -> Iterator[LakeVersion]:
    """Yield the current version and keep it on disk as long as the block lasts, whatever is published meanwhile."""
    while True:
        version = read_current(lake)
        if version is None:
            raise fail(
                "lake_empty", "There is no data to analyse yet.", cure="Import sales, then refresh the analysis."
            )
        try:
            manifest = (version.folder / "manifest.json").open("rb")
        except FileNotFoundError:  # removed between reading the pointer and here: read the pointer again
            continue
        with manifest:
            fcntl.flock(manifest, fcntl.LOCK_SH)
            if version.folder.exists():
                yield version
                return


def facts_of(engine: Backend, version: LakeVersion) -> Facts:
    """Return the facts of a version as tables of an engine."""
    return Facts(**{table: fact_of(engine, version, table=table) for table in KEYS})


def fact_of(engine: Backend, version: LakeVersion, *, table: str) -> ibis.Table:
    """Return one table of facts, with what changed since its base was written."""
    return parquet_view(engine, name=table, path=version.files(table), keys=KEYS[table])


@contextmanager
def open_draft(lake: Path, *, now: datetime, threads: int = 2, memory_mib: int = 1024) -> Iterator[Draft]:
    """Yield the next version to fill and publish it at the end of the block; after an error everything is as before.

    Waits for another writer. It begins with all files of the current version.
    """
    lake.mkdir(parents=True, exist_ok=True)
    with (lake / "LOCK").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        base = read_current(lake)
        number = base.manifest.number + 1 if base else 1
        folder = lake / f"v{number:06d}"
        shutil.rmtree(folder, ignore_errors=True)  # left by a writer that was killed
        if base:
            shutil.copytree(base.folder, folder, copy_function=os.link)
            (folder / "manifest.json").unlink()
            manifest = replace(base.manifest, number=number, made_at=now)
        else:
            folder.mkdir()
            manifest = Manifest(number=number, made_at=now)
        try:
            with open_engine(threads=threads, memory_mib=memory_mib, spill=lake) as engine:
                draft = Draft(folder=folder, engine=engine, manifest=manifest)
                yield draft
            _publish(lake, draft.version(), base=base)
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        _remove_old(lake, current=number)


def _publish(lake: Path, version: LakeVersion, *, base: LakeVersion | None) -> None:
    told = asdict(version.manifest)
    (version.folder / "manifest.json").write_text(json.dumps(told, default=str), encoding="utf-8")
    for path in version.folder.rglob("*.*"):
        if base is None or not (base.folder / path.relative_to(version.folder)).exists():
            _flush(path)
    for folder in (*(path for path in version.folder.iterdir() if path.is_dir()), version.folder, lake):
        _flush(folder)
    pointer = lake / f".{POINTER}.partial"
    pointer.write_text(version.folder.name, encoding="ascii")
    _flush(pointer)
    pointer.replace(lake / POINTER)
    _flush(lake)


def _flush(path: Path) -> None:
    """Bring a file or folder to the disk: after a power cut the pointer never names what is not there."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _remove_old(lake: Path, *, current: int) -> None:
    for folder in sorted(lake.glob("v[0-9]*")):
        if int(folder.name[1:]) > current - KEPT_VERSIONS:
            continue
        with (folder / "manifest.json").open("rb") as manifest:
            try:
                fcntl.flock(manifest, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:  # somebody reads it: the next refresh tries again
                continue
            shutil.rmtree(folder)
