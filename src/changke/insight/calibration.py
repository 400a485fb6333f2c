"""How far the forecasts of insight/clv.py can be trusted: made from the past up to a day, compared with what came."""

from dataclasses import dataclass
from datetime import date, timedelta
from math import sqrt
from typing import Final

import ibis
import numpy as np
import pyarrow as pa

from changke.insight.clv import SOON_DAYS, SUMMARY, Fit, ValueModel, fit_value_model
from changke.insight.tables import LakeReader

GROUPS: Final = 10
Z_95: Final = 1.959964


@dataclass(frozen=True, slots=True, kw_only=True)
class DecileRow:
    """A tenth of the members by expected visits, 10 = most: visits a member, forecast and counted."""

    decile: int
    members: int
    expected_visits: float
    actual_visits: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ReliabilityRow:
    """The members whose chance of a visit in 30 days was forecast within a band of ten per cent; shares in 0..1.

    The true share lies in low..high with 95 % confidence (Wilson).
    """

    band_from_percent: int
    members: int
    expected_share: float
    actual_share: float
    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibration:
    """A forecast made on `split_on` against the days up to the day before `ends_on`."""

    split_on: date
    ends_on: date
    members: int
    expected_visits: float
    actual_visits: float
    fit: Fit
    deciles: tuple[DecileRow, ...]
    reliability: tuple[ReliabilityRow, ...]


def summarise(visits: ibis.Table, *, on: date) -> ibis.Table:
    """Return SUMMARY rows of every member with a purchase before the analysis date, from the lake's visits."""
    past = visits.filter(visits.day < on)
    bought = past.receipts > 0
    totals = past.group_by("member_id").aggregate(
        visit_days=past.visit_days.sum(),
        first=past.day.min(where=bought),
        last=past.day.max(where=bought),
        net_minor=(past.gross_minor + past.returned_minor).sum(),
    )
    return totals.filter(totals.first.notnull()).select(
        "member_id",
        "visit_days",
        span_days=totals.last.delta(totals.first, unit="day"),
        age_days=ibis.literal(on).delta(totals.first, unit="day"),
        net_minor=totals.net_minor,
    )


def load_summary(lake: LakeReader, *, on: date) -> pa.Table:
    """Return the SUMMARY rows of a lake on the analysis date, by member."""
    return lake.run(summarise(lake.table("visits"), on=on).order_by("member_id")).cast(SUMMARY)


def calibrate(lake: LakeReader, *, split_on: date, ends_on: date) -> Calibration | None:
    """Fit on the days before `split_on`, forecast the days up to `ends_on` and compare; None where too little is known.

    The days after the split must be at least 30, so that the chance of a visit in 30 days can be checked.
    """
    visits = lake.table("visits")
    summary = load_summary(lake, on=split_on)
    model = fit_value_model(summary)
    days = (ends_on - split_on).days
    if model is None or days < SOON_DAYS:
        return None
    known = summarise(visits, on=split_on)
    later = visits.filter(visits.receipts > 0, visits.day >= split_on, visits.day < ends_on)
    counts = later.group_by("member_id").aggregate(
        visit_days=later.visit_days.sum(), soon=(later.day < split_on + timedelta(days=SOON_DAYS)).any()
    )
    joined = known.select("member_id").left_join(counts, "member_id").order_by("member_id")
    actual = lake.run(joined.select(later=counts.visit_days.fill_null(0), soon=counts.soon.fill_null(False)))
    return compare(
        summary,
        model=model,
        later=actual.column("later").to_numpy().astype(np.float64),
        soon=actual.column("soon").to_numpy(),
        split_on=split_on,
        ends_on=ends_on,
    )


def compare(
    summary: pa.Table, *, model: ValueModel, later: np.ndarray, soon: np.ndarray, split_on: date, ends_on: date
) -> Calibration:
    """Compare the forecasts of SUMMARY rows with the visits that came `later` and whether one came `soon`."""
    n, t_x, age = (summary.column(name).to_numpy() for name in ("visit_days", "span_days", "age_days"))
    expected = model.visits.expected_visits((ends_on - split_on).days, n - 1, t_x, age)
    chance = model.visits.visits_within(SOON_DAYS, n - 1, t_x, age)
    order = np.argsort(expected, kind="stable")
    tenths = [tenth for tenth in np.array_split(order, GROUPS) if len(tenth)]
    bands = np.minimum((chance * GROUPS).astype(int), GROUPS - 1)
    assert model.visits.fit is not None
    return Calibration(
        split_on=split_on,
        ends_on=ends_on,
        members=len(n),
        expected_visits=float(expected.sum()),
        actual_visits=float(later.sum()),
        fit=model.visits.fit,
        deciles=tuple(
            DecileRow(
                decile=number,
                members=len(tenth),
                expected_visits=float(expected[tenth].mean()),
                actual_visits=float(later[tenth].mean()),
            )
            for number, tenth in enumerate(tenths, start=1)
        ),
        reliability=tuple(
            reliability_row(band, chance[bands == band], soon[bands == band])
            for band in range(GROUPS)
            if (bands == band).any()
        ),
    )


def reliability_row(band: int, chance: np.ndarray, soon: np.ndarray) -> ReliabilityRow:
    share = float(soon.mean())
    low, high = wilson(share, len(soon))
    return ReliabilityRow(
        band_from_percent=band * 100 // GROUPS,
        members=len(soon),
        expected_share=float(chance.mean()),
        actual_share=share,
        low=low,
        high=high,
    )


def wilson(share: float, count: int) -> tuple[float, float]:
    """Return the 95 % interval of a share counted on `count` members (Wilson 1927)."""
    z2 = Z_95**2 / count
    middle, half = share + z2 / 2, Z_95 * sqrt(share * (1 - share) / count + z2 / (4 * count))
    return max((middle - half) / (1 + z2), 0.0), min((middle + half) / (1 + z2), 1.0)
