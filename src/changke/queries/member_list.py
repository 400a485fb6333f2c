"""The list of members: filtered, sorted, in pages, with counts that say when they are estimates.

Answers come from PostgreSQL and are current, but for filters that only the analysis knows (life-cycle class): those are
answered by the lake as of its analysis date, who spent most first.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from enum import StrEnum
from typing import Any, Final

from django.db import connection
from django.db.models import F, Q, QuerySet
from django.db.models.expressions import RawSQL

from changke.insight.maps import best_sql
from changke.insight.segments import count_segment
from changke.queries.lake import current_lake
from changke.queries.member_features import load_features
from changke.queries.member_search import find_members
from changke.queries.members import members_within
from changke.queries.segments import within_reach
from changke.queries.settings import load_setting
from changke.records.models import Member, MemberTag, Store, Tag
from changke.rules.features import FeatureRow
from changke.rules.members import GONE, Gender, MemberSettings, MemberStatus, SourceChannel
from changke.rules.names import mask_name
from changke.rules.phones import format_phone, mask_email, mask_phone
from changke.rules.segments import AllOf, BirthdayWithin, Choice, DateBetween, Segment, TagMode, Tags, Tree
from changke.rules.staff import Permission, Viewer, require

PAGED_MAX: Final = 10_000  # nobody leafs further
EXACT_MAX: Final = 50_000  # more than so many are estimated
SAMPLED_FROM: Final = 100_000  # facets of a longer list are counted in a sample
SAMPLE: Final = 10_000
PAGE_SIZE: Final = 50
SEARCH_MAX: Final = 500
FEW_STORES: Final = 20  # a reach of at most one store in so many is listed from its sales, a wider one filtered
FACETS: Final = ("status", "gender", "home_store_id", "region_id", "source_channel")


class MemberSort(StrEnum):
    JOINED = "joined"
    LAST_PURCHASE = "last_purchase"
    BIRTHDAY = "birthday"
    CODE = "code"


SORT_COLUMNS: Final = {
    MemberSort.JOINED: "joined_on",
    MemberSort.LAST_PURCHASE: "last_sale_on",
    MemberSort.BIRTHDAY: "next_birthday_on",
    MemberSort.CODE: "code",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberFilter:
    """What the list shows; an empty set filters nothing. `birthday_within_days` counts from today, 0 = today only."""

    text: str = ""
    statuses: tuple[MemberStatus, ...] = ()
    genders: tuple[Gender, ...] = ()
    store_ids: tuple[int, ...] = ()
    region_ids: tuple[int, ...] = ()
    sources: tuple[SourceChannel, ...] = ()
    tag_ids: tuple[int, ...] = ()
    recruiter_ids: tuple[int, ...] = ()
    life_classes: tuple[str, ...] = ()
    joined_from: date | None = None
    joined_until: date | None = None
    birthday_within_days: int | None = None
    sort: MemberSort = MemberSort.JOINED
    is_descending: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberRow:
    """A line of the list. Contacts are masked, the name too unless the viewer may see contacts."""

    id: int
    public_id: str
    code: str
    name: str
    phone: str
    email: str
    status: MemberStatus
    gender: Gender
    home_store_id: int | None
    region_id: int | None
    recruiter_id: int | None
    source: SourceChannel
    joined_on: date | None
    first_sale_on: date | None
    last_sale_on: date | None
    next_birthday_on: date | None
    valid_until: date | None
    tags: tuple[str, ...]
    features: FeatureRow | None


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberContacts:
    """Contacts in clear, for an export that somebody answers for."""

    name: str
    phone: str
    email: str
    address: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Count:
    """How many: exactly, or by the planner's estimate."""

    number: int
    is_exact: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberPage:
    """One page; `as_of` is the analysis date where the lake answered, and such a list goes by value."""

    rows: tuple[MemberRow, ...]
    total: Count
    as_of: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FacetCounts:
    """How many of the list have each value, by column; estimates where the list is long."""

    counts: dict[str, dict[Any, int]] = field(default_factory=dict)
    is_exact: bool = True


def list_members(viewer: Viewer, *, wanted: MemberFilter, today: date, page: int, size: int = PAGE_SIZE) -> MemberPage:
    """Return one page (from 1) of the members within reach; pages end after PAGED_MAX rows."""
    require(viewer, permission=Permission.SEE_MEMBERS)
    first = min((page - 1) * size, PAGED_MAX - size)
    if wanted.life_classes and (lake := current_lake()) is not None:
        scoped = within_reach(viewer, definition=Segment(where=_tree(viewer, wanted=wanted)))
        found = lake.reader.run_sql(best_sql(scoped.where, on=lake.as_of, first=first, size=size))
        ids = found.column("member_id").to_pylist()
        members = {row.id: row for row in Member.objects.filter(id__in=ids).exclude(status__in=GONE)}
        total = Count(number=count_segment(scoped, lake=lake.reader, on=lake.as_of), is_exact=True)
        rows = _rows(viewer, members=[members[number] for number in ids if number in members])
        return MemberPage(rows=rows, total=total, as_of=lake.as_of)
    chosen = filter_members(viewer, wanted=wanted, today=today)
    return MemberPage(
        rows=_rows(viewer, members=_slice(chosen, wanted=wanted, first=first, size=size)), total=count_rows(chosen)
    )


