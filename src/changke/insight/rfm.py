"""RFM scores of a whole population as set operations; the definition is rules/rfm.py and gives the same, member by
member.
"""

import math
from collections.abc import Mapping, Sequence
from datetime import date
from fractions import Fraction
from typing import Final

import ibis
from ibis.backends.duckdb import Backend

from changke.insight.ranking import count_passed, find_ends, order_statistics
from changke.rules.rfm import (
    FIFTHS,
    CutPoint,
    CutPoints,
    FrequencyMeasure,
    MonetaryMeasure,
    Population,
    RfmMethod,
    RfmSettings,
    ends_of_fifths,
    quantile_positions,
)

FREQUENCY: Final = {
    FrequencyMeasure.RECEIPTS: "receipts",
    FrequencyMeasure.VISIT_DAYS: "visit_days",
    FrequencyMeasure.ITEMS: "items_milli",
}
MONETARY: Final = {MonetaryMeasure.NET: "net_minor", MonetaryMeasure.GROSS: "gross_minor"}
VALUES: Final = ("recency_days", "frequency", "monetary_minor")


def measures_for(settings: RfmSettings) -> tuple[str, ...]:
    """Return the measures of totals_of that these settings look at."""
    needed = (FREQUENCY[settings.frequency], MONETARY[settings.monetary], "receipts")
    ever = () if settings.population is Population.BOUGHT_IN_PERIOD else ("receipts_ever",)
    return tuple(dict.fromkeys(("last_visit_on", *needed, *ever)))


def population_of(
    totals: ibis.Table, members: ibis.Table, *, settings: RfmSettings, as_of: date, carry: Sequence[str] = ()
) -> ibis.Table:
    """Return member_id, recency_days, frequency, monetary_minor, bought_once (and `carry`) of those whom the settings
    score.

    Recency of a member who never bought is the number of days since the year 1: older than any other.
    """
    rows = totals
    if settings.population is Population.ALL:
        rows = members.select("member_id").left_join(totals, "member_id").drop("member_id_right")
    bought_once = (rows.receipts == 1).coalesce(False)
    chosen = rows.select(
        "member_id",
        *carry,
        inside=is_scored(rows, settings=settings),
        bought_once=bought_once,
        **values_of(rows, settings=settings, as_of=as_of),
    )
    return chosen.filter(chosen.inside).drop("inside")


def is_scored(rows: ibis.Table, *, settings: RfmSettings) -> ibis.Value:
    """Tell whether a row of totals belongs to the population."""
    if settings.population is Population.BOUGHT_IN_PERIOD:
        return rows.receipts > 0
    return rows.receipts_ever > 0 if settings.population is Population.EVER else ibis.literal(True)


def values_of(rows: ibis.Table, *, settings: RfmSettings, as_of: date) -> dict[str, ibis.Value]:
    """Return recency_days, frequency and monetary_minor of rows of totals."""
    zero = ibis.literal(0, "int64")
    recency = ibis.date(as_of).delta(rows.last_visit_on, unit="day").cast("int64")
    return {
        "recency_days": recency.coalesce(as_of.toordinal()),
        "frequency": rows[FREQUENCY[settings.frequency]].coalesce(zero),
        "monetary_minor": rows[MONETARY[settings.monetary]].coalesce(zero),
    }


def find_cuts(engine: Backend, population: ibis.Table, *, settings: RfmSettings) -> CutPoints:
    """Return the cut points of a population: the same four places a measure as sorting everybody would give."""
    if settings.method is RfmMethod.QUANTILE:
        return _quantile_cuts(engine, population, settings=settings)
    oldest_first = population.mutate(goodness=-population.recency_days)
    ends = find_ends(
        engine,
        oldest_first,
        columns=("goodness", "frequency", "monetary_minor"),
        positions=lambda count: [ends_of_fifths(count)] * 3,
    )
    by_member = settings.method is RfmMethod.STRICT
    recency, frequency, monetary = (
        tuple(CutPoint(value=Fraction(sign * value), member_id=member if by_member else None) for value, member in of)
        for sign, of in zip((-1, 1, 1), ends, strict=True)
    )
    return CutPoints(recency=recency, frequency=frequency, monetary=monetary)


def _quantile_cuts(engine: Backend, population: ibis.Table, *, settings: RfmSettings) -> CutPoints:
    count = engine.to_pyarrow(population.count()).as_py()
    ways = quantile_positions(count)
    if not ways:
        return CutPoints(recency=(), frequency=(), monetary=())
    places = [place for low, high, _ in ways for place in (low, high)]
    values = [population.recency_days, population.frequency, population.monetary_minor]
    found = order_statistics(engine, population, columns=values, positions=[places] * 3, count=count)
    recency, frequency, monetary = (
        tuple(
            CutPoint(value=low + way * (high - low) + unit)
            for low, high, (_, _, way) in zip(got[::2], got[1::2], ways, strict=True)
        )
        for got, unit in zip(found, (1, settings.frequency_unit, settings.money_unit_minor), strict=True)
    )
    return CutPoints(recency=recency, frequency=frequency, monetary=monetary)


def apply_cuts(population: ibis.Table, *, cuts: CutPoints, settings: RfmSettings) -> ibis.Table:
    """Add r_score, f_score, m_score and rfm_cell by cut points: those of find_cuts score everybody as the rules do."""
    values = {name: population[name] for name in VALUES}
    scored = population.mutate(**scores_of(values, population.member_id, cuts=cuts, settings=settings))
    return scored.mutate(rfm_cell=100 * scored.r_score + 10 * scored.f_score + scored.m_score)


def scores_of(
    values: Mapping[str, ibis.Value], member: ibis.Value, *, cuts: CutPoints, settings: RfmSettings
) -> dict[str, ibis.Value]:
    """Return r_score, f_score and m_score of values_of by cut points."""
    recency, frequency, monetary = (values[name] for name in VALUES)
    if settings.method is RfmMethod.QUANTILE:
        return {
            "r_score": FIFTHS - count_passed(recency, member, _starts(cuts.recency)),
            "f_score": 1 + count_passed(frequency, member, _starts(cuts.frequency)),
            "m_score": 1 + count_passed(monetary, member, _starts(cuts.monetary)),
        }
    oldest = [(-int(cut.value), cut.member_id) for cut in cuts.recency]
    return {
        "r_score": 1 + count_passed(-recency, member, oldest),
        "f_score": 1 + count_passed(frequency, member, [(int(cut.value), cut.member_id) for cut in cuts.frequency]),
        "m_score": 1 + count_passed(monetary, member, [(int(cut.value), cut.member_id) for cut in cuts.monetary]),
    }


def _starts(cuts: Sequence[CutPoint]) -> list[tuple[int, None]]:
    """Return what integers exceed from the first value of each next part on."""
    return [(math.ceil(cut.value) - 1, None) for cut in cuts]
