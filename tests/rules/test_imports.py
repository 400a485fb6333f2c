"""Rules of imports: what a row becomes, receipts, returns, guesses; each case as a person would tell it."""

import csv
from collections import defaultdict
from collections.abc import Mapping
from datetime import UTC, date, datetime, time
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from changke.kernel.money import EXPONENTS
from changke.rules.imports.counts import CleaningCounts, LineCount
from changke.rules.imports.lines import CleanLine, ImportSettings, PlacedLine, decide_line, place_lines, settle
from changke.rules.imports.mapping import fit_table, guess_day_order, guess_profile
from changke.rules.imports.members import parse_birthday, split_tags
from changke.rules.imports.profiles import PROFILES, DayOrder, Profile, SaleKey, find_profile
from changke.rules.imports.returns import TradedLine, match_returns
from changke.rules.imports.values import CALENDARS, CHANNELS, GENDERS, SALE_KINDS, STATUSES, TENDERS, parse_number
from changke.rules.imports.words import (
    REFUSAL_TEXTS,
    RULE_TEXTS,
    CleaningRule,
    Field,
    PartRole,
    Refusal,
)
from changke.rules.members import BirthCalendar, Gender, MemberStatus, SourceChannel
from changke.rules.sales import SaleKind, TenderKind

NOW = datetime(2026, 11, 22, 4, 0, tzinfo=UTC)
F = Field
ROW = {
    F.SALE_NO: "A1", F.SOLD_AT: "2026-10-01 09:30", F.MEMBER_CODE: "M1", F.PRODUCT_CODE: "P1", F.QUANTITY: "2",
    F.UNIT_PRICE: "12.50",
}  # fmt: skip


def settings_of(profile: Profile = PROFILES["generic_sales"], **wishes: Any) -> ImportSettings:
    return settle(profile, company_currency="CNY", exponents=EXPONENTS, company_time_zone="Asia/Shanghai", **wishes)


def decide(changes: Mapping[Field, str], **wishes: Any) -> CleanLine | Refusal:
    return decide_line({**ROW, **changes}, settings=settings_of(**wishes), now=NOW)


def test_a_good_row_becomes_a_line() -> None:
    line = decide({})
    assert line == CleanLine(
        number="A1", kind="sale", sold_at=datetime(2026, 10, 1, 1, 30, tzinfo=UTC), day=date(2026, 10, 1),
        store_code="main", staff_code=None, member_code="M1", product_code="P1", original_sale_no=None,
        tender_kind=None, quantity_milli=2000, unit_price=Decimal("12.5"), total_minor=2500,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({F.SALE_NO: ""}, Refusal.SALE_NO_MISSING),
        ({F.SOLD_AT: ""}, Refusal.MOMENT_MISSING),
        ({F.SOLD_AT: "2026-02-30"}, Refusal.MOMENT_UNREADABLE),
        ({F.SOLD_AT: "2026-11-22 12:00:01"}, Refusal.MOMENT_IN_FUTURE),
        ({F.PRODUCT_CODE: "TEST-01"}, Refusal.TEST_PRODUCT),
        ({F.SALE_KIND: "gift"}, Refusal.KIND_UNKNOWN),
        ({F.QUANTITY: "two"}, Refusal.QUANTITY_UNREADABLE),
        ({F.QUANTITY: "0.0004"}, Refusal.QUANTITY_ZERO),
        ({F.UNIT_PRICE: ""}, Refusal.AMOUNT_MISSING),
        ({F.UNIT_PRICE: "1,23"}, Refusal.AMOUNT_UNREADABLE),
        ({F.UNIT_PRICE: "0.00"}, Refusal.PRICE_ZERO),
        ({F.UNIT_PRICE: "-1"}, Refusal.PRICE_NEGATIVE),
        ({F.UNIT_PRICE: "999999999999", F.QUANTITY: "99999"}, Refusal.AMOUNT_TOO_LARGE),
        ({F.STORE_CODE: "x" * 41}, Refusal.TEXT_TOO_LONG),
    ],
)
def test_a_bad_row_is_refused_with_its_reason(changes: dict[Field, str], reason: Refusal) -> None:
    assert decide(changes) is reason


