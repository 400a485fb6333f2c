"""G8: a sales history (1 M orders, 3 M lines) imported from a CSV, read and validated, against Django's bulk_create.

Run: python bench/g8_import.py [orders]. Rows are orders and lines. bulk_create gets ready objects of checked rows (no
file, no parsing) and writes samples of them in the same tables: before the first load, and again in the live shop,
before and after ours. Ours is the whole import: read, clean, merge. While ours works in the live shop, a till rings up
a sale every 200 ms on a connection of its own; the longest it had to wait shows that no lock is held long.
"""

import os
import resource
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from threading import Event, Thread
from time import perf_counter, sleep

import django
import duckdb
from django.db import connection, transaction

from changke.config.database import ensure_server, stop_server
from changke.config.home import prepare_home
from changke.config.migrate import migrate_if_needed

LINES_EACH = 3
MEMBERS, STORES, PRODUCTS = 200_000, 50, 5_000
SAMPLES, SAMPLE_ORDERS, BATCH = 4, 20_000, 2_000
FIRST_GOAL, LIVE_GOAL = 8.0, 4.0
NOW = datetime(2026, 11, 22, 4, 0, tzinfo=UTC)


@contextmanager
def private_shop() -> Iterator[None]:
    """Bring Django up on a private server with a company."""
    with TemporaryDirectory(prefix="changke-g8-") as folder:
        home = Path(folder)
        os.environ.update(CHANGKE_HOME=str(home), CHANGKE_ROLE="owner", CHANGKE_LOG_LEVEL="ERROR")
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "changke.config.settings")
        prepare_home(home)
        ensure_server(home)
        try:
            django.setup()
            migrate_if_needed()
            yield
        finally:
            connection.close()
            stop_server(home)


def write_history(path: Path, *, orders: int, prefix: str, first_day: str) -> None:
    """Write a till's export: one row a line, orders in the order of time, every number from a fixed seed."""
    duckdb.sql(
        f"""
        COPY (
            SELECT '{prefix}' || o AS "Order No",
                   strftime(TIMESTAMP '{first_day} 08:00:00' + to_seconds(o * 30), '%Y-%m-%d %H:%M:%S') AS "Order Date",
                   'S' || hash(o) % {STORES} AS "Store Code",
                   CASE WHEN hash(o + 1) % 5 > 0 THEN 'M' || hash(o + 2) % {MEMBERS} END AS "Member Code",
                   'P' || hash(o * 7 + l) % {PRODUCTS} AS "Product Code",
                   'Dish ' || hash(o * 7 + l) % {PRODUCTS} AS "Product Name",
                   1 + hash(o * 11 + l) % 3 AS "Quantity", (100 + hash(o * 7 + l) % {PRODUCTS}) / 100 AS "Unit Price"
            FROM range({orders}) t(o), range({LINES_EACH}) u(l) ORDER BY o, l
        ) TO '{path}' (HEADER)
        """
    )  # fmt: skip


def bulk_create_rate(*, orders: int, prefix: str) -> float:
    """Return the rows a second of bulk_create for ready objects; they stay in the tables."""
    from changke.records.models import Member, Product, Sale, SaleLine, Source, Store

    source, _ = Source.objects.get_or_create(code="django", defaults={"name": "django"})
    store, _ = Store.objects.get_or_create(code="S0", defaults={"name": "S0", "time_zone": "Asia/Shanghai"})
    products = [Product.objects.get_or_create(code=f"P{n}", defaults={"name": f"Dish {n}"})[0].id for n in range(200)]
    members = list(Member.objects.values_list("id", flat=True)[:20_000]) or [None]
    heads = [
        Sale(
            source=source, sale_no=f"{prefix}{n}", kind="sale", store=store, member_id=members[n * 7919 % len(members)],
            sold_at=NOW, business_day=NOW.date(), total_minor=3000, quantity_milli=3000, line_count=3, content_hash=n,
        )
        for n in range(orders)
    ]  # fmt: skip
    start = perf_counter()
    with transaction.atomic():
        for place in range(0, orders, BATCH):
            made = Sale.objects.bulk_create(heads[place : place + BATCH])
            SaleLine.objects.bulk_create(
                [
                    SaleLine(
                        sale_id=head.id, line_no=line, product_id=products[(head.id + line) % 200], quantity_milli=1000,
                        unit_price="10", total_minor=1000,
                    )
                    for head in made
                    for line in range(1, LINES_EACH + 1)
                ]
            )  # fmt: skip
    return orders * (1 + LINES_EACH) / (perf_counter() - start)


