"""G3: 10,000 new orders merged into the lake and every member's row written exactly, against doing all of it anew.

Run: python bench/g3_delta.py [orders [members]]. Both sides end with a published version of the same facts, visits,
totals, scores, classes and wide rows, and take the facts as batches that are ready: the export from the database is on
neither side. The second figure leaves the writing of the facts out as well: visits from all sales, then all rows.
"""

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from changke.insight import facts as schemas
from changke.insight.engine import open_engine, write_parquet
from changke.insight.features import FeatureSettings
from changke.insight.lake import facts_of, hold_current, open_draft, read_current
from changke.insight.refresh import (
    TABLES,
    Delta,
    FactBatches,
    merge_delta,
    refresh_features,
    write_full,
    write_visits,
)
from lake_base import AS_OF, LINES, NOW, OUT, ensure_lake, report, sales_sql, size_from, timed

ROUNDS = 3
NEW_ORDERS = 10_000
CORRECTED = 50
SETTINGS = FeatureSettings()


def make_delta(round_: int, *, orders: int, members: int) -> Delta:
    """Return new orders of the last day and a few corrections of old ones."""
    first = orders + round_ * NEW_ORDERS
    new = sales_sql(orders=orders, members=members, first=first, last=first + NEW_ORDERS)
    old = f"SELECT * REPLACE (total_minor * 2 AS total_minor) FROM ({sales_sql(orders=orders, members=members)})"
    step = orders // CORRECTED
    sales = (
        f"SELECT * REPLACE (DATE '2025-12-31' AS day) FROM ({new}) "
        f"UNION ALL FROM ({old}) WHERE sale_id % {step} = {round_}"
    )
    return Delta(
        sales=duckdb.sql(sales).to_arrow_table().cast(schemas.SALES),
        lines=duckdb.sql(LINES.format(sales=sales)).to_arrow_table().cast(schemas.LINES),
    )


def merge(lake: Path, delta: Delta) -> None:
    with open_draft(lake, now=NOW) as draft:
        merge_delta(draft, delta)
        refresh_features(draft, settings=SETTINGS, as_of=AS_OF)


def batches_of(lake: Path) -> FactBatches:
    """Return the facts of the current version as batches, read from its files."""
    with hold_current(lake) as version, open_engine(spill=OUT) as engine:
        facts = facts_of(engine, version)
        for table in TABLES:
            write_parquet(engine, getattr(facts, table), path=OUT / "g3_facts" / f"{table}.parquet")
    return FactBatches(**{table: stream(OUT / "g3_facts" / f"{table}.parquet") for table in TABLES})


def stream(path: Path) -> Iterator[pa.RecordBatch]:
    schema = TABLES[path.stem]
    for batch in pq.ParquetFile(path).iter_batches():
        yield batch.cast(schema)


def anew(lake: Path, batches: FactBatches) -> None:
    with open_draft(lake, now=NOW) as draft:
        write_full(draft, batches)
        refresh_features(draft, settings=SETTINGS, as_of=AS_OF)


def rows_anew(lake: Path) -> None:
    with open_draft(lake, now=NOW) as draft:
        write_visits(draft)
        draft.drop("features")
        refresh_features(draft, settings=SETTINGS, as_of=AS_OF)


def wide_rows(lake: Path) -> pa.Table:
    version = read_current(lake)
    if version is None:
        raise SystemExit("the lake is empty")
    return pq.read_table(version.folder / "features", columns=schemas.FEATURES.names).sort_by("member_id")


def main() -> None:
    orders, members = size_from(sys.argv[1:])
    lake = OUT / "g3"
    shutil.rmtree(lake, ignore_errors=True)
    shutil.copytree(ensure_lake(orders=orders, members=members), lake)
    with open_draft(lake, now=NOW) as draft:
        refresh_features(draft, settings=SETTINGS, as_of=AS_OF)
    ours, full, rows = [], [], []
    for round_ in range(ROUNDS):
        delta = make_delta(round_, orders=orders, members=members)
        ours.append(timed(lambda delta=delta: merge(lake, delta)))  # type: ignore[misc]
        merged = wide_rows(lake)
        rows.append(timed(lambda: rows_anew(lake)))
        batches = batches_of(lake)
        full.append(timed(lambda batches=batches: anew(lake, batches)))  # type: ignore[misc]
        print(f"G3  round {round_ + 1}: rows equal: {merged.equals(wide_rows(lake))}")
    ours_named = f"{NEW_ORDERS:,} new, {CORRECTED} corrected orders merged"
    report("G3", ours=ours, theirs=full, named=(ours_named, "all anew"), limit=0.2)
    report("G3", ours=ours, theirs=rows, named=(ours_named, "visits and rows anew, facts ready"), limit=0.2)
    for folder in (lake, OUT / "g3_facts"):
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
