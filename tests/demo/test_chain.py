"""The simulated chain: repeatable, consistent to the last fen, and in the staged schemas."""

from dataclasses import fields
from datetime import date, timedelta

import duckdb
import pyarrow as pa
import pytest

from changke.demo.chain import Chain, simulate_chain
from changke.demo.parameters import load_parameters
from changke.insight import staging
from changke.insight.staging import StagedTables
from changke.rules.members import BirthCalendar, ConsentChannel, ConsentPurpose, Gender, MemberStatus, SourceChannel
from changke.rules.phones import parse_phone
from changke.rules.sales import SaleKind, TenderKind
from changke.rules.staff import Role

LAST_DAY = date(2026, 6, 30)
TABLES = [field.name for field in fields(StagedTables)]


def wrong(duck: duckdb.DuckDBPyConnection, sql: str) -> list[tuple[object, ...]]:
    """Return rows that break a rule: a test wants none."""
    return duck.execute(sql + " LIMIT 5").fetchall()


def same(one: Chain, other: Chain) -> bool:
    tables = [getattr(one.tables, name).equals(getattr(other.tables, name)) for name in TABLES]
    return all(tables) and one.wake_ups.equals(other.wake_ups) and one.shop == other.shop


def test_the_same_seed_gives_the_same_tables() -> None:
    small = load_parameters().sized(members=400)
    assert same(simulate_chain(small, ends_on=LAST_DAY), simulate_chain(small, ends_on=LAST_DAY))


def test_another_day_gives_other_tables() -> None:
    small = load_parameters().sized(members=400)
    assert not same(
        simulate_chain(small, ends_on=LAST_DAY), simulate_chain(small, ends_on=LAST_DAY - timedelta(days=1))
    )


@pytest.mark.parametrize("name", TABLES)
def test_tables_follow_the_staged_schemas(chain: Chain, name: str) -> None:
    table: pa.Table = getattr(chain.tables, name)
    table.validate(full=True)
    assert table.schema == getattr(staging, name.upper())
    assert [field.name for field in table.schema if not field.nullable and table[field.name].null_count] == []


def test_wake_ups_follow_their_schema(chain: Chain) -> None:
    chain.wake_ups.validate(full=True)
    assert chain.wake_ups.schema == staging.OPPORTUNITIES


def test_the_last_day_is_the_callers(chain: Chain, duck: duckdb.DuckDBPyConnection) -> None:
    (first, last) = duck.execute("SELECT min(day), max(day) FROM sales").fetchall()[0]
    assert (chain.last_day, last) == (LAST_DAY, LAST_DAY)
    assert first == chain.first_day == LAST_DAY - timedelta(days=547)


@pytest.mark.parametrize(
    ("table", "key"),
    [
        ("stores", "store_code"),
        ("products", "product_code"),
        ("members", "member_code"),
        ("members", "card_no"),
        ("sales", "sale_no"),
        ("lines", "(sale_no, line_no)"),
        ("tenders", "(sale_no, tender_no)"),
        ("wake_ups", "(member_code, due_on)"),
    ],
)
def test_keys_are_unique(duck: duckdb.DuckDBPyConnection, table: str, key: str) -> None:
    assert wrong(duck, f"SELECT {key} FROM {table} WHERE {key} IS NOT NULL GROUP BY 1 HAVING count(*) > 1") == []


@pytest.mark.parametrize(
    ("table", "key", "other", "code"),
    [
        ("sales", "store_code", "stores", "store_code"),
        ("sales", "member_code", "members", "member_code"),
        ("sales", "original_sale_no", "sales", "sale_no"),
        ("lines", "sale_no", "sales", "sale_no"),
        ("lines", "product_code", "products", "product_code"),
        ("tenders", "sale_no", "sales", "sale_no"),
        ("members", "home_store_code", "stores", "store_code"),
        ("wake_ups", "member_code", "members", "member_code"),
    ],
)
def test_every_code_leads_somewhere(
    duck: duckdb.DuckDBPyConnection, table: str, key: str, other: str, code: str
) -> None:
    sql = f"SELECT {key} FROM {table} WHERE {key} IS NOT NULL AND {key} NOT IN (SELECT {code} FROM {other})"
    assert wrong(duck, sql) == []


