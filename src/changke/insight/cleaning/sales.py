"""Sale lines in set form: rules/imports/lines.py decides the same row by row."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Final

import duckdb

from changke.insight.cleaning.workbench import MappedTable, cells, text, words_to, write_stage
from changke.rules.imports.lines import (
    CODE_LONGEST,
    NUMBER_LONGEST,
    PLACE_LONGEST,
    TOTAL_MAX,
    ImportSettings,
)
from changke.rules.imports.profiles import SaleKey
from changke.rules.imports.values import SALE_KINDS, TENDERS, TEST_PRODUCT
from changke.rules.imports.words import SALE_FIELDS, CleaningRule, Field, Refusal

R = CleaningRule
Tables = Sequence[tuple[int, MappedTable]]


def clean_lines(
    duck: duckdb.DuckDBPyConnection, tables: Tables, *, settings: ImportSettings, now: datetime, folder: Path
) -> None:
    """Make `decided`: every row of the sales tables with its refusal, or NULL and what is kept of it."""
    mapped = {meaning for _, table in tables for meaning in table.columns}
    write_stage(
        duck,
        "decided",
        folder=folder,
        query=f"""
            WITH row AS ({cells(tables, SALE_FIELDS)}),
            member AS (SELECT *, coalesce(member_code, e164) AS member FROM row LEFT JOIN phones USING (phone)),
            parsed AS (SELECT *, {_parsed(settings, mapped=mapped)} FROM member),
            judged AS (SELECT *, {_judged(settings, now=now)} FROM parsed)
            SELECT pos, refusal, number, kind, moment_at AS sold_at, day, store, store_name, staff_code,
                   member, member_name, e164, email, product, product_name, category_1, category_2, category_3, brand,
                   CASE kind WHEN 'return' THEN original_sale_no END AS original_sale_no,
                   CASE WHEN tender_kind IS NOT NULL THEN coalesce({words_to("tender_kind", TENDERS)}, 'other') END
                       AS tender,
                   sign * quantity_milli AS quantity_milli, price_kept AS unit_price,
                   sign * total_minor AS total_minor, row_hash
            FROM judged
        """,
    )


def _parsed(settings: ImportSettings, *, mapped: set[Field]) -> str:
    """Return the columns that read the cells of a row: moment, amounts, kind."""
    when = "sold_at || ' ' || sold_time" if Field.SOLD_TIME in mapped else "sold_at"
    when = f"CASE WHEN sold_time IS NULL THEN sold_at ELSE {when} END" if Field.SOLD_TIME in mapped else when
    minutes = settings.day_ends_at.hour * 60 + settings.day_ends_at.minute
    is_counted = Field.QUANTITY in mapped
    word = words_to("sale_kind", SALE_KINDS) if Field.SALE_KIND in mapped else "NULL"
    prefix = settings.cancellation_prefix
    cancelled = f"coalesce({word} = 'return', false)" + (
        f" OR coalesce(starts_with(sale_no, {text(prefix)}), false)" if prefix else ""
    )
    return f"""
        {when} AS when_text, moment(when_text) AS local, has_time(when_text) AS is_timed,
        CASE WHEN is_timed THEN local ELSE local + INTERVAL {minutes} MINUTE END AS clock,
        timezone({text(settings.time_zone)}, clock) AS moment_at, (clock - INTERVAL {minutes} MINUTE)::DATE AS day,
        {"number(quantity)" if is_counted else "1::DECIMAL(18,6)"} AS counted,
        CASE WHEN counted < {SMALL} AND counted > -{SMALL} THEN (round(abs(counted), 3) * 1000)::BIGINT
             ELSE try_cast(round(abs(counted), 3)::DECIMAL(38,3) * 1000 AS BIGINT) END AS quantity_milli,
        number(unit_price) AS price, number(line_total) AS total,
        CASE WHEN total IS NOT NULL THEN total ELSE price END AS paid,
        CASE WHEN total IS NOT NULL THEN is_zero(line_total) ELSE is_zero(unit_price) END AS is_free,
        {word} AS kind_word, {cancelled} AS is_cancelled,
        {"counted < 0" if is_counted else "paid < 0"} AS is_negative,
        CASE WHEN is_cancelled OR is_negative THEN 'return' ELSE 'sale' END AS kind,
        CASE kind WHEN 'return' THEN -1 ELSE 1 END AS sign,
        coalesce(product_code, {text(settings.product_code)}) AS product,
        coalesce(store_code, {text(settings.store_code)}) AS store,
        {"price < 0 AND NOT is_cancelled" if is_counted else "false"} AS is_discount
    """


def _judged(settings: ImportSettings, *, now: datetime) -> str:
    """Return number, rounded amounts, and the first reason that refuses a row, in the order of decide_line."""
    numbers = {
        SaleKey.NUMBER: "sale_no",
        SaleKey.NUMBER_A_DAY: "store || '/' || strftime(day, '%Y%m%d') || '/' || sale_no",
        SaleKey.ROW: "coalesce(member, '') || "
        f"strftime(timezone({text(settings.time_zone)}, moment_at), '/%Y%m%d%H%M%S')",
    }
    places = settings.exponent
    half = 5 * 10 ** (8 - places)  # of a minor unit, in millionths of a price times thousandths of a quantity
    exact = (
        "CASE WHEN total IS NOT NULL THEN abs(total)::DECIMAL(38,12)"
        " ELSE abs(price)::DECIMAL(38,6) * abs(counted)::DECIMAL(38,6) END"
    )
    # Integers: DuckDB divides decimals as floating point numbers.
    ratio = "(2 * (abs(total)::DECIMAL(38,6) * 1000000)::HUGEINT * 1000000 + micro) // (2 * micro)"
    return f"""
        {numbers[settings.sale_key]} AS number,
        paid < {SMALL} AND paid > -{SMALL} AND counted < {SMALL} AND counted > -{SMALL} AS is_small,
        CASE WHEN total IS NULL AND is_small AND counted = round(counted, 3)
             THEN ((abs(price) * 1000000)::BIGINT * quantity_milli + {half}) // {2 * half}
             ELSE try_cast(round({exact}, {places})::DECIMAL(38,{places}) * {10**places} AS BIGINT) END AS total_minor,
        (abs(counted)::DECIMAL(38,6) * 1000000)::HUGEINT AS micro,
        CASE WHEN price IS NOT NULL THEN abs(price)
             WHEN micro > 0 THEN try_cast(({ratio})::DECIMAL(32,0) * 0.000001 AS DECIMAL(18,6)) END AS price_kept,
        CASE {_reasons(settings, now=now)} END AS refusal
    """


def _reasons(settings: ImportSettings, *, now: datetime) -> str:
    """Return the WHENs of the reasons that the switched rules leave, in the order of decide_line."""
    reasons: list[tuple[str, Refusal]] = [
        ("sale_no IS NULL" if settings.sale_key is not SaleKey.ROW else "false", Refusal.SALE_NO_MISSING),
        ("when_text IS NULL", Refusal.MOMENT_MISSING),
        ("local IS NULL", Refusal.MOMENT_UNREADABLE),
        (f"moment_at > TIMESTAMPTZ {text(now.isoformat())}", Refusal.MOMENT_IN_FUTURE),
        ("product = ''", Refusal.PRODUCT_MISSING),
        (f"{_is_test('product')} OR {_is_test('product_name')}", Refusal.TEST_PRODUCT),
        ("sale_kind IS NOT NULL AND kind_word IS NULL", Refusal.KIND_UNKNOWN),
        ("counted IS NULL", Refusal.QUANTITY_UNREADABLE),
        ("quantity_milli = 0", Refusal.QUANTITY_ZERO),
        ("unit_price IS NULL AND line_total IS NULL", Refusal.AMOUNT_MISSING),
        (
            "(unit_price IS NOT NULL AND price IS NULL) OR (line_total IS NOT NULL AND total IS NULL)",
            Refusal.AMOUNT_UNREADABLE,
        ),
        ("is_cancelled", Refusal.CANCELLATION),
        ("is_negative AND NOT is_cancelled", Refusal.QUANTITY_NEGATIVE),
        ("is_free", Refusal.PRICE_ZERO),
        ("is_discount OR (kind = 'sale' AND paid < 0)", Refusal.PRICE_NEGATIVE),
        (
            f"total_minor IS NULL OR total_minor > {TOTAL_MAX} OR quantity_milli > {TOTAL_MAX} OR price_kept IS NULL",
            Refusal.AMOUNT_TOO_LARGE,
        ),
        ("member IS NULL", Refusal.MEMBER_MISSING),
        (
            f"length(number) > {NUMBER_LONGEST} OR length(original_sale_no) > {NUMBER_LONGEST}"
            f" OR length(product) > {CODE_LONGEST} OR length(member) > {CODE_LONGEST}"
            f" OR length(store) > {PLACE_LONGEST} OR length(staff_code) > {PLACE_LONGEST}",
            Refusal.TEXT_TOO_LONG,
        ),
    ]
    off = {reason for rule, reason in SWITCHED_OFF.items() if rule not in settings.rules}
    off |= {reason for rule, reason in SWITCHED_ON.items() if rule in settings.rules}
    return " ".join(f"WHEN {sql} THEN {text(reason)}" for sql, reason in reasons if reason not in off)


def _is_test(column: str) -> str:
    return f"coalesce(regexp_full_match({column}, {text(TEST_PRODUCT)}), false)"


# Below it, price times quantity fits into 64 bits; beyond, the arithmetic of 128 bits is several times slower.
SMALL: Final = 90_000

# A rule that is on keeps rows which are refused without it, and the other way round.
SWITCHED_ON: Final = {
    R.CANCELLATIONS_ARE_RETURNS: Refusal.CANCELLATION,
    R.NEGATIVE_QUANTITY_IS_RETURN: Refusal.QUANTITY_NEGATIVE,
    R.ANONYMOUS_SALES: Refusal.MEMBER_MISSING,
}
SWITCHED_OFF: Final = {
    R.REFUSE_ZERO_PRICE: Refusal.PRICE_ZERO,
    R.REFUSE_TEST_PRODUCTS: Refusal.TEST_PRODUCT,
}
