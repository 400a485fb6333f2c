"""Written tables: cells never run, Chinese survives, numbers stay numbers."""

import csv
import io
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from python_calamine import CalamineWorkbook

from changke.gateways import sheets
from changke.gateways.sheets import defuse, write_csv, write_xlsx

EVIL = ["=1+1", "+86138", "-2", "@SUM(A1)", "\tx", "\rx", "\nx", "＝1"]
ROW = ["王小明", 42, Decimal("12.50"), date(2026, 11, 22), datetime(2026, 11, 22, 14, 5), True, None, -3]  # noqa: DTZ001


@pytest.mark.parametrize("text", EVIL)
def test_formulas_are_defused(text: str) -> None:
    assert defuse(text) == f"'{text}"
    file = io.StringIO(newline="")
    write_csv(file, header=[text], rows=[[text]])
    assert list(csv.reader(io.StringIO(file.getvalue().removeprefix("\ufeff"), newline=""))) == [[f"'{text}"]] * 2


def test_harmless_cells_stay() -> None:
    file = io.StringIO(newline="")
    assert write_csv(file, header=["a"] * 8, rows=[ROW]) == 1
    line = file.getvalue().splitlines()[1]
    assert line == "王小明,42,12.50,2026-11-22,2026-11-22 14:05:00,1,,-3"
    assert file.getvalue().startswith("\ufeff")


def test_a_worksheet_reads_back(tmp_path: Path) -> None:
    path = tmp_path / "m.xlsx"
    rows = [[*EVIL], ["x"] * 8]
    assert write_xlsx(path, header=list("abcdefgh"), rows=rows, title="会员: list?") == 2
    book = CalamineWorkbook.from_path(path)
    assert book.sheet_names == ["会员 list"]
    assert book.get_sheet_by_index(0).to_python()[1] == [f"'{text}" for text in EVIL]


def test_numbers_and_days_stay_what_they_are(tmp_path: Path) -> None:
    path = tmp_path / "m.xlsx"
    write_xlsx(path, header=["n"] * 8, rows=[ROW], title="x")
    read = CalamineWorkbook.from_path(path).get_sheet_by_index(0).to_python()[1]
    assert read[:4] == ["王小明", 42, 12.5, date(2026, 11, 22)]


def test_a_full_worksheet_goes_on_in_the_next(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sheets, "MOST_ROWS", 2)
    path = tmp_path / "m.xlsx"
    assert write_xlsx(path, header=["n"], rows=([str(n)] for n in range(5)), title="x") == 5
    book = CalamineWorkbook.from_path(path)
    assert book.sheet_names == ["x", "x 2", "x 3"]
    assert book.get_sheet_by_index(2).to_python() == [["n"], ["4"]]


def test_no_rows_still_give_a_header(tmp_path: Path) -> None:
    path = tmp_path / "m.xlsx"
    assert write_xlsx(path, header=["姓名"], rows=[], title="") == 0
    assert CalamineWorkbook.from_path(path).get_sheet_by_index(0).to_python() == [["姓名"]]
