"""Totals: what one pass over the visits knows of each member up to a date. Every score and class starts here."""

from collections.abc import Iterable
from datetime import date, timedelta

import ibis

from changke.rules.lifecycle import LifecycleSettings, VisitCount

FAR_PAST = date(1, 1, 1)
COUNTED = {VisitCount.VISIT_DAYS: "visit_days", VisitCount.RECEIPTS: "receipts", VisitCount.ITEMS: "items_milli"}


def totals_of(
    visits: ibis.Table, *, names: Iterable[str], as_of: date, first_day: date | None, lifecycle: LifecycleSettings
) -> ibis.Table:
    """Return one row a member with visits before `as_of`: the named measures of MEASURES, in one aggregation.

    `first_day` begins the period (None = all history). Sums are int64; a member with returns only has no days.
    """
    seen = visits.filter(visits.day < as_of)
    bought_on = (seen.receipts > 0).ifelse(seen.day, None)
    net = seen.gross_minor + seen.returned_minor
    window_from = max(as_of - timedelta(days=lifecycle.window_days), FAR_PAST)

    def since(first: date | None, value: ibis.Value) -> ibis.Value:
        inside = value if first is None else (seen.day >= first).ifelse(value, 0)
        return inside.sum().cast("int64")

    measures = {
        "first_visit_on": bought_on.min(),
        "last_visit_on": bought_on.max(),
        "receipts": since(first_day, seen.receipts),
        "visit_days": since(first_day, seen.visit_days),
        "items_milli": since(first_day, seen.items_milli),
        "gross_minor": since(first_day, seen.gross_minor),
        "returned_minor": since(first_day, seen.returned_minor),
        "net_minor": since(first_day, net),
        "receipts_ever": since(None, seen.receipts),
        "visit_days_ever": since(None, seen.visit_days),
        "net_ever_minor": since(None, net),
        "visits_in_window": since(window_from + timedelta(days=1), seen[COUNTED[lifecycle.count]]),
    }
    return seen.group_by("member_id").aggregate(**{name: measures[name] for name in names})


MEASURES = (
    "first_visit_on", "last_visit_on", "receipts", "visit_days", "items_milli", "gross_minor", "returned_minor",
    "net_minor", "receipts_ever", "visit_days_ever", "net_ever_minor", "visits_in_window",
)  # fmt: skip


def origins_of(visits: ibis.Table, totals: ibis.Table, *, as_of: date, lifecycle: LifecycleSettings) -> ibis.Table:
    """Return member_id and origin_visits of everybody asleep: the count of the window that ends on the last visit."""
    asleep_since = as_of - timedelta(days=lifecycle.sleeping_from_days)
    window = ibis.interval(days=lifecycle.window_days)
    asleep = totals.filter(totals.last_visit_on <= asleep_since).select(
        "member_id", opens_after=(lambda row: (row.last_visit_on - window).cast("timestamp").cast("date"))
    )
    seen = visits.filter(visits.day < as_of)
    inside = seen.inner_join(asleep, [seen.member_id == asleep.member_id, seen.day > asleep.opens_after])
    counted = inside[COUNTED[lifecycle.count]]
    return inside.group_by("member_id").aggregate(origin_visits=counted.sum().cast("int64"))


def wakes_of(opportunities: ibis.Table, totals: ibis.Table, *, as_of: date) -> ibis.Table:
    """Return the wake-ups since the last visit whose offers lapsed before `as_of`: how many, and the first due day."""
    lapsed = opportunities.filter(opportunities.offer_ends_on < as_of)
    last = totals.select("member_id", "last_visit_on")
    unanswered = lapsed.inner_join(last, [lapsed.member_id == last.member_id, lapsed.due_on > last.last_visit_on])
    return unanswered.group_by("member_id").aggregate(
        unanswered_wakes=unanswered.count(), first_unanswered_on=unanswered.due_on.min()
    )


def favourite_stores_of(visits: ibis.Table, *, as_of: date) -> ibis.Table:
    """Return each member's store with the most receipts ever; ties go to the smaller id."""
    seen = visits.filter((visits.day < as_of) & (visits.receipts > 0))
    by_store = seen.group_by("member_id", "store_id").aggregate(weight=seen.receipts.sum().cast("int64"))
    return _heaviest(by_store, of="store_id", name="favourite_store_id")


def favourite_categories_of(lines: ibis.Table, *, as_of: date) -> ibis.Table:
    """Return each member's top category with the highest net ever; ties go to the smaller id."""
    seen = lines.filter((lines.day < as_of) & lines.member_id.notnull() & lines.top_category_id.notnull())
    by_category = seen.group_by("member_id", "top_category_id").aggregate(weight=seen.total_minor.sum().cast("int64"))
    return _heaviest(by_category, of="top_category_id", name="favourite_category_id")


def _heaviest(weights: ibis.Table, *, of: str, name: str) -> ibis.Table:
    best = weights.group_by("member_id").aggregate(weight=weights.weight.max())
    top = weights.semi_join(best, ["member_id", "weight"])
    return top.group_by("member_id").aggregate(**{name: top[of].min()})
