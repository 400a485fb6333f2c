"""Stores and staff ranked, and the stores to watch."""

from collections.abc import Mapping, Sequence
from typing import Final

from django.http import HttpRequest, HttpResponse
from django.urls import path
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from changke.console.insight_page import part_of, show_charts
from changke.console.insight_sight import Sight, drill, with_sight
from changke.queries.insight import StoreName, name_staff
from changke.queries.insight_pages import InsightPage, StoreFigures
from changke.rules.reports.scope import PPM
from changke.rules.reports.shop import StaffRow, StoreRow
from changke.rules.segments import Bought
from changke.ui.charts import Chart, Column, Series, draw_bars
from changke.ui.templatetags.ui import local_name, share
from changke.ui.words import word

SHOWN: Final = 20  # bars; the table holds them all
MANY_CARDS: Final = 20  # new members in the period from which one-time buyers must show
ONCE_MIN_PPM: Final = 200_000  # a fifth: the share that many new cards must make at least


@with_sight(gettext_lazy("Store ranking"), page=InsightPage.STORES)
def show_stores(request: HttpRequest, sight: Sight, found: StoreFigures) -> HttpResponse:
    """Show stores by sales, what to watch, and the staff."""
    rows, staff = found.stores, found.staff
    stores = {store.id: store for store in sight.stores}
    charts = [store_chart(rows, stores=stores, sight=sight)]
    if staff:
        charts.append(staff_chart(staff, names=name_staff(row.staff_id for row in staff)))
    context = {"warnings": warnings_of(rows, stores=stores, days=sight.period.days)}
    return show_charts(
        request, sight, charts, title=_("Store ranking"), template="console/insight/stores.html", context=context,
        has_days="days",
    )  # fmt: skip


def store_chart(rows: Sequence[StoreRow], *, stores: Mapping[int, StoreName], sight: Sight) -> Chart:
    """Return the stores by sales with what tells good ones from others."""
    labels = [local_name(stores[row.store_id]) if row.store_id in stores else str(row.store_id) for row in rows]
    hrefs = [drill(Bought(stores=(row.store_id,), first=sight.period.first, last=sight.period.last)) for row in rows]
    risen = sum(row.sales_minor > row.sales_before_minor for row in rows)
    return Chart(
        key="stores",
        subject=_("Stores by sales"),
        finding=_("%(risen)s of %(count)s stores sold more than in the %(days)s days before")
        % {"risen": risen, "count": len(rows), "days": sight.period.days},
        columns=[
            Column(label=_("Store"), kind="text"),
            Column(label=_("Ownership"), kind="text"),
            Column(label=_("Sales"), kind="money"),
            Column(label=_("Change"), kind="share"),
            Column(label=_("Average ticket"), kind="money"),
            Column(label=_("Member share"), kind="share"),
            Column(label=_("Members who bought")),
            Column(label=_("Repurchase rate"), kind="share"),
            Column(label=_("New members")),
            Column(label=_("One-time buyers"), kind="share"),
        ],
        rows=[
            [
                label,
                str(word(stores[row.store_id].ownership, kind="Ownership")) if row.store_id in stores else None,
                row.sales_minor,
                change(row),
                row.mean_ticket_minor,
                row.member_share_ppm,
                row.buyers,
                row.repurchase_ppm,
                row.new_members,
                row.once_ppm,
            ]
            for row, label in zip(rows, labels, strict=True)
        ],
        hrefs=hrefs,
        drawing=draw_bars(
            labels[:SHOWN],
            Series(name=_("Sales"), values=[row.sales_minor for row in rows[:SHOWN]], hrefs=hrefs[:SHOWN]),
            Series(name=_("Days before"), values=[row.sales_before_minor for row in rows[:SHOWN]], hrefs=hrefs[:SHOWN]),
            kind="money",
            lying=True,
        )
        if rows
        else None,
        size="wide",
    )


def change(row: StoreRow) -> int | None:
    """Return the change of a store's sales in millionths."""
    before = row.sales_before_minor
    return None if before <= 0 else (row.sales_minor - before) * PPM // before


def warnings_of(rows: Sequence[StoreRow], *, stores: Mapping[int, StoreName], days: int) -> list[str]:
    """Return the stores where many cards are issued but hardly anybody bought once: something is wrong there."""
    return [
        _(
            "%(store)s issued %(cards)s cards in %(days)s days, yet only %(share)s of its buyers bought exactly once."
            " Cards may be given to people who are members already, or not be used at all: look into it."
        )
        % {
            "store": local_name(stores[row.store_id]),
            "cards": row.new_members,
            "days": days,
            "share": share(row.once_ppm),
        }
        for row in rows
        if row.store_id in stores and row.new_members >= MANY_CARDS and (row.once_ppm or 0) < ONCE_MIN_PPM
    ]


def staff_chart(rows: Sequence[StaffRow], *, names: Mapping[int, str]) -> Chart:
    """Return the staff by sales and by the members they brought in."""
    labels = [names.get(row.staff_id, str(row.staff_id)) for row in rows]
    recruited, repeat = sum(row.recruited for row in rows), sum(row.recruited_repeat for row in rows)
    return Chart(
        key="staff",
        subject=_("Staff by sales"),
        finding=_("%(name)s sold most: %(share)s of the sales of all staff")
        % {"name": labels[0], "share": share(part_of(rows[0].sales_minor, sum(row.sales_minor for row in rows)))}
        if rows
        else _("Nobody sold anything in these days"),
        columns=[
            Column(label=_("Name"), kind="text"),
            Column(label=_("Sales"), kind="money"),
            Column(label=_("Receipts")),
            Column(label=_("of members")),
            Column(label=_("Average ticket"), kind="money"),
            Column(label=_("Recruited")),
            Column(label=_("Bought again")),
        ],
        rows=[
            [
                label,
                row.sales_minor,
                row.receipts,
                row.member_receipts,
                row.mean_ticket_minor,
                row.recruited,
                row.recruited_repeat,
            ]
            for row, label in zip(rows, labels, strict=True)
        ],
        drawing=draw_bars(
            labels[:SHOWN],
            Series(name=_("Sales"), values=[row.sales_minor for row in rows[:SHOWN]]),
            kind="money",
            lying=True,
        )
        if rows
        else None,
        note=_("%(share)s of the members recruited in these days have bought on two days since")
        % {"share": share(part_of(repeat, recruited))}
        if recruited
        else _("Nobody recorded a recruit in these days"),
        size="wide",
    )


urlpatterns = [path("insight/stores", show_stores, name="insight_stores")]
