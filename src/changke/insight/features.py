"""The wide row of every member as set operations: facts in, one Parquet file of FEATURES out."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import ibis
import pyarrow as pa
from ibis.backends.duckdb import Backend

from changke.insight import groups, lifecycle
from changke.insight.engine import Facts, keep
from changke.insight.facts import FEATURES
from changke.insight.rfm import find_cuts, is_scored, population_of, scores_of, values_of
from changke.insight.totals import (
    MEASURES,
    favourite_categories_of,
    favourite_stores_of,
    origins_of,
    totals_of,
    wakes_of,
)
from changke.kernel.errors import fail
from changke.rules.groups import GroupSettings
from changke.rules.lifecycle import LifecycleSettings
from changke.rules.members import MemberStatus
from changke.rules.rfm import CutPoints, RfmSettings

GONE = (MemberStatus.MERGED.value, MemberStatus.ERASED.value)  # no wide row: somebody else, or nobody any more
FAVOURITES = ("favourite_store_id", "favourite_category_id")
CARRIED = (
    "origin_visits",
    "unanswered_wakes",
    "first_unanswered_on",
)  # in the file, beside FEATURES: for the next refresh
PREDICTED = ("alive_ppm", "buys_in_30_days_ppm", "expected_value_minor")


@dataclass(frozen=True, slots=True, kw_only=True)
class FeatureSettings:
    """The settings of everything in the wide row; its RFM looks at all stores and categories."""

    rfm: RfmSettings = field(default_factory=RfmSettings)
    lifecycle: LifecycleSettings = field(default_factory=LifecycleSettings)
    groups: GroupSettings = field(default_factory=GroupSettings)

    def __post_init__(self) -> None:
        if self.rfm.store_ids or self.rfm.category_ids:
            raise fail(
                "features_are_whole",
                "The scores in the member list look at all stores and categories.",
                cure="Start an RFM run for a part of them.",
            )

    def totals_key(self, as_of: date) -> str:
        """Return what the totals depend on: totals with the same key may be carried on member by member."""
        window = self.lifecycle
        return "|".join(
            str(part)
            for part in (as_of, self.rfm.first_day(as_of), window.window_days, window.sleeping_from_days, window.count)
        )


def compute_totals(engine: Backend, facts: Facts, *, settings: FeatureSettings, as_of: date) -> ibis.Table:
    """Return all totals of the members of `facts`: measures, origin, wake-ups, favourites; null where they do not
    apply.
    """
    base = keep(
        engine,
        totals_of(
            facts.visits,
            names=MEASURES,
            as_of=as_of,
            first_day=settings.rfm.first_day(as_of),
            lifecycle=settings.lifecycle,
        ),
        name="base_totals",
    )
    parts: Sequence[ibis.Table] = (
        origins_of(facts.visits, base, as_of=as_of, lifecycle=settings.lifecycle),
        wakes_of(facts.opportunities, base, as_of=as_of),
        favourite_stores_of(facts.visits, as_of=as_of),
        favourite_categories_of(facts.lines, as_of=as_of),
    )
    rows = base
    for part in parts:
        rows = rows.left_join(part, "member_id").drop("member_id_right")
    return rows.select("member_id", *MEASURES, *FAVOURITES, *CARRIED)


def totals_within(rows: ibis.Table) -> ibis.Table:
    """Return the totals that wide rows were made of, from those rows."""
    return rows.select("member_id", *MEASURES, *FAVOURITES, *CARRIED)


def present(members: ibis.Table) -> ibis.Table:
    """Return the members who have a wide row."""
    return members.filter(members.status.notin(GONE))


def prediction_inputs(totals: ibis.Table, *, as_of: date) -> ibis.Table:
    """Return what the forecasts of insight/clv.py look at, one row a buyer: its SUMMARY."""
    buyers = totals.filter(totals.visit_days_ever > 0)
    return buyers.select(
        "member_id",
        visit_days=buyers.visit_days_ever,
        span_days=buyers.last_visit_on.delta(buyers.first_visit_on, unit="day"),
        age_days=ibis.date(as_of).delta(buyers.first_visit_on, unit="day"),
        net_minor=buyers.net_ever_minor,
    )


def wide_rows(
    engine: Backend,
    totals: ibis.Table,
    members: ibis.Table,
    *,
    settings: FeatureSettings,
    as_of: date,
    predictions: pa.Table | None,
) -> tuple[ibis.Table, CutPoints]:
    """Return one row of FEATURES and CARRIED for each of the members, and the cut points of their scores.

    `predictions` has member_id, alive_ppm, buys_in_30_days_ppm, expected_value_minor; without it they are null.
    """
    population = population_of(totals, members, settings=settings.rfm, as_of=as_of)
    cuts = find_cuts(engine, population, settings=settings.rfm)
    layers, power = groups.find_layers(engine, totals, settings=settings.groups)
    rows = members.left_join(totals, "member_id").drop("member_id_right")
    rows = _with_predictions(engine, rows, predictions)
    rows = rows.mutate(**{
        name: rows[name].coalesce(0) for name in MEASURES if not name.endswith("_on")
    })  # fmt: skip
    scored = is_scored(rows, settings=settings.rfm)
    values = values_of(rows, settings=settings.rfm, as_of=as_of)
    scores = scores_of(values, rows.member_id, cuts=cuts, settings=settings.rfm)
    rows = rows.mutate(**{name: scored.ifelse(score, None) for name, score in scores.items()})
    rows = rows.mutate(
        rfm_cell=100 * rows.r_score + 10 * rows.f_score + rows.m_score,
        age=groups.age_of(rows, as_of=as_of).cast("int64"),
        recency_days=ibis.date(as_of).delta(rows.last_visit_on, unit="day").cast("int64"),
        mean_ticket_minor=groups.mean_ticket_of(rows),
        mean_interval_days=_mean_interval_of(rows),
        bought_once=rows.receipts == 1,
        stage=lifecycle.stage_of(rows, as_of=as_of, starts=settings.lifecycle.stage_starts),
    )
    rows = rows.mutate(age_band=groups.age_band_of(rows.age))
    rows = lifecycle.with_classes(rows, as_of=as_of, settings=settings.lifecycle)
    rows = groups.with_groups(rows, layers=layers, power=power, as_of=as_of, settings=settings.groups)
    wide = ibis.Schema.from_pyarrow(FEATURES)
    return rows.select(*CARRIED, **{name: rows[name].cast(dtype) for name, dtype in wide.items()}), cuts


def _with_predictions(engine: Backend, rows: ibis.Table, predictions: pa.Table | None) -> ibis.Table:
    if predictions is None:
        nothing: dict[str, Any] = {name: ibis.null("int64") for name in PREDICTED}
        return rows.mutate(**nothing)
    engine.con.register("predictions", predictions.select(["member_id", *PREDICTED]))
    return rows.left_join(engine.table("predictions"), "member_id").drop("member_id_right")


def _mean_interval_of(rows: ibis.Table) -> ibis.Value:
    span = rows.last_visit_on.delta(rows.first_visit_on, unit="day")
    gaps = (rows.visit_days_ever > 1).ifelse(rows.visit_days_ever - 1, None)
    return ((2 * span + gaps) // (2 * gaps)).cast("int64")
