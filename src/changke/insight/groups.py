"""Named groups, care classes, layers and spending power as set operations; the definitions are rules/groups.py."""

from datetime import date

import ibis
from ibis.backends.duckdb import Backend

from changke.insight.ranking import count_passed, find_ends
from changke.rules.groups import AGE_BANDS, CareClass, ClerkRule, GroupSettings, ValueLayer, layer_starts
from changke.rules.rfm import ends_of_fifths

Ends = list[tuple[int, int]]


def mean_ticket_of(rows: ibis.Table) -> ibis.Value:
    """Return net_ever / receipts_ever rounded half away from zero; null without a receipt."""
    net, receipts = rows.net_ever_minor, rows.receipts_ever.nullif(0)
    return net.sign().cast("int64") * ((2 * net.abs() + receipts) // (2 * receipts)).cast("int64")


def find_layers(engine: Backend, totals: ibis.Table, *, settings: GroupSettings) -> tuple[Ends, Ends]:
    """Return where the value layers and the fifths of spending power end among the buyers of totals."""
    buyers = totals.filter(totals.receipts_ever > 0).mutate(mean_ticket_minor=mean_ticket_of)
    layers, power = find_ends(
        engine,
        buyers,
        columns=("net_ever_minor", "mean_ticket_minor"),
        positions=lambda count: (
            [start - 1 for start in layer_starts(count, settings=settings) if start], ends_of_fifths(count),
        ),
    )  # fmt: skip
    return layers, power


def with_groups(rows: ibis.Table, *, layers: Ends, power: Ends, as_of: date, settings: GroupSettings) -> ibis.Table:
    """Add the named groups, care_class, value_layer and spending_power to wide rows that have classes, scores and
    forecasts.
    """
    bought = rows.receipts_ever > 0
    upper = count_passed(rows.net_ever_minor, rows.member_id, layers) + (2 - len(layers))
    layer = ibis.cases((upper == 2, ValueLayer.VIP.value), (upper == 1, ValueLayer.KEY.value), else_="ordinary")
    fifth = 1 + count_passed(rows.mean_ticket_minor, rows.member_id, power)
    graded = rows.mutate(value_layer=bought.ifelse(layer, None), spending_power=bought.ifelse(fifth, None))
    silent = graded.recency_days * 100 >= graded.mean_interval_days * settings.leaving_interval_percent
    leaving = (
        (graded.life_class != "lost")
        & (graded.visit_days_ever >= settings.leaving_visits_min)
        & silent
        & (graded.recency_days <= settings.leaving_days_max)
    )
    known_for = ibis.date(as_of).delta(graded.first_visit_on, unit="day")
    loyal = (
        (graded.life_class == "active")
        & (graded.visit_days_ever >= settings.loyal_visits_min)
        & (known_for >= settings.loyal_days_min)
    )
    potential = graded.life_class.isin(["new", "returning"]) & (
        graded.spending_power >= settings.potential_spending_power_min
    )
    return graded.mutate(
        is_potential=_surely(potential),
        is_about_to_leave=_surely(leaving),
        is_one_time=graded.visit_days_ever == 1,
        is_loyal=_surely(loyal),
        is_high_value=_surely(graded.m_score >= settings.high_value_m_score_min),
        care_class=_care_class(graded, settings=settings),
    )


def _care_class(rows: ibis.Table, *, settings: GroupSettings) -> ibis.Value:
    likely = rows.buys_in_30_days_ppm
    clerk_agrees = _surely(rows.clerk_class == CareClass.A.value)
    if settings.care_a_clerk is ClerkRule.WHEN_GIVEN:
        clerk_agrees = clerk_agrees | rows.clerk_class.isnull()
    a = _surely(
        (likely >= settings.care_a_probability_min_ppm)
        & (rows.mean_ticket_minor > settings.care_a_ticket_above_minor)
        & (rows.spending_power >= settings.care_a_spending_power_min)
        & clerk_agrees
    )
    b = (likely >= settings.care_b_probability_min_ppm) | _surely(rows.clerk_class.isin(["A", "B"]))
    return ibis.cases(
        ((rows.visit_days_ever == 0) | likely.isnull(), None),
        (a, CareClass.A.value),
        (b, CareClass.B.value),
        else_=CareClass.C.value,
    )


def _surely(condition: ibis.Value) -> ibis.Value:
    """Take unknown for no."""
    return condition.coalesce(False)


def age_of(rows: ibis.Table, *, as_of: date) -> ibis.Value:
    """Return completed years on a day; with the birth year alone, the difference of the years."""
    ahead = rows.birth_month * 100 + rows.birth_day.coalesce(1) > as_of.month * 100 + as_of.day
    return as_of.year - rows.birth_year - _surely(ahead).cast("int32")


def age_band_of(age: ibis.Value) -> ibis.Value:
    """Return one of the thirteen bands; unknown ages are shown as such."""
    uppers = (20, *range(25, 71, 5))
    return ibis.cases(
        (age.isnull() | (age < 0), AGE_BANDS[-1]),
        *((age <= upper, band) for upper, band in zip(uppers, AGE_BANDS, strict=False)),
        else_=AGE_BANDS[-2],
    )
