"""A small shop as facts, and its wide rows computed one member at a time by the definitions in rules/."""

from collections import defaultdict
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from hypothesis import strategies as st

from changke.insight import facts as schemas
from changke.insight.features import FeatureSettings
from changke.insight.lake import open_draft, read_current
from changke.insight.refresh import Delta, FactBatches, merge_delta, refresh_features, write_full
from changke.rules.features import mean_interval_of, mean_ticket_of
from changke.rules.groups import (
    GroupFacts,
    age_band,
    age_on,
    care_class,
    grade_spending_power,
    is_about_to_leave,
    is_high_value,
    is_loyal,
    is_one_time,
    is_potential,
    layer_members,
)
from changke.rules.lifecycle import Opportunity, Visit, classify_member, stage_on
from changke.rules.rfm import MemberTotals, MonetaryMeasure, Population, RfmScore, score_members

AS_OF = date(2026, 3, 1)
NOW = datetime(2026, 3, 1, 3, tzinfo=UTC)
ROWS = list[dict[str, Any]]


@dataclass(frozen=True, kw_only=True)
class Shop:
    """Rows of the fact schemas; every sale has exactly one line."""

    members: ROWS
    sales: ROWS
    opportunities: ROWS = field(default_factory=list)

    def lines(self, sales: ROWS | None = None) -> ROWS:
        shared = ("sale_id", "member_id", "store_id", "day", "kind", "quantity_milli", "total_minor")
        return [
            {name: sale[name] for name in shared}
            | {"line_no": 1, "product_id": 1, "brand_id": None}
            | {"category_id": sale["store_id"] * 10, "top_category_id": sale["sale_id"] % 3 or None}
            for sale in (self.sales if sales is None else sales)
        ]


def table_of(rows: ROWS, schema: pa.Schema) -> pa.Table:
    return pa.Table.from_pylist([{name: row.get(name) for name in schema.names} for row in rows], schema=schema)


def batches_of(shop: Shop) -> FactBatches:
    return FactBatches(
        members=table_of(shop.members, schemas.MEMBERS).to_batches(),
        sales=table_of(shop.sales, schemas.SALES).to_batches(max_chunksize=7),
        lines=table_of(shop.lines(), schemas.LINES).to_batches(),
        opportunities=table_of(shop.opportunities, schemas.OPPORTUNITIES).to_batches(),
    )


def build(
    lake: Path, shop: Shop, *, settings: FeatureSettings, as_of: date = AS_OF, predictions: pa.Table | None = None
) -> ROWS:
    """Write a version from scratch and return its wide rows by member."""
    with open_draft(lake, now=NOW, threads=1) as draft:
        write_full(draft, batches_of(shop))
        refresh_features(draft, settings=settings, as_of=as_of, predictions=predictions)
    return read_features(lake)


def carry_on(lake: Path, before: Shop, after: Shop, *, settings: FeatureSettings, as_of: date = AS_OF) -> ROWS:
    """Merge what differs between two shops into the lake and return the wide rows."""
    with open_draft(lake, now=NOW, threads=1) as draft:
        merge_delta(draft, delta_between(before, after))
        refresh_features(draft, settings=settings, as_of=as_of)
    return read_features(lake)


def delta_between(before: Shop, after: Shop) -> Delta:
    sales = [sale for sale in after.sales if sale not in before.sales]
    wakes = [wake for wake in after.opportunities if wake not in before.opportunities]
    members = [member for member in after.members if member not in before.members]
    kept = {sale["sale_id"] for sale in after.sales}
    return Delta(
        gone_sale_ids=[sale["sale_id"] for sale in before.sales if sale["sale_id"] not in kept],
        sales=table_of(sales, schemas.SALES),
        lines=table_of(after.lines(sales), schemas.LINES),
        members=table_of(members, schemas.MEMBERS),
        opportunities=table_of(wakes, schemas.OPPORTUNITIES),
    )


def read_features(lake: Path) -> ROWS:
    version = read_current(lake)
    assert version is not None
    rows = pq.read_table(version.folder / "features", columns=schemas.FEATURES.names).to_pylist()
    return sorted(rows, key=lambda row: row["member_id"])


