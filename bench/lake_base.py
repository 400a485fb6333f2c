"""A lake of 10 M orders and 1 M members with a fixed seed under bench/out: `python bench/lake_base.py ORDERS MEMBERS`.

Three years of sales in 50 stores, 2 % returns, one line each; members differ in how often they come, as they do.
"""

import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from statistics import median
from time import perf_counter

import duckdb
import pyarrow as pa

from changke.insight import facts as schemas
from changke.insight.lake import open_draft
from changke.insight.refresh import FactBatches, write_full

OUT = Path(__file__).parent / "out"
AS_OF = date(2026, 1, 1)
NOW = datetime(2026, 1, 1, tzinfo=UTC)
SALES = """
    SELECT i AS sale_id,
        1 + ({members} * pow((hash(i) % 100000007) / 100000007.0, 1.3))::BIGINT AS member_id,
        1 + (hash(i, 1) % 50)::BIGINT AS store_id, NULL::BIGINT AS staff_id,
        DATE '2023-01-01' + (i * 1095 // {orders})::INT AS day, (9 + hash(i, 2) % 12)::INT AS hour,
        CASE WHEN hash(i, 3) % 50 = 0 THEN 'return' ELSE 'sale' END AS kind,
        CASE WHEN hash(i, 3) % 50 = 0 THEN -1 ELSE 1 END * (100 + hash(i, 4) % 20000)::BIGINT AS total_minor,
        CASE WHEN hash(i, 3) % 50 = 0 THEN -1 ELSE 1 END * 1000 * (1 + hash(i, 5) % 6)::BIGINT AS quantity_milli
    FROM range({first}, {last}) t(i)
"""
LINES = """
    SELECT sale_id, 1::INT AS line_no, member_id, store_id, day, kind,
        (hash(sale_id, 6) % 3000)::BIGINT AS product_id,
        (hash(sale_id, 7) % 100)::BIGINT AS category_id, (hash(sale_id, 7) % 10)::BIGINT AS top_category_id,
        NULL::BIGINT AS brand_id,
        quantity_milli, total_minor
    FROM ({sales})
"""
MEMBERS = """
    SELECT i AS member_id, DATE '2023-01-01' + (hash(i, 8) % 1000)::INT AS joined_on, 'formal' AS status,
        CASE hash(i, 9) % 3 WHEN 0 THEN 'female' WHEN 1 THEN 'male' ELSE 'unknown' END AS gender,
        (1950 + hash(i, 10) % 60)::INT AS birth_year, (1 + hash(i, 11) % 12)::INT AS birth_month,
        (1 + hash(i, 12) % 28)::INT AS birth_day, NULL::BIGINT AS region_id,
        1 + (hash(i, 13) % 50)::BIGINT AS home_store_id,
        NULL::BIGINT AS recruiter_id, 'store' AS source_channel, true AS has_phone, false AS has_email,
        CASE hash(i, 14) % 4 WHEN 0 THEN ['tea'] ELSE []::VARCHAR[] END AS tags,
        ['sms:marketing'] AS consents, MAP([]::VARCHAR[], []::VARCHAR[]) AS attributes, NULL::VARCHAR AS clerk_class
    FROM range(1, {members} + 2) t(i)
"""


def batches(sql: str, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    with duckdb.connect() as duck:
        duck.execute("SET memory_limit = '1GB'; SET threads = 2")
        for batch in duck.execute(sql).to_arrow_reader(200_000):
            table = pa.Table.from_batches([batch]).cast(schema)
            yield from table.to_batches()


def sales_sql(*, orders: int, members: int, first: int = 0, last: int | None = None) -> str:
    return SALES.format(orders=orders, members=members, first=first, last=orders if last is None else last)


def make_batches(*, orders: int, members: int) -> FactBatches:
    sales = sales_sql(orders=orders, members=members)
    return FactBatches(
        members=batches(MEMBERS.format(members=members), schemas.MEMBERS),
        sales=batches(sales, schemas.SALES),
        lines=batches(LINES.format(sales=sales), schemas.LINES),
    )


def ensure_lake(*, orders: int, members: int) -> Path:
    """Return the folder of the lake, made in a process of its own where it is not there yet."""
    lake = OUT / f"lake_{orders}_{members}"
    if not (lake / "CURRENT").exists():
        subprocess.run([sys.executable, __file__, str(orders), str(members)], check=True)
    return lake


def timed(action: Callable[[], object]) -> float:
    start = perf_counter()
    action()
    return perf_counter() - start


def report(goal: str, *, ours: list[float], theirs: list[float], named: tuple[str, str], limit: float) -> None:
    """Print both sides, their medians and the median of the ratios of neighbours in time."""
    for name, times in zip(named, (ours, theirs), strict=True):
        print(f"{goal}  {name:<46} median {median(times):7.3f} s   of {' '.join(f'{time:.2f}' for time in times)}")
    ratio = median(one / other for one, other in zip(ours, theirs, strict=True))
    print(f"{goal}  ratio {ratio:.2f} (goal: at most {limit})  {'reached' if ratio <= limit else 'NOT reached'}")


def size_from(arguments: list[str]) -> tuple[int, int]:
    orders = int(arguments[0]) if arguments else 10_000_000
    return orders, int(arguments[1]) if len(arguments) > 1 else max(orders // 10, 1)


def main() -> None:
    orders, members = size_from(sys.argv[1:])
    OUT.mkdir(exist_ok=True)
    start = perf_counter()
    with open_draft(OUT / f"lake_{orders}_{members}", now=NOW) as draft:
        write_full(draft, make_batches(orders=orders, members=members))
    print(f"lake of {orders:,} orders, {members:,} members: generated and exported in {perf_counter() - start:.1f} s")


if __name__ == "__main__":
    main()
