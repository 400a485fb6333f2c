"""Products and times: what sells, to whom, and at which hours."""

from collections.abc import Mapping, Sequence

from django.http import HttpRequest, HttpResponse
from django.urls import path
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from changke.console.insight_page import part_of, show_charts
from changke.console.insight_sight import Sight, drill, with_sight
from changke.queries.insight import Named, name_categories, name_products
from changke.queries.insight_pages import GoodsFigures, InsightPage
from changke.rules.reports.overview import DayRow, Novelty, NoveltyRow
from changke.rules.reports.scope import mean
from changke.rules.reports.shop import GoodsRow, HourRow
from changke.rules.segments import Bought
from changke.ui.charts import Chart, Column, Series, draw_bars, draw_heat, draw_lines
from changke.ui.templatetags.ui import day, local_name, share
from changke.ui.words import WEEKDAYS


@with_sight(gettext_lazy("Products and times"), page=InsightPage.GOODS)
def show_goods(request: HttpRequest, sight: Sight, found: GoodsFigures) -> HttpResponse:
    """Show the best categories and products, the week by hours, days, and new against old members."""
    categories = name_categories(row.key for row in found.categories)
    products = name_products(row.key for row in found.products if row.key is not None)
    charts = [
        goods_chart("categories", _("Top six categories"), found.categories, names=categories, sight=sight),
        goods_chart("products", _("Best-selling products"), found.products, names=products, sight=sight),
        hour_chart(found.hours),
        day_chart(found.days),
        novelty_chart(found.novelty),
    ]
    return show_charts(request, sight, charts, title=_("Products and times"), has_days="days")


def day_chart(rows: Sequence[DayRow]) -> Chart:
    """Return the days, members' sales beside all sales."""
    best = max(rows, key=lambda row: row.sales_minor, default=None)
    labels = [day(row.day) for row in rows]
    return Chart(
        key="days",
        subject=_("Sales by day"),
        finding=_("The best day was %(day)s") % {"day": day(best.day)} if best else _("Nothing was sold in these days"),
        columns=[
            Column(label=_("Day"), kind="text"),
            Column(label=_("Sales"), kind="money"),
            Column(label=_("Sales to members"), kind="money"),
            Column(label=_("Receipts")),
            Column(label=_("Members who bought")),
        ],
        rows=[
            [label, row.sales_minor, row.member_sales_minor, row.receipts, row.buyers]
            for row, label in zip(rows, labels, strict=True)
        ],
        drawing=draw_lines(
            labels,
            Series(name=_("Sales"), values=[row.sales_minor for row in rows]),
            Series(name=_("Sales to members"), values=[row.member_sales_minor for row in rows], colour="series-2"),
            kind="money",
        )
        if rows
        else None,
    )


def goods_chart(key: str, subject: str, rows: Sequence[GoodsRow], *, names: Mapping[int, Named], sight: Sight) -> Chart:
    """Return categories or products by sales; a click leads to the members who bought them in these days."""
    labels = [local_name(names[row.key or 0]) if row.key in names else _("without one") for row in rows]
    hrefs = [goods_href(key, row.key, sight=sight) for row in rows]
    together = sum(row.share_ppm or 0 for row in rows)
    finding = (
        _("%(name)s leads with %(share)s; these %(count)s bring %(together)s of the sales")
        % {"name": labels[0], "share": share(rows[0].share_ppm), "count": len(rows), "together": share(together)}
        if rows
        else _("Nothing was sold in these days")
    )
    return Chart(
        key=key,
        subject=subject,
        finding=finding,
        columns=[
            Column(label=subject, kind="text"),
            Column(label=_("Sales"), kind="money"),
            Column(label=_("Share of sales"), kind="share"),
            Column(label=_("Quantity"), kind="decimal"),
            Column(label=_("Receipts")),
            Column(label=_("Members who bought")),
        ],
        rows=[
            [label, row.sales_minor, row.share_ppm, row.quantity_milli, row.receipts, row.buyers]
            for row, label in zip(rows, labels, strict=True)
        ],
        hrefs=hrefs,
        drawing=draw_bars(
            labels,
            Series(name=_("Sales"), values=[row.sales_minor for row in rows], hrefs=hrefs),
            kind="money",
            lying=True,
        )
        if rows
        else None,
        size="normal",
    )


def goods_href(kind: str, key: int | None, *, sight: Sight) -> str:
    """Return the address of the members who bought goods in the period."""
    if key is None:
        return ""
    is_product = kind == "products"
    return drill(
        Bought(
            products=(key,) if is_product else (),
            categories=() if is_product else (key,),
            stores=(sight.chosen.id,) if sight.chosen else (),
            first=sight.period.first,
            last=sight.period.last,
        )
    )


def hour_chart(rows: Sequence[HourRow]) -> Chart:
    """Return the week by hours."""
    hours = range(min((row.hour for row in rows), default=9), max((row.hour for row in rows), default=21) + 1)
    best = max(rows, key=lambda row: row.receipts, default=None)
    receipts = {(row.weekday, row.hour): row for row in rows}
    return Chart(
        key="hours",
        subject=_("Receipts by weekday and hour"),
        finding=_("The busiest hour is %(day)s, %(hour)s:00") % {"day": WEEKDAYS[best.weekday - 1], "hour": best.hour}
        if best
        else _("Nothing was sold in these days"),
        columns=[
            Column(label=_("Weekday"), kind="text"),
            *(Column(label=f"{hour}:00") for hour in hours),
        ],
        rows=[
            [str(name), *(found.receipts if (found := receipts.get((weekday, hour))) else 0 for hour in hours)]
            for weekday, name in enumerate(WEEKDAYS, start=1)
        ],
        drawing=draw_heat(
            [str(hour) for hour in hours],
            WEEKDAYS,
            [(row.hour - hours[0], row.weekday - 1, row.receipts, "") for row in rows],
        )
        if rows
        else None,
        note=_("Local time of the store; returns are left out."),
        size="wide",
    )


def novelty_chart(rows: Sequence[NoveltyRow]) -> Chart:
    """Return new members, old members and strangers side by side."""
    names = {Novelty.NEW: _("New members"), Novelty.OLD: _("Old members"), Novelty.ANONYMOUS: _("Not members")}
    by = {row.novelty: row for row in rows}
    total = sum(row.sales_minor for row in rows)
    stranger = by[Novelty.ANONYMOUS]
    labels = [names[row.novelty] for row in rows]
    return Chart(
        key="novelty",
        subject=_("New members, old members, others"),
        finding=_("%(share)s of the sales go to people who are no members")
        % {"share": share(part_of(stranger.sales_minor, total))},
        columns=[
            Column(label=_("Who"), kind="text"),
            Column(label=_("Sales"), kind="money"),
            Column(label=_("Share of sales"), kind="share"),
            Column(label=_("Receipts")),
            Column(label=_("Average ticket"), kind="money"),
            Column(label=_("Members")),
        ],
        rows=[
            [
                label,
                row.sales_minor,
                part_of(row.sales_minor, total),
                row.receipts,
                mean(row.sales_minor, row.receipts),
                None if row.novelty is Novelty.ANONYMOUS else row.buyers,
            ]
            for row, label in zip(rows, labels, strict=True)
        ],
        drawing=draw_bars(
            labels, Series(name=_("Sales"), values=[row.sales_minor for row in rows]), kind="money", lying=True
        ),
        note=_("New: the first purchase of all lies in these days."),
    )


urlpatterns = [path("insight/products", show_goods, name="insight_goods")]
