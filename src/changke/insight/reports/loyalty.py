"""Members over time in set form: cohorts, 20/80 curve, intervals, groups; equal to rules/reports/loyalty.py."""

from datetime import date

import ibis

from changke.insight.reports.overview import of_days, of_stores, sales_of, visits_of
from changke.insight.tables import LakeReader
from changke.rules.reports.loyalty import (
    INTERVALS,
    STEPS,
    CohortBasis,
    CohortCell,
    GroupBy,
    GroupRow,
    IntervalRow,
    LorenzPoint,
    curve,
    fill_cohorts,
    in_order,
    interval_rows,
)
from changke.rules.reports.scope import Scope


def list_cohorts(lake: LakeReader, *, scope: Scope, basis: CohortBasis) -> tuple[CohortCell, ...]:
    """Return every cell of the triangle of the cohorts that began in the period."""
    visits = lake.table("visits")
    visits = of_stores(visits, visits.store_id, scope).filter(lambda t: t.day <= scope.period.last)
    if basis is CohortBasis.JOINED:
        members = lake.table("members")
        starts = of_stores(members, members.home_store_id, scope).select("member_id", start="joined_on")
    else:
        bought = visits.filter(visits.receipts > 0)
        starts = bought.group_by("member_id").aggregate(start=bought.day.min())
    began = of_days(starts, starts.start, scope).select("member_id", cohort=month_of(starts.start))
    sizes = lake.rows(began.group_by("cohort").aggregate(members=began.count()))
    joined = visits.inner_join(began, "member_id")
    months = joined.group_by("member_id", "cohort", months=month_of(joined.day) - joined.cohort)
    cells = months.aggregate(
        bought=(joined.receipts > 0).any(), sales_minor=(joined.gross_minor + joined.returned_minor).sum()
    )
    found = lake.rows(
        cells.group_by("cohort", "months").aggregate(buyers=cells.bought.sum(), sales_minor=cells.sales_minor.sum())
    )
    return fill_cohorts(
        {first_day(row["cohort"]): row["members"] for row in sizes},
        {(first_day(row["cohort"]), row["months"]): row["buyers"] for row in found},
        {(first_day(row["cohort"]), row["months"]): row["sales_minor"] for row in found},
        last=scope.period.last,
    )


def month_of(day: ibis.Value) -> ibis.Value:
    """Return months since year 0: the set form of rules.reports.loyalty.month_number."""
    return day.year() * 12 + day.month() - 1


def first_day(month: int) -> date:
    return date(month // 12, month % 12 + 1, 1)


def list_lorenz(lake: LakeReader, *, scope: Scope) -> tuple[LorenzPoint, ...]:
    """Return the 20/80 curve of the buyers of a period; empty without buyers."""
    visits = visits_of(lake, scope)
    spent = visits.group_by("member_id").aggregate(
        receipts=visits.receipts.sum(), sales_minor=(visits.gross_minor + visits.returned_minor).sum()
    )
    spent = spent.filter(spent.receipts > 0)
    best_first = ibis.window(order_by=ibis.desc(spent.sales_minor))
    ranked = spent.select(
        "sales_minor", place=ibis.row_number().over(best_first), whole=spent.count().over(ibis.window())
    )
    steps = ranked.select("sales_minor", step=(ranked.place * STEPS) // ranked.whole)
    rows = lake.rows(steps.group_by("step").aggregate(members=steps.count(), sales_minor=steps.sales_minor.sum()))
    return curve({row["step"]: row["sales_minor"] for row in rows}, count=sum(row["members"] for row in rows))


def list_intervals(lake: LakeReader, *, scope: Scope) -> tuple[IntervalRow, ...]:
    """Return the histogram of days between a visit of the period and the visit before it."""
    visits = lake.table("visits")
    bought = of_stores(visits, visits.store_id, scope).filter(
        lambda t: t.receipts > 0, lambda t: t.day <= scope.period.last
    )
    recent = of_days(bought, bought.day, scope)  # sorting those who have not come since would be for nothing
    days = bought.filter(bought.member_id.isin(recent.member_id)).select("member_id", "day").distinct()
    earlier = days.day.lag().over(ibis.window(group_by="member_id", order_by="day"))
    gaps = of_days(days.mutate(earlier=earlier), days.day, scope).filter(lambda t: t.earlier.notnull())
    lasted = gaps.day.delta(gaps.earlier, unit="day")
    place = ibis.cases(
        *((lasted <= last, place) for place, (_, last) in enumerate(INTERVALS) if last is not None),
        else_=len(INTERVALS) - 1,
    )
    rows = gaps.group_by(place=place).aggregate(intervals=gaps.count())
    return interval_rows({row["place"]: row["intervals"] for row in lake.rows(rows)})


def list_groups(lake: LakeReader, *, scope: Scope, by: GroupBy) -> tuple[GroupRow, ...]:
    """Return one row a group of the wide row's field in the order of its key, the unknown last."""
    features = lake.table("features")
    known = features.select("member_id", "home_store_id", key=features[by.value])
    here = of_stores(known, known.home_store_id, scope)
    sizes = {row["key"]: row["members"] for row in lake.rows(here.group_by("key").aggregate(members=here.count()))}
    sales = sales_of(lake, scope)
    spent = sales.group_by("member_id").aggregate(
        receipts=(sales.kind == "sale").sum(), sales_minor=sales.total_minor.sum()
    )
    joined = spent.inner_join(known, "member_id")
    rows = joined.group_by("key").aggregate(
        buyers=(joined.receipts > 0).sum(), receipts=joined.receipts.sum(), sales_minor=joined.sales_minor.sum()
    )
    found = {row.pop("key"): row for row in lake.rows(rows)}
    none = {"buyers": 0, "receipts": 0, "sales_minor": 0}
    return tuple(
        GroupRow(key=key, members=sizes.get(key, 0), **found.get(key, none)) for key in in_order({*sizes, *found})
    )