def examples() -> list[tuple[str, str]]:
    """The worked examples of docs/rules/import.md."""
    page = (Path(__file__).parents[2] / "docs" / "rules" / "import.md").read_text(encoding="utf-8")
    table = page.split("## Examples")[1].split("|---|---|")[1].split("\n\n")[0]
    rows = [line.strip("| ").rsplit(" | ", 1) for line in table.strip().splitlines()]
    return [(row, outcome) for row, outcome in rows]


@pytest.mark.parametrize(("row", "outcome"), examples())
def test_the_examples_of_the_page_hold(row: str, outcome: str) -> None:
    [cells] = csv.reader([row], skipinitialspace=True)
    fields = (F.SALE_NO, F.SOLD_AT, F.MEMBER_CODE, F.PRODUCT_CODE, F.QUANTITY, F.UNIT_PRICE)
    answer = decide(dict(zip(fields, cells, strict=True)))
    spelled = f"{answer.kind} {Decimal(answer.total_minor) / 100:.2f}" if isinstance(answer, CleanLine) else str(answer)
    assert spelled == outcome


@pytest.mark.parametrize(
    ("rule", "changes", "on", "off"),
    [
        (CleaningRule.ANONYMOUS_SALES, {F.MEMBER_CODE: ""}, "sale", Refusal.MEMBER_MISSING),
        (CleaningRule.NEGATIVE_QUANTITY_IS_RETURN, {F.QUANTITY: "-2"}, "return", Refusal.QUANTITY_NEGATIVE),
        (CleaningRule.CANCELLATIONS_ARE_RETURNS, {F.SALE_KIND: "退货"}, "return", Refusal.CANCELLATION),
        (CleaningRule.REFUSE_ZERO_PRICE, {F.UNIT_PRICE: "0"}, Refusal.PRICE_ZERO, "sale"),
        (CleaningRule.REFUSE_TEST_PRODUCTS, {F.PRODUCT_NAME: "测试商品"}, Refusal.TEST_PRODUCT, "sale"),
    ],
)
def test_a_rule_decides_both_ways(
    rule: CleaningRule, changes: dict[Field, str], on: str | Refusal, off: str | Refusal
) -> None:
    for is_on, expected in ((True, on), (False, off)):
        answer = decide(changes, switched={rule: is_on})
        assert (answer.kind if isinstance(answer, CleanLine) else answer) == expected


def test_zero_is_tested_before_rounding_and_the_total_is_rounded_once() -> None:
    line = decide({F.UNIT_PRICE: "0.001", F.QUANTITY: "1"})
    assert isinstance(line, CleanLine)
    assert (line.total_minor, line.unit_price) == (0, Decimal("0.001"))
    assert decide({F.UNIT_PRICE: "0.000"}) is Refusal.PRICE_ZERO
    assert parse_number("0.0000001") == (Decimal("0.000000"), False)


def test_what_was_paid_beats_price_times_quantity() -> None:
    line = decide({F.LINE_TOTAL: "20", F.UNIT_PRICE: ""})
    assert isinstance(line, CleanLine)
    assert (line.total_minor, line.unit_price) == (2000, Decimal(10))
    discounted = decide({F.LINE_TOTAL: "20"})
    assert isinstance(discounted, CleanLine)
    assert (discounted.total_minor, discounted.unit_price) == (2000, Decimal("12.5"))


@pytest.mark.parametrize(
    ("sold_at", "moment", "day"),
    [
        ("2026-10-02 03:59", "2026-10-01T19:59:00+00:00", date(2026, 10, 1)),  # before the day ends at 04:00
        ("2026-10-02 04:00", "2026-10-01T20:00:00+00:00", date(2026, 10, 2)),
        ("2026-10-02", "2026-10-01T20:00:00+00:00", date(2026, 10, 2)),  # a date alone begins its business day
    ],
)
def test_a_business_day_may_end_after_midnight(sold_at: str, moment: str, day: date) -> None:
    line = decide({F.SOLD_AT: sold_at}, company_day_ends_at=time(4))
    assert isinstance(line, CleanLine)
    assert (line.sold_at.astimezone(UTC).isoformat(), line.day) == (moment, day)


