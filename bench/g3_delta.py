"""G3: 10,000 new orders merged into the lake and every member's row written exactly, against doing all of it anew.

Run: python bench/g3_delta.py [orders [members]]. Both sides end with a published version of the same facts: visits,
totals, scores, classes, wide rows. Anew = visits from all sales, then all rows; the batches of facts themselves are
already there, so the export from the database is on neither side.
"""

import shutil
import sys
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from changke.insight import facts as schemas
from changke.insight.engine import parquet_view
from changke.insight.features import FeatureSettings
from changke.insight.lake import open_draft, read_current
from changke.insight.refresh import Delta, merge_delta, refresh_features, write_visits
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


def anew(lake: Path) -> None:
    with open_draft(lake, now=NOW) as draft:
        write_visits(draft, parquet_view(draft.engine, name="sales", path=draft.version().files("sales")))
        draft.drop("totals")
        refresh_features(draft, settings=SETTINGS, as_of=AS_OF)


def wide_rows(lake: Path) -> pa.Table:
    version = read_current(lake)
    if version is None:
        raise SystemExit("the lake is empty")
    return pq.read_table(version.folder / "features").sort_by("member_id")


def main() -> None:
    orders, members = size_from(sys.argv[1:])
    lake = OUT / "g3"
    shutil.rmtree(lake, ignore_errors=True)
    shutil.copytree(ensure_lake(orders=orders, members=members), lake)
    anew(lake)
    ours, theirs = [], []
    for round_ in range(ROUNDS):
        delta = make_delta(round_, orders=orders, members=members)
        ours.append(timed(lambda delta=delta: merge(lake, delta)))  # type: ignore[misc]
        merged = wide_rows(lake)
        theirs.append(timed(lambda: anew(lake)))
        print(f"G3  round {round_ + 1}: rows equal: {merged.equals(wide_rows(lake))}")
    report("G3", ours=ours, theirs=theirs, named=(f"{NEW_ORDERS:,} new, {CORRECTED} corrected", "anew"), limit=0.2)
    shutil.rmtree(lake)


if __name__ == "__main__":
    main()
