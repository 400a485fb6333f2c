"""What a report looks at: days and stores; and the facts that the plain definitions count."""

from dataclasses import dataclass
from datetime import date
from typing import Final, Protocol

from changke.kernel.periods import Period

PPM: Final = 1_000_000
NO_MEMBERS: Final = ("prospect", "merged", "erased")


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """The days of a report, both ends included, and its stores; None = all.

    Purchases belong to the store that sold, members to their home store.
    """

    period: Period
    store_ids: frozenset[int] | None = None

    def before(self) -> "Scope":
        """Return the same stores in the period of equal length just before: what figures are compared with."""
        return Scope(period=self.period.before(), store_ids=self.store_ids)

    def has_day(self, day: date | None) -> bool:
        return day is not None and self.period.first <= day <= self.period.last

    def has_store(self, store_id: int | None) -> bool:
        return self.store_ids is None or store_id in self.store_ids


@dataclass(frozen=True, slots=True, kw_only=True)
class LineFact:
    """A line of a sale or return; negative on a return."""

    product_id: int
    category_id: int | None
    top_category_id: int | None
    brand_id: int | None
    quantity_milli: int
    total_minor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SaleFact:
    """A sale or return; `member_id` None = anonymous, totals of a return are negative."""

    sale_id: int
    member_id: int | None
    store_id: int
    staff_id: int | None
    day: date
    hour: int
    is_return: bool
    total_minor: int
    lines: tuple[LineFact, ...] = ()


class MemberRow(Protocol):
    """The part of the wide row (rules.features.FeatureRow) that reports ask of a member by name."""

    @property
    def member_id(self) -> int: ...
    @property
    def status(self) -> str: ...
    @property
    def joined_on(self) -> date | None: ...
    @property
    def home_store_id(self) -> int | None: ...
    @property
    def recruiter_id(self) -> int | None: ...


def is_new(member: MemberRow, scope: Scope) -> bool:
    """Say whether somebody joined in the period and is a member still: no prospect, not merged into another."""
    joined = scope.has_day(member.joined_on) and scope.has_store(member.home_store_id)
    return joined and member.status not in NO_MEMBERS


def ppm(part: int, whole: int) -> int | None:
    """Return a share in millionths, rounded half up; None of nothing."""
    return (2 * PPM * part + whole) // (2 * whole) if whole > 0 else None


def mean(total: int, count: int) -> int | None:
    """Return a mean rounded half away from zero; None of nothing."""
    if count <= 0:
        return None
    size = (2 * abs(total) + count) // (2 * count)
    return size if total >= 0 else -size
