"""Cleaning as sets agrees with the plain decision row by row, and with the published figures of the real file."""

import gzip
import tempfile
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from import_tables import NOW, clean_rows, lay_out, report_of, rows_of, settings_of

from changke.gateways.tables import read_tables
from changke.insight.cleaning.run import Cleaned, clean
from changke.insight.cleaning.workbench import MappedTable, open_workbench
from changke.rules.imports.lines import CleanLine, PlacedLine, decide_line, place_lines
from changke.rules.imports.mapping import fit_table
from changke.rules.imports.members import decide_member
from changke.rules.imports.profiles import PROFILES, DayOrder, SaleKey
from changke.rules.imports.values import parse_moment, parse_number, place_moment, trim
from changke.rules.imports.words import CleaningRule, Field, PartRole, Refusal
from changke.rules.phones import parse_phone

EXCERPT = Path(__file__).parents[1] / "data" / "online_retail_excerpt.csv.gz"
F = Field

AMOUNTS = st.one_of(
    st.sampled_from(
        ["", "0", "0.00", "-0", "1", "-1", "2.5", "12.345678", "0.0000004", "-0.0000004", "1,234.50", "¥ 12.5", "12元",
         "1e3", "abc", ".5", "5.", ".", "1,23", "999999999999", "-3.14159265", "０", "0.005", "0.0005", "+7", "- 5"]
    ),
    st.decimals(min_value=-10**6, max_value=10**6, places=3).map(str),
)  # fmt: skip
MOMENTS = st.sampled_from(
    ["", "2026-10-01 09:30:00", "2026-10-01", "2026/1/5 8:05", "2026年3月4日", "20261001", "20261001235959",
     "03/04/2026", "31/12/2025 23:59", "2026-02-30", "2027-01-01", "2026-11-22 11:59:59", "2026-11-22 12:00:01",
     "1899-01-01",     "2026-10-01T09:30:00.123456", "x", "2026-10-01 24:00:00", "2026-3-29 02:30"]
)  # fmt: skip
CODES = st.sampled_from(["", "A", "B", "CA", "长号码" * 40])
LINES = st.fixed_dictionaries(
    {
        F.SALE_NO: st.sampled_from(["", "1", "2", "C3", "C4", "5" * 90]),
        F.SOLD_AT: MOMENTS,
        F.MEMBER_CODE: st.sampled_from(["", "M1", "M2", " M1 "]),
        F.PRODUCT_CODE: st.sampled_from(["", "P1", "P2", "test", "Test-01", "测试商品"]),
        F.QUANTITY: AMOUNTS,
        F.UNIT_PRICE: AMOUNTS,
        F.LINE_TOTAL: AMOUNTS,
        F.STORE_CODE: st.sampled_from(["", "S1", "S2"]),
        F.SALE_KIND: st.sampled_from(["", "", "", "Sale", "退货", "gift"]),
        F.ORIGINAL_SALE_NO: st.sampled_from(["", "1"]),
    }
)
TABLES = st.lists(LINES, min_size=1, max_size=25)
COLUMNS = st.sets(st.sampled_from([F.QUANTITY, F.UNIT_PRICE, F.LINE_TOTAL, F.STORE_CODE, F.SALE_KIND])).filter(
    lambda chosen: bool(chosen & {F.UNIT_PRICE, F.LINE_TOTAL})
)


COLUMNS_OF_LINES = ("sale_no", "line_no", "product_code", "quantity_milli", "unit_price", "total_minor")
COLUMNS_OF_SALES = (
    "sale_no", "kind", "sold_at", "day", "store_code", "member_code", "original_sale_no", "total_minor",
    "quantity_milli", "line_count",
)  # fmt: skip


def expected_receipts(placed: list[PlacedLine]) -> list[tuple[object, ...]]:
    """What the lines of each receipt say of it."""
    receipts: dict[str, list[CleanLine]] = {}
    for one in placed:
        receipts.setdefault(one.sale_no, []).append(one.line)
    return [
        (
            sale_no, lines[0].kind, min(line.sold_at for line in lines), lines[0].day, lines[0].store_code,
            next((line.member_code for line in lines if line.member_code), None),
            next((line.original_sale_no for line in lines if line.original_sale_no), None),
            sum(line.total_minor for line in lines), sum(line.quantity_milli for line in lines), len(lines),
        )
        for sale_no, lines in sorted(receipts.items(), key=lambda pair: pair[0].encode())
    ]  # fmt: skip