def list_all_ids(viewer: Viewer, *, wanted: MemberFilter, today: date) -> list[int]:
    """Return the ids of every member of a filter, ascending: what a bulk action or an export works on."""
    require(viewer, permission=Permission.SEE_MEMBERS)
    if wanted.life_classes and (lake := current_lake()) is not None:
        scoped = within_reach(viewer, definition=Segment(where=_tree(viewer, wanted=wanted)))
        size = count_segment(scoped, lake=lake.reader, on=lake.as_of)
        found = lake.reader.run_sql(best_sql(scoped.where, on=lake.as_of, first=0, size=size))
        return sorted(found.column("member_id").to_pylist())
    return list(filter_members(viewer, wanted=wanted, today=today).order_by("id").values_list("id", flat=True))


def each_member(viewer: Viewer, *, member_ids: Sequence[int], batch: int = 1000) -> Iterator[MemberRow]:
    """Yield rows of the list by id in batches: exports hold a batch in memory, never the list."""
    for start in range(0, len(member_ids), batch):
        some = members_within(viewer).filter(id__in=member_ids[start : start + batch]).exclude(status__in=GONE)
        yield from _rows(viewer, members=list(some.order_by("id")))


def load_contacts(viewer: Viewer, *, member_ids: Sequence[int]) -> dict[int, MemberContacts]:
    """Return contacts in clear by member id; phones as people at home read them."""
    require(viewer, permission=Permission.REVEAL_CONTACTS)
    country = load_setting(MemberSettings).home_country
    rows = members_within(viewer).filter(id__in=member_ids).values_list("id", "name", "phone", "email", "address")
    return {
        number: MemberContacts(name=name, phone=format_phone(phone, country=country), email=email, address=address)
        for number, name, phone, email, address in rows
    }


def count_facets(viewer: Viewer, *, wanted: MemberFilter, today: date, total: Count) -> FacetCounts:
    """Count the values of each facet in the list; a long list is counted in a sample of its blocks and scaled up."""
    if not total.number:
        return FacetCounts()
    chosen = filter_members(viewer, wanted=wanted, today=today)
    is_sampled = not total.is_exact and total.number > SAMPLED_FROM
    if is_sampled:
        share = 100.0 * SAMPLE / total.number
        chosen = chosen.filter(id__in=RawSQL("SELECT id FROM members TABLESAMPLE SYSTEM (%s) REPEATABLE (1)", [share]))
    statement, parameters = chosen.order_by().values(*FACETS).query.sql_with_params()
    columns = ", ".join(FACETS)
    sets = ", ".join(f"({name})" for name in FACETS)
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT GROUPING({columns}), {columns}, count(*) FROM ({statement}) AS list"  # noqa: S608
            f" GROUP BY GROUPING SETS ({sets}, ())",
            parameters,
        )
        rows = cursor.fetchall()
    seen = next((row[-1] for row in rows if row[0] == 2 ** len(FACETS) - 1), 0)
    counts: dict[str, dict[Any, int]] = {name: {} for name in FACETS}
    for mask, *values, number in rows:
        for place, name in enumerate(FACETS):
            if mask == 2 ** len(FACETS) - 1 - 2 ** (len(FACETS) - 1 - place):
                counts[name][values[place]] = number * total.number // max(seen, 1) if is_sampled else number
    return FacetCounts(counts=counts, is_exact=not is_sampled)


def count_rows(chosen: QuerySet[Member]) -> Count:
    """Count exactly up to EXACT_MAX; above that return the planner's estimate, which costs no scan."""
    statement, parameters = chosen.order_by().values("id").query.sql_with_params()
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM ({statement} LIMIT {EXACT_MAX + 1}) AS list", parameters)  # noqa: S608
        number = int(cursor.fetchone()[0])
        if number <= EXACT_MAX:
            return Count(number=number, is_exact=True)
        cursor.execute(f"EXPLAIN (FORMAT JSON) {statement}", parameters)
        plan = cursor.fetchone()[0]
    plan = json.loads(plan) if isinstance(plan, str) else plan
    return Count(number=max(number, int(plan[0]["Plan"]["Plan Rows"])), is_exact=False)


