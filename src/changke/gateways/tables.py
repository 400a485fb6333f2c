"""Tables from files: CSV, XLSX, Parquet, plain or packed, as text columns in Parquet with their row numbers."""

import io
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import python_calamine
from python_calamine import CalamineWorkbook

from changke.gateways.sources import (
    PARQUET_ENDINGS,
    SHEET_ENDINGS,
    Guard,
    GuardedStream,
    Source,
    broken_file,
    find_sources,
    hash_file,
    open_source,
)
from changke.gateways.text_tables import (
    BLOCK_BYTES,
    SAMPLE_BYTES,
    MalformedRow,
    TextShape,
    guess_header_row,
    guess_shape,
    name_columns,
    read_text,
    with_next_encoding,
)
from changke.kernel.errors import fail
from changke.rules.imports.values import BLANKS

PREVIEW_ROWS: Final = 50
BATCH_ROWS: Final = 65_536
MALFORMED_MAX: Final = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadOptions:
    """What the user knows better than the guess; empty or None = guess. `delimiter` may be "blanks"."""

    encoding: str = ""
    delimiter: str = ""
    header_row: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RawTable:
    """One table as it was read: `path` is a Parquet file of text columns plus `row_no` (int64, 1 = first data row)."""

    name: str  # what the user knows it by: "sales.zip/2024-01.csv", "members.xlsx#Sheet1"
    path: Path
    columns: tuple[str, ...]
    rows: int  # good rows
    padded: frozenset[str] = frozenset()  # columns that have a cell with blanks around it
    malformed: tuple[MalformedRow, ...] = ()
    encoding: str = ""
    delimiter: str = ""
    header_row: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class TablePreview:
    """The first rows of a table and how it would be read."""

    name: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    encoding: str = ""
    delimiter: str = ""
    header_row: int = 1


@dataclass(slots=True, kw_only=True)
class _Reading:
    """What one read_tables call carries along."""

    into: Path
    options: ReadOptions
    guard: Guard
    watch: Callable[[int, int], None]
    done_bytes: int = 0
    all_bytes: int = 0
    tables: list[RawTable] = field(default_factory=list)

    def next_path(self) -> Path:
        return self.into / f"raw_{len(self.tables):04d}.parquet"


def hash_files(paths: list[Path]) -> dict[str, str]:
    """Return the SHA-256 of every stored file behind the paths, by its name, in reading order."""
    return {str(path): hash_file(path) for path in dict.fromkeys(source.path for source in find_sources(paths))}


def read_tables(
    paths: list[Path],
    *,
    into: Path,
    options: ReadOptions | None = None,
    guard: Guard | None = None,
    watch: Callable[[int, int], None] = lambda _done, _total: None,
) -> list[RawTable]:
    """Read every table of files, folders and archives into Parquet files below `into`, streaming, in bounded memory.

    `watch(done, total)` hears bytes; what it raises stops the reading. Spreadsheets are the exception to bounded
    memory: their largest sheet (1,048,576 rows) is held once. Errors: those of find_sources, `file_broken`,
    `file_unfolds_too_far`, `encoding_unknown`, `text_unreadable`, `malformed_rows`.
    """
    sources = find_sources(paths)
    reading = _Reading(
        into=into, options=options or ReadOptions(), guard=guard or Guard(), watch=watch,
        all_bytes=sum(source.stored_bytes for source in sources),
    )  # fmt: skip
    for source in sources:
        if source.ending in SHEET_ENDINGS:
            _read_sheets(source, reading=reading)
        elif source.ending in PARQUET_ENDINGS:
            _read_parquet(source, reading=reading)
        else:
            _read_csv(source, reading=reading)
        reading.done_bytes += source.stored_bytes
        watch(reading.done_bytes, reading.all_bytes)
    return reading.tables


