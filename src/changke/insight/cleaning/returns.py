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
    SELECT r.sale_no, r.line_no, r.original_sale_no, min(s.line_no)
    FROM returned_lines r JOIN sold_lines s ON s.sale_no = r.original_sale_no AND s.product_code = r.product_code
    GROUP BY ALL
"""

# All returned lines of members that name no sale, and the sold lines that any of them might give back.
CANDIDATES = """
    WITH returned AS (FROM returned_lines WHERE member IS NOT NULL AND original_sale_no IS NULL)
    SELECT member, kind, sale_no, line_no, epoch_us(sold_at) AS moment, product_code, unit_price,
           abs(quantity_milli) AS quantity_milli
    FROM (FROM returned UNION ALL FROM sold_lines SEMI JOIN returned USING (member, product_code, unit_price))
    ORDER BY member
"""


def link_returns(duck: duckdb.DuckDBPyConnection, *, settings: ImportSettings) -> None:
    """Make the table `links`: which line of which sale a returned line gives back."""
    duck.execute(
        "CREATE TABLE links (sale_no VARCHAR, line_no INTEGER, original_sale_no VARCHAR, original_line_no INTEGER)"
    )
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