def filter_members(viewer: Viewer, *, wanted: MemberFilter, today: date) -> QuerySet[Member]:
    """Return the members of a filter within reach, in no order; merged and erased ones are never listed."""
    chosen = _within(viewer).exclude(status__in=[*GONE])
    for column, values in (
        ("status", wanted.statuses),
        ("gender", wanted.genders),
        ("home_store_id", wanted.store_ids),
        ("region_id", wanted.region_ids),
        ("source_channel", wanted.sources),
        ("recruiter_id", wanted.recruiter_ids),
    ):
        if values:
            chosen = chosen.filter(**{f"{column}__in": [*values]})
    if wanted.tag_ids:
        chosen = chosen.filter(id__in=MemberTag.objects.filter(tag_id__in=wanted.tag_ids).values("member_id"))
    if wanted.joined_from:
        chosen = chosen.filter(joined_on__gte=wanted.joined_from)
    if wanted.joined_until:
        chosen = chosen.filter(joined_on__lte=wanted.joined_until)
    if wanted.birthday_within_days is not None:
        until = today + timedelta(days=wanted.birthday_within_days)
        chosen = chosen.filter(next_birthday_on__range=(today, until))
    if wanted.text.strip():
        hits = find_members(viewer, text=wanted.text, limit=SEARCH_MAX)
        chosen = chosen.filter(id__in=[hit.member_id for hit in hits] or [-1])
    return chosen


def _within(viewer: Viewer) -> QuerySet[Member]:
    """Return members_within; for few of many stores from the other end, or a page would pass over the whole company."""
    if viewer.store_ids is None or len(viewer.store_ids) * FEW_STORES > Store.objects.count():
        return members_within(viewer)
    stores = list(viewer.store_ids)
    near = RawSQL(
        "SELECT id FROM members WHERE home_store_id = ANY(%s)"
        " UNION SELECT member_id FROM sales WHERE store_id = ANY(%s) AND member_id IS NOT NULL",
        [stores, stores],
    )
    return Member.objects.filter(id__in=near)


def _slice(chosen: QuerySet[Member], *, wanted: MemberFilter, first: int, size: int) -> list[Member]:
    """Return one page in the wanted order, rows without a value last. Both halves follow the index of the column."""
    column = SORT_COLUMNS[wanted.sort]
    sign = "-" if wanted.is_descending else ""
    known = chosen.filter(~Q(**{column: None})) if wanted.sort is not MemberSort.CODE else chosen
    rows = list(known.order_by(f"{sign}{column}", f"{sign}id")[first : first + size])
    if len(rows) < size and wanted.sort is not MemberSort.CODE:
        passed = first - known.count() if first and not rows else 0
        rest = chosen.filter(**{column: None}).order_by("-id")
        rows += list(rest[max(0, passed) : max(0, passed) + size - len(rows)])
    return rows


def _rows(viewer: Viewer, *, members: Sequence[Member]) -> tuple[MemberRow, ...]:
    ids = [member.id for member in members]
    tags: dict[int, list[str]] = {}
    for member_id, name in (
        MemberTag.objects.filter(member_id__in=ids).order_by("tag__name").values_list("member_id", F("tag__name"))
    ):
        tags.setdefault(member_id, []).append(name)
    features = load_features(ids)
    may_see = viewer.may(Permission.REVEAL_CONTACTS)
    return tuple(
        MemberRow(
            id=member.id,
            public_id=member.public_id,
            code=member.code,
            name=member.name if may_see else mask_name(member.name),
            phone=mask_phone(member.phone),
            email=mask_email(member.email),
            status=MemberStatus(member.status),
            gender=Gender(member.gender),
            home_store_id=member.home_store_id,
            region_id=member.region_id,
            recruiter_id=member.recruiter_id,
            source=SourceChannel(member.source_channel),
            joined_on=member.joined_on,
            first_sale_on=member.first_sale_on,
            last_sale_on=member.last_sale_on,
            next_birthday_on=member.next_birthday_on,
            valid_until=member.valid_until,
            tags=tuple(tags.get(member.id, ())),
            features=features.get(member.id),
        )
        for member in members
    )


def _tree(viewer: Viewer, *, wanted: MemberFilter) -> Tree:
    """Return the filter as a tree of the segment language; birthdays count from the analysis date there."""
    parts: list[Tree] = [Choice(field="life_class", values=wanted.life_classes)]
    words = (("status", wanted.statuses), ("gender", wanted.genders), ("source_channel", wanted.sources))
    numbers = (
        ("home_store_id", wanted.store_ids),
        ("region_id", wanted.region_ids),
        ("recruiter_id", wanted.recruiter_ids),
    )
    parts += [Choice(field=name, values=tuple(value.value for value in values)) for name, values in words if values]
    parts += [Choice(field=name, values=values) for name, values in numbers if values]
    if wanted.tag_ids:
        names = Tag.objects.filter(id__in=wanted.tag_ids).values_list("name", flat=True)
        parts.append(Tags(mode=TagMode.ANY, tags=tuple(names)))
    if wanted.joined_from or wanted.joined_until:
        parts.append(DateBetween(field="joined_on", first=wanted.joined_from, last=wanted.joined_until))
    if wanted.birthday_within_days is not None:
        parts.append(BirthdayWithin(days=wanted.birthday_within_days))
    if wanted.text.strip():
        hits = find_members(viewer, text=wanted.text, limit=SEARCH_MAX)
        parts.append(Choice(field="member_id", values=tuple(hit.member_id for hit in hits) or (-1,)))
    return AllOf(parts=tuple(parts))
