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
from changke.insight.engine import Facts, keep, parquet_view, rows_of, write_parquet
from changke.insight.features import FeatureSettings, compute_totals, prediction_inputs, wide_rows
from changke.insight.lake import Draft
from changke.insight.visits import visits_of_sales

FILE_ROWS: Final = 1_000_000
SMALL_FILE_ROWS: Final = 100_000  # smaller ones are joined with the next delta
MOVED_PERCENT_MAX: Final = 10  # more members moved than this: the base of the visits is written anew
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
    for table, schema in TABLES.items():
        draft.drop(table)
        _write_batches(draft, table, getattr(batches, table), schema=schema)
    for table in ("totals", "touched", "features"):
        draft.drop(table)
    draft.manifest = replace(draft.manifest, as_of=None, totals_key="", cuts=None)
    write_visits(draft, parquet_view(draft.engine, name="sales", path=draft.version().files("sales")))


def merge_delta(draft: Draft, delta: Delta) -> None:
    """Take a delta into the facts: visits become exactly those of the same facts written anew."""
    engine, facts = draft.engine, draft.facts()
    replaced = pa.array({*delta.gone_sale_ids, *delta.sales["sale_id"].to_pylist()}, pa.int64())
    engine.con.register("replaced_sales", pa.table({"sale_id": replaced}))
    replaced_sales = engine.table("replaced_sales")
    before = rows_of(engine, facts.sales.semi_join(replaced_sales, "sale_id").select("member_id"))
    moved = {*before["member_id"].to_pylist(), *delta.sales["member_id"].to_pylist()} - {None}
    touched = moved | set(delta.opportunities["member_id"].to_pylist())
    _replace_rows(draft, "sales", delta.sales, keys=("sale_id",), gone=replaced_sales)
    _replace_rows(draft, "lines", delta.lines, keys=("sale_id",), gone=replaced_sales)
    for table, keys in (("members", ("member_id",)), ("opportunities", ("member_id", "due_on"))):
        rows = getattr(delta, table)
        if rows.num_rows:
            engine.con.register(f"new_{table}", rows)
            _replace_rows(draft, table, rows, keys=keys, gone=engine.table(f"new_{table}"))
    if touched:
        pq.write_table(_ids(touched), draft.new_file("touched"))
    if moved:
        _move_members(draft, _ids(moved))


def write_visits(draft: Draft, sales: ibis.Table) -> None:
    """Make all visits from sales, those of a member side by side: grouping them is then three times as fast."""
    for table in ("visits", "visits_anew", "moved_members"):
        draft.drop(table)
    rows = visits_of_sales(sales).select(schemas.VISITS.names).order_by("member_id", "day", "store_id")
    write_parquet(draft.engine, rows, path=draft.new_file("visits"))


def refresh_features(
    draft: Draft, *, settings: FeatureSettings, as_of: date, predictions: pa.Table | None = None
) -> None:
    """Write the wide row of every member as of a date, carrying on the totals of members whom nothing touched.

    Call after write_full or merge_delta, or alone for another date or other settings. `predictions`: see wide_rows.
    """
    totals = current_totals(draft, settings=settings, as_of=as_of)
    rows, cuts = wide_rows(
        draft.engine, totals, draft.facts().members, settings=settings, as_of=as_of, predictions=predictions
    )
    path = draft.new_file("features")
    write_parquet(draft.engine, rows, path=path)
    _keep_only(path)
    told = {
        name: [[str(cut.value), cut.member_id] for cut in getattr(cuts, name)]
        for name in ("recency", "frequency", "monetary")
    }
    draft.manifest = replace(draft.manifest, as_of=as_of, cuts=told)


def forecast_inputs(draft: Draft, *, settings: FeatureSettings, as_of: date) -> pa.Table:
    """Return the SUMMARY of insight/clv.py for every buyer, to be forecast before refresh_features."""
    totals = current_totals(draft, settings=settings, as_of=as_of)
    return rows_of(draft.engine, prediction_inputs(totals, as_of=as_of))


