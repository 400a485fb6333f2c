"""One cleaning from end to end: mapped text tables in, staged tables, counts and the row report out."""

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

import duckdb
import pyarrow as pa

from changke.insight.cleaning.goods import clean_products, clean_stores
from changke.insight.cleaning.people import clean_members, read_phones
from changke.insight.cleaning.receipts import place_lines
from changke.insight.cleaning.returns import link_returns
from changke.insight.cleaning.sales import clean_lines
from changke.insight.cleaning.workbench import TABLE_BITS, MappedTable, name, open_workbench, text, write_stage
from changke.insight.staging import StagedTables
from changke.rules.imports.counts import CleaningCounts, LineCount
from changke.rules.imports.lines import ImportSettings
from changke.rules.imports.words import Effect, PartRole, Progress, ProgressSink, Refusal, Stage

STEPS: Final = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Cleaned:
    """What a cleaning made: staged tables, counts, and the row report (Parquet, schema REPORT)."""

    staged: StagedTables
    counts: CleaningCounts
    report: Path


# One line a refused row or left-out cell; `text` is the row as CSV, to be mended and imported again.
REPORT: Final = pa.schema(
    [
        ("file", pa.string()),
        ("row_no", pa.int64()),
        ("effect", pa.string()),
        ("field", pa.string()),
        ("reason", pa.string()),
        ("text", pa.string()),
    ]
)


def clean(
    tables: Sequence[MappedTable],
    *,
    settings: ImportSettings,
    now: datetime,
    folder: Path,
    sink: ProgressSink = lambda _progress: None,
) -> Cleaned:
    """Decide about every row of the tables and write what is kept below `folder`; the same input gives the same output.

    Memory is bounded by the workbench. `now` is the moment after which nothing can have been sold.
    """

    def step(done: int) -> None:
        sink(Progress(stage=Stage.CLEAN, done=done, total=STEPS))

    numbered = list(enumerate(tables))
    of = {role: [(at, table) for at, table in numbered if table.role is role] for role in PartRole}
    today = now.astimezone(ZoneInfo(settings.time_zone)).date()
    duck = open_workbench(folder, order=settings.day_order)
    try:
        duck.execute("CREATE TABLE refused (pos BIGINT, field VARCHAR, reason VARCHAR)")
        read_phones(duck, tables, country=settings.phone_country)
        step(0)
        clean_lines(duck, of[PartRole.SALES], settings=settings, now=now, folder=folder)
        step(1)
        mapped = frozenset(field for _, table in of[PartRole.SALES] for field in table.columns)
        duplicates = place_lines(duck, mapped=mapped, settings=settings, folder=folder)
        step(2)
        link_returns(duck, settings=settings)
        step(3)
        clean_members(duck, of[PartRole.MEMBERS], settings=settings, today=today, folder=folder)
        clean_products(duck, of[PartRole.PRODUCTS], settings=settings, folder=folder)
        clean_stores(duck, settings=settings, folder=folder)
        step(4)
        staged = _stage(duck, folder=folder)
        step(5)
        report = _write_report(duck, numbered, folder=folder)
        counts = _count(duck, numbered, duplicates=duplicates)
        step(6)
    finally:
        duck.close()
        shutil.rmtree(folder / "spill", ignore_errors=True)
    return Cleaned(staged=staged, counts=counts, report=report)


def _stage(duck: duckdb.DuckDBPyConnection, *, folder: Path) -> StagedTables:
    """Write what the links change and name the files of the staged tables."""
    returned = write_stage(
        duck,
        "linked_lines",
        query="SELECT returned_lines.* EXCLUDE original_line_no, links.original_line_no "
        "FROM returned_lines LEFT JOIN links USING (sale_no, line_no)",
        folder=folder,
    )
    sales = write_stage(
        duck,
        "sales",
        query="SELECT receipts.*, coalesce(named_original, linked) AS original_sale_no FROM receipts LEFT JOIN "
        "(SELECT sale_no, any_value(original_sale_no) AS linked FROM links GROUP BY sale_no) USING (sale_no)",
        folder=folder,
    )
    tenders = write_stage(
        duck,
        "tenders",
        query="SELECT sale_no, 1::INTEGER AS tender_no, tender AS kind, total_minor AS amount_minor FROM receipts "
        "WHERE tender IS NOT NULL",
        folder=folder,
    )
    return StagedTables(
        stores=(folder / "stores.parquet",),
        products=(folder / "products.parquet",),
        members=(folder / "members.parquet",),
        sales=(sales,),
        lines=(folder / "sold_lines.parquet", returned),
        tenders=(tenders,),
    )


