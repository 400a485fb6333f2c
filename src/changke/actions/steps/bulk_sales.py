"""Sales of a staged import: unknown ones inserted, known ones compared by content, corrected ones written anew."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

import duckdb
import pyarrow as pa

from changke.actions.steps.bulk_copy import Note, ask, copy_in, copy_out, count_rows, make_table, run
from changke.actions.steps.bulk_ids import take_numbers

KNOWN: Final = pa.schema([("sale_no", pa.string()), ("id", pa.int64()), ("content_hash", pa.int64())])
SALE_CORRECTED: Final = "sale_corrected"  # event, one a sale


@dataclass(frozen=True, slots=True, kw_only=True)
class SaleCounts:
    new: int
    unchanged: int
    corrected: int


def plan_sales(duck: duckdb.DuckDBPyConnection, *, source: str) -> SaleCounts:
    """Make the table planned_sales (sale_no, state, id of known ones) in DuckDB and count; writes nothing.

    State: "new", "same" or "corrected". Sales that returns name as their originals are looked up as well.
    """
    duck.execute("CREATE TEMP TABLE known_sales (sale_no VARCHAR, id BIGINT, content_hash BIGINT)")
    source_id = next((id_ for (id_,) in ask("SELECT id FROM sources WHERE code = %s", [source])), None)
    if source_id is not None:
        make_table("bulk_keys", "sale_no varchar(80)")
        named = "SELECT original_sale_no FROM staged_sales WHERE original_sale_no IS NOT NULL"
        copy_in(duck, f"SELECT sale_no FROM staged_sales UNION {named}", table="bulk_keys", columns=["sale_no"])
        run("ANALYZE bulk_keys")
        copy_out(
            duck,
            "SELECT s.sale_no, s.id, s.content_hash FROM bulk_keys k JOIN sales s USING (sale_no)"
            " WHERE s.source_id = %s",
            [source_id],
            table="known_sales",
            schema=KNOWN,
        )
    duck.execute(
        """
        CREATE TEMP TABLE planned_sales AS
        SELECT s.sale_no, k.id, CASE WHEN k.id IS NULL THEN 'new' WHEN k.content_hash = s.content_hash THEN 'same'
                                     ELSE 'corrected' END AS state
        FROM staged_sales s LEFT JOIN known_sales k USING (sale_no)
        """
    )
    counts = dict(duck.execute("SELECT state, count(*) FROM planned_sales GROUP BY 1").fetchall())
    return SaleCounts(new=counts.get("new", 0), unchanged=counts.get("same", 0), corrected=counts.get("corrected", 0))


def write_sales(duck: duckdb.DuckDBPyConnection, *, source_id: int, now: datetime, note: Note) -> int:
    """Write new and corrected sales with lines and tenders; return how many lines.

    Call with store_ids, staff_ids, product_ids and member_ids in place. The database fills in the transaction by which
    the lake finds what has changed. `note` hears the lines written so far.
    """
    new = count_rows(duck, "planned_sales WHERE state = 'new'")
    duck.register("taken", take_numbers("sales", count=new))
    duck.execute(
        """
        CREATE TEMP TABLE sale_ids AS
        SELECT sale_no, taken.id, state FROM (
            SELECT sale_no, 'new' AS state, row_number() OVER (ORDER BY sold_at, sale_no) AS place
            FROM staged_sales SEMI JOIN (FROM planned_sales WHERE state = 'new') USING (sale_no)
        ) JOIN taken USING (place)
        UNION ALL SELECT sale_no, id, state FROM planned_sales WHERE state = 'corrected'
        """
    )
    duck.unregister("taken")
    copy_in(duck, HEADERS.format(source_id=source_id, state="new"), table="sales", columns=HEADER_COLUMNS)
    if count_rows(duck, "sale_ids WHERE state = 'corrected'"):
        _correct(duck, source_id=source_id, now=now)
    lines = copy_in(duck, LINES, table="sale_lines", columns=LINE_COLUMNS, note=note)
    copy_in(duck, TENDERS, table="tenders", columns=("sale_id", "tender_no", "kind", "amount_minor"))
    _note_days(duck)
    return lines


def check_references_at_once() -> None:
    """Let the foreign keys of sales be checked with each batch instead of at the commit.

    The server would remember every row until then. A return may come before its sale, so that key waits.
    """
    names = ask(
        """SELECT string_agg(quote_ident(conname), ', ') FROM pg_constraint
           WHERE contype = 'f' AND condeferrable AND confrelid <> conrelid
                 AND conrelid IN ('sales'::regclass, 'sale_lines'::regclass, 'tenders'::regclass)"""
    )
    run(f"SET CONSTRAINTS {names[0][0]} IMMEDIATE")


HEADER_COLUMNS: Final = (
    "id", "source_id", "sale_no", "kind", "store_id", "staff_id", "member_id", "sold_at", "business_day",
    "original_sale_id", "total_minor", "quantity_milli", "line_count", "content_hash",
)  # fmt: skip
LINE_COLUMNS: Final = (
    "sale_id", "line_no", "product_id", "quantity_milli", "unit_price", "total_minor", "original_line_no",
)  # fmt: skip

# An original is one of this import, or one known before that the return names or that was found for it.
HEADERS: Final = """
    SELECT i.id, {source_id}, s.sale_no, s.kind, st.id, sf.id, m.id, s.sold_at, s.day, coalesce(o.id, k.id, later.id),
           s.total_minor, s.quantity_milli, s.line_count, s.content_hash
    FROM staged_sales s JOIN sale_ids i USING (sale_no)
    LEFT JOIN store_ids st ON st.code = s.store_code
    LEFT JOIN staff_ids sf ON sf.code = s.staff_code
    LEFT JOIN member_ids m ON m.code = s.member_code
    LEFT JOIN sale_ids o ON o.sale_no = s.original_sale_no
    LEFT JOIN known_sales k ON k.sale_no = s.original_sale_no
    LEFT JOIN (SELECT sale_no, any_value(original_id) AS id FROM later_links GROUP BY sale_no) later
        ON later.sale_no = s.sale_no
    WHERE i.state = '{state}' ORDER BY i.id
