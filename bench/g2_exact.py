"""G2: the same answer, row by row, as the usual SQL of three window sorts, and how long lifetimes takes for less.

Run: python bench/g2_exact.py [orders [members]]. lifetimes (a summary of frequency, recency, age and value a member) is
timed where it is installed, on a tenth of the members, and scaled up; it is no dependency of the program.
"""

import importlib.util
import sys
from pathlib import Path

import duckdb

from changke.insight.lake import hold_current
from g1_rfm import score
from lake_base import AS_OF, OUT, ensure_lake, size_from, timed

SHARE = 10
WINDOWS = """
    WITH m AS (
        SELECT member_id, max(day) FILTER (kind = 'sale') AS last, count(*) FILTER (kind = 'sale') AS f,
            sum(total_minor) AS m, count(DISTINCT day) FILTER (kind = 'sale' AND day > DATE '{as_of}' - 90) AS n
        FROM '{sales}' WHERE day < DATE '{as_of}' AND member_id IS NOT NULL GROUP BY member_id HAVING f > 0
    ), o AS (
        SELECT s.member_id, count(DISTINCT s.day) AS n FROM '{sales}' s JOIN m USING (member_id)
        WHERE s.kind = 'sale' AND s.day > m.last - 90 AND s.day < DATE '{as_of}' GROUP BY s.member_id
    ), c AS (
        SELECT count(*) AS members FROM m
    )
    SELECT member_id,
        100 * (1 + 5 * (row_number() OVER (ORDER BY last, member_id) - 1) // members)
        + 10 * (1 + 5 * (row_number() OVER (ORDER BY f, member_id) - 1) // members)
        + 1 + 5 * (row_number() OVER (ORDER BY m, member_id) - 1) // members AS rfm_cell,
        CASE WHEN DATE '{as_of}' - last >= 60 THEN 'sleeping' WHEN m.n = 1 THEN 'new' WHEN m.n < 3 THEN 'returning'
            ELSE 'active' END AS life_class,
        CASE WHEN DATE '{as_of}' - last < 60 THEN NULL WHEN o.n = 1 THEN 'new' WHEN o.n < 3 THEN 'returning'
            ELSE 'active' END AS origin_class
    FROM m JOIN o USING (member_id), c
"""


def differences(sales: Path, result: Path) -> tuple[int, int]:
    """Return how many rows the window form has and how many of them differ from ours, or are missing on a side."""
    spill = OUT / "spill"
    with duckdb.connect(config={"temp_directory": str(spill)}) as duck:
        duck.execute("SET memory_limit = '3GB'; SET threads = 2")
        duck.execute(f"CREATE TEMP TABLE w AS {WINDOWS.format(as_of=AS_OF, sales=sales)}")
        duck.execute(f"CREATE TEMP VIEW r AS SELECT member_id, rfm_cell, life_class, origin_class FROM '{result}'")
        odd = "SELECT count(*) FROM ((FROM w EXCEPT FROM r) UNION ALL (FROM r EXCEPT FROM w))"
        rows, differing = duck.execute(f"SELECT (SELECT count(*) FROM w), ({odd})").fetchall()[0]
    return rows, differing


def time_lifetimes(sales: Path, *, members: int) -> float:
    """Return the seconds that lifetimes needs for all members, from a tenth of them."""
    from lifetimes.utils import summary_data_from_transaction_data  # type: ignore[import-not-found] # no dependency

    some = f"SELECT member_id, day, total_minor FROM '{sales}' WHERE kind = 'sale' AND member_id <= {members // SHARE}"
    orders = duckdb.sql(some).df()
    return SHARE * timed(
        lambda: summary_data_from_transaction_data(
            orders, "member_id", "day", monetary_value_col="total_minor", observation_period_end=AS_OF
        )
    )


def main() -> None:
    orders, members = size_from(sys.argv[1:])
    lake = ensure_lake(orders=orders, members=members)
    with hold_current(lake) as version:
        ours = score(version)
        rows, differing = differences(version.files("sales"), OUT / "g1.parquet")
        print(f"G2  {rows:,} members scored and classed by three window sorts, {differing} differ (goal: 0)")
        if importlib.util.find_spec("lifetimes") is None:
            print("G2  skipped: lifetimes is not installed here (design/performance.md measured 29 - 31 x G)")
            return
        theirs = time_lifetimes(version.files("sales"), members=members)
    print(f"G2  lifetimes {theirs:.1f} s, ours {ours:.2f} s: {theirs / ours:.0f} x (goal: at least 10 x)")


if __name__ == "__main__":
    main()