def place(*rows: dict[Field, str], key: SaleKey = SaleKey.NUMBER, files: tuple[int, ...] = ()) -> list[object]:
    lines = [decide(row, sale_key=key) for row in rows]
    kept = [line for line in lines if isinstance(line, CleanLine)]
    assert len(kept) == len(lines)
    placed = place_lines(zip(files or (0,) * len(kept), kept, strict=True), sale_key=key)
    return [(one.sale_no, one.line_no) if isinstance(one, PlacedLine) else one for one in placed]


def test_lines_of_a_number_are_one_receipt() -> None:
    assert place({}, {F.SALE_NO: "A2"}, {}) == [("A1", 1), ("A2", 1), ("A1", 2)]


def test_returns_in_a_receipt_of_sales_are_a_receipt_of_their_own() -> None:
    assert place({}, {F.QUANTITY: "-1"}, {F.SALE_NO: "B", F.QUANTITY: "-1"}) == [("A1", 1), ("A1-R", 1), ("B", 1)]


def test_a_receipt_belongs_to_one_customer_store_and_day() -> None:
    assert place({F.MEMBER_CODE: ""}, {}, {F.MEMBER_CODE: "M2"}, {F.STORE_CODE: "S2"}, {F.SOLD_AT: "2026-10-02"}) == [
        ("A1", 1), ("A1", 2), *[Refusal.RECEIPT_CONTRADICTED] * 3,
    ]  # fmt: skip


def test_numbers_may_start_again_each_day_and_store() -> None:
    assert place({}, {F.SOLD_AT: "2026-10-02"}, {F.STORE_CODE: "S2"}, key=SaleKey.NUMBER_A_DAY) == [
        ("main/20261001/A1", 1), ("main/20261002/A1", 1), ("S2/20261001/A1", 1),
    ]  # fmt: skip


def test_where_each_row_is_a_receipt_equal_ones_are_told_apart_by_order() -> None:
    assert place({}, {F.MEMBER_CODE: "M2"}, {}, key=SaleKey.ROW) == [
        ("M1/20261001093000/1", 1), ("M2/20261001093000/1", 1), ("M1/20261001093000/2", 1),
    ]  # fmt: skip


def test_of_a_receipt_in_two_files_the_last_counts() -> None:
    assert place({}, {F.SALE_NO: "A2"}, {}, files=(0, 0, 1)) == [Refusal.RECEIPT_REPEATED, ("A2", 1), ("A1", 1)]


def traded(
    sale_no: str, moment: int, quantity: int, *, product: str = "P", price: int = 5, line: int = 1
) -> TradedLine:
    return TradedLine(
        sale_no=sale_no, line_no=line, moment=moment, product_code=product, unit_price=Decimal(price),
        quantity_milli=quantity,
    )  # fmt: skip


def links(sold: list[TradedLine], returned: list[TradedLine]) -> dict[tuple[str, int], tuple[str, int]]:
    return {
        (link.sale_no, link.line_no): (link.original_sale_no, link.original_line_no)
        for link in match_returns(sold, returned=returned)
    }


def test_a_return_goes_to_the_latest_earlier_sale_that_has_enough() -> None:
    sold = [traded("A", 1, 3), traded("B", 2, 1), traded("C", 9, 5)]
    assert links(sold, [traded("R", 5, 1)]) == {("R", 1): ("B", 1)}
    assert links(sold, [traded("R", 5, 2)]) == {("R", 1): ("A", 1)}
    assert links(sold, [traded("R", 5, 4)]) == {}
    assert links(sold, [traded("R", 5, 1, price=6)]) == {}
    assert links(sold, [traded("R", 5, 1, product="Q")]) == {}