"""
LINES: Final = """
    SELECT i.id, l.line_no, p.id, l.quantity_milli, l.unit_price, l.total_minor,
           coalesce(l.original_line_no, later.original_line_no)
    FROM staged_lines l JOIN sale_ids i USING (sale_no) LEFT JOIN product_ids p ON p.code = l.product_code
    LEFT JOIN later_links later ON later.sale_no = l.sale_no AND later.line_no = l.line_no
    ORDER BY i.id, l.line_no
"""
TENDERS: Final = """
    SELECT i.id, t.tender_no, t.kind, t.amount_minor FROM staged_tenders t JOIN sale_ids i USING (sale_no)
"""


def _correct(duck: duckdb.DuckDBPyConnection, *, source_id: int, now: datetime) -> None:
    """Write the headers of corrected sales over the old ones, take their lines and tenders off, leave an event each."""
    make_table("bulk_corrected", "LIKE sales")
    run("ALTER TABLE bulk_corrected DROP COLUMN xid")
    copy_in(
        duck, HEADERS.format(source_id=source_id, state="corrected"), table="bulk_corrected", columns=HEADER_COLUMNS
    )
    run("ANALYZE bulk_corrected")
    run("SELECT id FROM sales WHERE id IN (SELECT id FROM bulk_corrected) ORDER BY id FOR UPDATE")
    # Whom a sale belonged to before may have lost the first or last day.
    run(
        """INSERT INTO imported_days (member_id)
           SELECT s.member_id FROM sales s JOIN bulk_corrected c USING (id) WHERE s.member_id IS NOT NULL
           UNION SELECT member_id FROM bulk_corrected WHERE member_id IS NOT NULL"""
    )
    run(
        """INSERT INTO events (at, kind, member_id, store_id, subject_id, data)
           SELECT %s, %s, c.member_id, c.store_id, c.id,
                  jsonb_build_object('old_total_minor', s.total_minor, 'new_total_minor', c.total_minor)
           FROM bulk_corrected c JOIN sales s USING (id) ORDER BY c.id""",
        [now, SALE_CORRECTED],
    )
    written = [column for column in HEADER_COLUMNS if column not in {"id", "source_id", "sale_no"}]
    columns = ", ".join(f"{column} = c.{column}" for column in written)
    run(f"UPDATE sales s SET {columns} FROM bulk_corrected c WHERE s.id = c.id")
    run("DELETE FROM sale_lines WHERE sale_id IN (SELECT id FROM bulk_corrected)")
    run("DELETE FROM tenders WHERE sale_id IN (SELECT id FROM bulk_corrected)")


def _note_days(duck: duckdb.DuckDBPyConnection) -> None:
    """Note the first and last day of each customer who was known before; a new one has them already."""
    copy_in(
        duck,
        """SELECT m.id, min(s.day), max(s.day) FROM staged_sales s JOIN sale_ids i USING (sale_no)
           JOIN member_ids m ON m.code = s.member_code
           WHERE s.kind = 'sale' AND i.state = 'new' AND NOT m.is_new GROUP BY 1""",
        table="imported_days",
        columns=("member_id", "first_on", "last_on"),
    )
