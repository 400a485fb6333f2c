"""Tables written for spreadsheets: CSV and XLSX whose cells never run as formulas.

A text that a spreadsheet would take for a formula (it begins with = + - @, a tab or a line break) gets an apostrophe in
front, as OWASP advises; numbers stay numbers. Rows are read once and never held together in memory.
"""

import csv
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import IO, Any, Final

from xlsxwriter import Workbook

Cell = str | int | Decimal | date | datetime | bool | None
DANGEROUS: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
LONGEST_CELL: Final = 32_767  # of a worksheet
MOST_ROWS: Final = 1_048_575  # of a worksheet, without its header
CSV_TYPE: Final = "text/csv; charset=utf-8"
XLSX_TYPE: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def write_csv(file: IO[str], *, header: Sequence[str], rows: Iterable[Sequence[Cell]]) -> int:
    """Write a table as CSV (UTF-8 with a mark, so that Excel reads Chinese) and return the number of rows.

    Open `file` with newline="". Days are ISO, moments are local as given.
    """
    file.write("\ufeff")
    writer = csv.writer(file)
    writer.writerow([defuse(name) for name in header])
    count = 0
    for row in rows:
        writer.writerow([_spell(cell) for cell in row])
        count += 1
    return count


def write_xlsx(file: Path | IO[bytes], *, header: Sequence[str], rows: Iterable[Sequence[Cell]], title: str) -> int:
    """Write a table as one worksheet per 1,048,575 rows with a frozen, filterable header; return the number of rows."""
    book = Workbook(
        str(file) if isinstance(file, Path) else file,
        {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False},
    )
    try:
        return _write_sheets(book, header=header, rows=rows, title=title)
    finally:
        book.close()


def defuse(text: str) -> str:
    """Return a text that no spreadsheet takes for a formula."""
    return f"'{text}" if text.startswith(DANGEROUS) else text


def _write_sheets(book: Workbook, *, header: Sequence[str], rows: Iterable[Sequence[Cell]], title: str) -> int:
    bold, day = book.add_format({"bold": True}), book.add_format({"num_format": "yyyy-mm-dd"})
    sheet: Any = None
    count = 0
    for row in rows:
        line = count % MOST_ROWS
        if sheet is None or line == 0:
            sheet = _open_sheet(book, header=header, title=title, number=count // MOST_ROWS, style=bold)
        for column, cell in enumerate(row):
            if isinstance(cell, str):
                sheet.write_string(line + 1, column, defuse(cell)[:LONGEST_CELL])
            elif isinstance(cell, (int, Decimal)) and not isinstance(cell, bool):
                sheet.write_number(line + 1, column, cell)
            elif isinstance(cell, date) and not isinstance(cell, datetime):
                sheet.write_datetime(line + 1, column, cell, day)
            elif cell is not None:
                sheet.write_string(line + 1, column, _spell(cell))
        count += 1
    if sheet is None:
        _open_sheet(book, header=header, title=title, number=0, style=bold)
    return count


def _open_sheet(book: Workbook, *, header: Sequence[str], title: str, number: int, style: Any) -> Any:
    name = "".join(letter for letter in title if letter not in "[]:*?/\\'")[:25] or "Sheet"
    sheet = book.add_worksheet(name if number == 0 else f"{name} {number + 1}")
    for column, text in enumerate(header):
        sheet.write_string(0, column, defuse(text), style)
    sheet.freeze_panes(1, 0)
    sheet.autofilter(0, 0, 0, max(0, len(header) - 1))
    sheet.set_column(0, max(0, len(header) - 1), 16)
    return sheet


def _spell(cell: Cell) -> str:
    match cell:
        case None:
            return ""
        case str():
            return defuse(cell)
        case bool():
            return "1" if cell else "0"
        case datetime():
            return cell.strftime("%Y-%m-%d %H:%M:%S")
        case date():
            return cell.isoformat()
        case _:
            return str(cell)
