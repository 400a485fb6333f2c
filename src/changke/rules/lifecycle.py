"""The life cycle of a member: stage by time since registration, class by visits. The set form is insight/lifecycle.py.

All day counts are "days before T": d = T - last visit, and the window of W days holds the visits with T - day < W, so
that on the day of a visit d = 0 and the visit counts. docs/rules/lifecycle.md has the table and worked examples.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from itertools import pairwise


class LifeClass(StrEnum):
    NEW = "new"
    RETURNING = "returning"
    ACTIVE = "active"
    SLEEPING = "sleeping"
    LOST = "lost"
    UNBOUGHT = "unbought"  # registered, no visit


class Stage(StrEnum):
    INTRODUCTION = "introduction"
    GROWTH = "growth"
    MATURITY = "maturity"
    DORMANCY = "dormancy"
    LOSS = "loss"
    UNKNOWN = "unknown"  # neither a day of registration nor a visit


class AtExpected(StrEnum):
    """The class of a member with exactly the expected number of visits."""

    ACTIVE = "active"
    RETURNING = "returning"


class NewMeans(StrEnum):
    ONE_IN_WINDOW = "one_in_window"
    FIRST_EVER = "first_ever"


class Combine(StrEnum):
    AND = "and"
    OR = "or"


class VisitCount(StrEnum):
    VISIT_DAYS = "visit_days"
    RECEIPTS = "receipts"
    ITEMS = "items"  # in thousandths


SHIPPED_PRECEDENCE = (LifeClass.LOST, LifeClass.SLEEPING, LifeClass.NEW, LifeClass.RETURNING, LifeClass.ACTIVE)


@dataclass(frozen=True, slots=True, kw_only=True)
class StageStarts:
    """Days since registration on which each stage begins (ours: the sources name the stages only)."""

    growth: int = 30
    maturity: int = 180
    dormancy: int = 540
    loss: int = 720

    def __post_init__(self) -> None:
        if any(
            later <= earlier for earlier, later in pairwise((0, self.growth, self.maturity, self.dormancy, self.loss))
        ):
            raise ValueError("the stages begin one after another")


@dataclass(frozen=True, slots=True, kw_only=True)
class LifecycleSettings:
    """The settings of the class table: C, F, and those that resolve what the sources leave open.

    `lost_without_sends_after_days`: after so many days a sleeping member is lost whatever was sent; None = off.
    """

    cycle_days: int = 30  # C
    expected_visits: int = 3  # F
    at_expected: AtExpected = AtExpected.ACTIVE
    new_means: NewMeans = NewMeans.ONE_IN_WINDOW
    precedence: tuple[LifeClass, ...] = SHIPPED_PRECEDENCE
    lost_after_sends: int = 2
    lost_after_days: int = 60
    combine: Combine = Combine.AND
    lost_without_sends_after_days: int | None = None
    count: VisitCount = VisitCount.VISIT_DAYS
    stage_starts: StageStarts = field(default_factory=StageStarts)

    def __post_init__(self) -> None:
        if self.cycle_days < 1 or self.expected_visits < 2:
            raise ValueError("the cycle is at least a day and at least two visits are expected in a window")
        if sorted(self.precedence) != sorted(SHIPPED_PRECEDENCE):
            raise ValueError("the precedence names each of the five classes once")
        if self.lost_after_sends < 1 or self.lost_after_days < 0:
            raise ValueError("lost is decided after at least one wake-up")

    @property
    def window_days(self) -> int:
        """W = F x C."""
        return self.cycle_days * self.expected_visits

    @property
    def sleeping_from_days(self) -> int:
        return 2 * self.cycle_days

    @property
    def count_unit(self) -> int:
        return 1000 if self.count is VisitCount.ITEMS else 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """Purchases of one day in one store, with at least one receipt."""

    day: date
    receipts: int
    items_milli: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Opportunity:
    """A wake-up that was due, sent or withheld: both count."""

    due_on: date
    offer_ends_on: date


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """A member's class on a day with the figures that decided it. `origin_class`: of the sleeping and the lost."""

    life_class: LifeClass
    origin_class: LifeClass | None
    recency_days: int | None
    visits_in_window: int
    unanswered_wakes: int