def preview_tables(paths: list[Path], *, options: ReadOptions | None = None) -> list[TablePreview]:
    """Return the first 50 rows of every table and how it would be read, without reading text files further."""
    chosen = options or ReadOptions()
    previews: list[TablePreview] = []
    for source in find_sources(paths):
        if source.ending in SHEET_ENDINGS:
            for name, rows in _sheets_of(source, guard=Guard()):
                columns, data, header = _shape_sheet(rows, options=chosen)
                cells = tuple(tuple(cell or "" for cell in row) for row in _first(data, PREVIEW_ROWS))
                previews.append(TablePreview(name=name, columns=columns, rows=cells, header_row=header))
        elif source.ending in PARQUET_ENDINGS:
            previews.append(_preview_parquet(source))
        else:
            previews.append(_preview_text(source, options=chosen))
    return previews


def first_rows(table: RawTable, *, count: int = PREVIEW_ROWS) -> tuple[tuple[str, ...], ...]:
    """Return the first rows of a table that was read, empty cells as empty texts."""
    with pq.ParquetFile(table.path) as parquet:
        batch = next(parquet.iter_batches(batch_size=count, columns=list(table.columns)), None)
    if batch is None:
        return ()
    return tuple(tuple(cell or "" for cell in row) for row in zip(*(c.to_pylist() for c in batch.columns), strict=True))


def _preview_text(source: Source, *, options: ReadOptions) -> TablePreview:
    with open_source(source, guard=Guard()) as (stream, _):
        shape = _shape_of(stream, options=options)
        batches = read_text(stream, shape=shape, name=source.name, refuse=lambda _row: None, block_bytes=BLOCK_BYTES)
        first = next(iter(batches), None)
    rows = first.slice(0, PREVIEW_ROWS).drop_columns(["row_no"]).to_pylist() if first is not None else []
    return TablePreview(
        name=source.name,
        columns=shape.columns,
        rows=tuple(tuple(row[column] or "" for column in shape.columns) for row in rows),
        encoding=shape.encoding,
        delimiter=shape.delimiter,
        header_row=shape.header_row,
    )


def _shape_of(stream: Any, *, options: ReadOptions) -> TextShape:
    """Guess the shape from the start of a stream without using it up (the buffer holds the sample)."""
    return guess_shape(
        stream.peek(SAMPLE_BYTES)[:SAMPLE_BYTES],
        encoding=options.encoding,
        delimiter=options.delimiter,
        header_row=options.header_row,
    )


def _read_csv(source: Source, *, reading: _Reading) -> None:
    shape: TextShape | None = None
    while True:
        malformed: list[MalformedRow] = []

        def refuse(row: MalformedRow, malformed: list[MalformedRow] = malformed) -> None:
            malformed.append(row)
            if len(malformed) > MALFORMED_MAX:
                raise fail(
                    "malformed_rows",
                    "%(name)s has over a million rows with another number of columns than its header.",
                    cure="Choose another delimiter.",
                    name=source.name,
                )

        with open_source(source, guard=reading.guard) as (stream, counted):
            shape = shape or _shape_of(stream, options=reading.options)
            if not shape.columns:
                return
            try:
                rows, padded = _write(
                    _watched(
                        read_text(stream, shape=shape, name=source.name, refuse=refuse),
                        source=source,
                        counted=counted,
                        reading=reading,
                    ),
                    columns=shape.columns,
                    path=reading.next_path(),
                )
                break
            except UnicodeDecodeError:
                following = with_next_encoding(shape) if not reading.options.encoding else None
                if following is None:
                    raise fail(
                        "encoding_unknown",
                        "%(name)s is not written in %(encoding)s.",
                        cure="Choose its encoding, or save it as UTF-8.",
                        name=source.name,
                        encoding=shape.encoding,
                    ) from None
                shape = following
    reading.tables.append(
        RawTable(
            name=source.name,
            path=reading.next_path(),
            columns=shape.columns,
            rows=rows,
            padded=padded,
            malformed=tuple(malformed),
            encoding=shape.encoding,
            delimiter=shape.delimiter,
            header_row=shape.header_row,
        )
    )