def current_totals(draft: Draft, *, settings: FeatureSettings, as_of: date) -> ibis.Table:
    """Return the totals as of a date: made for all, or for touched members only where those of before hold."""
    key, engine, facts = settings.totals_key(as_of), draft.engine, draft.facts()
    version = draft.version()
    path = draft.new_file("totals")
    if not version.has("totals") or draft.manifest.totals_key != key:
        write_parquet(engine, compute_totals(engine, facts, settings=settings, as_of=as_of), path=path)
    elif version.has("touched"):
        before = parquet_view(engine, name="totals_before", path=next((draft.folder / "totals").glob("*.parquet")))
        touched = keep(
            engine,
            parquet_view(engine, name="touched", path=version.files("touched")).distinct(),
            name="touched_members",
        )
        theirs = Facts(
            members=facts.members,
            sales=facts.sales,
            lines=facts.lines.semi_join(touched, "member_id"),
            visits=facts.visits.semi_join(touched, "member_id"),
            opportunities=facts.opportunities.semi_join(touched, "member_id"),
        )
        anew = compute_totals(engine, theirs, settings=settings, as_of=as_of)
        write_parquet(engine, before.anti_join(touched, "member_id").union(anew), path=path)
    if path.exists():
        _keep_only(path)
        draft.drop("touched")
        draft.manifest = replace(draft.manifest, totals_key=key)
    return parquet_view(engine, name="totals", path=draft.version().files("totals"))


TABLES: Final = {
    "members": schemas.MEMBERS,
    "sales": schemas.SALES,
    "lines": schemas.LINES,
    "opportunities": schemas.OPPORTUNITIES,
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


def _replace_rows(draft: Draft, table: str, rows: pa.Table, *, keys: tuple[str, ...], gone: ibis.Table) -> None:
    """Take rows out of the files that hold them, join small files, and add the new rows as one file."""
    engine = draft.engine
    joined, leftovers = [rows], []
    for path in sorted((draft.folder / table).glob("*.parquet")):
        held = parquet_view(engine, name=f"{table}_file", path=path)
        metadata = pq.read_metadata(path)
        small = metadata.num_rows < SMALL_FILE_ROWS
        hit = _holds_any(draft, held, gone=gone, keys=keys)
        if not small and not hit:
            continue
        kept = held.anti_join(gone, keys) if hit else held
        if small:
            joined.append(rows_of(engine, kept).cast(TABLES[table]))
        else:
            write_parquet(engine, kept, path=draft.new_file(table))
        leftovers.append(path)
    pq.write_table(pa.concat_tables(joined), draft.new_file(table), compression="lz4")
    for path in leftovers:
        path.unlink()


def _holds_any(draft: Draft, held: ibis.Table, *, gone: ibis.Table, keys: tuple[str, ...]) -> bool:
    """Tell whether a file holds any of the rows that are gone."""
    return bool(rows_of(draft.engine, held.semi_join(gone, keys).select(keys[0]).limit(1)).num_rows)


def _ids(members: Iterable[int]) -> pa.Table:
    return pa.table({"member_id": pa.array(sorted(members), pa.int64())})


def _move_members(draft: Draft, moved: pa.Table) -> None:
    """Make the visits of moved members anew from their sales, beside the base that still serves the others."""
    engine, version = draft.engine, draft.version()
    if version.has("moved_members"):
        moved = pa.concat_tables([moved, pq.read_table(draft.folder / "moved_members")])
    engine.con.register("moved_now", _ids(set(moved["member_id"].to_pylist())))
    moved_now = engine.table("moved_now")
    sales = parquet_view(engine, name="sales", path=version.files("sales"))
    anew = keep(engine, visits_of_sales(sales.semi_join(moved_now, "member_id")), name="visits_of_moved")
    base = pq.ParquetDataset(draft.folder / "visits").fragments
    base_rows = sum(fragment.metadata.num_rows for fragment in base)
    if engine.to_pyarrow(anew.count()).as_py() * 100 > base_rows * MOVED_PERCENT_MAX:
        write_visits(draft, sales)
        return
    for table, rows in (("visits_anew", anew), ("moved_members", moved_now)):
        path = draft.new_file(table)
        write_parquet(engine, rows, path=path)
        _keep_only(path)


def _keep_only(path: Path) -> None:
    """Forget the other files of a table."""
    for other in path.parent.glob("*.parquet"):
        if other != path:
            other.unlink()
