"""Returns whose sale came with an earlier import: linked by the same rule as those whose sale came along."""

from itertools import groupby
from operator import itemgetter
from typing import Any, Final

import duckdb
import pyarrow as pa

from changke.actions.steps.bulk_copy import ask, copy_in, make_table, run
from changke.rules.imports.returns import TradedLine, match_returns

COLUMNS: Final = ("sale_no", "line_no", "moment", "member_code", "product_code", "unit_price", "quantity_milli")
LINKS: Final = pa.schema(
    [("sale_no", pa.string()), ("line_no", pa.int32()), ("original_id", pa.int64()), ("original_line_no", pa.int32())]
)

LOOSE: Final = """
    SELECT l.sale_no, l.line_no, epoch_us(s.sold_at), s.member_code, l.product_code, l.unit_price, abs(l.quantity_milli)
    FROM staged_lines l JOIN staged_sales s USING (sale_no)
    SEMI JOIN (FROM planned_sales WHERE state <> 'same') USING (sale_no)
    WHERE s.kind = 'return' AND s.original_sale_no IS NULL AND s.member_code IS NOT NULL
"""

# Loose returned lines of known members, and the sold lines that any of them might give back with what is left of each.
CANDIDATES: Final = """
    WITH loose AS (
        SELECT b.member_id, p.id AS product_id, lo.* FROM bulk_loose lo
        JOIN bulk_members b USING (member_code) JOIN products p ON p.code = lo.product_code
        WHERE b.member_id IS NOT NULL AND NOT b.is_new
    )
    SELECT member_id, 'return', sale_no, line_no, moment, product_id, unit_price, quantity_milli FROM loose
    UNION ALL
    SELECT s.member_id, 'sale', s.id::text, l.line_no, (extract(epoch FROM s.sold_at) * 1000000)::bigint, l.product_id,
           l.unit_price, l.quantity_milli + coalesce(back.quantity_milli, 0)
    FROM sales s JOIN sale_lines l ON l.sale_id = s.id
    LEFT JOIN LATERAL (
        SELECT sum(r.quantity_milli)::bigint AS quantity_milli
        FROM sales ret JOIN sale_lines r ON r.sale_id = ret.id
        WHERE ret.original_sale_id = s.id AND r.original_line_no = l.line_no) AS back ON true
    WHERE s.kind = 'sale' AND s.member_id IN (SELECT member_id FROM loose)
          AND (s.member_id, l.product_id, l.unit_price) IN (SELECT member_id, product_id, unit_price FROM loose)
    ORDER BY 1
"""


def plan_returns(duck: duckdb.DuckDBPyConnection, *, links: bool) -> int:
    """Make the table later_links in DuckDB: which known sale a loose returned line gives back; return their number.

    Call after plan_members and plan_sales. Without `links` (the cleaning rule is off) the table stays empty.
    """
    found = _find() if links and _lay_out(duck) else []
    rows = [dict(zip(LINKS.names, link, strict=True)) for link in found]
    duck.register("found", pa.Table.from_pylist(rows, schema=LINKS))
    duck.execute("CREATE TEMP TABLE later_links AS FROM found")
    duck.unregister("found")
    return len(found)


def _lay_out(duck: duckdb.DuckDBPyConnection) -> int:
    kinds = ("text", "int", "bigint", "text", "text", "numeric(18,6)", "bigint")
    make_table("bulk_loose", ", ".join(f"{name} {kind}" for name, kind in zip(COLUMNS, kinds, strict=True)))
    count = copy_in(duck, LOOSE, table="bulk_loose", columns=COLUMNS)
    if count:
        run("ANALYZE bulk_loose")
    return count


def _find() -> list[tuple[Any, ...]]:
    rows: list[tuple[Any, ...]] = ask(CANDIDATES)  # member, kind, then the fields of TradedLine
    found = []
    for _, group in groupby(rows, key=itemgetter(0)):
        sold: list[TradedLine] = []
        returned: list[TradedLine] = []
        for _, kind, sale_no, line_no, moment, product_id, unit_price, quantity_milli in group:
            (sold if kind == "sale" else returned).append(
                TradedLine(
                    sale_no=sale_no,
                    line_no=line_no,
                    moment=moment,
                    product_code=str(product_id),
                    unit_price=unit_price,
                    quantity_milli=quantity_milli,
                )
            )
        found += [
            (link.sale_no, link.line_no, int(link.original_sale_no), link.original_line_no)
            for link in match_returns(sold, returned=returned)
        ]
    return found
