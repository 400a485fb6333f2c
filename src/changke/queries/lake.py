"""The current version of the lake, opened once a process and held on disk as long as it is in use."""

import fcntl
import os
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from threading import Lock

from django.conf import settings

from changke.insight.lake import LakeVersion, read_current
from changke.insight.tables import LakeReader, LakeTables
from changke.kernel.errors import fail

READER_MEMORY_MIB = 512


@dataclass(frozen=True, slots=True, kw_only=True)
class CurrentLake:
    """One version with wide rows: its folder, the analysis date of its scores, and a reader that threads may share."""

    folder: Path
    as_of: date
    made_at: datetime
    reader: LakeReader
    hold: "Hold" = field(repr=False)

    @property
    def version(self) -> str:
        return self.folder.name


class Hold:
    """A shared lock on a version's manifest that keeps it on disk until the last reader is gone."""

    def __init__(self, folder: Path) -> None:
        self._handle = os.open(folder / "manifest.json", os.O_RDONLY | os.O_CLOEXEC)
        fcntl.flock(self._handle, fcntl.LOCK_SH)

    def __del__(self) -> None:
        if hasattr(self, "_handle"):
            os.close(self._handle)


_open: dict[Path, CurrentLake] = {}  # by lake folder: the version this process reads
_lock = Lock()


def current_lake() -> CurrentLake | None:
    """Return the current version, or None where nothing was analysed yet. Costs one small file read when it is open."""
    lake = Path(settings.LAKE)
    with _lock:
        while True:
            version = read_current(lake)
            if version is None or version.manifest.as_of is None:
                return None
            known = _open.get(lake)
            if known is not None and known.folder == version.folder and known.made_at == version.manifest.made_at:
                return known
            opened = _open_version(version, as_of=version.manifest.as_of)
            if opened is not None:
                _open[lake] = opened  # the one before closes when the last page that reads it is done
                return opened


def need_lake() -> CurrentLake:
    """Return the current version; ChangkeError with the cure where there is none."""
    lake = current_lake()
    if lake is None:
        raise fail("lake_empty", "There is no data to analyse yet.", cure="Import sales, then refresh the analysis.")
    return lake


def _open_version(version: LakeVersion, *, as_of: date) -> CurrentLake | None:
    """Open a version for reading; None where it was removed since the pointer was read."""
    try:
        hold = Hold(version.folder)
    except FileNotFoundError:
        return None
    if not version.folder.exists():
        return None
    tables = LakeTables(
        members=version.files("members"),
        sales=version.files("sales"),
        lines=version.files("lines"),
        visits=version.files("visits"),
        features=version.files("features"),
    )
    reader = LakeReader(tables, threads=1, memory_mib=READER_MEMORY_MIB)
    return CurrentLake(folder=version.folder, as_of=as_of, made_at=version.manifest.made_at, reader=reader, hold=hold)
