"""The overview: key figures of a period, its days, and what new members, old members and strangers bought."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from changke.rules.reports.scope import MemberRow, SaleFact, Scope, is_new, mean, ppm


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyFigures:
    """Counts of a period and the rates that follow from them.

    Members are counted by their present status. A buyer has a sale in the period; a repeat buyer has sales on two or
    more of its days; `kept_members` bought in the period before and in this one. `new_buyers` joined and bought in it.
    """

    members_formal: int  # joined by the end of the period, or on an unknown day
    members_provisional: int
    new_members: int
    new_buyers: int
    buyers: int
    repeat_buyers: int
    buyers_before: int
    kept_members: int
    receipts: int
    member_receipts: int
    sales_minor: int  # net of returns
    member_sales_minor: int

    @property
    def member_share_ppm(self) -> int | None:
        """Return the share of sales that members bring."""
        return ppm(self.member_sales_minor, self.sales_minor)

    @property
    def mean_ticket_minor(self) -> int | None:
        return mean(self.sales_minor, self.receipts)

    @property
    def member_mean_ticket_minor(self) -> int | None:
        return mean(self.member_sales_minor, self.member_receipts)

    @property
    def repurchase_ppm(self) -> int | None:
        """Return the share of buyers who bought on two or more days."""
        return ppm(self.repeat_buyers, self.buyers)

    @property
    def retention_ppm(self) -> int | None:
        """Return the share of the last period's buyers who bought again."""
        return ppm(self.kept_members, self.buyers_before)

    @property
    def conversion_ppm(self) -> int | None:
        """Return the share of non-members' purchases that made a member: new buyers to them and anonymous receipts."""
        return ppm(self.new_buyers, self.new_buyers + self.receipts - self.member_receipts)


@dataclass(frozen=True, slots=True, kw_only=True)
class DayRow:
    day: date
    receipts: int
    buyers: int  # members
    sales_minor: int
    member_sales_minor: int


class Novelty(StrEnum):
    NEW = "new"  # first purchase of all in the period
    OLD = "old"
    ANONYMOUS = "anonymous"


@dataclass(frozen=True, slots=True, kw_only=True)
class NoveltyRow:
    novelty: Novelty
    buyers: int  # 0 for strangers: nobody knows how many they are
    receipts: int
    sales_minor: int


def in_scope(sales: Iterable[SaleFact], scope: Scope) -> list[SaleFact]:
    return [sale for sale in sales if scope.has_day(sale.day) and scope.has_store(sale.store_id)]


def buying_days(sales: Iterable[SaleFact]) -> dict[int, set[date]]:
    """Return the days on which each member bought; a return is no visit."""
    days: dict[int, set[date]] = defaultdict(set)
    for sale in sales:
        if sale.member_id is not None and not sale.is_return:
            days[sale.member_id].add(sale.day)
    return days


def count_key_figures(members: Sequence[MemberRow], sales: Sequence[SaleFact], *, scope: Scope) -> KeyFigures:
    """Count the key figures of a scope."""
    here = [member for member in members if scope.has_store(member.home_store_id)]
    joined = [m for m in here if m.joined_on is None or m.joined_on <= scope.period.last]
    new = {member.member_id for member in members if is_new(member, scope)}
    now = in_scope(sales, scope)
    days = buying_days(now)
    before = buying_days(in_scope(sales, scope.before()))
    receipts = [sale for sale in now if not sale.is_return]
    return KeyFigures(
        members_formal=sum(member.status == "formal" for member in joined),
        members_provisional=sum(member.status == "provisional" for member in joined),
        new_members=len(new),
        new_buyers=len(new & set(days)),
        buyers=len(days),
        repeat_buyers=sum(len(found) > 1 for found in days.values()),
        buyers_before=len(before),
        kept_members=len(set(days) & set(before)),
        receipts=len(receipts),
        member_receipts=sum(sale.member_id is not None for sale in receipts),
        sales_minor=sum(sale.total_minor for sale in now),
        member_sales_minor=sum(sale.total_minor for sale in now if sale.member_id is not None),
    )


def list_days(sales: Sequence[SaleFact], *, scope: Scope) -> tuple[DayRow, ...]:
    """Return one row a day with any sale or return."""
    by_day: dict[date, list[SaleFact]] = defaultdict(list)
    for sale in in_scope(sales, scope):
        by_day[sale.day].append(sale)
    return tuple(
        DayRow(
            day=day,
            receipts=sum(not sale.is_return for sale in found),
            buyers=len(buying_days(found)),
            sales_minor=sum(sale.total_minor for sale in found),
            member_sales_minor=sum(sale.total_minor for sale in found if sale.member_id is not None),
        )
        for day, found in sorted(by_day.items())
    )


def list_novelty(sales: Sequence[SaleFact], *, scope: Scope) -> tuple[NoveltyRow, ...]:
    """Return one row each for new members, old members and strangers, new to the scope's stores."""
    first = {m: min(days) for m, days in buying_days(s for s in sales if scope.has_store(s.store_id)).items()}
    found: dict[Novelty, list[SaleFact]] = {novelty: [] for novelty in Novelty}
    for sale in in_scope(sales, scope):
        if sale.member_id is None:
            found[Novelty.ANONYMOUS].append(sale)
        else:
            is_new = scope.has_day(first.get(sale.member_id))
            found[Novelty.NEW if is_new else Novelty.OLD].append(sale)
    return tuple(
        NoveltyRow(
            novelty=novelty,
            buyers=len(buying_days(group)),
            receipts=sum(not sale.is_return for sale in group),
            sales_minor=sum(sale.total_minor for sale in group),
        )
        for novelty, group in found.items()
    )