def _watched(
    batches: Iterator[pa.RecordBatch], *, source: Source, counted: GuardedStream, reading: _Reading
) -> Iterator[pa.RecordBatch]:
    """Yield batches and tell the reading's watcher, in its own thread, how far they are, never past the stored size."""
    for batch in batches:
        # A packed text unfolds to some 6 times its size: a fair guess is better than no movement.
        done = counted.unfolded // 6 if source.is_packed else counted.unfolded
        reading.watch(reading.done_bytes + min(done, source.stored_bytes), reading.all_bytes)
        yield batch


def _schema(columns: tuple[str, ...]) -> pa.Schema:
    return pa.schema([*((column, pa.string()) for column in columns), ("row_no", pa.int64())])


def _write(batches: Iterator[pa.RecordBatch], *, columns: tuple[str, ...], path: Path) -> tuple[int, frozenset[str]]:
    """Write batches to Parquet; return how many rows they had and which columns have blanks around a cell."""
    rows, padded = 0, set[str]()
    held: list[pa.RecordBatch] = []
    with pq.ParquetWriter(path, _schema(columns), compression="lz4") as writer:
        for batch in batches:
            rows += batch.num_rows
            padded |= {column for column in columns if column not in padded and _is_padded(batch.column(column))}
            held.append(batch)
            if sum(one.num_rows for one in held) >= BATCH_ROWS:
                writer.write_table(pa.Table.from_batches(held), row_group_size=2 * BATCH_ROWS)
                held = []
        if held:
            writer.write_table(pa.Table.from_batches(held))
    return rows, frozenset(padded)


def _is_padded(cells: pa.Array) -> bool:
    """Say whether any cell has blanks around it: asked here, where it is quick, so that few columns need trimming."""
    trimmed = pc.utf8_trim(cells, characters=BLANKS)
    return bool(pc.sum(pc.binary_length(cells)) != pc.sum(pc.binary_length(trimmed)))


def _read_parquet(source: Source, *, reading: _Reading) -> None:
    parquet = _open_parquet(source)
    columns = name_columns(parquet.schema_arrow.names, width=len(parquet.schema_arrow.names))

    def batches() -> Iterator[pa.RecordBatch]:
        row_no = 0
        for batch in parquet.iter_batches(batch_size=BATCH_ROWS):
            texts = [_as_text(column) for column in batch.columns]
            numbers = pa.arange(row_no + 1, row_no + batch.num_rows + 1)
            row_no += batch.num_rows
            reading.watch(
                reading.done_bytes + source.stored_bytes * row_no // max(1, parquet.metadata.num_rows),
                reading.all_bytes,
            )
            yield pa.RecordBatch.from_arrays([*texts, numbers], schema=_schema(columns))

    rows, padded = _write(batches(), columns=columns, path=reading.next_path())
    reading.tables.append(
        RawTable(name=source.name, path=reading.next_path(), columns=columns, rows=rows, padded=padded)
    )


def _open_parquet(source: Source) -> pq.ParquetFile:
    if source.is_packed:
        raise fail(
            "parquet_packed",
            "%(name)s is a Parquet file inside an archive.",
            cure="Parquet is packed in itself: import it as it is.",
            name=source.name,
        )
    try:
        return pq.ParquetFile(source.path)
    except (pa.ArrowInvalid, OSError) as broken:
        raise broken_file(source.name) from broken


def _as_text(column: pa.Array) -> pa.Array:
    """Return a column as text, an empty one as null; what Arrow cannot write as text goes through Python."""
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    try:
        text = column.cast(pa.string())
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        return pa.array([cell_text(value) for value in column.to_pylist()], pa.string())
    return text


def _preview_parquet(source: Source) -> TablePreview:
    parquet = _open_parquet(source)
    names = tuple(parquet.schema_arrow.names)
    batch = next(parquet.iter_batches(batch_size=PREVIEW_ROWS), None)
    rows: list[tuple[str, ...]] = []
    if batch is not None:
        rows = [
            tuple(cell or "" for cell in row)
            for row in zip(*(_as_text(c).to_pylist() for c in batch.columns), strict=True)
        ]
    return TablePreview(name=source.name, columns=name_columns(list(names), width=len(names)), rows=tuple(rows))