def expected_rows(
    shop: Shop, *, settings: FeatureSettings, as_of: date = AS_OF, predictions: pa.Table | None = None
) -> ROWS:
    """Compute the wide rows by the plain-Python definitions."""
    forecast = {row.pop("member_id"): row for row in (predictions.to_pylist() if predictions else [])}
    known = [
        _known(member, shop, settings=settings, as_of=as_of) for member in shop.members if member["status"] == "formal"
    ]
    scores = _scores(known, settings=settings, as_of=as_of)
    buyers = [row for row in known if row["receipts_ever"]]
    layers = layer_members([(row["net_ever_minor"], row["member_id"]) for row in buyers], settings=settings.groups)
    power = grade_spending_power([(row["mean_ticket_minor"], row["member_id"]) for row in buyers])
    nothing = dict.fromkeys(("alive_ppm", "buys_in_30_days_ppm", "expected_value_minor"))
    for row in known:
        member_id, score = row["member_id"], scores.get(row["member_id"])
        row |= forecast.get(member_id, nothing)
        row |= {f"{part}_score": getattr(score, part, None) for part in "rfm"}
        row |= {"rfm_cell": score.cell if score else None, "value_layer": layers.get(member_id)}
        row["spending_power"] = power.get(member_id)
        facts = GroupFacts(**{name: row[name] for name in GroupFacts.__dataclass_fields__})
        row |= {
            "is_potential": is_potential(facts, settings=settings.groups),
            "is_about_to_leave": is_about_to_leave(facts, settings=settings.groups),
            "is_one_time": is_one_time(facts),
            "is_loyal": is_loyal(facts, settings=settings.groups, on=as_of),
            "is_high_value": is_high_value(facts, settings=settings.groups),
            "care_class": care_class(facts, settings=settings.groups),
        }
    return sorted(known, key=lambda row: row["member_id"])


def _known(member: dict[str, Any], shop: Shop, *, settings: FeatureSettings, as_of: date) -> dict[str, Any]:
    mine = [sale for sale in shop.sales if sale["member_id"] == member["member_id"] and sale["day"] < as_of]
    first_day = settings.rfm.first_day(as_of)
    recent = [sale for sale in mine if first_day is None or sale["day"] >= first_day]
    ever, period = _sums(mine), _sums(recent)
    days = sorted({sale["day"] for sale in mine if sale["kind"] == "sale"})
    first, last = (days[0], days[-1]) if days else (None, None)
    standing = classify_member(
        _visits(mine),
        opportunities=[
            Opportunity(due_on=wake["due_on"], offer_ends_on=wake["offer_ends_on"])
            for wake in shop.opportunities
            if wake["member_id"] == member["member_id"]
        ],
        on=as_of,
        settings=settings.lifecycle,
    )
    age = age_on(as_of, year=member["birth_year"], month=member["birth_month"], day_of_month=member["birth_day"])
    row = {name: member[name] for name in schemas.FEATURES.names if name in member}
    return row | period | {
        "age": age,
        "age_band": age_band(age),
        "first_visit_on": first,
        "last_visit_on": last,
        "recency_days": (as_of - last).days if last else None,
        **{f"{name}_ever": ever[name] for name in ("receipts", "visit_days")},
        "net_ever_minor": ever["net_minor"],
        "visits_in_window": standing.visits_in_window,
        "mean_ticket_minor": mean_ticket_of(ever["net_minor"], receipts_ever=ever["receipts"]),
        "mean_interval_days": mean_interval_of(first, last, visit_days_ever=len(days)),
        "favourite_store_id": _favourite(mine, "store_id"),
        "favourite_category_id": _favourite_category(shop, mine),
        "bought_once": period["receipts"] == 1,
        "life_class": standing.life_class.value,
        "origin_class": standing.origin_class and standing.origin_class.value,
        "stage": stage_on(
            as_of, joined_on=member["joined_on"], first_visit_on=first, starts=settings.lifecycle.stage_starts
        ).value,
    }  # fmt: skip


def _sums(sales: ROWS) -> dict[str, int]:
    bought = [sale for sale in sales if sale["kind"] == "sale"]
    gross = sum(sale["total_minor"] for sale in bought)
    net = sum(sale["total_minor"] for sale in sales)
    return {
        "receipts": len(bought),
        "visit_days": len({sale["day"] for sale in bought}),
        "items_milli": sum(sale["quantity_milli"] for sale in bought),
        "gross_minor": gross,
        "returned_minor": net - gross,
        "net_minor": net,
    }


def _visits(sales: ROWS) -> list[Visit]:
    return [
        Visit(day=sale["day"], receipts=1, items_milli=sale["quantity_milli"])
        for sale in sales
        if sale["kind"] == "sale"
    ]


def _favourite(sales: ROWS, name: str) -> int | None:
    weights: dict[int, int] = defaultdict(int)
    for sale in sales:
        if sale["kind"] == "sale":
            weights[sale[name]] += 1
    return min(weights, key=lambda key: (-weights[key], key), default=None)


def _favourite_category(shop: Shop, sales: ROWS) -> int | None:
    weights: dict[int, int] = defaultdict(int)
    for line in shop.lines(sales):
        if line["top_category_id"] is not None:
            weights[line["top_category_id"]] += line["total_minor"]
    return min(weights, key=lambda key: (-weights[key], key), default=None)