def _write_report(duck: duckdb.DuckDBPyConnection, tables: Sequence[tuple[int, MappedTable]], *, folder: Path) -> Path:
    """Write the row report, ordered by file and row."""
    malformed = [(at, row_no, row) for at, table in tables for row_no, row in table.malformed]
    duck.register(
        "malformed",
        pa.table(
            {
                "place": pa.array([at for at, _, _ in malformed], pa.int64()),
                "row_no": pa.array([row_no for _, row_no, _ in malformed], pa.int64()),
                "row": pa.array([row for _, _, row in malformed], pa.string()),
            }
        ),
    )
    parts = [
        f"SELECT {at}::BIGINT AS place, row_no, {text(Effect.REFUSED)} AS effect, NULL::VARCHAR AS field, "
        f"{text(Refusal.MALFORMED)} AS reason, row AS text FROM malformed WHERE place = {at}"
        for at, _ in tables
    ]
    mask = (1 << TABLE_BITS) - 1
    for at, table in tables:
        cells = ", ".join(f"csv_cell({name(column)})" for column in table.headers)
        parts.append(
            f"SELECT {at}::BIGINT AS place, row_no, "
            f"CASE WHEN field IS NULL THEN {text(Effect.REFUSED)} ELSE {text(Effect.LEFT_OUT)} END AS effect, "
            f"field, reason, concat_ws(',', {cells}) AS text FROM refused "
            f"JOIN read_parquet({text(table.path)}) ON row_no = pos & {mask} WHERE pos >> {TABLE_BITS} = {at}"
        )
    names = " ".join(f"WHEN {at} THEN {text(table.name)}" for at, table in tables)
    duck.execute(
        """CREATE OR REPLACE MACRO csv_cell(x) AS CASE WHEN x IS NULL THEN ''
        WHEN regexp_matches(x, '[",\\r\\n]') THEN '"' || replace(x, '"', '""') || '"' ELSE x END"""
    )
    path = write_stage(
        duck,
        "report",
        query=f"SELECT CASE place {names} END AS file, row_no, effect, field, reason, text "
        f"FROM ({' UNION ALL '.join(parts)}) ORDER BY place, row_no, field",
        folder=folder,
    )
    duck.unregister("malformed")
    return path


def _count(
    duck: duckdb.DuckDBPyConnection, tables: Sequence[tuple[int, MappedTable]], *, duplicates: int
) -> CleaningCounts:
    """Count what came in, what was kept of each kind, and what was refused for which reason."""
    rows_in = dict.fromkeys(PartRole, 0)
    for _, table in tables:
        [(rows,)] = duck.execute(f"SELECT count(*) FROM read_parquet({text(table.path)})").fetchall()
        rows_in[table.role] += rows + len(table.malformed)
    roles = " ".join(f"WHEN {text(table.name)} THEN {text(table.role)}" for _, table in tables)
    lines = duck.execute(
        """
        SELECT kind, member_code IS NOT NULL, sum(line_count)::BIGINT, count(*), count(DISTINCT member_code),
               sum(total_minor)::BIGINT, sum(zero_lines)::BIGINT
        FROM receipts GROUP BY 1, 2 ORDER BY 1 DESC, 2 DESC
        """
    ).fetchall()
    reasons = duck.execute(
        f"SELECT CASE file {roles} END, effect, reason, count(*) FROM report GROUP BY 1, 2, 3 ORDER BY 4 DESC, 3"
    ).fetchall()
    [(members, products, stores, linked)] = duck.execute(
        "SELECT (SELECT count(*) FROM members), (SELECT count(*) FROM products), (SELECT count(*) FROM stores), "
        "(SELECT count(*) FROM linked_lines WHERE original_line_no IS NOT NULL)"
    ).fetchall()
    return CleaningCounts(
        rows_in={role: count for role, count in rows_in.items() if count},
        lines=tuple(
            LineCount(
                kind=kind, has_member=known, lines=count, receipts=receipts, members=people, total_minor=total,
                zero_totals=zeros,
            )
            for kind, known, count, receipts, people, total, zeros in lines
        ),
        refused={(PartRole(role), Refusal(why)): n for role, effect, why, n in reasons if effect == Effect.REFUSED},
        left_out={Refusal(why): n for _, effect, why, n in reasons if effect == Effect.LEFT_OUT},
        duplicates_seen=duplicates,
        returned_lines_linked=linked,
        members=members,
        products=products,
        stores=stores,
    )  # fmt: skip
