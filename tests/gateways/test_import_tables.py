"""Reading of imported files: encodings, delimiters, packings, sheets, Parquet, row numbers, and what is stopped."""

import gzip
import io
import zipfile
from datetime import date, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import xlsxwriter
from hypothesis import given
from hypothesis import strategies as st

from changke.gateways.sources import Guard, Limits
from changke.gateways.tables import RawTable, ReadOptions, hash_files, preview_tables, read_tables
from changke.gateways.text_tables import BLANKS, guess_shape
from changke.kernel.errors import ChangkeError

CSV = '单号,会员,金额\nA1,王小明,12.50\nA2,"李, 雷",3\nA3,,"两\n行"\n'


def rows_of(table: RawTable) -> list[tuple[object, ...]]:
    return [tuple(row.values()) for row in pq.read_table(table.path).to_pylist()]


def read_one(path: Path, tmp_path: Path, **options: object) -> RawTable:
    [table] = read_tables([path], into=tmp_path, options=ReadOptions(**options))  # type: ignore[arg-type]
    return table


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "gb18030"])
@pytest.mark.parametrize("delimiter", [",", "\t", ";", "|"])
def test_encodings_and_delimiters_are_guessed(tmp_path: Path, encoding: str, delimiter: str) -> None:
    path = tmp_path / "sales.csv"
    text = CSV.replace('"李, 雷"', "李雷").replace(",", delimiter)
    path.write_bytes(text.encode(encoding))
    table = read_one(path, tmp_path)
    assert table.columns == ("单号", "会员", "金额")
    assert rows_of(table) == [("A1", "王小明", "12.50", 1), ("A2", "李雷", "3", 2), ("A3", None, "两\n行", 3)]
    assert table.encoding == encoding or (encoding, table.encoding) == ("utf-8", "utf-8")


def test_gb18030_that_begins_like_ascii_is_found_out_on_the_way(tmp_path: Path) -> None:
    path = tmp_path / "late.csv"
    path.write_bytes(b"no,name\n" + b"1,plain\n" * 200_000 + "2,龘\n".encode("gb18030"))
    table = read_one(path, tmp_path)
    assert (table.encoding, table.rows) == ("gb18030", 200_001)
    assert rows_of(table)[-1] == ("2", "龘", 200_001)


def test_western_text_that_is_no_gb18030_is_read_as_windows_1252(tmp_path: Path) -> None:
    path = tmp_path / "west.csv"
    path.write_bytes("no,name,note\n1,café,£ 5\n".encode("cp1252"))
    assert rows_of(read_one(path, tmp_path)) == [("1", "café", "£ 5", 1)]


