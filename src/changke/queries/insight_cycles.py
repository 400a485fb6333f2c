"""The purchase cycle of the data beside the decreed one, and which candidate predicts visits best."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from changke.insight.cycles import CycleBacktest, backtest_cycles, measure_cycle, measure_cycles_by_store
from changke.insight.tables import LakeReader
from changke.queries.insight_cache import remember_for_a_day
from changke.queries.insight_history import open_facts
from changke.queries.lake import CurrentLake
from changke.rules.cycles import Cycle
from changke.rules.lifecycle import LifecycleSettings

TRIED: Final = (15, 45, 60)  # beside the decreed cycle and those of the data
MILLI: Final = 1_000
PPM: Final = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class CycleRow:
    """The cycle of the house (store_id None) or of one store; the mean in thousandths of a day."""

    store_id: int | None
    intervals: int
    mean_milli: int
    median_days: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A cycle that was tried; its mean squared error in millionths, lower is better."""

    cycle_days: int
    error_ppm: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CycleFigures:
    """`candidates` best first; `base_error_ppm` is the error of giving everybody the same chance."""

    rows: tuple[CycleRow, ...]
    candidates: tuple[Candidate, ...]
    base_error_ppm: int | None
    held_out_on: date | None
    horizon_days: int


def load_cycles(lake: CurrentLake, *, settings: LifecycleSettings) -> CycleFigures:
    """Return the cycles of the house and its stores, and the backtest; computed once a day, in a job."""
    return remember_for_a_day(lake, measure_cycles, as_of=lake.as_of, settings=settings)


def measure_cycles(_reader: LakeReader, *, as_of: date, settings: LifecycleSettings) -> CycleFigures:
    with open_facts() as (engine, facts):
        house = measure_cycle(engine, facts, as_of=as_of)
        if house is None:
            return figures_of([], None, settings=settings)
        stores = measure_cycles_by_store(engine, facts, as_of=as_of)
        tried = {settings.cycle_days, max(1, round(house.mean_days)), max(1, house.median_days), *TRIED}
        backtest = backtest_cycles(engine, facts, candidates=tried, as_of=as_of, settings=settings)
    return figures_of([(None, house), *stores.items()], backtest, settings=settings)


def figures_of(
    cycles: Sequence[tuple[int | None, Cycle]], backtest: CycleBacktest | None, *, settings: LifecycleSettings
) -> CycleFigures:
    """Return the figures in whole numbers, as they are kept."""
    return CycleFigures(
        rows=tuple(
            CycleRow(
                store_id=store_id,
                intervals=cycle.intervals,
                mean_milli=round(cycle.mean_days * MILLI),
                median_days=cycle.median_days,
            )
            for store_id, cycle in cycles
        ),
        candidates=tuple(
            Candidate(cycle_days=score.cycle_days, error_ppm=round(score.brier * PPM))
            for score in (backtest.scores if backtest else ())
        ),
        base_error_ppm=round(backtest.base_brier * PPM) if backtest else None,
        held_out_on=backtest.held_out_on if backtest else None,
        horizon_days=settings.cycle_days,
    )
