"""Segments in set form: a tree becomes one Ibis expression over the wide rows; equal to rules.segments.matches.

Compiling costs 2-4 ms and is remembered by segment and date, because the builder page asks for a count at each key.
"""

from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from functools import lru_cache, reduce
from operator import and_, or_
from typing import Final

import ibis
import pyarrow as pa

from changke.insight.tables import LakeReader
from changke.rules.segments import (
    FIELDS,
    AllOf,
    AnyOf,
    Attribute,
    BirthdayMonth,
    BirthdayWithin,
    Bought,
    Choice,
    Condition,
    Consent,
    DateBetween,
    DateWithin,
    FieldKind,
    Flag,
    InSegment,
    Not,
    Number,
    Pick,
    RandomShare,
    Segment,
    TagMode,
    Tags,
    Tree,
    Unknown,
    referred_segments,
    walk,
)
from changke.rules.segments.match import birthday_ranges, bought_days, share_limit

TYPES: Final = {
    FieldKind.NUMBER: "int64",
    FieldKind.WORD: "string",
    FieldKind.REFERENCE: "int64",
    FieldKind.DATE: "date",
    FieldKind.FLAG: "boolean",
}
COLUMNS: Final = {name: TYPES[field.kind] for name, field in FIELDS.items()} | {
    "birth_day": "int64",
    "tags": "array<string>",
    "consents": "array<string>",
    "attributes": "map<string, string>",
}
SALES: Final = ibis.table(
    {
        "sale_id": "int64", "member_id": "int64", "store_id": "int64", "day": "date", "hour": "int32", "kind": "string",
        "quantity_milli": "int64", "total_minor": "int64",
    },
    name="sales",
)  # fmt: skip
LINES: Final = ibis.table(
    {
        "sale_id": "int64", "member_id": "int64", "store_id": "int64", "day": "date", "kind": "string",
        "product_id": "int64", "category_id": "int64", "top_category_id": "int64", "brand_id": "int64",
        "quantity_milli": "int64", "total_minor": "int64",
    },
    name="lines",
)  # fmt: skip
IDS: Final = pa.schema([pa.field("member_id", pa.int64())])


def count_segment(
    segment: Segment, *, lake: LakeReader, on: date, lists: Mapping[int, Iterable[int]] | None = None
) -> int:
    """Return how many members a segment has on the analysis date `on`.

    `lists` holds the member ids of every other segment that the tree names; KeyError where one is missing. A segment
    that is kept as a tree is put in place beforehand with rules.segments.put_in.
    """
    found = lake.run_sql(count_sql(segment.where, on), **members_of(segment.where, lists or {}))
    count = found.column(0)[0].as_py()
    return min(count, segment.pick.members_max) if segment.pick else count


def list_segment(
    segment: Segment, *, lake: LakeReader, on: date, lists: Mapping[int, Iterable[int]] | None = None
) -> pa.Table:
    """Return the `member_id` of every member of a segment, ascending; `lists` as in count_segment."""
    found = lake.run_sql(list_sql(segment, on), **members_of(segment.where, lists or {}))
    return found.sort_by("member_id")


def sample_segment(
    segment: Segment, *, size: int, lake: LakeReader, on: date, lists: Mapping[int, Iterable[int]] | None = None
) -> pa.Table:
    """Return the wide rows of the first `size` members of a segment by id: what the builder shows beside the count."""
    found = list_segment(segment, lake=lake, on=on, lists=lists).slice(0, size)
    features = lake.table("features")
    rows = features.filter(features.member_id.isin(found.column("member_id").to_pylist() or [-1]))
    return lake.run(rows.order_by("member_id"))


def members_of(tree: Tree, lists: Mapping[int, Iterable[int]]) -> dict[str, pa.Table]:
    """Return the tables of the other segments that a tree names."""
    return {list_name(number): pa.table({"member_id": lists[number]}, schema=IDS) for number in referred_segments(tree)}


def list_name(segment_id: int) -> str:
    return f"segment_{segment_id}"


@lru_cache(maxsize=512)
def count_sql(tree: Tree, on: date) -> str:
    """Return the SQL that counts the members of a tree."""
    features = narrow(tree)
    return str(ibis.to_sql(features.filter(predicate(tree, features, on)).count(), dialect="duckdb", pretty=False))


@lru_cache(maxsize=512)
def list_sql(segment: Segment, on: date) -> str:
    """Return the SQL that lists the members of a segment in any order."""
    features = narrow(segment.where)
    found = features.filter(predicate(segment.where, features, on))
    if segment.pick:
        found = picked(found, segment.pick)
    return str(ibis.to_sql(found.select("member_id"), dialect="duckdb", pretty=False))


def picked(found: ibis.Table, pick: Pick) -> ibis.Table:
    return found.order_by(lot(found, pick.seed), found.member_id).limit(pick.members_max)


def narrow(tree: Tree) -> ibis.Table:
    """Return the wide row with just the columns that a tree names: compiling time grows with the columns."""
    names = {"member_id", "status"}  # two: choosing the only column would be compiled to SELECT *
    for _, node in walk(tree):
        match node:
            case Number() | Choice() | DateBetween() | DateWithin() | Flag() | Unknown():
                names.add(node.field)
            case BirthdayWithin() | BirthdayMonth():
                names |= {"birth_month", "birth_day"}
            case Tags():
                names.add("tags")
            case Consent():
                names.add("consents")
            case Attribute():
                names.add("attributes")
            case _:
                pass
    return ibis.table({name: COLUMNS[name] for name in sorted(names)}, name="features")


