"""The shop in set form: goods, stores, staff and hours; equal to rules/reports/shop.py."""

from typing import Any

import ibis

from changke.insight.reports.overview import new_members, of_days, of_stores, sales_of, visits_of
from changke.insight.tables import LakeReader
from changke.rules.reports.scope import Scope, ppm
from changke.rules.reports.shop import Goods, GoodsRow, HourRow, StaffRow, StoreRow


def list_goods(lake: LakeReader, *, scope: Scope, by: Goods, rows_max: int) -> tuple[GoodsRow, ...]:
    """Return the goods with the highest net sales; the six top categories are Goods.TOP_CATEGORY with rows_max 6."""
    lines = lake.table("lines")
    lines = of_stores(of_days(lines, lines.day, scope), lines.store_id, scope)
    is_sale = lines.kind == "sale"
    rows = lines.group_by(key=lines[by.value]).aggregate(
        receipts=lines.sale_id.nunique(where=is_sale),
        buyers=lines.member_id.nunique(where=is_sale),
        quantity_milli=lines.quantity_milli.sum(),
        sales_minor=lines.total_minor.sum(),
    )
    rows = rows.mutate(whole=rows.sales_minor.sum().over(ibis.window()))
    best = rows.order_by(ibis.desc(rows.sales_minor), rows.key.isnull(), rows.key).limit(rows_max)
    found = lake.rows(best)
    shares = [ppm(row["sales_minor"], row.pop("whole")) for row in found]
    return tuple(GoodsRow(**row, share_ppm=share) for row, share in zip(found, shares, strict=True))


def list_stores(lake: LakeReader, *, scope: Scope) -> tuple[StoreRow, ...]:
    """Return every store with a sale or a new member in the period, highest net sales first."""
    sales = sales_of(lake, scope)
    sold = sales.group_by("store_id").aggregate(
        receipts=(sales.kind == "sale").sum(),
        sales_minor=sales.total_minor.sum(),
        member_sales_minor=sales.total_minor.sum(where=sales.member_id.notnull()).fill_null(0),
    )
    earlier = sales_of(lake, scope.before())
    before = earlier.group_by("store_id").aggregate(sales_before_minor=earlier.total_minor.sum())
    visits = visits_of(lake, scope).filter(lambda t: t.receipts > 0)
    bought = visits.group_by("store_id", "member_id").aggregate(receipts=visits.receipts.sum(), days=visits.count())
    loyal = bought.group_by("store_id").aggregate(
        buyers=bought.count(), repeat_buyers=(bought.days > 1).sum(), once_buyers=(bought.receipts == 1).sum()
    )
    new = new_members(lake, scope).filter(lambda t: t.home_store_id.notnull())
    arrivals = new.group_by(store_id=new.home_store_id).aggregate(new_members=new.count())
    parts = [by_key(lake, part, "store_id") for part in (sold, arrivals, before, loyal)]
    none = dict.fromkeys(("receipts", "sales_minor", "member_sales_minor", "sales_before_minor", "new_members"), 0)
    none |= dict.fromkeys(("buyers", "repeat_buyers", "once_buyers"), 0)
    rows = [
        StoreRow(store_id=store_id, **merged(none, [part.get(store_id, {}) for part in parts]))
        for store_id in {*parts[0], *parts[1]}
    ]
    return tuple(sorted(rows, key=lambda row: (-row.sales_minor, row.store_id)))


def list_staff(lake: LakeReader, *, scope: Scope) -> tuple[StaffRow, ...]:
    """Return everybody who sold or recruited in the period, highest net sales first."""
    sales = sales_of(lake, scope).filter(lambda t: t.staff_id.notnull())
    is_sale = sales.kind == "sale"
    sold = sales.group_by("staff_id").aggregate(
        receipts=is_sale.sum(),
        member_receipts=(is_sale & sales.member_id.notnull()).sum(),
        sales_minor=sales.total_minor.sum(),
    )
    visits = lake.table("visits")
    until = of_stores(visits, visits.store_id, scope).filter(
        lambda t: t.receipts > 0, lambda t: t.day <= scope.period.last
    )
    days = until.group_by("member_id").aggregate(first=until.day.min(), last=until.day.max())
    repeat = days.filter(days.last > days.first)
    new = new_members(lake, scope).filter(lambda t: t.recruiter_id.notnull())
    brought = new.group_by(staff_id=new.recruiter_id).aggregate(
        recruited=new.count(), recruited_repeat=new.member_id.isin(repeat.member_id).sum()
    )
    parts = [by_key(lake, part, "staff_id") for part in (sold, brought)]
    none = dict.fromkeys(("receipts", "member_receipts", "sales_minor", "recruited", "recruited_repeat"), 0)
    rows = [
        StaffRow(staff_id=staff_id, **merged(none, [part.get(staff_id, {}) for part in parts]))
        for staff_id in {*parts[0], *parts[1]}
    ]
    return tuple(sorted(rows, key=lambda row: (-row.sales_minor, row.staff_id)))


def list_hours(lake: LakeReader, *, scope: Scope) -> tuple[HourRow, ...]:
    """Return the hours with a sale or return by weekday and hour."""
    sales = sales_of(lake, scope)
    rows = sales.group_by(weekday=sales.day.day_of_week.index() + 1, hour=sales.hour).aggregate(
        receipts=(sales.kind == "sale").sum(), sales_minor=sales.total_minor.sum()
    )
    return tuple(HourRow(**row) for row in lake.rows(rows.order_by("weekday", "hour")))


def by_key(lake: LakeReader, rows: ibis.Table, key: str) -> dict[int, dict[str, Any]]:
    return {row.pop(key): row for row in lake.rows(rows)}


def merged(none: dict[str, int], parts: list[dict[str, Any]]) -> dict[str, int]:
    """Return one row from its parts; a part that is missing counts nothing."""
    row = dict(none)
    for part in parts:
        row |= part
    return row
