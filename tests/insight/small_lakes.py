"""Small lakes for tests: members with receipts, written as the Parquet files of one version."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields
from datetime import date, timedelta
from pathlib import Path
from random import Random
from typing import Any, get_args, get_type_hints

import pyarrow as pa
import pyarrow.parquet as pq

from changke.insight import facts
from changke.insight.tables import LakeTables
from changke.rules.features import FeatureRow
from changke.rules.segments import Receipt, ReceiptLine

TODAY = date(2024, 3, 5)
EMPTY: dict[str, Any] = (
    {field.name: None for field in fields(FeatureRow)}
    | {
        "status": "formal",
        "gender": "unknown",
        "age_band": "unknown",
        "source_channel": "unknown",
        "life_class": "unbought",
        "stage": "unknown",
        "tags": (),
        "consents": (),
        "attributes": (),
    }
    | dict.fromkeys(
        (
            "receipts",
            "visit_days",
            "items_milli",
            "gross_minor",
            "returned_minor",
            "net_minor",
            "receipts_ever",
            "visit_days_ever",
            "net_ever_minor",
            "visits_in_window",
        ),
        0,
    )
    | dict.fromkeys(
        (
            "has_phone",
            "has_email",
            "bought_once",
            "is_potential",
            "is_about_to_leave",
            "is_one_time",
            "is_loyal",
            "is_high_value",
        ),
        False,
    )
)
ARROW = {str: pa.string(), int: pa.int64(), bool: pa.bool_(), date: pa.date32()}
SPECIAL = {
    "tags": pa.list_(pa.string()),
    "consents": pa.list_(pa.string()),
    "attributes": pa.map_(pa.string(), pa.string()),
}
FEATURES = pa.schema(
    [
        (name, SPECIAL.get(name) or ARROW[next(iter(get_args(hint)), hint)])
        for name, hint in get_type_hints(FeatureRow).items()
    ]
)


@dataclass(frozen=True, kw_only=True)
class Shopper:
    """A member: the wide row, the receipts behind it, the year of birth."""

    row: FeatureRow
    receipts: tuple[Receipt, ...] = ()
    birth_year: int | None = None


def make_row(member_id: int, **changes: Any) -> FeatureRow:
    return FeatureRow(**EMPTY | {"member_id": member_id} | changes)


def make_receipt(
    *, day: date, store_id: int = 1, hour: int = 12, amounts: Iterable[int] = (100,), **line: Any
) -> Receipt:
    """Make a receipt with one line an amount; negative amounts make a return."""
    goods = {"product_id": 1, "category_id": 11, "top_category_id": 1, "brand_id": None} | line
    lines = tuple(
        ReceiptLine(**goods, quantity_milli=1000 if amount > 0 else -1000, total_minor=amount) for amount in amounts
    )
    total = sum(line.total_minor for line in lines)
    return Receipt(
        store_id=store_id,
        day=day,
        hour=hour,
        is_return=total < 0,
        total_minor=total,
        quantity_milli=sum(line.quantity_milli for line in lines),
        lines=lines,
    )


def random_shopper(member_id: int, rng: Random, *, span_days: int = 20) -> Shopper:
    """Make a member with values near each other, so that conditions meet their ends often."""
    maybe = lambda value: None if rng.random() < 0.2 else value  # noqa: E731
    some = lambda days: TODAY - timedelta(days=rng.randint(-2, days))  # noqa: E731
    row = make_row(
        member_id,
        recruiter_id=maybe(rng.randint(101, 104)),
        status=rng.choice(["formal", "provisional", "prospect"]),
        gender=rng.choice(["female", "male", "unknown"]),
        age=maybe(rng.randint(18, 30)),
        joined_on=maybe(some(40)),
        birth_month=(month := maybe(rng.choice([1, 2, 3, 12]))),
        birth_day=month and rng.choice([1, 5, 28, 29]),
        home_store_id=maybe(rng.randint(1, 3)),
        has_phone=rng.random() < 0.5,
        region_id=maybe(rng.randint(1, 2)),
        tags=tuple(rng.sample(["tea", "noodles", "vip's"], rng.randint(0, 3))),
        consents=tuple(rng.sample(["sms:marketing", "email:marketing"], rng.randint(0, 2))),
        attributes=tuple(
            (name, rng.choice(["yes", "no", "100%"])) for name in rng.sample(["pet", "job"], rng.randint(0, 2))
        ),
        last_visit_on=maybe(some(40)),
        recency_days=maybe(rng.randint(1, 40)),
        receipts=rng.randint(0, 5),
        net_minor=rng.randint(-200, 1000),
        r_score=maybe(rng.randint(1, 5)),
        rfm_cell=maybe(rng.choice([111, 333, 555])),
        life_class=rng.choice(["new", "active", "sleeping"]),
        is_loyal=rng.random() < 0.5,
        bought_once=rng.random() < 0.3,
        alive_ppm=maybe(rng.randint(0, 1_000_000)),
    )
    receipts = tuple(
        make_receipt(
            day=some(span_days),
            store_id=rng.randint(1, 3),
            hour=rng.randint(10, 13),
            product_id=rng.randint(1, 3),
            category_id=maybe(rng.randint(11, 13)),
            top_category_id=maybe(rng.randint(1, 2)),
            brand_id=maybe(rng.randint(1, 2)),
            amounts=[rng.choice([-1, 1, 1, 1]) * rng.randint(1, 5) * 100] * rng.randint(1, 2),
        )
        for _ in range(rng.choice([0, 0, 1, 2, 4]))
    )
    return Shopper(row=row, receipts=receipts, birth_year=maybe(rng.randint(1950, 2008)))


def write_lake(folder: Path, shoppers: Iterable[Shopper], *, anonymous: Iterable[Receipt] = ()) -> LakeTables:
    """Write the Parquet files of one version: sales are numbered through, staff is the store's id plus 100."""
    shoppers = list(shoppers)
    buyers = [(s.row.member_id, r) for s in shoppers for r in s.receipts] + [(None, r) for r in anonymous]
    sales, lines, visits = [], [], {}
    for number, (member_id, receipt) in enumerate(buyers, start=1):
        kind = "return" if receipt.is_return else "sale"
        shared = {
            "sale_id": number,
            "member_id": member_id,
            "store_id": receipt.store_id,
            "day": receipt.day,
            "kind": kind,
        }
        sales.append(
            shared
            | {"staff_id": receipt.store_id + 100, "hour": receipt.hour}
            | {"total_minor": receipt.total_minor, "quantity_milli": receipt.quantity_milli}
        )
        lines += [shared | {"line_no": i} | asdict(line) for i, line in enumerate(receipt.lines, start=1)]
        if member_id is not None:
            add_visit(visits, member_id, receipt)
    counted = set()
    for (member_id, _, day), visit in sorted(visits.items()):  # the smallest store with a receipt carries the day
        visit["visit_days"] = int(visit["receipts"] > 0 and (member_id, day) not in counted)
        if visit["visit_days"]:
            counted.add((member_id, day))
    tables = {
        "members": (facts.MEMBERS, [member_fact(shopper) for shopper in shoppers]),
        "sales": (facts.SALES, sales),
        "lines": (facts.LINES, lines),
        "visits": (facts.VISITS, list(visits.values())),
        "features": (FEATURES, [asdict(shopper.row) for shopper in shoppers]),
    }
    folder.mkdir(parents=True, exist_ok=True)
    for name, (schema, rows) in tables.items():
        pq.write_table(pa.Table.from_pylist(rows, schema=schema), folder / f"{name}.parquet")
    return LakeTables(**{name: folder / f"{name}.parquet" for name in tables})


def member_fact(shopper: Shopper) -> dict[str, Any]:
    known = asdict(shopper.row)
    return {name: known.get(name) for name in facts.MEMBERS.names if name != "birth_year"} | {
        "birth_year": shopper.birth_year
    }


def add_visit(visits: dict[Any, dict[str, Any]], member_id: int, receipt: Receipt) -> None:
    visit = visits.setdefault(
        (member_id, receipt.store_id, receipt.day),
        {"member_id": member_id, "store_id": receipt.store_id, "day": receipt.day}
        | dict.fromkeys(("receipts", "items_milli", "gross_minor", "returned_minor"), 0),
    )
    if receipt.is_return:
        visit["returned_minor"] += receipt.total_minor
    else:
        visit["receipts"] += 1
        visit["items_milli"] += receipt.quantity_milli
        visit["gross_minor"] += receipt.total_minor