def test_a_wrong_named_encoding_is_refused_with_a_cure(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_bytes(CSV.encode("gb18030"))
    with pytest.raises(ChangkeError, match=r"is not written in utf-8.*Choose its encoding"):
        read_one(path, tmp_path, encoding="utf-8")


def test_malformed_rows_are_kept_apart_and_do_not_shift_the_numbers(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text('a,b\n1,2\n\n3,4,5\n"x\ny",6\n7\n8,9\n')
    table = read_one(path, tmp_path)
    assert rows_of(table) == [("1", "2", 1), ("x\ny", "6", 3), ("8", "9", 5)]
    assert [(row.row_no, row.cells, row.text) for row in table.malformed] == [(2, 3, "3,4,5"), (4, 1, "7")]


def test_numbers_hold_over_many_blocks(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    filler = "z" * 1000
    path.write_text("a,b\n" + "".join(f"{n},{filler}\n" if n % 1000 else f"{n}\n" for n in range(1, 30_001)))
    table = read_one(path, tmp_path)
    assert table.rows == 29_970
    assert all(str(row_no) == a for a, _, row_no in rows_of(table))
    assert [row.row_no for row in table.malformed] == list(range(1000, 30_001, 1000))


def test_rows_without_header_and_parted_by_blanks(tmp_path: Path) -> None:
    path = tmp_path / "CDNOW.txt"
    path.write_text(
        " 00004 0001 19970101  2   29.33\n 00004 0001 19970118  2   29.73\n 00021 0002 19970101  3   63.34\n"
    )
    table = read_one(path, tmp_path)
    assert (table.delimiter, table.header_row) == (BLANKS, 0)
    assert table.columns == ("column_1", "column_2", "column_3", "column_4", "column_5")
    assert rows_of(table)[2] == ("00021", "0002", "19970101", "3", "63.34", 3)


def test_a_title_above_the_header_is_passed_over_when_named(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text("Report of May\nno,amount\n1,2\n3\n4,5\n")
    table = read_one(path, tmp_path, header_row=2)
    assert table.columns == ("no", "amount")
    assert rows_of(table) == [("1", "2", 1), ("4", "5", 3)]


def test_repeated_and_missing_column_names_become_distinct() -> None:
    assert guess_shape(b"a,a,,b\nx,y,z,w\n").columns == ("a", "a_2", "column_3", "b")


def test_zip_gz_and_folder(tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    with zipfile.ZipFile(folder / "b.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("two.csv", "a,b\n3,4\n")
        archive.writestr("one.csv.gz", gzip.compress(b"a,b\n1,2\n"))
        archive.writestr("__MACOSX/._one.csv", "junk")
        archive.writestr("readme.md", "not a table")
    (folder / "c.csv.gz").write_bytes(gzip.compress(b"a,b\n5,6\n"))
    (folder / "notes.md").write_text("not a table")
    tables = read_tables([folder], into=tmp_path)
    assert [table.name for table in tables] == ["b.zip/one.csv.gz", "b.zip/two.csv", "c.csv.gz"]
    assert [rows_of(table)[0][:2] for table in tables] == [("1", "2"), ("3", "4"), ("5", "6")]
    assert list(hash_files([folder])) == [str(folder / "b.zip"), str(folder / "c.csv.gz")]


@pytest.mark.parametrize("limits", [Limits(total_bytes=1 << 20), Limits(ratio=50, ratio_from=1 << 20)])
def test_bombs_are_stopped(tmp_path: Path, limits: Limits) -> None:
    path = tmp_path / "bomb.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("bomb.csv", "a,b\n" + "0,0\n" * 1_000_000)
    with pytest.raises(ChangkeError, match="unfolds to more than is allowed"):
        read_tables([path], into=tmp_path, guard=Guard(limits=limits))


@pytest.mark.parametrize("name", ["x.csv.gz", "x.zip", "x.xlsx", "x.parquet"])
def test_damaged_files_are_named(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    whole = gzip.compress(b"a,b\n" + bytes(range(256)) * 400)
    path.write_bytes(whole[:-200] if name.endswith("gz") else b"PK\x03\x04 no archive")
    with pytest.raises(ChangkeError, match="damaged, incomplete or locked"):
        read_tables([path], into=tmp_path)


def test_unknown_missing_and_no_files_are_told_apart(tmp_path: Path) -> None:
    (tmp_path / "x.pdf").write_bytes(b"%PDF")
    (tmp_path / "empty").mkdir()
    for path, code in (("x.pdf", "file_kind_unknown"), ("nowhere.csv", "file_missing"), ("empty", "file_none")):
        with pytest.raises(ChangkeError) as caught:
            read_tables([tmp_path / path], into=tmp_path)
        assert caught.value.problems[0].code == code


def test_workbooks_give_every_filled_sheet_with_typed_cells_as_text(tmp_path: Path) -> None:
    path = tmp_path / "book.xlsx"
    book = xlsxwriter.Workbook(str(path), {"default_date_format": "yyyy-mm-dd hh:mm:ss"})
    sheet = book.add_worksheet("五月")
    sheet.write(0, 0, "五月销售")
    for at, name in enumerate(("单号", "日期", "金额")):
        sheet.write(1, at, name)
    sheet.write_row(2, 0, ["A1"])
    sheet.write_datetime(2, 1, datetime(2024, 5, 1, 9, 30))  # noqa: DTZ001 - a cell has no zone
    sheet.write_number(2, 2, 12.5)
    sheet.write_row(4, 0, ["A2", None, 7])
    book.add_worksheet("empty")
    book.add_worksheet("more").write_row(0, 0, ["x", "y"])
    book.close()
    first, second = read_tables([path], into=tmp_path)
    assert (first.name, first.columns, first.header_row) == ("book.xlsx#五月", ("单号", "日期", "金额"), 2)
    assert rows_of(first) == [("A1", "2024-05-01 09:30:00", "12.5", 1), ("A2", None, "7", 3)]
    assert (second.name, second.columns, second.rows) == ("book.xlsx#more", ("x", "y"), 0)


def test_parquet_of_any_type_is_read_as_text(tmp_path: Path) -> None:
    path = tmp_path / "x.parquet"
    pq.write_table(
        pa.table({
            "no": pa.array([1, 2]),
            "day": pa.array([date(2024, 1, 2), None]),
            "name": pa.array(["a", "b"]).dictionary_encode(),
            "tags": pa.array([["x", "y"], None]),
        }),
        path,
    )  # fmt: skip
    assert rows_of(read_one(path, tmp_path)) == [("1", "2024-01-02", "a", "['x', 'y']", 1), ("2", None, "b", None, 2)]


def test_preview_shows_50_rows_and_what_was_guessed(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_bytes("编号;名称\n".encode("gb18030") + b"".join(f"{n};茶\n".encode("gb18030") for n in range(100)))
    [preview] = preview_tables([path])
    assert (preview.encoding, preview.delimiter, preview.columns) == ("gb18030", ";", ("编号", "名称"))
    assert (len(preview.rows), preview.rows[49]) == (50, ("49", "茶"))


def test_progress_never_goes_back_and_ends_at_the_total(tmp_path: Path) -> None:
    path = tmp_path / "x.csv.gz"
    path.write_bytes(gzip.compress(b"a,b\n" + b"1,2\n" * 500_000))
    seen: list[tuple[int, int]] = []
    read_tables([path], into=tmp_path, watch=lambda done, total: seen.append((done, total)))
    assert seen == sorted(seen)
    assert seen[-1] == (path.stat().st_size, path.stat().st_size)


@given(st.binary(max_size=400))
def test_no_bytes_crash_the_guess(sample: bytes) -> None:
    shape = guess_shape(sample)
    assert len(set(shape.columns)) == len(shape.columns)


@given(st.binary(max_size=400))
def test_no_bytes_crash_the_reading(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    folder = tmp_path_factory.mktemp("fuzz")
    (folder / "x.csv").write_bytes(data)
    try:
        tables = read_tables([folder / "x.csv"], into=folder)
    except ChangkeError as refused:
        assert refused.problems[0].cure
    else:
        assert all(table.rows >= 0 for table in tables)


def test_an_endless_quote_is_told(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_bytes(b'a,b\n1,"2\n' + b"3,4\n" * 3_000_000)
    with pytest.raises(ChangkeError, match="quotation mark"):
        read_one(path, tmp_path)


def test_a_stream_is_read_in_bounded_memory(tmp_path: Path) -> None:
    before = pa.total_allocated_bytes()
    path = tmp_path / "x.csv.gz"
    buffer = io.BytesIO()
    with gzip.GzipFile(fileobj=buffer, mode="wb", compresslevel=1) as packed:
        packed.write(b"a,b\n" + b"some text that fills,another cell\n" * 1_000_000)
    path.write_bytes(buffer.getvalue())
    read_one(path, tmp_path)
    assert pa.total_allocated_bytes() - before < 1 << 20
