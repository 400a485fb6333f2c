"""Returns and the sales they belong to: candidates in set form, the choice by rules/imports, member by member."""

from collections.abc import Iterator
from decimal import Decimal
from itertools import chain, groupby
from operator import itemgetter

import duckdb
import pyarrow as pa

from changke.rules.imports.lines import ImportSettings
from changke.rules.imports.returns import ReturnLink, TradedLine, match_returns
from changke.rules.imports.words import CleaningRule

Candidate = tuple[str, str, str, int, int, str, Decimal, int]  # the columns of CANDIDATES

LINKS = pa.schema(
    [
        ("sale_no", pa.string()),
        ("line_no", pa.int32()),
        ("original_sale_no", pa.string()),
        ("original_line_no", pa.int32()),
    ]
)

# A return that names its sale: the first line of the same product there, where the sale is part of this import.
NAMED = """
    INSERT INTO links
    SELECT r.sale_no, r.line_no, receipts.named_original, min(s.line_no)
    FROM returned_lines r JOIN receipts ON receipts.sale_no = r.sale_no
    JOIN sold_lines s ON s.sale_no = receipts.named_original AND s.product_code = r.product_code
    GROUP BY ALL
"""

# All returned lines of members that name no sale, and the sold lines that any of them might give back.
CANDIDATES = """
    WITH heads AS (
        SELECT sale_no, member_code, kind, epoch_us(sold_at) AS moment, named_original FROM receipts
        WHERE member_code IS NOT NULL),
    returned AS (FROM returned_lines JOIN heads USING (sale_no) WHERE named_original IS NULL),
    sold AS (
        FROM sold_lines JOIN heads USING (sale_no) SEMI JOIN returned USING (member_code, product_code, unit_price))
    SELECT member_code, kind, sale_no, line_no, moment, product_code, unit_price, abs(quantity_milli)
    FROM (FROM returned UNION ALL FROM sold)
    ORDER BY member_code
"""


def link_returns(duck: duckdb.DuckDBPyConnection, *, settings: ImportSettings) -> None:
    """Make the table `links`: which line of which sale a returned line gives back."""
    duck.execute(
        "CREATE TABLE links (sale_no VARCHAR, line_no INTEGER, original_sale_no VARCHAR, original_line_no INTEGER)"
    )
    if not duck.execute("SELECT 1 FROM returned_lines LIMIT 1").fetchall():
        return
    duck.execute(NAMED)
    if CleaningRule.LINK_RETURNS in settings.rules:
        links = [link for lines in _by_member(duck) for link in _match(lines)]
        columns = [[getattr(link, column) for link in links] for column in LINKS.names]
        duck.register("found", pa.table(columns, schema=LINKS))
        duck.execute("INSERT INTO links FROM found")
        duck.unregister("found")


def _by_member(duck: duckdb.DuckDBPyConnection) -> Iterator[list[Candidate]]:
    duck.execute(CANDIDATES)
    rows = chain.from_iterable(iter(lambda: duck.fetchmany(20_000), []))
    for _, group in groupby(rows, key=itemgetter(0)):
        yield list(group)


def _match(candidates: list[Candidate]) -> list[ReturnLink]:
    sold: list[TradedLine] = []
    returned: list[TradedLine] = []
    for _, kind, sale_no, line_no, moment, product_code, unit_price, quantity_milli in candidates:
        (sold if kind == "sale" else returned).append(
            TradedLine(
                sale_no=sale_no,
                line_no=line_no,
                moment=moment,
                product_code=product_code,
                unit_price=unit_price,
                quantity_milli=quantity_milli,
            )
        )
    return match_returns(sold, returned=returned)