def test_no_more_comes_back_than_was_sold() -> None:
    assert links([traded("A", 1, 2)], [traded("R", 5, 2), traded("S", 6, 1)]) == {("R", 1): ("A", 1)}


def test_a_return_of_several_lines_belongs_to_the_sale_that_takes_most_of_them() -> None:
    sold = [traded("A", 1, 1), traded("A", 1, 1, product="Q", line=2), traded("B", 2, 1)]
    back = [traded("R", 5, 1), traded("R", 5, 1, product="Q", line=2)]
    assert links(sold, back) == {("R", 1): ("A", 1), ("R", 2): ("A", 2)}


TRADES = st.lists(
    st.builds(
        traded,
        st.sampled_from("ABCD"),
        st.integers(0, 9),
        st.integers(1, 4),
        product=st.sampled_from("PQ"),
        line=st.integers(1, 3),
    ),
    max_size=12,
    unique_by=lambda line: (line.sale_no, line.line_no),
)


@given(sold=TRADES, returned=TRADES)
def test_links_never_exceed_what_was_sold_nor_go_forward(sold: list[TradedLine], returned: list[TradedLine]) -> None:
    by_place = {(line.sale_no, line.line_no): line for line in sold}
    back = {(line.sale_no, line.line_no): line for line in returned}
    taken: dict[tuple[str, int], int] = defaultdict(int)
    originals: dict[str, set[str]] = defaultdict(set)
    for link in match_returns(sold, returned=returned):
        line = back[link.sale_no, link.line_no]
        original = by_place[link.original_sale_no, link.original_line_no]
        taken[link.original_sale_no, link.original_line_no] += line.quantity_milli
        originals[link.sale_no].add(link.original_sale_no)
        assert original.moment <= line.moment
        assert (original.product_code, original.unit_price) == (line.product_code, line.unit_price)
    assert all(quantity <= by_place[place].quantity_milli for place, quantity in taken.items())
    assert all(len(of) == 1 for of in originals.values())


@pytest.mark.parametrize(
    ("columns", "profile"),
    [
        ("InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country", "online_retail"),
        ("household_id,store_id,basket_id,product_id,quantity,sales_value,transaction_timestamp", "complete_journey"),
        ("customer_id,order_date,revenue,first_name,last_name,email", "rfm_sample"),
        ("column_1,column_2,column_3,column_4,column_5", "cdnow"),
        ("小票号,销售时间,实收金额,手机号", "generic_sales"),
        ("Order ID,Order Date,Total", "generic_sales"),
        ("商品编码,商品名称,分类,品牌", "generic_sales"),
        ("会员编号,姓名,手机号,生日", "generic_members"),
        ("id,Name,Mobile,Gender", "generic_members"),
    ],
)  # fmt: skip
def test_the_profile_is_guessed_from_headers(columns: str, profile: str) -> None:
    assert guess_profile([columns.split(",")]).name == profile


def test_the_tables_of_complete_journey_find_their_parts() -> None:
    profile = PROFILES["complete_journey"]
    products = fit_table(
        ["product_id", "manufacturer_id", "department", "brand", "product_category", "product_type"], profile=profile
    )
    people = fit_table(["household_id", "age", "income", "kids_count"], profile=profile)
    assert products is not None and people is not None
    assert (products.role, people.role) == (PartRole.PRODUCTS, PartRole.MEMBERS)
    assert people.attributes == {"age": "age", "income": "income", "kids_count": "kids_count"}
    assert fit_table(["campaign_id", "household_id"], profile=profile) is None


def test_columns_without_a_known_name_are_recognised_by_what_they_hold() -> None:
    rows = [("7", "2026-10-01 10:00", "13800138000", "x@y.cn", "9.9"), ("8", "2026/10/2", "13900139000", "", "1")]
    mapping = fit_table(["单号", "when", "who", "post", "金额"], profile=PROFILES["generic_sales"], rows=rows)
    assert mapping is not None
    assert mapping.columns == {
        F.SALE_NO: "单号", F.LINE_TOTAL: "金额", F.SOLD_AT: "when", F.PHONE: "who", F.EMAIL: "post",
    }  # fmt: skip


