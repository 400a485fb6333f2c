"""RFM scores of members: recency, frequency and money cut in fifths, 5 = best. The set form is insight/rfm.py.

Goodness is what is sorted: the day of the last purchase, the frequency, the money; a higher one never scores lower. The
fixed order of equal values is the member id. docs/rules/rfm.md explains the methods with worked examples.
"""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from fractions import Fraction
from typing import Final

FIFTHS: Final = 5


class RfmMethod(StrEnum):
    STRICT = "strict"  # five equal parts by a fixed order; a tie may be split
    TIE_SAFE = "tie_safe"  # equal values share the score of the first of them
    QUANTILE = "quantile"  # type-7 quantiles plus one unit, as the R package rfm


class FrequencyMeasure(StrEnum):
    RECEIPTS = "receipts"
    VISIT_DAYS = "visit_days"
    ITEMS = "items"  # in thousandths


class MonetaryMeasure(StrEnum):
    NET = "net"  # less returns
    GROSS = "gross"


class Population(StrEnum):
    BOUGHT_IN_PERIOD = "bought_in_period"
    EVER = "ever"
    ALL = "all"


@dataclass(frozen=True, slots=True, kw_only=True)
class RfmSettings:
    """How a run scores. The period ends the day before the analysis date and begins by days or by date (None = all
    history).

    `store_ids` and `category_ids` narrow what counts as a purchase (empty = everything). `money_unit_minor` is the
    minor units of one unit of money: the "plus one" of method quantile.
    """

    method: RfmMethod = RfmMethod.STRICT
    frequency: FrequencyMeasure = FrequencyMeasure.RECEIPTS
    monetary: MonetaryMeasure = MonetaryMeasure.NET
    population: Population = Population.BOUGHT_IN_PERIOD
    period_days: int | None = None
    period_first: date | None = None
    store_ids: tuple[int, ...] = ()
    category_ids: tuple[int, ...] = ()
    money_unit_minor: int = 100

    def __post_init__(self) -> None:
        if self.period_days is not None and (self.period_days < 1 or self.period_first is not None):
            raise ValueError("a period begins either a positive number of days back or on a date")

    @property
    def frequency_unit(self) -> int:
        return 1000 if self.frequency is FrequencyMeasure.ITEMS else 1

    def first_day(self, as_of: date) -> date | None:
        """Return the first day of the period that ends the day before `as_of`; None = since the beginning."""
        return as_of - timedelta(days=self.period_days) if self.period_days is not None else self.period_first


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberTotals:
    """What is scored of one member of the population; `last_on` None = never bought, which is older than any day."""

    member_id: int
    last_on: date | None
    frequency: int
    monetary_minor: int

    def recency(self, as_of: date) -> int:
        return as_of.toordinal() - (self.last_on.toordinal() if self.last_on else 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class RfmScore:
    member_id: int
    r: int
    f: int
    m: int

    @property
    def cell(self) -> int:
        return 100 * self.r + 10 * self.f + self.m


@dataclass(frozen=True, slots=True, kw_only=True)
class CutPoint:
    """Where a fifth ends. Methods strict and tie_safe: the last value (and member, if strict) of the lower fifth.

    Method quantile: the first value of the next one. Recency in days, frequency and money in their units.
    """

    value: Fraction
    member_id: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CutPoints:
    """Four cut points a measure, from the lowest score to the highest (quantile: recency from few days to many)."""

    recency: tuple[CutPoint, ...]
    frequency: tuple[CutPoint, ...]
    monetary: tuple[CutPoint, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RfmOutcome:
    """Scores in the order of the totals, their cut points, and how many members a tie puts beside an equal with another
    score.
    """

    scores: tuple[RfmScore, ...]
    cuts: CutPoints
    split_by_ties: tuple[int, int, int]  # of R, F, M


def score_members(totals: Sequence[MemberTotals], *, settings: RfmSettings, as_of: date) -> RfmOutcome:
    """Score the whole population at once; every member gets R, F and M of 1 to 5."""
    measures = (
        [(-row.recency(as_of), row.member_id) for row in totals],
        [(row.frequency, row.member_id) for row in totals],
        [(row.monetary_minor, row.member_id) for row in totals],
    )
    units = (1, settings.frequency_unit, settings.money_unit_minor)
    if settings.method is RfmMethod.QUANTILE:
        days = [(row.recency(as_of), row.member_id) for row in totals]
        cuts = tuple(_quantile_cuts(keys, unit=unit) for keys, unit in zip((days, *measures[1:]), units, strict=True))
        scores = (
            [FIFTHS - _passed(value, cuts[0]) for value, _ in days],
            *([1 + _passed(value, cut) for value, _ in keys] for keys, cut in zip(measures[1:], cuts[1:], strict=True)),
        )
    else:
        score = _strict_scores if settings.method is RfmMethod.STRICT else _tie_safe_scores
        scores = tuple(score(keys) for keys in measures)
        with_member = settings.method is RfmMethod.STRICT
        cuts = tuple(_ends_of_fifths(keys, with_member=with_member) for keys in measures)
        cuts = (tuple(CutPoint(value=-cut.value, member_id=cut.member_id) for cut in cuts[0]), *cuts[1:])
    return RfmOutcome(
        scores=tuple(
            RfmScore(member_id=row.member_id, r=r, f=f, m=m) for row, r, f, m in zip(totals, *scores, strict=True)
        ),
        cuts=CutPoints(recency=cuts[0], frequency=cuts[1], monetary=cuts[2]),
        split_by_ties=tuple(_split(keys, got) for keys, got in zip(measures, scores, strict=True)),  # type: ignore[arg-type]
    )


def ends_of_fifths(count: int) -> tuple[int, ...]:
    """Return the positions (from 0) of the last member of the lower four of five equal parts; none where there is
    nobody.
    """
    return tuple(-(-part * count // FIFTHS) - 1 for part in range(1, FIFTHS)) if count else ()


def quantile_positions(count: int) -> tuple[tuple[int, int, Fraction], ...]:
    """Return for 20, 40, 60 and 80 % the two neighbours and the way between them of a type-7 quantile (Hyndman, Fan
    1996).
    """
    if not count:
        return ()
    steps = [divmod((count - 1) * part, FIFTHS) for part in range(1, FIFTHS)]
    return tuple((low, min(low + 1, count - 1), Fraction(rest, FIFTHS)) for low, rest in steps)


def _strict_scores(keys: Sequence[tuple[int, int]]) -> list[int]:
    place = {key: position for position, key in enumerate(sorted(keys))}
    return [1 + place[key] * FIFTHS // len(keys) for key in keys]


def _tie_safe_scores(keys: Sequence[tuple[int, int]]) -> list[int]:
    values = sorted(value for value, _ in keys)
    return [1 + bisect_left(values, value) * FIFTHS // len(values) for value, _ in keys]


def _ends_of_fifths(keys: Sequence[tuple[int, int]], *, with_member: bool) -> tuple[CutPoint, ...]:
    ordered = sorted(keys)
    ends = [ordered[position] for position in ends_of_fifths(len(ordered))]
    return tuple(CutPoint(value=Fraction(value), member_id=member if with_member else None) for value, member in ends)


def _quantile_cuts(keys: Sequence[tuple[int, int]], *, unit: int) -> tuple[CutPoint, ...]:
    values = sorted(value for value, _ in keys)
    return tuple(
        CutPoint(value=values[low] + way * (values[high] - values[low]) + unit)
        for low, high, way in quantile_positions(len(values))
    )


def _passed(value: int, cuts: Sequence[CutPoint]) -> int:
    return sum(value >= cut.value for cut in cuts)


def _split(keys: Sequence[tuple[int, int]], scores: Sequence[int]) -> int:
    got: dict[int, set[int]] = {}
    for (value, _), score in zip(keys, scores, strict=True):
        got.setdefault(value, set()).add(score)
    return sum(len(got[value]) > 1 for value, _ in keys)


@dataclass(frozen=True, slots=True, kw_only=True)
class CellRule:
    """A named set of RFM cells: each score from..to, both included."""

    name: str
    r: tuple[int, int] = (1, 5)
    f: tuple[int, int] = (1, 5)
    m: tuple[int, int] = (1, 5)

    def matches(self, score: RfmScore) -> bool:
        return all(
            low <= got <= high
            for got, (low, high) in zip((score.r, score.f, score.m), (self.r, self.f, self.m), strict=True)
        )


# Ours; a user edits them. The first rule that matches names the cell, and together they name all 125.
SHIPPED_CELL_RULES: Final = (
    CellRule(name="champions", r=(5, 5), f=(5, 5), m=(5, 5)),
    CellRule(name="keep_close", r=(4, 5), f=(4, 5)),
    CellRule(name="win_back_first", r=(1, 2), f=(4, 5), m=(4, 5)),
    CellRule(name="remind", r=(2, 3), f=(3, 5)),
    CellRule(name="grow", r=(3, 5), f=(2, 3)),
    CellRule(name="second_purchase", r=(4, 5), f=(1, 1)),
    CellRule(name="big_ticket_rare", r=(1, 3), f=(1, 3), m=(4, 5)),
    CellRule(name="fading", r=(2, 3)),
    CellRule(name="let_rest"),
)


def name_cell(score: RfmScore, *, rules: Sequence[CellRule] = SHIPPED_CELL_RULES) -> str | None:
    """Return the name of the first rule that matches the cell, or None."""
    return next((rule.name for rule in rules if rule.matches(score)), None)
