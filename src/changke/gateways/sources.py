"""Where imported tables come from: plain files, folders, gz and zip, opened as streams behind a guard against bombs."""

import gzip
import hashlib
import io
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, Final

from changke.kernel.errors import fail

TEXT_ENDINGS: Final = (".csv", ".tsv", ".txt", ".psv")
SHEET_ENDINGS: Final = (".xlsx", ".xlsm", ".xlsb", ".xls", ".ods")
PARQUET_ENDINGS: Final = (".parquet", ".pq")
TABLE_ENDINGS: Final = TEXT_ENDINGS + SHEET_ENDINGS + PARQUET_ENDINGS


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How far files may unfold: bytes altogether, and times their stored size once past `ratio_from` bytes."""

    total_bytes: int = 16 << 30
    ratio: int = 250
    ratio_from: int = 64 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One table-bearing file: on disk as it is, or packed in a gz or zip. `name` is what reports call it."""

    name: str
    path: Path
    entry: str = ""  # inside a zip
    stored_bytes: int

    @property
    def ending(self) -> str:
        plain = (self.entry or self.path.name).lower()
        return Path(plain.removesuffix(".gz")).suffix

    @property
    def is_packed(self) -> bool:
        return bool(self.entry) or self.path.suffix.lower() == ".gz"


@dataclass(slots=True, kw_only=True)
class Guard:
    """Counts what a set of files unfolds to and stops it past its limits; one guard serves one import."""

    limits: Limits = field(default_factory=Limits)
    total: int = 0

    def count(self, size: int, *, source: Source, unfolded: int) -> None:
        self.total += size
        too_dense = unfolded > max(self.limits.ratio_from, self.limits.ratio * source.stored_bytes)
        if self.total > self.limits.total_bytes or (source.is_packed and too_dense):
            raise fail(
                "file_unfolds_too_far",
                "%(name)s unfolds to more than is allowed (%(limit)s MiB or %(ratio)s times its size).",
                cure="Unpack it yourself, look at what is in it, and import the parts.",
                name=source.name,
                limit=self.limits.total_bytes >> 20,
                ratio=self.limits.ratio,
            )


class GuardedStream(io.RawIOBase):
    """A readable stream that tells the guard about every byte; `unfolded` is how many were read."""

    def __init__(self, inner: IO[bytes], *, source: Source, guard: Guard) -> None:
        super().__init__()
        self._inner, self._source, self._guard = inner, source, guard
        self.unfolded = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: object) -> int:
        view = memoryview(buffer)  # type: ignore[arg-type]  # the C protocol hands any writable buffer
        try:
            data = self._inner.read(len(view))
        except (EOFError, gzip.BadGzipFile, zipfile.BadZipFile, zlib.error, RuntimeError) as broken:
            raise broken_file(self._source.name) from broken
        view[: len(data)] = data
        self.unfolded += len(data)
        self._guard.count(len(data), source=self._source, unfolded=self.unfolded)
        return len(data)


def broken_file(name: str) -> Exception:
    """Build the error for a file that is damaged, cut short or locked by a password."""
    return fail(
        "file_broken",
        "%(name)s cannot be read: it is damaged, incomplete or locked by a password.",
        cure="Export or download it again, without a password.",
        name=name,
    )


def find_sources(paths: list[Path]) -> list[Source]:
    """Return the table-bearing files of paths (files, folders, zip, gz) in a stable order.

    Errors: `file_missing`, `file_kind_unknown` (a named file of a kind that is not read), `file_none` (nothing found).
    """
    found = [source for path in paths for source in _sources_at(path, named=True)]
    if not found:
        raise fail(
            "file_none",
            "There is no file to import.",
            cure="Name CSV, XLSX, Parquet, zip or gz files, or a folder of them.",
        )
    return found


def _sources_at(path: Path, *, named: bool) -> Iterator[Source]:
    if not path.exists():
        raise fail("file_missing", "There is no file %(name)s.", cure="Check the path.", name=path)
    if path.is_dir():
        for child in sorted(path.iterdir()):
            if child.is_file() and not child.name.startswith("."):
                yield from _sources_at(child, named=False)
    elif path.suffix.lower() == ".zip":
        yield from _entries_of(path)
    else:
        source = Source(name=path.name, path=path, stored_bytes=path.stat().st_size)
        if source.ending in TABLE_ENDINGS:
            yield source
        elif named:
            raise fail(
                "file_kind_unknown",
                "%(name)s is not a kind of file that can be imported.",
                cure="Use CSV, TSV, TXT, XLSX, XLS, ODS or Parquet, plain or packed as zip or gz.",
                name=path.name,
            )


def _entries_of(path: Path) -> Iterator[Source]:
    try:
        with zipfile.ZipFile(path) as archive:
            entries = sorted(archive.infolist(), key=lambda entry: entry.filename)
    except zipfile.BadZipFile as broken:
        raise broken_file(path.name) from broken
    for entry in entries:
        hidden = entry.is_dir() or Path(entry.filename).name.startswith(".") or entry.filename.startswith("__MACOSX")
        source = Source(
            name=f"{path.name}/{entry.filename}", path=path, entry=entry.filename, stored_bytes=entry.compress_size
        )
        if not hidden and source.ending in TABLE_ENDINGS:
            yield source


@contextmanager
def open_source(source: Source, *, guard: Guard) -> Iterator[tuple[io.BufferedReader, GuardedStream]]:
    """Open the unpacked bytes of a source: the stream to read from, and the guarded one behind it that counts."""
    with ExitStack() as stack:
        inner: Any = stack.enter_context(source.path.open("rb"))
        if source.entry:
            try:
                inner = stack.enter_context(stack.enter_context(zipfile.ZipFile(inner)).open(source.entry))
            except (zipfile.BadZipFile, RuntimeError, NotImplementedError) as broken:
                raise broken_file(source.name) from broken
        if (source.entry or source.path.name).lower().endswith(".gz"):
            inner = stack.enter_context(gzip.GzipFile(fileobj=inner))
        guarded = GuardedStream(inner, source=source, guard=guard)
        yield io.BufferedReader(guarded, buffer_size=1 << 20), guarded


def hash_file(path: Path) -> str:
    """Return the SHA-256 (hex) of a file's stored bytes: two imports of the same file are known by it."""
    with path.open("rb") as stored:
        return hashlib.file_digest(stored, "sha256").hexdigest()