def classify_member(
    visits: Sequence[Visit], *, opportunities: Iterable[Opportunity] = (), on: date, settings: LifecycleSettings
) -> Standing:
    """Decide the one class of a member on day `on` from the visits up to that day, by the class table."""
    seen = [visit for visit in visits if visit.day <= on]
    if not seen:
        return Standing(
            life_class=LifeClass.UNBOUGHT, origin_class=None, recency_days=None, visits_in_window=0, unanswered_wakes=0
        )
    last = max(visit.day for visit in seen)
    unanswered = [wake.due_on for wake in opportunities if wake.due_on > last and wake.offer_ends_on < on]
    now = _decide(seen, on=on, lost=_is_lost(unanswered, last=last, on=on, settings=settings), settings=settings)
    asleep = now in (LifeClass.SLEEPING, LifeClass.LOST)
    return Standing(
        life_class=now,
        origin_class=_decide(seen, on=last, lost=False, settings=settings) if asleep else None,
        recency_days=(on - last).days,
        visits_in_window=_measure(seen, on=on, settings=settings),
        unanswered_wakes=len(unanswered),
    )


def _is_lost(unanswered: Sequence[date], *, last: date, on: date, settings: LifecycleSettings) -> bool:
    """Tell whether the wake-ups after the last visit whose offers lapsed unanswered, or plain time, make a sleeper
    lost.
    """
    quiet_for = settings.lost_without_sends_after_days
    if quiet_for is not None and (on - last).days >= quiet_for:
        return True
    enough_sends = len(unanswered) >= settings.lost_after_sends
    enough_days = bool(unanswered) and (on - min(unanswered)).days >= settings.lost_after_days
    if settings.combine is Combine.AND:
        return enough_sends and enough_days
    return enough_sends or enough_days


def _decide(visits: Sequence[Visit], *, on: date, lost: bool, settings: LifecycleSettings) -> LifeClass:
    recency = (on - max(visit.day for visit in visits)).days
    days = {visit.day for visit in visits}
    awake = recency < settings.window_days
    count, unit = _measure(visits, on=on, settings=settings), settings.count_unit
    expected = settings.expected_visits * unit
    one = awake and count <= unit
    new = one and (settings.new_means is NewMeans.ONE_IN_WINDOW or len(days) == 1)
    active = awake and (count > expected or (count == expected and settings.at_expected is AtExpected.ACTIVE))
    holds = {
        LifeClass.SLEEPING: recency >= settings.sleeping_from_days,
        LifeClass.LOST: recency >= settings.sleeping_from_days and lost,
        LifeClass.NEW: new,
        LifeClass.ACTIVE: active,
        LifeClass.RETURNING: awake and not new and not active,
    }
    return next(life_class for life_class in settings.precedence if holds[life_class])


def _measure(visits: Iterable[Visit], *, on: date, settings: LifecycleSettings) -> int:
    inside = [visit for visit in visits if 0 <= (on - visit.day).days < settings.window_days]
    if settings.count is VisitCount.VISIT_DAYS:
        return len({visit.day for visit in inside})
    return sum(visit.receipts if settings.count is VisitCount.RECEIPTS else visit.items_milli for visit in inside)


def stage_on(day: date, *, joined_on: date | None, first_visit_on: date | None, starts: StageStarts) -> Stage:
    """Return the stage by days since registration; where that is unknown, since the first visit."""
    since = joined_on or first_visit_on
    if since is None:
        return Stage.UNKNOWN
    age = (day - since).days
    for stage, start in (
        (Stage.LOSS, starts.loss),
        (Stage.DORMANCY, starts.dormancy),
        (Stage.MATURITY, starts.maturity),
        (Stage.GROWTH, starts.growth),
    ):
        if age >= start:
            return stage
    return Stage.INTRODUCTION