def test_staff_of_every_role_and_of_the_store(chain: Chain, duck: duckdb.DuckDBPyConnection) -> None:
    store_of = {person.code: person.store_code for person in chain.shop.staff}
    assert {person.role for person in chain.shop.staff} == set(Role)
    assert len(store_of) == len(chain.shop.staff)
    pairs = duck.execute(
        "SELECT DISTINCT staff_code, store_code FROM sales UNION SELECT recruiter_code, home_store_code FROM members"
        " WHERE recruiter_code IS NOT NULL"
    ).fetchall()
    assert {store_of[staff] == store for staff, store in pairs} == {True}


@pytest.mark.parametrize(
    ("sql", "words"),
    [
        ("SELECT DISTINCT kind FROM sales", SaleKind),
        ("SELECT DISTINCT kind FROM tenders", TenderKind),
        ("SELECT DISTINCT gender FROM members", Gender),
        ("SELECT DISTINCT birth_calendar FROM members", BirthCalendar),
        ("SELECT DISTINCT source_channel FROM members", SourceChannel),
        ("SELECT DISTINCT status FROM members", MemberStatus),
        ("SELECT DISTINCT split_part(unnest(consents), ':', 1) FROM members", ConsentChannel),
        ("SELECT DISTINCT split_part(unnest(consents), ':', 2) FROM members", ConsentPurpose),
    ],
)
def test_words_are_those_of_rules(duck: duckdb.DuckDBPyConnection, sql: str, words: type) -> None:
    found = {word for (word,) in duck.execute(sql).fetchall()}
    assert found
    assert found <= {str(word) for word in words}


def test_money_and_quantities_sum(duck: duckdb.DuckDBPyConnection) -> None:
    assert (
        wrong(
            duck,
            """SELECT sale_no FROM sales
        JOIN (SELECT sale_no, sum(total_minor) AS total, sum(quantity_milli) AS quantity, count(*) AS lines,
            max(line_no) AS last FROM lines GROUP BY 1) USING (sale_no)
        JOIN (SELECT sale_no, sum(amount_minor) AS paid FROM tenders GROUP BY 1) USING (sale_no)
        WHERE total_minor <> total OR total_minor <> paid OR quantity_milli <> quantity
            OR line_count <> lines OR line_count <> last""",
        )
        == []
    )
    (sales,) = duck.execute("SELECT count(*) FROM sales WHERE sale_no IN (SELECT sale_no FROM tenders)").fetchall()[0]
    assert sales == duck.execute("SELECT count(*) FROM sales").fetchall()[0][0]


def test_line_totals_are_price_times_quantity(duck: duckdb.DuckDBPyConnection) -> None:
    assert wrong(duck, "SELECT * FROM lines WHERE total_minor * 1000 <> unit_price * 100 * quantity_milli") == []


def test_signs_follow_the_kind(duck: duckdb.DuckDBPyConnection) -> None:
    assert (
        wrong(
            duck,
            """SELECT * FROM sales s JOIN lines l USING (sale_no) JOIN tenders USING (sale_no)
        WHERE s.kind = 'sale' AND least(l.total_minor, l.quantity_milli, amount_minor) <= 0
            OR s.kind = 'return' AND greatest(l.total_minor, l.quantity_milli, amount_minor) >= 0""",
        )
        == []
    )


def test_nothing_comes_back_that_was_not_sold(duck: duckdb.DuckDBPyConnection) -> None:
    assert (
        wrong(
            duck,
            """SELECT s.original_sale_no FROM lines r JOIN sales s USING (sale_no)
        LEFT JOIN lines o ON o.sale_no = s.original_sale_no AND o.line_no = r.original_line_no
        WHERE s.original_sale_no IS NOT NULL
        GROUP BY s.original_sale_no, r.original_line_no, o.quantity_milli, o.total_minor, o.product_code
        HAVING coalesce(-sum(r.quantity_milli) > o.quantity_milli OR -sum(r.total_minor) > o.total_minor
            OR any_value(r.product_code) <> o.product_code, true)""",
        )
        == []
    )


