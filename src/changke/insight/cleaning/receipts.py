"""Receipts from kept rows, in set form: rules/imports/lines.py places the same row by row."""

from pathlib import Path

import duckdb

from changke.insight.cleaning.workbench import TABLE_BITS, text, write_stage
from changke.rules.imports.lines import RETURN_SUFFIX, ImportSettings
from changke.rules.imports.profiles import SaleKey
from changke.rules.imports.words import CleaningRule, Field, Refusal


def place_lines(
    duck: duckdb.DuckDBPyConnection, *, mapped: frozenset[Field], settings: ImportSettings, folder: Path
) -> int:
    """Make `sold_lines`, `returned_lines`, `receipts` of the kept rows of `decided`; return the duplicates seen.

    Two kept rows are duplicates where every cell of their files is equal; whether they go is a cleaning rule. Refused
    rows join the table `refused` (pos, field, reason).
    """
    duck.execute(
        """
        CREATE VIEW kept AS FROM decided WHERE refusal IS NULL;
        INSERT INTO refused SELECT pos, NULL, refusal FROM decided WHERE refusal IS NOT NULL;
        """
    )
    [(duplicates,)] = duck.execute("SELECT count(*) - count(DISTINCT row_hash) FROM kept").fetchall()
    if duplicates and CleaningRule.DROP_DUPLICATES in settings.rules:
        _refuse(
            duck,
            "SELECT pos FROM kept QUALIFY row_number() OVER (PARTITION BY row_hash, number, product ORDER BY pos) > 1",
            reason=Refusal.DUPLICATE,
        )
    _refuse(duck, REPEATED, reason=Refusal.RECEIPT_REPEATED)
    if settings.sale_key is not SaleKey.ROW:
        duck.execute(DISPUTED)
        _refuse(duck, CONTRADICTED, reason=Refusal.RECEIPT_CONTRADICTED)
    if settings.sale_key is SaleKey.ROW:
        write_stage(duck, "placed", query=BY_ROW, folder=folder)
    else:
        duck.execute(BOTH_KINDS)
        has_both = bool(duck.execute("FROM both_kinds LIMIT 1").fetchall())
        duck.execute(f"CREATE VIEW placed AS SELECT *, {SUFFIXED if has_both else 'number'} AS sale_no FROM kept")
    write_stage(duck, "receipts", query=RECEIPTS.format(**_first_of(mapped)), folder=folder)
    write_stage(duck, "sold_lines", query=LINES.format(kind="sale"), folder=folder)
    write_stage(duck, "returned_lines", query=LINES.format(kind="return"), folder=folder)
    return int(duplicates)


def _first_of(mapped: frozenset[Field]) -> dict[str, str]:
    """Return the SQL of what the first line with a value says of its receipt; columns that no file has cost nothing."""
    fields = {
        "staff_code": Field.STAFF_CODE, "original_sale_no": Field.ORIGINAL_SALE_NO, "tender": Field.TENDER_KIND,
    }  # fmt: skip
    return {
        column: f"arg_min({column}, pos)" if field in mapped else "NULL::VARCHAR" for column, field in fields.items()
    }


def _refuse(duck: duckdb.DuckDBPyConnection, positions: str, *, reason: Refusal) -> None:
    """Take the rows at positions out of `kept`."""
    [(count,)] = duck.execute(f"INSERT INTO refused SELECT pos, NULL, {text(reason)} FROM ({positions})").fetchall()
    if count:
        duck.execute("CREATE OR REPLACE VIEW kept AS FROM decided ANTI JOIN refused USING (pos)")


# Of a receipt in several files the last one counts.
REPEATED = f"""
    SELECT pos FROM kept
    JOIN (SELECT number, max(pos >> {TABLE_BITS}) AS last FROM kept GROUP BY number
          HAVING min(pos >> {TABLE_BITS}) < max(pos >> {TABLE_BITS})) USING (number)
    WHERE pos >> {TABLE_BITS} < last
"""

DISPUTED = """
    CREATE TEMP TABLE disputed AS
    SELECT number, kind, arg_min(member, pos) AS first_member,
           arg_min(store, pos) AS first_store, arg_min(day, pos) AS first_day
    FROM kept SEMI JOIN (
        SELECT number, kind FROM kept GROUP BY number, kind
        HAVING min(member) <> max(member) OR min(store) <> max(store) OR min(day) <> max(day)
    ) USING (number, kind)
    GROUP BY number, kind
"""

CONTRADICTED = """
    SELECT pos FROM kept JOIN disputed USING (number, kind)
    WHERE coalesce(member, first_member) IS DISTINCT FROM first_member OR store <> first_store OR day <> first_day
"""

# Receipts that have sales and returns: the returns become a receipt of their own.
BOTH_KINDS = "CREATE TABLE both_kinds AS SELECT number FROM kept GROUP BY number HAVING min(kind) <> max(kind)"
SUFFIXED = f"""
    CASE WHEN kind = 'return' AND number IN (FROM both_kinds) THEN number || {text(RETURN_SUFFIX)} ELSE number END
"""

BY_ROW = "SELECT *, number || '/' || row_number() OVER (PARTITION BY number ORDER BY pos) AS sale_no FROM kept"

LINES = """
    SELECT pos, sale_no, row_number() OVER (PARTITION BY sale_no ORDER BY pos)::INTEGER AS line_no,
           product AS product_code, quantity_milli, unit_price, total_minor, NULL::INTEGER AS original_line_no
    FROM placed WHERE kind = '{kind}'
"""

# The order of lines does not count in the hash: a sum. 63 bits of MD5 stay the same in every version of DuckDB.
RECEIPTS = """
    WITH receipt AS (
        SELECT sale_no, any_value(kind) AS kind, min(sold_at) AS sold_at, any_value(day) AS day,
               any_value(store) AS store_code, {staff_code} AS staff_code, max(member) AS member_code,
               {original_sale_no} AS named_original, {tender} AS tender,
               sum(total_minor)::BIGINT AS total_minor, sum(quantity_milli)::BIGINT AS quantity_milli,
               count(*)::INTEGER AS line_count, count(*) FILTER (total_minor = 0) AS zero_lines,
               sum(md5_number_lower(concat_ws('|', product, quantity_milli, unit_price, total_minor))) AS h_lines
        FROM placed GROUP BY sale_no)
    SELECT * EXCLUDE h_lines,
           ((h_lines + md5_number_lower(concat_ws('|', kind, epoch_us(sold_at), store_code, coalesce(staff_code, ''),
             coalesce(member_code, ''), coalesce(named_original, ''), coalesce(tender, '')))::HUGEINT)
            % 9223372036854775807)::BIGINT AS content_hash
    FROM receipt
"""