@settings(max_examples=30, deadline=None)
@given(
    rows=TABLES,
    columns=COLUMNS,
    rules=st.sets(
        st.sampled_from(sorted(set(CleaningRule) - {CleaningRule.DROP_DUPLICATES, CleaningRule.LINK_RETURNS}))
    ),
    key=st.sampled_from(SaleKey),
    order=st.sampled_from(DayOrder),
    prefix=st.sampled_from(["", "C"]),
)
def test_lines_as_sets_equal_lines_one_by_one(
    rows: list[dict[Field, str]],
    columns: set[Field],
    rules: set[CleaningRule],
    key: SaleKey,
    order: DayOrder,
    prefix: str,
) -> None:
    optional = {F.QUANTITY, F.UNIT_PRICE, F.LINE_TOTAL, F.STORE_CODE, F.SALE_KIND}
    rows = [{f: text for f, text in row.items() if f not in optional or f in columns} for row in rows]
    chosen = replace(
        settings_of(sale_key=key, day_order=order), rules=frozenset(rules), cancellation_prefix=prefix, product_code=""
    )
    with tempfile.TemporaryDirectory() as folder:
        cleaned = clean_rows(rows, folder=Path(folder), settings=chosen)
        found = [
            tuple(row[column] for column in COLUMNS_OF_LINES) for row in rows_of(cleaned.staged.lines, order="pos")
        ]
        receipts = rows_of(cleaned.staged.sales, order="sale_no")
        refused = report_of(cleaned)
    decided = [decide_line({f: trim(text) for f, text in row.items()}, settings=chosen, now=NOW) for row in rows]
    kept = [(at, line) for at, line in enumerate(decided, start=1) if isinstance(line, CleanLine)]
    placed = place_lines([(0, line) for _, line in kept], sale_key=key)
    whole = [answer for answer in placed if isinstance(answer, PlacedLine)]
    expected = [
        (p.sale_no, p.line_no, p.line.product_code, p.line.quantity_milli, p.line.unit_price, p.line.total_minor)
        for p in whole
    ]
    assert found == expected
    assert [tuple(row[column] for column in COLUMNS_OF_SALES) for row in receipts] == expected_receipts(whole)
    reasons = [(at, answer) for at, answer in enumerate(decided, start=1) if isinstance(answer, Refusal)]
    reasons += [(at, answer) for (at, _), answer in zip(kept, placed, strict=True) if isinstance(answer, Refusal)]
    assert refused == sorted((at, str(reason)) for at, reason in reasons)
    assert len(expected) + len(reasons) == len(rows)


PEOPLE = st.fixed_dictionaries(
    {
        F.MEMBER_CODE: st.sampled_from(["", "1", "2", "3", "4", "5", "x" * 81]),
        F.PHONE: st.sampled_from(["", "13800138000", "138 0013 8001", "+44 20 7946 0958", "021-5555", "abc"]),
        F.EMAIL: st.sampled_from(["", "a@b.cn", "a@b", "a b@c.d"]),
        F.GENDER: st.sampled_from(["", "女", "M", "x"]),
        F.BIRTHDAY: st.sampled_from(
            [
                "",
                "1990-02-14",
                "2-29",
                "12月5日",
                "1990年2月30日",
                "19900214",
                "2030-01-01",
                "13-1",
                "14/2/1990",
                "2026-11-23",
            ]
        ),
        F.BIRTH_CALENDAR: st.sampled_from(["", "农历", "solar", "?"]),
        F.JOINED_ON: st.sampled_from(["", "2025-01-01", "2027-01-01", "soon"]),
        F.SOURCE_CHANNEL: st.sampled_from(["", "门店", "mars"]),
        F.STATUS: st.sampled_from(["", "正常", "odd"]),
        F.TAGS: st.sampled_from(["", "a;b，a", " ; "]),
        F.CONSENT_SMS: st.sampled_from(["", "是", "no", "maybe"]),
        F.CONSENT_EMAIL: st.sampled_from(["", "Y"]),
    }
)