def import_rate(path: Path, *, orders: int, in_place: bool) -> float:
    """Return the rows a second of the whole import of a file: as the command line does it, or beside a working shop."""
    from changke.actions.imports import ask_for_import, import_files, run_import
    from changke.records.models import ImportRun
    from changke.rules.imports.plan import ImportPlan
    from changke.rules.staff import SYSTEM

    plan = ImportPlan(paths=(str(path),), profile="generic_sales", source="till")
    start = perf_counter()
    if in_place:
        public_id = ask_for_import(SYSTEM, plan=plan, now=NOW)
        run_import(ImportRun.objects.get(public_id=public_id).id, now=NOW)
    else:
        import_files(SYSTEM, plan=plan, now=NOW)
    seconds = perf_counter() - start
    run = ImportRun.objects.latest("id")
    assert (run.state, run.merged["sales_new"], run.merged["lines_written"]) == ("done", orders, orders * LINES_EACH)
    return orders * (1 + LINES_EACH) / seconds


class Till(Thread):
    """Rings up a sale every 200 ms and remembers the longest wait."""

    def __init__(self) -> None:
        super().__init__()
        self.done, self.longest, self.count = Event(), 0.0, 0

    def run(self) -> None:
        from changke.records.models import Member, Product, Sale, SaleLine, Source, Store

        source, store, product = Source.objects.get(code="django"), Store.objects.first(), Product.objects.first()
        member = Member.objects.first()
        while not self.done.is_set():
            start = perf_counter()
            with transaction.atomic():
                sale = Sale.objects.create(
                    source=source, sale_no=f"live{self.count}", kind="sale", store=store, member=member, sold_at=NOW,
                    business_day=NOW.date(), total_minor=1000, quantity_milli=1000, line_count=1, content_hash=1,
                )  # fmt: skip
                SaleLine.objects.create(
                    sale=sale, line_no=1, product=product, quantity_milli=1000, unit_price="10", total_minor=1000
                )
                Member.objects.filter(id=member.id).update(last_sale_on=NOW.date())
            self.longest, self.count = max(self.longest, perf_counter() - start), self.count + 1
            sleep(0.2)
        connection.close()


def main() -> int:
    orders = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    with private_shop(), TemporaryDirectory(prefix="changke-g8-files-") as folder:
        from changke.actions.company import set_up_company
        from changke.rules.company import CompanyCard
        from changke.rules.staff import SYSTEM

        set_up_company(SYSTEM, card=CompanyCard(name="bench"), now=NOW)
        first, second = Path(folder) / "first.csv", Path(folder) / "second.csv"
        write_history(first, orders=orders, prefix="A", first_day="2023-01-01")
        write_history(second, orders=orders, prefix="B", first_day="2024-06-01")
        plain = [bulk_create_rate(orders=SAMPLE_ORDERS, prefix=f"d{n}-") for n in range(SAMPLES)]
        with connection.cursor() as cursor:
            cursor.execute("TRUNCATE sales, sale_lines, tenders CASCADE")
        ours_first = import_rate(first, orders=orders, in_place=False)
        live = [bulk_create_rate(orders=SAMPLE_ORDERS, prefix=f"l{n}-") for n in range(SAMPLES // 2)]
        till = Till()
        till.start()
        ours_live = import_rate(second, orders=orders, in_place=True)
        till.done.set()
        till.join()
        live += [bulk_create_rate(orders=SAMPLE_ORDERS, prefix=f"m{n}-") for n in range(SAMPLES // 2)]
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    first_ratio, live_ratio = ours_first / median(plain), ours_live / median(live)
    print(f"G8 import of {orders:,} orders, {orders * LINES_EACH:,} lines from CSV, read and validated; rows/s")
    for place, ours, theirs, goal in (
        ("first load", ours_first, median(plain), FIRST_GOAL),
        ("live shop", ours_live, median(live), LIVE_GOAL),
    ):
        ratio = f"ratio {ours / theirs:.1f}  goal >= {goal:.0f}"
        print(f"  {place:10} ours {ours:>9,.0f}  bulk_create {theirs:>8,.0f}  {ratio}")
    print(
        f"  the till rang up {till.count} sales meanwhile, the longest took {till.longest * 1000:.0f} ms, goal <= 1000"
    )
    print(f"  peak memory of the importing process {peak} MiB")
    return 0 if first_ratio >= FIRST_GOAL and live_ratio >= LIVE_GOAL and till.longest <= 1 else 1


if __name__ == "__main__":
    sys.exit(main())
