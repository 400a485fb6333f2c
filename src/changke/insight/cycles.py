"""The purchase cycle of the data, of the house and of each store, and the backtest of candidates for C."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, timedelta
from fractions import Fraction

import ibis
from ibis.backends.duckdb import Backend

from changke.insight.engine import Facts, keep, rows_of
from changke.insight.movement import classes_on
from changke.insight.ranking import values_at
from changke.rules.cycles import ClassOutcome, Cycle, brier_score
from changke.rules.lifecycle import LifeClass, LifecycleSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class CycleScore:
    """A candidate for C with the Brier score of its classes on the held-out days; lower is better."""

    cycle_days: int
    brier: Fraction


@dataclass(frozen=True, slots=True, kw_only=True)
class CycleBacktest:
    """Candidates, best first, judged by visits in [held_out_on, held_out_on + horizon) with shares learnt a horizon
    earlier.

    `base_brier` is the score of giving everybody the share of all: what a useful candidate beats.
    """

    horizon_days: int
    held_out_on: date
    members: int
    base_brier: Fraction
    scores: tuple[CycleScore, ...]


def measure_cycle(engine: Backend, facts: Facts, *, as_of: date) -> Cycle | None:
    """Return the cycle of the house before a date; None where nobody came twice.

    Only finished intervals are seen: who stays away adds none, so the true cycle is longer than the mean says.
    """
    intervals = _intervals(facts, as_of=as_of)
    return _cycles(engine, intervals.mutate(of=ibis.literal(0, "int64"))).get(0)


def measure_cycles_by_store(engine: Backend, facts: Facts, *, as_of: date) -> dict[int, Cycle]:
    """Return the cycle of each store: of the intervals that ended with a visit there."""
    intervals = _intervals(facts, as_of=as_of)
    return _cycles(engine, intervals.mutate(of=intervals.store_id))


def backtest_cycles(
    engine: Backend, facts: Facts, *, candidates: Iterable[int], as_of: date, settings: LifecycleSettings
) -> CycleBacktest | None:
    """Say which candidate for C predicts visits best, on the last horizon before `as_of`; None with too little data.

    The horizon is the decreed C of the settings, the same for all candidates.
    """
    horizon = timedelta(days=settings.cycle_days)
    held_out_on, learnt_on = as_of - horizon, as_of - 2 * horizon
    scores, base, members = [], None, 0
    for cycle_days in sorted(set(candidates)):
        tried = replace(settings, cycle_days=cycle_days)
        learnt = _outcomes(engine, facts, day=learnt_on, horizon=horizon, settings=tried)
        held_out = _outcomes(engine, facts, day=held_out_on, horizon=horizon, settings=tried)
        brier = brier_score(learnt, held_out)
        if brier is None:
            return None
        scores.append(CycleScore(cycle_days=cycle_days, brier=brier))
        base = brier_score([_sum_of(learnt)], [_sum_of(held_out)])
        members = _sum_of(held_out).members
    if base is None:
        return None
    return CycleBacktest(
        horizon_days=settings.cycle_days,
        held_out_on=held_out_on,
        members=members,
        base_brier=base,
        scores=tuple(sorted(scores, key=lambda score: (score.brier, score.cycle_days))),
    )


def _intervals(facts: Facts, *, as_of: date) -> ibis.Table:
    days = facts.visits.filter((facts.visits.day < as_of) & (facts.visits.visit_days == 1))
    before = days.day.lag().over(group_by="member_id", order_by="day")
    intervals = days.select("store_id", interval=days.day.delta(before, unit="day").cast("int64"))
    return intervals.filter(intervals.interval.notnull())


def _cycles(engine: Backend, intervals: ibis.Table) -> dict[int, Cycle]:
    rows = intervals.group_by("of").aggregate(
        count_=intervals.count(),
        days=intervals.interval.sum(),
        middle=values_at(intervals.interval, ibis.array([0.5])),
    )
    return {
        row["of"]: Cycle(
            intervals=row["count_"], mean_days=Fraction(row["days"], row["count_"]), median_days=row["middle"][0]
        )
        for row in rows_of(engine, rows).to_pylist()
    }


def _outcomes(
    engine: Backend, facts: Facts, *, day: date, horizon: timedelta, settings: LifecycleSettings
) -> list[ClassOutcome]:
    """Count by class the members who had bought before a day, and those of them who came within the horizon from it."""
    classed = keep(engine, classes_on(engine, facts, day=day, settings=settings), name="backtest_classes")
    visits = facts.visits
    came = visits.filter((visits.day >= day) & (visits.day < day + horizon) & (visits.receipts > 0))
    came = came.select("member_id", came=ibis.literal(1, "int64")).distinct()
    buyers = classed.filter(classed.life_class != LifeClass.UNBOUGHT.value).left_join(came, "member_id")
    counted = buyers.group_by("life_class").aggregate(members=buyers.count(), came=buyers.came.sum().coalesce(0))
    return [ClassOutcome(**row) for row in rows_of(engine, counted.order_by("life_class")).to_pylist()]


def _sum_of(outcomes: Iterable[ClassOutcome]) -> ClassOutcome:
    rows = list(outcomes)
    return ClassOutcome(life_class="all", members=sum(row.members for row in rows), came=sum(row.came for row in rows))