@settings(max_examples=15, deadline=None)
@given(rows=st.lists(PEOPLE, min_size=1, max_size=8), is_lenient=st.booleans(), order=st.sampled_from(DayOrder))
def test_members_as_sets_equal_members_one_by_one(
    rows: list[dict[Field, str]], is_lenient: bool, order: DayOrder
) -> None:
    chosen = settings_of(
        PROFILES["generic_members"], day_order=order, switched={CleaningRule.LEAVE_OUT_BAD_CONTACTS: is_lenient}
    )
    with tempfile.TemporaryDirectory() as folder:
        cleaned = clean_rows(rows, folder=Path(folder), settings=chosen, role=PartRole.MEMBERS)
        found = {row["member_code"]: row for row in rows_of(cleaned.staged.members, order="member_code")}
        refused = report_of(cleaned)
    decided = [
        decide_member(
            row, settings=chosen, parse_phone=parse_phone, today=NOW.astimezone(ZoneInfo("Asia/Shanghai")).date()
        )
        for row in rows
    ]
    newest = {answer.member.member_code: answer.member for answer in decided if answer.member}
    assert found.keys() == newest.keys()
    for code, member in newest.items():
        row = found[code]
        birthday = (row["birth_year"], row["birth_month"], row["birth_day"]) if row["birth_month"] else None
        assert (row["phone"], row["email"], row["gender"], birthday, row["birth_calendar"], row["joined_on"]) == (
            member.phone, member.email, member.gender, member.birthday, member.birth_calendar, member.joined_on,
        )  # fmt: skip
        assert (row["source_channel"], row["status"], sorted(row["tags"] or ()), tuple(row["consents"])) == (
            member.source_channel, member.status, sorted(member.tags), member.consents,
        )  # fmt: skip
    assert [reason for _, reason in refused if reason != "member_repeated"] == [
        str(answer.refusal) for answer in decided if answer.refusal
    ]
    repeated = [reason for _, reason in refused if reason == "member_repeated"]
    assert len(found) + len(refused) == len(rows) and len(repeated) == sum(bool(a.member) for a in decided) - len(
        newest
    )


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> duckdb.DuckDBPyConnection:
    return open_workbench(tmp_path_factory.mktemp("bench"), order=DayOrder.DAY_FIRST)


@settings(max_examples=300, deadline=None)
@given(text=st.one_of(AMOUNTS, st.text(alphabet="0123456789.,+-¥ e_", max_size=12)))
def test_numbers_are_read_alike(bench: duckdb.DuckDBPyConnection, text: str) -> None:
    [(value, is_zero)] = bench.execute("SELECT number(x), is_zero(x) FROM (SELECT $1::VARCHAR AS x)", [text]).fetchall()
    read = parse_number(text)
    assert (value, bool(is_zero)) == (read or (None, False))


@settings(max_examples=300, deadline=None)
@given(text=st.one_of(MOMENTS, st.text(alphabet="0123456789-/:. T年月日", max_size=20)))
def test_moments_are_read_alike(bench: duckdb.DuckDBPyConnection, text: str) -> None:
    [(value,)] = bench.execute("SELECT moment($1::VARCHAR)", [text]).fetchall()
    assert value == parse_moment(text, order=DayOrder.DAY_FIRST)


