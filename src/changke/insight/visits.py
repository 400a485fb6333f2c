"""Visits: one row a member, store and day, made from sales or from lines. Schema in insight/facts.py."""

from collections.abc import Sequence

import ibis

from changke.rules.sales import SaleKind

KEYS = ("member_id", "store_id", "day")


def visits_of_sales(sales: ibis.Table) -> ibis.Table:
    """Return the visits of members; anonymous sales make none, a day with returns only has no receipts."""
    known = sales.filter(sales.member_id.notnull())
    return _flag_days(known.group_by(KEYS).aggregate(receipts=_is_sale(known).sum().cast("int32"), **_sums(known)))


def visits_of_lines(lines: ibis.Table, *, category_ids: Sequence[int]) -> ibis.Table:
    """Return visits as if only lines of these categories (leaves or roots) had been sold."""
    inside = lines.category_id.isin(category_ids) | lines.top_category_id.isin(category_ids)
    known = lines.filter(lines.member_id.notnull() & inside)
    receipts = known.sale_id.nunique(where=_is_sale(known)).cast("int32")
    return _flag_days(known.group_by(KEYS).aggregate(receipts=receipts, **_sums(known)))


def visits_in_stores(visits: ibis.Table, *, store_ids: Sequence[int]) -> ibis.Table:
    """Return the visits of some stores, as if there were no others."""
    return _flag_days(visits.filter(visits.store_id.isin(store_ids)).drop("visit_days"))


def _is_sale(rows: ibis.Table) -> ibis.ir.BooleanColumn:
    return rows.kind == SaleKind.SALE.value


def _sums(rows: ibis.Table) -> dict[str, ibis.ir.IntegerScalar]:
    is_sale, none = _is_sale(rows), ibis.literal(0, "int64")
    return {
        "items_milli": is_sale.ifelse(rows.quantity_milli, none).sum().cast("int64"),
        "gross_minor": is_sale.ifelse(rows.total_minor, none).sum().cast("int64"),
        "returned_minor": is_sale.ifelse(none, rows.total_minor).sum().cast("int64"),
    }


def _flag_days(visits: ibis.Table) -> ibis.Table:
    """Add visit_days: 1 on the row of the smallest store with a receipt of each member and day."""
    of_day = ibis.window(group_by=["member_id", "day"], order_by=[visits.receipts == 0, visits.store_id])
    first = ibis.row_number().over(of_day) == 0
    return visits.mutate(visit_days=((visits.receipts > 0) & first).cast("int32"))
