"""Text tables: CSV of any encoding and delimiter, guessed from a sample, streamed to Arrow batches of text."""

import codecs
import csv
import io
import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any, Final

import pyarrow as pa
import pyarrow.csv as arrow_csv

from changke.kernel.errors import fail

BLANKS: Final = "blanks"  # runs of spaces part the columns, as in CDNOW
DELIMITERS: Final = (",", "\t", ";", "|")
SAMPLE_BYTES: Final = 1 << 20
BLOCK_BYTES: Final = 1 << 20  # Arrow reads some 32 blocks ahead: larger ones cost memory and are no quicker
BOMS: Final = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
ENCODINGS: Final = ("utf-8", "gb18030", "cp1252")  # tried in this order: each next one takes what the last one refuses
VALUE: Final = re.compile(r"\s*[-+]?[\d.,:/\-\s]*\d[\d.,:/\-\s]*%?\s*")  # a number, date or time: no header


@dataclass(frozen=True, slots=True, kw_only=True)
class TextShape:
    """How a text file is written. `header_row` counts from 1; 0 = there is none and columns are called column_1 ..."""

    encoding: str
    delimiter: str
    header_row: int
    columns: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class MalformedRow:
    """A row with another number of cells than the table has columns; `row_no` 1 = first data row."""

    row_no: int
    cells: int
    text: str


def guess_encoding(sample: bytes) -> str:
    """Return the encoding of a file from its first bytes; a sign cut in two at the end does not count against it."""
    for mark, encoding in BOMS:
        if sample.startswith(mark):
            return encoding
    for encoding in ENCODINGS[:-1]:
        try:
            codecs.getincrementaldecoder(encoding)().decode(sample, final=False)
        except UnicodeDecodeError:
            continue
        return encoding
    return ENCODINGS[-1]


def guess_shape(sample: bytes, *, encoding: str = "", delimiter: str = "", header_row: int | None = None) -> TextShape:
    """Guess encoding, delimiter, header row and columns of a text file from its first bytes; what is given is kept."""
    encoding = encoding or guess_encoding(sample)
    text = codecs.getincrementaldecoder(encoding)("replace").decode(sample, final=False)
    if len(sample) >= SAMPLE_BYTES:
        text = text[: text.rfind("\n") + 1] or text
    delimiter = delimiter or guess_delimiter(text)
    rows = parse_rows(text, delimiter=delimiter, limit=200)
    width = Counter(len(row) for row in rows).most_common(1)[0][0] if rows else 0
    if header_row is None:
        header_row = guess_header_row(rows, width=width)
    names = rows[header_row - 1] if header_row and header_row <= len(rows) else []
    return TextShape(
        encoding=encoding, delimiter=delimiter, header_row=header_row, columns=name_columns(names, width=width)
    )


def guess_delimiter(text: str) -> str:
    """Return the delimiter that cuts the sample into the most even rows of more than one cell."""
    best, best_score = DELIMITERS[0], (0.0, 0)
    for delimiter in (*DELIMITERS, BLANKS):
        widths = Counter(len(row) for row in parse_rows(text, delimiter=delimiter, limit=200))
        width, count = widths.most_common(1)[0] if widths else (1, 0)
        score = (round(count / max(1, widths.total()), 1), width)
        # Blanks part the words of any text: they are taken only where every row agrees and nothing else parts it.
        if width > 1 and (score > best_score if delimiter != BLANKS else not best_score[1] and score[0] == 1):
            best, best_score = delimiter, score
    return best


def parse_rows(text: str, *, delimiter: str, limit: int) -> list[list[str]]:
    """Return the first rows of a sample as lists of cells; empty lines do not count."""
    if delimiter == BLANKS:
        rows: Iterator[list[str]] = (line.split() for line in text.splitlines())
    else:
        rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    kept: list[list[str]] = []
    try:
        for row in rows:
            if row:
                kept.append(row)
            if len(kept) == limit:
                break
    except csv.Error:  # a cell of over 128 KiB: an open quote swallows the rest, what came before still counts
        return kept
    return kept


def guess_header_row(rows: list[list[str]], *, width: int) -> int:
    """Return which of the first rows names the columns (from 1): full width, no value in it; 0 = none does."""
    for position, row in enumerate(rows[:10], start=1):
        cells = [cell.strip() for cell in row if cell.strip()]
        if len(row) == width and cells:
            named = len(cells) * 2 > width and not any(VALUE.fullmatch(cell) for cell in cells)
            return position if named else 0
    return 0


