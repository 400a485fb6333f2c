"""Members over time: cohorts, the 20/80 curve, the intervals between visits, and groups by what is known of them."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from itertools import pairwise
from typing import Final

from changke.rules.reports.overview import buying_days, in_scope
from changke.rules.reports.scope import MemberRow, SaleFact, Scope, mean, ppm

STEPS: Final = 20  # points of the 20/80 curve: every 5 %
INTERVALS: Final = ((1, 7), (8, 14), (15, 30), (31, 60), (61, 90), (91, 180), (181, 365), (366, None))


class CohortBasis(StrEnum):
    JOINED = "joined"
    FIRST_PURCHASE = "first_purchase"


@dataclass(frozen=True, slots=True, kw_only=True)
class CohortCell:
    """Of the members who began in a month (its first day), those who bought `months` later and what they spent."""

    cohort: date
    months: int
    members: int
    buyers: int
    sales_minor: int

    @property
    def retention_ppm(self) -> int | None:
        return ppm(self.buyers, self.members)


@dataclass(frozen=True, slots=True, kw_only=True)
class LorenzPoint:
    """The best `members` of all buyers (`percent` of them, rounded up) and what they spent together."""

    percent: int
    members: int
    sales_minor: int
    share_ppm: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class IntervalRow:
    """How many intervals between two visits in a row lasted `days_from` to `days_to` days (None = longer)."""

    days_from: int
    days_to: int | None
    intervals: int


class GroupBy(StrEnum):
    """A field of the wide row to group members by."""

    AGE_BAND = "age_band"
    GENDER = "gender"
    REGION = "region_id"
    HOME_STORE = "home_store_id"
    SOURCE_CHANNEL = "source_channel"
    SPENDING_POWER = "spending_power"
    VALUE_LAYER = "value_layer"
    LIFE_CLASS = "life_class"
    STAGE = "stage"
    CARE_CLASS = "care_class"
    R_SCORE = "r_score"
    F_SCORE = "f_score"
    M_SCORE = "m_score"


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupRow:
    """The members of one group, those of them who bought in the period, and what they bought there."""

    key: str | int | None
    members: int
    buyers: int
    receipts: int
    sales_minor: int

    @property
    def mean_ticket_minor(self) -> int | None:
        return mean(self.sales_minor, self.receipts)

    @property
    def sales_per_buyer_minor(self) -> int | None:
        return mean(self.sales_minor, self.buyers)


def month_number(day: date) -> int:
    """Return months since year 0, so that months can be subtracted."""
    return 12 * day.year + day.month - 1


def list_cohorts(
    members: Sequence[MemberRow], sales: Sequence[SaleFact], *, scope: Scope, basis: CohortBasis
) -> tuple[CohortCell, ...]:
    """Return every cell of the triangle: cohorts that began in the period, month 0 up to its last month.

    Purchases are those in the scope's stores up to the last day, from the month of the beginning on.
    """
    bought = [
        s for s in sales if scope.has_store(s.store_id) and s.day <= scope.period.last and s.member_id is not None
    ]
    if basis is CohortBasis.JOINED:
        starts = {m.member_id: m.joined_on for m in members if m.joined_on and scope.has_store(m.home_store_id)}
    else:
        starts = {member: min(days) for member, days in buying_days(bought).items()}
    began = {member: day.replace(day=1) for member, day in starts.items() if scope.has_day(day)}
    buyers: dict[tuple[date, int], set[int]] = defaultdict(set)
    spent: Counter[tuple[date, int]] = Counter()
    for sale in bought:
        if sale.member_id is None or sale.member_id not in began:
            continue
        cohort = began[sale.member_id]
        cell = (cohort, month_number(sale.day) - month_number(cohort))
        spent[cell] += sale.total_minor
        if not sale.is_return:
            buyers[cell].add(sale.member_id)
    sizes = Counter(began.values())
    return fill_cohorts(sizes, {cell: len(found) for cell, found in buyers.items()}, spent, last=scope.period.last)


def fill_cohorts(
    sizes: dict[date, int], buyers: dict[tuple[date, int], int], spent: dict[tuple[date, int], int], *, last: date
) -> tuple[CohortCell, ...]:
    """Return the triangle with its empty cells, by cohort and month."""
    return tuple(
        CohortCell(
            cohort=cohort,
            months=months,
            members=size,
            buyers=buyers.get((cohort, months), 0),
            sales_minor=spent.get((cohort, months), 0),
        )
        for cohort, size in sorted(sizes.items())
        for months in range(month_number(last) - month_number(cohort) + 1)
    )


def list_lorenz(sales: Sequence[SaleFact], *, scope: Scope) -> tuple[LorenzPoint, ...]:
    """Return the 20/80 curve of the buyers of a period at 5 %, 10 % ... 100 % of them; empty without buyers."""
    found = in_scope(sales, scope)
    spent = dict.fromkeys(buying_days(found), 0)
    for sale in found:
        if sale.member_id in spent:
            spent[sale.member_id] += sale.total_minor
    ranked = sorted(spent.values(), reverse=True)
    steps = Counter({place * STEPS // len(ranked): 0 for place in range(len(ranked))})
    for place, value in enumerate(ranked):
        steps[place * STEPS // len(ranked)] += value
    return curve(steps, count=len(ranked))


def curve(spent_by_step: dict[int, int], *, count: int) -> tuple[LorenzPoint, ...]:
    """Return the points of a curve from what the members of each step (0 = best twentieth) spent."""
    total, so_far, points = sum(spent_by_step.values()), 0, []
    for step in range(STEPS if count else 0):
        so_far += spent_by_step.get(step, 0)
        points.append(
            LorenzPoint(
                percent=100 * (step + 1) // STEPS,
                members=-(-count * (step + 1) // STEPS),
                sales_minor=so_far,
                share_ppm=ppm(so_far, total),
            )
        )
    return tuple(points)


def list_intervals(sales: Sequence[SaleFact], *, scope: Scope) -> tuple[IntervalRow, ...]:
    """Return the histogram of days between a visit of the period and the visit before it, whenever that was."""
    counts: Counter[int] = Counter()
    for days in buying_days(sale for sale in sales if scope.has_store(sale.store_id)).values():
        for earlier, later in pairwise(sorted(days)):
            if scope.has_day(later):
                counts[interval_place((later - earlier).days)] += 1
    return interval_rows(counts)


def interval_place(days: int) -> int:
    """Return the place in INTERVALS of an interval of so many days."""
    return next(place for place, (_, last) in enumerate(INTERVALS) if last is None or days <= last)


def interval_rows(counts: dict[int, int]) -> tuple[IntervalRow, ...]:
    return tuple(
        IntervalRow(days_from=first, days_to=last, intervals=counts.get(place, 0))
        for place, (first, last) in enumerate(INTERVALS)
    )


def list_groups(
    members: Sequence[MemberRow], sales: Sequence[SaleFact], *, scope: Scope, by: GroupBy
) -> tuple[GroupRow, ...]:
    """Return one row a group in the order of its key, the unknown last; words by spelling, pages order them by meaning.

    `members` are those whose home store is in scope, buyers and sales those of the scope's stores, whatever the home.
    """
    key_of: dict[int, str | int | None] = {m.member_id: getattr(m, by.value) for m in members}
    sizes = Counter(key_of[m.member_id] for m in members if scope.has_store(m.home_store_id))
    found: dict[str | int | None, list[SaleFact]] = defaultdict(list)
    for sale in in_scope(sales, scope):
        if sale.member_id in key_of:
            found[key_of[sale.member_id]].append(sale)
    return tuple(
        GroupRow(
            key=key,
            members=sizes[key],
            buyers=len(buying_days(found[key])),
            receipts=sum(not sale.is_return for sale in found[key]),
            sales_minor=sum(sale.total_minor for sale in found[key]),
        )
        for key in in_order({*sizes, *found})
    )


def in_order(keys: Iterable[str | int | None]) -> list[str | int | None]:
    """Return keys ascending, numbers before words, None last."""
    return sorted(
        keys, key=lambda key: (key is None, isinstance(key, str), key if isinstance(key, int) else 0, str(key))
    )
