"""Life-cycle classes and stages as set operations; the definition is rules/lifecycle.py and gives the same, member by
member.
"""

from datetime import date

import ibis

from changke.rules.lifecycle import AtExpected, Combine, LifeClass, LifecycleSettings, NewMeans, Stage, StageStarts


def measures_for(settings: LifecycleSettings) -> tuple[str, ...]:
    """Return the measures of totals_of that the classes look at."""
    ever = ("visit_days_ever",) if settings.new_means is NewMeans.FIRST_EVER else ()
    return ("last_visit_on", "visits_in_window", *ever)


def with_classes(rows: ibis.Table, *, as_of: date, settings: LifecycleSettings) -> ibis.Table:
    """Add life_class and origin_class to rows with the columns of measures_for and those of origins_of and wakes_of.

    A row without a last visit is unbought; null counts mean none.
    """
    recency = ibis.date(as_of).delta(rows.last_visit_on, unit="day").cast("int64")
    asleep = recency >= settings.sleeping_from_days
    lost = asleep & _is_lost(rows, recency=recency, as_of=as_of, settings=settings)
    now = _decide(rows, count=rows.visits_in_window, recency=recency, asleep=asleep, lost=lost, settings=settings)
    nothing = ibis.literal(False)
    then = _decide(
        rows, count=rows.origin_visits, recency=ibis.literal(0), asleep=nothing, lost=nothing, settings=settings
    )
    classed = rows.mutate(life_class=rows.last_visit_on.isnull().ifelse(LifeClass.UNBOUGHT.value, now))
    sleepers = classed.life_class.isin([LifeClass.SLEEPING.value, LifeClass.LOST.value])
    return classed.mutate(origin_class=sleepers.ifelse(then, None))


def _decide(
    rows: ibis.Table,
    *,
    count: ibis.Value,
    recency: ibis.Value,
    asleep: ibis.Value,
    lost: ibis.Value,
    settings: LifecycleSettings,
) -> ibis.Value:
    """Return the class by the first rule of the precedence that holds; the rules are those of the class table."""
    unit = settings.count_unit
    awake = recency < settings.window_days
    new = awake & (count <= unit)
    if settings.new_means is NewMeans.FIRST_EVER:
        new = new & (rows.visit_days_ever == 1)
    expected = settings.expected_visits * unit
    active = awake & (count >= expected if settings.at_expected is AtExpected.ACTIVE else count > expected)
    holds = {
        LifeClass.LOST: lost,
        LifeClass.SLEEPING: asleep,
        LifeClass.NEW: new,
        LifeClass.RETURNING: awake & ~new & ~active,
        LifeClass.ACTIVE: active,
    }
    return ibis.cases(*((holds[life_class], life_class.value) for life_class in settings.precedence))


def _is_lost(rows: ibis.Table, *, recency: ibis.Value, as_of: date, settings: LifecycleSettings) -> ibis.Value:
    sends = rows.unanswered_wakes.coalesce(0)
    since_first = ibis.date(as_of).delta(rows.first_unanswered_on, unit="day")
    enough_sends = sends >= settings.lost_after_sends
    enough_days = (since_first >= settings.lost_after_days).coalesce(False)
    lost = enough_sends & enough_days if settings.combine is Combine.AND else enough_sends | enough_days
    quiet_for = settings.lost_without_sends_after_days
    return lost if quiet_for is None else lost | (recency >= quiet_for)


def stage_of(rows: ibis.Table, *, as_of: date, starts: StageStarts) -> ibis.Value:
    """Return the stage by days since joined_on or, where that is unknown, first_visit_on."""
    age = ibis.date(as_of).delta(rows.joined_on.coalesce(rows.first_visit_on), unit="day")
    return ibis.cases(
        (age.isnull(), Stage.UNKNOWN.value),
        (age >= starts.loss, Stage.LOSS.value),
        (age >= starts.dormancy, Stage.DORMANCY.value),
        (age >= starts.maturity, Stage.MATURITY.value),
        (age >= starts.growth, Stage.GROWTH.value),
        else_=Stage.INTRODUCTION.value,
    )