def name_columns(names: list[str], *, width: int) -> tuple[str, ...]:
    """Return one distinct name a column; nameless and repeated ones get their number."""
    seen: set[str] = set()
    columns = []
    for position in range(1, width + 1):
        name = names[position - 1].strip() if position <= len(names) else ""
        if not name or name in seen:
            name = f"{name or 'column'}_{position}"
        seen.add(name)
        columns.append(name)
    return tuple(columns)


class Utf8Stream(io.RawIOBase):
    """A text file of a known encoding as UTF-8 bytes without NUL; a sign that is no sign raises UnicodeDecodeError."""

    def __init__(self, inner: io.BufferedReader, *, encoding: str, delimiter: str, chunk: int = BLOCK_BYTES) -> None:
        super().__init__()
        self._inner, self._chunk = inner, chunk
        self._decoder = codecs.getincrementaldecoder(encoding)()
        self._parts_blanks = delimiter == BLANKS
        self._ready, self._half_line, self._ended = memoryview(b""), "", False

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self._ready and not self._ended:
            self._fill()
        view = memoryview(buffer)
        part = self._ready[: len(view)]
        view[: len(part)] = part
        self._ready = self._ready[len(part) :]
        return len(part)

    def _fill(self) -> None:
        data = self._inner.read(self._chunk)
        self._ended = not data
        text = self._decoder.decode(data, final=self._ended)
        if self._parts_blanks:
            lines = (self._half_line + text).split("\n")
            self._half_line = "" if self._ended else lines.pop()
            text = "".join("\t".join(line.split()) + "\n" for line in lines)
        self._ready = memoryview(text.encode().replace(b"\0", b""))


def read_text(
    stream: io.BufferedReader,
    *,
    shape: TextShape,
    name: str,
    refuse: Callable[[MalformedRow], None],
    block_bytes: int = BLOCK_BYTES,
) -> Iterator[pa.RecordBatch]:
    """Yield the rows of a text file as batches of text, an empty cell as null, with `row_no` as last column.

    Rows are numbered from 1 at the first data row, malformed ones included, empty lines not; malformed rows go to
    `refuse`. Memory is bounded by `block_bytes`. Errors: UnicodeDecodeError; `text_unreadable` for an endless quote.
    """
    malformed: list[int] = []
    lead = max(0, shape.header_row - 1)
    header = min(1, shape.header_row)

    def note(row: Any) -> str:
        number = row.number - lead - header
        malformed.append(number)
        refuse(MalformedRow(row_no=number, cells=row.actual_columns, text=row.text[:2000]))
        return "skip"

    try:
        reader = arrow_csv.open_csv(
            Utf8Stream(stream, encoding=shape.encoding, delimiter=shape.delimiter),
            read_options=arrow_csv.ReadOptions(
                use_threads=False,
                block_size=block_bytes,
                column_names=list(shape.columns),
                skip_rows_after_names=lead + header,
            ),
            parse_options=arrow_csv.ParseOptions(
                delimiter="\t" if shape.delimiter == BLANKS else shape.delimiter,
                newlines_in_values=True,
                invalid_row_handler=note,
            ),
            convert_options=arrow_csv.ConvertOptions(
                column_types=dict.fromkeys(shape.columns, pa.string()), strings_can_be_null=True, null_values=[""]
            ),
        )
        row_no = 0
        for batch in reader:
            numbers, row_no = _number_rows(batch.num_rows, after=row_no, malformed=malformed)
            yield batch.append_column("row_no", numbers)
    except pa.ArrowInvalid as broken:
        if "Empty CSV" in str(broken):
            return
        raise fail(
            "text_unreadable",
            "%(name)s cannot be cut into rows: %(why)s",
            cure="Look for a quotation mark that is never closed, or choose another delimiter.",
            name=name,
            why=str(broken)[:200],
        ) from broken


def _number_rows(count: int, *, after: int, malformed: list[int]) -> tuple[pa.Array, int]:
    """Return the numbers of the next `count` good rows and the last of them; numbers of malformed rows are jumped."""
    if not malformed or malformed[-1] <= after:
        return pa.arange(after + 1, after + count + 1), after + count
    jumped = {number for number in malformed if number > after}
    numbers: list[int] = []
    number = after
    while len(numbers) < count:
        number += 1
        if number not in jumped:
            numbers.append(number)
    return pa.array(numbers, pa.int64()), number


def with_next_encoding(shape: TextShape) -> TextShape | None:
    """Return the shape with the encoding to try after its own failed; None where there is none left."""
    order = ENCODINGS.index(shape.encoding) if shape.encoding in ENCODINGS else len(ENCODINGS)
    return replace(shape, encoding=ENCODINGS[order + 1]) if order + 1 < len(ENCODINGS) else None