def predicate(tree: Tree, features: ibis.Table, on: date) -> ibis.expr.types.BooleanValue:
    """Return a tree as a Boolean expression: true where it matches; null or false where it does not."""
    match tree:
        case AllOf():
            return reduce(and_, (predicate(part, features, on) for part in tree.parts), ibis.literal(True))
        case AnyOf():
            return reduce(or_, (predicate(part, features, on) for part in tree.parts), ibis.literal(False))
        case Not():
            # Only a negation can tell null from false: and, or and filter treat them alike.
            return ~predicate(tree.part, features, on).fill_null(False)
        case _:
            return condition_predicate(tree, features, on)


def condition_predicate(condition: Condition, features: ibis.Table, on: date) -> ibis.expr.types.BooleanValue:
    """Return one condition as a Boolean expression."""
    match condition:
        case Number() | Choice() | DateBetween() | DateWithin() | Flag() | Unknown():
            return field_predicate(condition, features[condition.field], on)
        case Bought():
            return bought_predicate(condition, features, on)
        case Tags(mode=mode, tags=tags):
            found = [features.tags.contains(tag) for tag in tags]
            if mode is TagMode.ALL:
                return reduce(and_, found)
            return reduce(or_, found) if mode is TagMode.ANY else ~reduce(or_, found)
        case Consent():
            held = features.consents.contains(condition.consent)
            return held if condition.granted else ~held
        case Attribute():
            if not condition.values:
                return features.attributes.contains(condition.name)
            return features.attributes.get(condition.name).isin(condition.values)
        case BirthdayWithin() | BirthdayMonth():
            birthday = 100 * features.birth_month + features.birth_day
            return reduce(or_, (birthday.between(first, last) for first, last in birthday_ranges(condition, on=on)))
        case InSegment():
            others = ibis.table({"member_id": "int64"}, name=list_name(condition.segment_id))
            return features.member_id.isin(others.member_id)
        case RandomShare():
            return lot(features, condition.seed) < share_limit(condition.share_ppm)


def field_predicate(
    condition: Number | Choice | DateBetween | DateWithin | Flag | Unknown, value: ibis.Value, on: date
) -> ibis.expr.types.BooleanValue:
    """Return a condition on one field as a Boolean expression: null where the field is unknown."""
    match condition:
        case Number(low=low, high=high):
            return between(value, low, high)
        case Choice(values=values):
            return value.isin(values)
        case DateBetween(first=first, last=last):
            return between(value, first, last)
        case DateWithin(days=days):
            return value.between(on - timedelta(days=days), on)
        case Flag():
            return value if condition.value else ~value
        case Unknown():
            return value.isnull()


def between(value: ibis.Value, low: int | date | None, high: int | date | None) -> ibis.expr.types.BooleanValue:
    if low is None:
        return value <= high
    return value >= low if high is None else value.between(low, high)


def lot(members: ibis.Table, seed: int) -> ibis.expr.types.StringValue:
    """Return the lot of each member: the set form of rules.segments.match.draw."""
    return (ibis.literal(f"{seed}:") + members.member_id.cast("string")).hexdigest("md5")


def bought_predicate(condition: Bought, features: ibis.Table, on: date) -> ibis.expr.types.BooleanValue:
    """Return whether a member is among those whose purchases fit.

    Members without any fitting purchase have no row to count: where nothing is enough, those who bought otherwise are
    excluded instead.
    """
    bought = fitting_purchases(condition, on)
    totals = bought.group_by("member_id").aggregate(
        times=bought.sale_id.nunique(where=bought.kind == "sale"),
        quantity=bought.quantity_milli.sum(),
        amount=bought.total_minor.sum(),
    )
    columns = (totals.times, totals.quantity, totals.amount)
    checks = [
        between(column, low, high)
        for column, (low, high) in zip(columns, condition.bounds(), strict=True)
        if low is not None or high is not None
    ]
    fits = reduce(and_, checks)
    if condition.is_met_by(0, 0, 0):
        return ~features.member_id.isin(totals.filter(~fits).member_id)
    return features.member_id.isin(totals.filter(fits).member_id)


def fitting_purchases(condition: Bought, on: date) -> ibis.Table:
    """Return the lines of members (or receipts, where no goods are named) that a purchase condition lets through."""
    source = LINES if condition.names_goods else SALES
    first, last = bought_days(condition, on=on)
    filters = [source.member_id.notnull(), between(source.day, first, last)]
    if condition.products:
        filters.append(source.product_id.isin(condition.products))
    if condition.categories:
        leaf, top = source.category_id, source.top_category_id
        filters.append(leaf.isin(condition.categories) | top.isin(condition.categories))
    if condition.brands:
        filters.append(source.brand_id.isin(condition.brands))
    if condition.stores:
        filters.append(source.store_id.isin(condition.stores))
    if condition.weekdays:
        filters.append((source.day.day_of_week.index() + 1).isin(condition.weekdays))
    if condition.hours and condition.names_goods:
        filters.append(source.sale_id.isin(SALES.filter(SALES.hour.isin(condition.hours)).sale_id))
    elif condition.hours:
        filters.append(source.hour.isin(condition.hours))
    return source.filter(*filters)
