"""Filling the lake: everything anew, or a delta of new, late and corrected sales with the same result."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Final

import ibis
import pyarrow as pa
import pyarrow.parquet as pq

from changke.insight import facts as schemas
from changke.insight.engine import keep, parquet_view, rows_of, write_parquet
from changke.insight.facts import KEYS
from changke.insight.features import (
    FeatureSettings,
    compute_totals,
    prediction_inputs,
    present,
    totals_within,
    wide_rows,
)
from changke.insight.lake import Draft, fact_of
from changke.insight.visits import visits_of_sales

FILE_ROWS: Final = 1_000_000
ANEW_PERCENT_MAX: Final = 10  # more rows beside the base than this: the base is written anew
Batches = Iterable[pa.RecordBatch]


@dataclass(frozen=True, slots=True, kw_only=True)
class FactBatches:
    """Everything there is, streamed: record batches of the schemas in insight/facts.py."""

    members: Batches
    sales: Batches
    lines: Batches
    opportunities: Batches = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Delta:
    """What changed: sales that are gone or were corrected by id, and rows that are new or replace an earlier one.

    A corrected sale is in `sales` with all its `lines`; `gone_sale_ids` need only hold those that are no more.
    `members` replace rows of the same member_id, `opportunities` of the same member and due day.
    """

    gone_sale_ids: Sequence[int] = ()
    sales: pa.Table = field(default_factory=schemas.SALES.empty_table)
    lines: pa.Table = field(default_factory=schemas.LINES.empty_table)
    members: pa.Table = field(default_factory=schemas.MEMBERS.empty_table)
    opportunities: pa.Table = field(default_factory=schemas.OPPORTUNITIES.empty_table)


def write_full(draft: Draft, batches: FactBatches) -> None:
    """Write all facts anew from batches, in bounded memory, and make the visits."""
    for table in ("touched", "features"):
        draft.drop(table)
    draft.totals_kept = ""
    for table, schema in TABLES.items():
        _drop_fact(draft, table)
        _write_batches(draft, table, getattr(batches, table), schema=schema)
    draft.manifest = replace(draft.manifest, as_of=None, totals_key="", cuts=None)
    write_visits(draft)


def merge_delta(draft: Draft, delta: Delta) -> None:
    """Take a delta into the facts: visits become exactly those of the same facts written anew."""
    engine, sales = draft.engine, draft.facts().sales
    replaced = _register(
        draft, "replaced_sales", [*delta.gone_sale_ids, *delta.sales["sale_id"].to_pylist()], "sale_id"
    )
    before = rows_of(engine, sales.semi_join(replaced, "sale_id").select("member_id"))
    moved = {*before["member_id"].to_pylist(), *delta.sales["member_id"].to_pylist()} - {None}
    touched = {*moved, *delta.opportunities["member_id"].to_pylist(), *delta.members["member_id"].to_pylist()}
    draft.totals_kept = ""
    for table in TABLES:
        engine.con.register(f"new_{table}", getattr(delta, table))
        rows = engine.table(f"new_{table}")
        changed = replaced if table in ("sales", "lines") else rows.select(KEYS[table]).distinct()
        _replace(draft, table, rows, changed=changed)
    if moved:
        members = _register(draft, "moved_members", moved, "member_id")
        _replace(draft, "visits", visits_of_sales(draft.facts().sales.semi_join(members, "member_id")), changed=members)
    if touched:
        write_parquet(engine, _register(draft, "touched_now", touched, "member_id"), path=draft.new_file("touched"))


def write_visits(draft: Draft) -> None:
    """Make all visits from the sales, those of a member side by side: grouping them is then three times as fast."""
    sales = fact_of(draft.engine, draft.version(), table="sales")
    _write_base(draft, "visits", visits_of_sales(sales))


def refresh_features(
    draft: Draft, *, settings: FeatureSettings, as_of: date, predictions: pa.Table | None = None
) -> None:
    """Write the wide row of every member as of a date, carrying on the totals of members whom nothing touched.

    Call after write_full or merge_delta, or alone for another date or other settings. `predictions`: see wide_rows.
    """
    totals = current_totals(draft, settings=settings, as_of=as_of)
    members = present(draft.facts().members)
    rows, cuts = wide_rows(draft.engine, totals, members, settings=settings, as_of=as_of, predictions=predictions)
    path = draft.new_file("features")
    write_parquet(draft.engine, rows, path=path)
    _keep_only(path)
    draft.drop("touched")
    told = {
        name: [[str(cut.value), cut.member_id] for cut in getattr(cuts, name)]
        for name in ("recency", "frequency", "monetary")
    }
    draft.manifest = replace(draft.manifest, as_of=as_of, totals_key=settings.totals_key(as_of), cuts=told)


def forecast_inputs(draft: Draft, *, settings: FeatureSettings, as_of: date) -> pa.Table:
    """Return the SUMMARY of insight/clv.py for every buyer, to be forecast before refresh_features."""
    totals = current_totals(draft, settings=settings, as_of=as_of)
    return rows_of(draft.engine, prediction_inputs(totals, as_of=as_of))


def current_totals(draft: Draft, *, settings: FeatureSettings, as_of: date) -> ibis.Table:
    """Return the totals as of a date: made for all, or for touched members only where those of before hold."""
    key, engine = settings.totals_key(as_of), draft.engine
    if draft.totals_kept == key:
        return engine.table("totals")
    facts, version = draft.facts(), draft.version()
    if not version.has("features") or draft.manifest.totals_key != key:
        rows = compute_totals(engine, facts, settings=settings, as_of=as_of)
    else:
        rows = totals_within(parquet_view(engine, name="rows_before", path=version.files("features")))
    if version.has("touched") and draft.manifest.totals_key == key:
        touched = keep(
            engine,
            parquet_view(engine, name="touched", path=version.files("touched")).distinct(),
            name="touched_members",
        )
        theirs = replace(
            facts,
            lines=facts.lines.semi_join(touched, "member_id"),
            visits=facts.visits.semi_join(touched, "member_id"),
            opportunities=facts.opportunities.semi_join(touched, "member_id"),
        )
        anew = compute_totals(engine, theirs, settings=settings, as_of=as_of)
        rows = rows.anti_join(touched, "member_id").union(anew)
    draft.totals_kept = key
    return keep(engine, rows.semi_join(present(facts.members), "member_id"), name="totals")


TABLES: Final = {
    "members": schemas.MEMBERS,
    "sales": schemas.SALES,
    "lines": schemas.LINES,
    "opportunities": schemas.OPPORTUNITIES,
}
SCHEMAS: Final = TABLES | {"visits": schemas.VISITS}
ORDER: Final = {
    "members": ("member_id",),
    "sales": ("sale_id",),
    "lines": ("sale_id", "line_no"),
    "opportunities": ("member_id", "due_on"),
    "visits": ("member_id", "day", "store_id"),
}


def _write_batches(draft: Draft, table: str, batches: Batches, *, schema: pa.Schema) -> None:
    writer, rows = None, 0
    for batch in batches:
        if writer is None or rows >= FILE_ROWS:
            if writer is not None:
                writer.close()
            writer, rows = pq.ParquetWriter(draft.new_file(table), schema, compression="lz4"), 0
        writer.write_batch(batch)
        rows += batch.num_rows
    if writer is None:
        writer = pq.ParquetWriter(draft.new_file(table), schema, compression="lz4")
        writer.write_table(schema.empty_table())
    writer.close()


def _register(draft: Draft, name: str, ids: Iterable[int], column: str) -> ibis.Table:
    draft.engine.con.register(name, pa.table({column: pa.array(sorted(set(ids)), pa.int64())}))
    return draft.engine.table(name)


def _replace(draft: Draft, table: str, rows: ibis.Table, *, changed: ibis.Table) -> None:
    """Let `rows` stand for all rows of the changed keys, beside the base; the base is written anew when much did."""
    engine, version = draft.engine, draft.version()
    names = ibis.Schema.from_pyarrow(SCHEMAS[table]).names
    anew, keys = rows.select(names), changed
    if version.has(f"{table}_anew"):
        anew_before = parquet_view(engine, name=f"{table}_anew", path=version.files(f"{table}_anew"))
        changed_before = parquet_view(engine, name=f"{table}_changed", path=version.files(f"{table}_changed"))
        anew = anew_before.anti_join(changed, KEYS[table]).select(names).union(anew)
        keys = changed_before.union(changed).distinct()
    kept_rows, kept_keys = keep(engine, anew, name="kept_rows"), keep(engine, keys, name="kept_keys")
    count = engine.to_pyarrow(kept_keys.count()).as_py()
    if not count:
        return
    for kind, what in (("anew", kept_rows), ("changed", kept_keys)):
        path = draft.new_file(f"{table}_{kind}")
        write_parquet(engine, what, path=path)
        _keep_only(path)
    base = sum(pq.read_metadata(path).num_rows for path in (draft.folder / table).glob("*.parquet"))
    if engine.to_pyarrow(kept_rows.count()).as_py() * 100 > base * ANEW_PERCENT_MAX:
        _write_base(draft, table, fact_of(engine, draft.version(), table=table))


def _write_base(draft: Draft, table: str, rows: ibis.Table) -> None:
    """Write a table of facts as one sorted file and forget what stood beside it."""
    ordered = rows.select(SCHEMAS[table].names).order_by(ORDER[table])
    path = draft.new_file(f"{table}_next")
    write_parquet(draft.engine, ordered, path=path)
    _drop_fact(draft, table)
    path.parent.rename(draft.folder / table)


def _drop_fact(draft: Draft, table: str) -> None:
    for part in (table, f"{table}_anew", f"{table}_changed"):
        draft.drop(part)


def _keep_only(path: Path) -> None:
    """Forget the other files of a table."""
    for other in path.parent.glob("*.parquet"):
        if other != path:
            other.unlink()