def test_a_return_follows_its_sale(duck: duckdb.DuckDBPyConnection) -> None:
    assert (
        wrong(
            duck,
            """SELECT r.sale_no FROM sales r JOIN sales s ON s.sale_no = r.original_sale_no
        WHERE r.kind <> 'return' OR s.kind <> 'sale' OR r.sold_at <= s.sold_at
            OR r.member_code IS DISTINCT FROM s.member_code""",
        )
        == []
    )
    linked, loose, elsewhere = duck.execute(
        """SELECT count(s.sale_no), count(*) - count(s.sale_no), count(*) FILTER (s.store_code <> r.store_code)
        FROM sales r LEFT JOIN sales s ON s.sale_no = r.original_sale_no WHERE r.kind = 'return'"""
    ).fetchall()[0]
    assert linked > 10 * loose > 0
    assert elsewhere > 50


def test_no_sale_before_joining_or_opening(chain: Chain, duck: duckdb.DuckDBPyConnection) -> None:
    assert (
        wrong(duck, "SELECT * FROM sales JOIN members USING (member_code) WHERE day < joined_on OR joined_on IS NULL")
        == []
    )
    opened = {store.code: store.opened_on for store in chain.shop.stores}
    first: dict[str, date] = dict(duck.execute("SELECT store_code, min(day) FROM sales GROUP BY 1").fetchall())
    assert {code: day >= opened[code] for code, day in first.items()} == dict.fromkeys(opened, True)
    assert {code for code, day in opened.items() if chain.first_day < day} == {"XA01", "XA02", "CD03"}


def test_sales_fall_into_opening_hours_and_their_business_day(chain: Chain, duck: duckdb.DuckDBPyConnection) -> None:
    rows = duck.execute(
        """SELECT store_code, min(since), max(since) FROM
            (SELECT store_code, epoch(timezone('UTC', sold_at) + INTERVAL 8 HOUR - day::TIMESTAMP) / 3600 AS since
             FROM sales WHERE kind = 'sale') GROUP BY 1"""
    ).fetchall()
    for code, earliest, latest in rows:
        store = next(row for row in chain.shop.stores if row.code == code)
        closes = store.closes_at.hour + 24 * (store.closes_at <= store.opens_at)
        assert store.opens_at.hour <= earliest < latest < closes, code
    assert len(rows) == len(chain.shop.stores)


def test_people_are_invented_and_well_formed(duck: duckdb.DuckDBPyConnection) -> None:
    phones = [
        phone for (phone,) in duck.execute("SELECT DISTINCT phone FROM members WHERE phone IS NOT NULL").fetchall()
    ]
    assert [phone for phone in phones[::50] if parse_phone(phone) != phone or phone[6:10] != "0000"] == []
    assert wrong(duck, "SELECT email FROM members WHERE email NOT LIKE '%@example.com'") == []
    assert (
        wrong(
            duck,
            """SELECT * FROM members WHERE birth_calendar = 'solar' AND birth_month IS NOT NULL
        AND try_cast(printf('%d-%d-%d', coalesce(birth_year, 2000), birth_month, birth_day) AS DATE) IS NULL""",
        )
        == []
    )
    leap, lunar, long = duck.execute(
        """SELECT count(*) FILTER (birth_month = 2 AND birth_day = 29 AND birth_calendar = 'solar'),
        count(*) FILTER (birth_calendar = 'lunar'), count(*) FILTER (length(name) = 40) FROM members"""
    ).fetchall()[0]
    assert leap > 10
    assert lunar > 500
    assert long > 3


def test_second_cards_can_be_found(duck: duckdb.DuckDBPyConnection) -> None:
    (found,) = duck.execute(
        """SELECT count(DISTINCT b.member_code) FROM members a JOIN members b ON a.member_code < b.member_code
        AND (a.phone = b.phone OR (a.name = b.name AND a.birth_month = b.birth_month AND a.birth_day = b.birth_day
            AND a.birth_year = b.birth_year))"""
    ).fetchall()[0]
    assert 150 <= found <= 260


def test_wake_ups_are_due_while_a_member_sleeps(duck: duckdb.DuckDBPyConnection) -> None:
    assert (
        wrong(
            duck,
            f"""SELECT w.* FROM wake_ups w ASOF JOIN
            (SELECT DISTINCT member_code, day FROM sales WHERE kind = 'sale' AND member_code IS NOT NULL) v
            ON w.member_code = v.member_code AND w.due_on >= v.day
        WHERE w.due_on - v.day < 60 OR w.due_on > DATE '{LAST_DAY}' OR w.offer_ends_on - w.due_on <> 29""",
        )
        == []
    )