def _scores(known: ROWS, *, settings: FeatureSettings, as_of: date) -> dict[int, RfmScore]:
    rfm = settings.rfm
    inside = {
        Population.BOUGHT_IN_PERIOD: lambda row: row["receipts"] > 0,
        Population.EVER: lambda row: row["receipts_ever"] > 0,
        Population.ALL: lambda row: True,
    }[rfm.population]
    frequency = {"receipts": "receipts", "visit_days": "visit_days", "items": "items_milli"}[rfm.frequency]
    totals = [
        MemberTotals(
            member_id=row["member_id"],
            last_on=row["last_visit_on"],
            frequency=row[frequency],
            monetary_minor=row["net_minor" if rfm.monetary is MonetaryMeasure.NET else "gross_minor"],
        )
        for row in known
        if inside(row)
    ]
    return {score.member_id: score for score in score_members(totals, settings=rfm, as_of=as_of).scores}


DAYS = st.integers(1, 130).map(lambda back: AS_OF - timedelta(days=back)) | st.just(AS_OF)


@st.composite
def members(draw: st.DrawFn, member_id: int) -> dict[str, Any]:
    none_or = lambda values: st.none() | values  # noqa: E731
    return {
        "member_id": member_id,
        "joined_on": draw(none_or(DAYS)),
        "status": draw(st.sampled_from(["formal"] * 9 + ["merged"])),
        "gender": "unknown",
        "birth_year": draw(none_or(st.integers(1950, 2012))),
        "birth_month": draw(none_or(st.integers(2, 4))),
        "birth_day": draw(none_or(st.integers(1, 3))),
        "region_id": None,
        "home_store_id": draw(none_or(st.integers(1, 3))),
        "recruiter_id": None,
        "source_channel": "store",
        "has_phone": draw(st.booleans()),
        "has_email": False,
        "tags": draw(st.lists(st.sampled_from(["tea", "noodles"]), max_size=2)),
        "consents": [],
        "attributes": draw(st.lists(st.just(("pet", "cat")), max_size=1)),
        "clerk_class": draw(none_or(st.sampled_from("ABC"))),
    }


@st.composite
def sales(draw: st.DrawFn, sale_id: int, member_ids: list[int]) -> dict[str, Any]:
    kind = draw(st.sampled_from(["sale"] * 5 + ["return"]))
    sign = 1 if kind == "sale" else -1
    return {
        "sale_id": sale_id,
        "member_id": draw(st.sampled_from([*member_ids, None])),
        "store_id": draw(st.integers(1, 3)),
        "staff_id": None,
        "day": draw(DAYS),
        "hour": 12,
        "kind": kind,
        "total_minor": sign * draw(st.integers(0, 5)) * 9_999,
        "quantity_milli": sign * draw(st.integers(0, 3)) * 500,
    }


@st.composite
def opportunities(draw: st.DrawFn, member_ids: list[int]) -> dict[str, Any]:
    due = draw(st.integers(0, 100))
    return {
        "member_id": draw(st.sampled_from(member_ids)),
        "due_on": AS_OF - timedelta(days=due),
        "offer_ends_on": AS_OF - timedelta(days=due - draw(st.integers(0, 30))),
        "withheld": None,
    }


@st.composite
def shops(draw: st.DrawFn) -> Shop:
    ids = draw(st.sampled_from([[1, 2, 3, 4, 5, 6, 7, 8], [3, 5, 10**18, 7 * 10**18, -4]]))
    buyers = ids[:-1]
    size = draw(st.integers(0, 30))
    wakes = [draw(opportunities(buyers)) for _ in range(draw(st.integers(0, 8)))]
    return Shop(
        members=[draw(members(member_id)) for member_id in ids],
        sales=[draw(sales(number, buyers)) for number in range(size)],
        opportunities=list({(wake["member_id"], wake["due_on"]): wake for wake in wakes}.values()),
    )


@st.composite
def later_shops(draw: st.DrawFn, before: Shop) -> Shop:
    """The same shop after some sales were cancelled, corrected (member, day or amount) and added, and facts changed."""
    ids = [member["member_id"] for member in before.members]
    kept = []
    for sale in before.sales:
        fate = draw(st.sampled_from(["kept"] * 4 + ["gone", "corrected"]))
        if fate == "corrected":
            kept.append(draw(sales(sale["sale_id"], ids[:-1])))
        elif fate == "kept":
            kept.append(sale)
    free = max((sale["sale_id"] for sale in before.sales), default=0) + 1
    added = [draw(sales(free + number, ids)) for number in range(draw(st.integers(0, 6)))]
    member = draw(st.sampled_from(before.members))
    changed = replace(before, sales=kept + added).members
    newer = [draw(members(member["member_id"])) if row is member else row for row in changed]
    wakes = {(wake["member_id"], wake["due_on"]): wake for wake in before.opportunities}
    for wake in [draw(opportunities(ids[:-1])) for _ in range(draw(st.integers(0, 2)))]:
        wakes[wake["member_id"], wake["due_on"]] = wake
    return Shop(members=newer, sales=kept + added, opportunities=list(wakes.values()))