def test_the_users_mapping_wins_over_the_guess() -> None:
    columns = ["单号", "日期", "金额", "原价"]
    mapping = fit_table(
        columns, profile=PROFILES["generic_sales"], chosen={"line_total": "原价"}, attributes={"list": "金额"}
    )
    assert mapping is not None
    assert (mapping.columns[F.LINE_TOTAL], mapping.attributes) == ("原价", {"list": "金额"})


@pytest.mark.parametrize(
    ("texts", "order"),
    [
        (["03/04/2024"], DayOrder.DAY_FIRST),
        (["03/14/2024", "01/02/2024"], DayOrder.MONTH_FIRST),
        (["14/03/2024", "03/14/2024"], DayOrder.DAY_FIRST),
        (["2024-03-14"], DayOrder.DAY_FIRST),
    ],
)
def test_month_first_needs_proof(texts: list[str], order: DayOrder) -> None:
    assert guess_day_order(texts) is order


@pytest.mark.parametrize(
    ("text", "is_lunar", "birthday"),
    [
        ("1990-02-14", False, (1990, 2, 14)),
        ("2-29", False, (None, 2, 29)),
        ("12月5日", False, (None, 12, 5)),
        ("1990年2月30日", False, None),
        ("1990年2月30日", True, (1990, 2, 30)),
        ("1990-2-31", True, None),
        ("2030-01-01", False, None),
        ("soon", False, None),
    ],
)
def test_birthdays_of_both_calendars(text: str, is_lunar: bool, birthday: object) -> None:
    read = parse_birthday(text, settings=settings_of(), is_lunar=is_lunar, today=date(2026, 11, 22))
    assert read == birthday


def test_tags_are_parted_trimmed_and_each_once() -> None:
    assert split_tags("常客； 爱茶,常客|、新") == ("常客", "爱茶", "新")


def test_profiles_are_found_however_they_are_written() -> None:
    assert find_profile("online-retail") is PROFILES["online_retail"]
    assert find_profile("nothing") is None


def test_every_switch_and_reason_is_explained() -> None:
    assert set(RULE_TEXTS) == set(CleaningRule)
    assert set(REFUSAL_TEXTS) == set(Refusal)
    assert all(message and cure for message, cure in REFUSAL_TEXTS.values())


@pytest.mark.parametrize(
    ("words", "enum"),
    [
        (SALE_KINDS, SaleKind), (GENDERS, Gender), (CALENDARS, BirthCalendar), (STATUSES, MemberStatus),
        (TENDERS, TenderKind), (CHANNELS, SourceChannel),
    ],
)  # fmt: skip
def test_words_of_files_become_words_of_the_house(words: dict[str, str], enum: type) -> None:
    assert set(words.values()) <= {str(word) for word in enum}
    assert all(word == word.lower().strip() for word in words)


def test_rows_in_are_rows_kept_and_rows_refused() -> None:
    counts = CleaningCounts(
        rows_in={PartRole.SALES: 10, PartRole.MEMBERS: 3},
        lines=(LineCount(kind="sale", has_member=True, lines=8, receipts=4, members=2, total_minor=1, zero_totals=0),),
        refused={(PartRole.SALES, Refusal.PRICE_ZERO): 2, (PartRole.MEMBERS, Refusal.MEMBER_REPEATED): 1},
        left_out={}, duplicates_seen=0, returned_lines_linked=0, members=2, products=1, stores=1,
    )  # fmt: skip
    assert (counts.kept_of(PartRole.SALES), counts.kept_of(PartRole.MEMBERS), counts.rows_kept) == (8, 2, 10)
    assert counts.to_json()["rows_refused"] == {"sales": 2, "members": 1}
