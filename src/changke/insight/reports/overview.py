"""The overview in set form: key figures, days, new and old members; equal to rules/reports/overview.py."""

import ibis

from changke.insight.tables import LakeReader
from changke.rules.reports.overview import DayRow, KeyFigures, Novelty, NoveltyRow
from changke.rules.reports.scope import NO_MEMBERS, Scope


def load_key_figures(lake: LakeReader, *, scope: Scope) -> KeyFigures:
    """Return the key figures of a scope; load those of `scope.before()` to compare."""
    members, new = lake.table("members"), new_members(lake, scope)
    last = ibis.literal(scope.period.last)
    joined = of_stores(members, members.home_store_id, scope).filter(
        lambda t: t.joined_on.isnull() | (t.joined_on <= last)
    )
    counted = joined.aggregate(
        members_formal=(joined.status == "formal").sum(), members_provisional=(joined.status == "provisional").sum()
    )
    now, before = buyers(lake, scope), buyers(lake, scope.before())
    bought = now.left_join(before.select("member_id", was_here=ibis.literal(True)), "member_id")
    bought = bought.select("member_id", "visit_days_many", kept=bought.was_here.notnull())
    kinds = bought.aggregate(
        buyers=bought.count(), repeat_buyers=bought.visit_days_many.sum(), kept_members=bought.kept.sum()
    )
    sales = sales_of(lake, scope)
    is_sale, is_member = sales.kind == "sale", sales.member_id.notnull()
    sold = sales.aggregate(
        receipts=is_sale.sum(),
        member_receipts=(is_sale & is_member).sum(),
        sales_minor=sales.total_minor.sum(),
        member_sales_minor=sales.total_minor.sum(where=is_member),
    )
    arrivals = new.aggregate(
        new_members=new.count(), new_buyers=new.member_id.isin(now.select("member_id").member_id).sum()
    )
    found = lake.rows(
        counted.cross_join(kinds)
        .cross_join(sold)
        .cross_join(arrivals)
        .cross_join(before.aggregate(buyers_before=before.count()))
    )[0]
    return KeyFigures(**{name: value or 0 for name, value in found.items()})


def list_days(lake: LakeReader, *, scope: Scope) -> tuple[DayRow, ...]:
    """Return one row a day with any sale or return."""
    sales = sales_of(lake, scope)
    is_sale, is_member = sales.kind == "sale", sales.member_id.notnull()
    rows = sales.group_by("day").aggregate(
        receipts=is_sale.sum(),
        buyers=sales.member_id.nunique(where=is_sale),
        sales_minor=sales.total_minor.sum(),
        member_sales_minor=sales.total_minor.sum(where=is_member).fill_null(0),
    )
    return tuple(DayRow(**row) for row in lake.rows(rows.order_by("day")))


def list_novelty(lake: LakeReader, *, scope: Scope) -> tuple[NoveltyRow, ...]:
    """Return one row each for new members, old members and strangers, new to the scope's stores."""
    visits = lake.table("visits")
    visits = of_stores(visits, visits.store_id, scope).filter(lambda t: t.receipts > 0)
    first = visits.group_by("member_id").aggregate(first=visits.day.min())
    sales = sales_of(lake, scope).left_join(first, "member_id")
    is_new = sales.first.between(scope.period.first, scope.period.last).fill_null(False)
    novelty = ibis.cases(
        (sales.member_id.isnull(), Novelty.ANONYMOUS.value), (is_new, Novelty.NEW.value), else_=Novelty.OLD.value
    )
    named = sales.select("member_id", "kind", "total_minor", novelty=novelty)
    rows = named.group_by("novelty").aggregate(
        buyers=named.member_id.nunique(where=named.kind == "sale"),
        receipts=(named.kind == "sale").sum(),
        sales_minor=named.total_minor.sum(),
    )
    found = {row.pop("novelty"): row for row in lake.rows(rows)}
    none = {"buyers": 0, "receipts": 0, "sales_minor": 0}
    return tuple(NoveltyRow(novelty=novelty, **found.get(novelty.value, none)) for novelty in Novelty)


def sales_of(lake: LakeReader, scope: Scope) -> ibis.Table:
    """Return the sales and returns in scope."""
    sales = lake.table("sales")
    return of_stores(of_days(sales, sales.day, scope), sales.store_id, scope)


def visits_of(lake: LakeReader, scope: Scope) -> ibis.Table:
    """Return the visits in scope: one row a member, store and day, those with returns only too."""
    visits = lake.table("visits")
    return of_stores(of_days(visits, visits.day, scope), visits.store_id, scope)


def new_members(lake: LakeReader, scope: Scope) -> ibis.Table:
    """Return the members who joined in scope: the set form of rules.reports.scope.is_new."""
    members = lake.table("members")
    joined = of_stores(of_days(members, members.joined_on, scope), members.home_store_id, scope)
    return joined.filter(joined.status.notin(NO_MEMBERS))


def buyers(lake: LakeReader, scope: Scope) -> ibis.Table:
    """Return the members with a sale in scope and whether they bought on two days or more."""
    visits = visits_of(lake, scope)
    bought = visits.filter(visits.receipts > 0)
    return bought.group_by("member_id").aggregate(visit_days_many=bought.day.max() > bought.day.min())


def of_days(rows: ibis.Table, day: ibis.Value, scope: Scope) -> ibis.Table:
    return rows.filter(day.between(scope.period.first, scope.period.last))


def of_stores(rows: ibis.Table, store_id: ibis.Value, scope: Scope) -> ibis.Table:
    if scope.store_ids is None:
        return rows
    return rows.filter(store_id.isin(sorted(scope.store_ids)) if scope.store_ids else ibis.literal(False))