@settings(max_examples=200, deadline=None)
@given(
    local=st.datetimes(min_value=datetime(1990, 1, 1), max_value=datetime(2035, 1, 1)),  # noqa: DTZ001 - local times
    zone=st.sampled_from(
        ["Asia/Shanghai", "Europe/London", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu"]
    ),
)
def test_moments_are_placed_alike(bench: duckdb.DuckDBPyConnection, local: datetime, zone: str) -> None:
    local = local.replace(microsecond=0)
    [(micros,)] = bench.execute("SELECT epoch_us(timezone($1, $2::TIMESTAMP))", [zone, local]).fetchall()
    placed, _ = place_moment(local, has_time=True, zone=ZoneInfo(zone), day_ends_at=datetime.min.time())
    assert datetime.fromtimestamp(0, UTC) + timedelta(microseconds=micros) == placed.astimezone(UTC)


def clean_online_retail(path: Path, folder: Path, *, rules: dict[CleaningRule, bool] | None = None) -> Cleaned:
    profile = PROFILES["online_retail"]
    [raw] = read_tables([path], into=folder)
    mapping = fit_table(raw.columns, profile=profile)
    assert mapping is not None
    table = MappedTable(
        name=raw.name, path=raw.path, role=mapping.role, headers=raw.columns, columns=mapping.columns,
    )  # fmt: skip
    return clean([table], settings=settings_of(profile, switched=rules), now=NOW, folder=folder)


def test_online_retail_gives_the_published_figures(shared_data: Path, tmp_path: Path) -> None:
    path = shared_data / "online_retail" / "online_retail_uci_2010-12_2011-12.csv.gz"
    counts = clean_online_retail(path, tmp_path).counts
    assert counts.rows_in == {PartRole.SALES: 541_909}
    lines = {(line.kind, line.has_member): line for line in counts.lines}
    bought = lines["sale", True]
    assert (bought.lines, bought.members, bought.receipts, bought.total_minor, bought.zero_totals) == (
        397_884, 4_338, 18_532, 891_140_790, 4,
    )  # fmt: skip
    assert (lines["sale", False].lines, lines["return", True].lines, lines["return", False].lines) == (
        132_220,
        8_905,
        383,
    )
    assert counts.refused == {
        (PartRole.SALES, Refusal.QUANTITY_NEGATIVE): 1_335,
        (PartRole.SALES, Refusal.PRICE_ZERO): 1_177,
        (PartRole.SALES, Refusal.TEST_PRODUCT): 3,
        (PartRole.SALES, Refusal.PRICE_NEGATIVE): 2,
    }
    assert counts.rows_kept == 541_909 - 2_517 == sum(line.lines for line in counts.lines)
    assert (counts.duplicates_seen, counts.returned_lines_linked) == (5_263, 6_602)


def test_the_excerpt_has_every_kind_of_row(tmp_path: Path) -> None:
    counts = clean_online_retail(EXCERPT, tmp_path).counts
    with gzip.open(EXCERPT, "rt") as file:
        assert counts.rows_in == {PartRole.SALES: sum(1 for _ in file) - 1}
    assert {(line.kind, line.has_member) for line in counts.lines} == {
        ("sale", True), ("sale", False), ("return", True), ("return", False),
    }  # fmt: skip
    assert {reason for _, reason in counts.refused} == {
        Refusal.QUANTITY_NEGATIVE, Refusal.PRICE_ZERO, Refusal.TEST_PRODUCT, Refusal.PRICE_NEGATIVE,
    }  # fmt: skip
    assert counts.duplicates_seen > 0
    assert counts.returned_lines_linked > 0


@pytest.mark.parametrize(
    ("rule", "is_on", "reason"),
    [
        (CleaningRule.DROP_DUPLICATES, True, Refusal.DUPLICATE),
        (CleaningRule.ANONYMOUS_SALES, False, Refusal.MEMBER_MISSING),
        (CleaningRule.CANCELLATIONS_ARE_RETURNS, False, Refusal.CANCELLATION),
    ],
)
def test_a_switched_rule_moves_rows_from_kept_to_refused(
    tmp_path: Path, rule: CleaningRule, is_on: bool, reason: Refusal
) -> None:
    shipped = clean_online_retail(EXCERPT, tmp_path).counts
    (tmp_path / "switched").mkdir()
    switched = clean_online_retail(EXCERPT, tmp_path / "switched", rules={rule: is_on}).counts
    moved = switched.refused[PartRole.SALES, reason]
    assert (PartRole.SALES, reason) not in shipped.refused
    assert switched.rows_kept == shipped.rows_kept - moved < shipped.rows_kept


def test_prices_of_zero_are_kept_where_the_rule_is_off(tmp_path: Path) -> None:
    counts = clean_online_retail(EXCERPT, tmp_path, rules={CleaningRule.REFUSE_ZERO_PRICE: False}).counts
    assert (PartRole.SALES, Refusal.PRICE_ZERO) not in counts.refused
    assert sum(line.zero_totals for line in counts.lines) > 0


def test_the_same_receipt_in_two_files_counts_as_the_last_one_says(tmp_path: Path) -> None:
    row = {F.SALE_NO: "1", F.SOLD_AT: "2026-10-01", F.PRODUCT_CODE: "P", F.LINE_TOTAL: "5"}
    old = lay_out([row, row | {F.SALE_NO: "2"}], fields=list(row), folder=tmp_path, name="old.csv")
    new = lay_out([row | {F.LINE_TOTAL: "7"}], fields=list(row), folder=tmp_path, name="new.csv")
    cleaned = clean([old, new], settings=settings_of(), now=NOW, folder=tmp_path)
    assert {s["sale_no"]: s["total_minor"] for s in rows_of(cleaned.staged.sales, order="sale_no")} == {
        "1": 700,
        "2": 500,
    }
    assert Counter(reason for _, reason in report_of(cleaned)) == {"receipt_repeated": 1}


def test_the_content_hash_knows_the_content_and_nothing_else(tmp_path: Path) -> None:
    row = {F.SALE_NO: "1", F.SOLD_AT: "2026-10-01", F.PRODUCT_CODE: "P", F.QUANTITY: "1", F.UNIT_PRICE: "5"}
    other = row | {F.PRODUCT_CODE: "Q", F.QUANTITY: "2"}

    def hash_of(*rows: dict[Field, str]) -> int:
        folder = Path(tempfile.mkdtemp(dir=tmp_path))
        [sale] = rows_of(clean_rows(rows, folder=folder).staged.sales, order="sale_no")
        return int(sale["content_hash"])

    whole = hash_of(row, other)
    assert whole == hash_of(other, row)
    swapped = (row | {F.QUANTITY: "2"}, other | {F.QUANTITY: "1"})
    assert len({whole, hash_of(row), hash_of(*swapped), hash_of(row | {F.MEMBER_CODE: "M"}, other)}) == 4