def _sheets_of(source: Source, *, guard: Guard) -> Iterator[tuple[str, Iterator[list[Any]]]]:
    """Yield name and rows of every sheet that has any; the workbook's archive is counted by the guard as it unfolds."""
    with open_source(source, guard=guard) as (stream, _):
        held = io.BytesIO(stream.read())
    try:
        if zipfile.is_zipfile(held):
            with zipfile.ZipFile(held) as parts:
                inside = sum(part.file_size for part in parts.infolist())
            packed = replace(source, entry=source.entry or source.path.name, stored_bytes=len(held.getbuffer()))
            guard.count(inside, source=packed, unfolded=inside)
        held.seek(0)
        workbook = CalamineWorkbook.from_filelike(held)
        sheets = [(name, workbook.get_sheet_by_name(name)) for name in workbook.sheet_names]
    except (python_calamine.CalamineError, zipfile.BadZipFile) as broken:
        raise broken_file(source.name) from broken
    for name, sheet in sheets:
        if sheet.height and sheet.width:
            yield (source.name if len(sheets) == 1 else f"{source.name}#{name}"), sheet.iter_rows()


def _shape_sheet(
    rows: Iterator[list[Any]], *, options: ReadOptions
) -> tuple[tuple[str, ...], Iterator[list[str | None]], int]:
    """Return columns, data rows as text, and the header row of a sheet."""
    texts = ([cell_text(value) for value in row] for row in rows)
    lead: list[list[str | None]] = list(_first(texts, 10))
    width = max((len(row) for row in lead), default=0)
    spelled = [[cell or "" for cell in row] for row in lead]
    header = options.header_row
    if header is None:
        # A title over the table fills one cell of its row; the header is the first row that is mostly filled.
        filled = [n for n, row in enumerate(spelled) if sum(map(bool, row)) * 2 > width]
        first = filled[0] if filled else 0
        header = (first + 1) if guess_header_row(spelled[first:], width=width) == 1 else 0
    columns = name_columns(spelled[header - 1] if header else [], width=width)

    def data() -> Iterator[list[str | None]]:
        yield from lead[header:]
        yield from texts

    return columns, data(), header


def _read_sheets(source: Source, *, reading: _Reading) -> None:
    for name, rows in _sheets_of(source, guard=reading.guard):
        columns, data, header = _shape_sheet(rows, options=reading.options)
        count, padded = _write(_sheet_batches(data, columns=columns), columns=columns, path=reading.next_path())
        reading.watch(reading.done_bytes, reading.all_bytes)
        reading.tables.append(
            RawTable(name=name, path=reading.next_path(), columns=columns, rows=count, padded=padded, header_row=header)
        )


def _sheet_batches(data: Iterator[list[str | None]], *, columns: tuple[str, ...]) -> Iterator[pa.RecordBatch]:
    row_no = 0
    while chunk := list(_first(data, BATCH_ROWS)):
        numbered = [(row_no + at, row) for at, row in enumerate(chunk, start=1) if any(row)]
        row_no += len(chunk)
        cells = [pa.array([row[at] for _, row in numbered], pa.string()) for at in range(len(columns))]
        numbers = pa.array([number for number, _ in numbered], pa.int64())
        yield pa.RecordBatch.from_arrays([*cells, numbers], schema=_schema(columns))


def cell_text(value: Any) -> str | None:
    """Write a typed cell as a CSV would: whole numbers without a point, dates in ISO form, an empty one as None."""
    if value is None or value == "":
        return None
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    if isinstance(value, datetime):
        return value.isoformat(sep=" ", timespec="seconds")
    if isinstance(value, date | time):
        return value.isoformat()
    return str(value).replace("\0", "") or None


def _first(rows: Iterator[Any], count: int) -> Iterator[Any]:
    for _, row in zip(range(count), rows, strict=False):
        yield row
