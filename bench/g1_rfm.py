"""G1: RFM scores and life-cycle classes of 10 M orders / 1 M members, written, against one plain group-by (G).

Run: python bench/g1_rfm.py [orders [members]]. G = DuckDB count, sum and max by member of the orders in Parquet, in
memory. Ours reads the lake's visits through the product's own Ibis code with a memory limit.
"""

import resource
import sys
from pathlib import Path

import duckdb

from changke.insight.engine import open_engine
from changke.insight.lake import LakeVersion, facts_of, hold_current
from changke.insight.runs import score_run
from changke.rules.lifecycle import LifecycleSettings
from changke.rules.rfm import RfmSettings
from lake_base import AS_OF, OUT, ensure_lake, report, size_from, timed

ROUNDS = 7
PEAK_MIB_MAX = 450
G = "CREATE OR REPLACE TEMP TABLE g AS SELECT member_id, count(*), sum(total_minor), max(day) FROM '{}' GROUP BY ALL"


def group_by(sales: Path) -> float:
    with duckdb.connect() as duck:
        duck.execute("SET threads = 2")
        return timed(lambda: duck.execute(G.format(sales)))


def score(version: LakeVersion) -> float:
    with open_engine(threads=2, memory_mib=300, spill=OUT) as engine:
        facts = facts_of(engine, version)
        return timed(
            lambda: score_run(
                engine,
                facts,
                rfm=RfmSettings(),
                lifecycle=LifecycleSettings(),
                as_of=AS_OF,
                path=OUT / "g1.parquet",
            )
        )


def peak_mib() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def main() -> None:
    orders, members = size_from(sys.argv[1:])
    lake = ensure_lake(orders=orders, members=members)
    with hold_current(lake) as version:
        score(version)
        peak = peak_mib()
        ours, floor = [], []
        for _ in range(ROUNDS):
            floor.append(group_by(version.files("sales")))
            ours.append(score(version))
    report("G1", ours=ours, theirs=floor, named=("RFM + life cycle, Parquet written", "G"), limit=1.8)
    print(f"G1  peak RSS of our side {peak} MiB (goal: at most {PEAK_MIB_MAX})")


if __name__ == "__main__":
    main()
