"""Loyalty and value: who comes back, how soon, and on how few the sales rest."""

from collections.abc import Sequence
from typing import Final

from django.http import HttpRequest, HttpResponse
from django.urls import path
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from changke.console.insight_page import part_of, show_charts
from changke.console.insight_sight import Sight, with_sight
from changke.kernel.periods import month_of
from changke.queries.insight_pages import InsightPage, LoyaltyFigures
from changke.rules.reports.loyalty import CohortCell, GroupRow, IntervalRow, LorenzPoint
from changke.rules.segments import Choice, DateBetween
from changke.ui.charts import Chart, Column, Series, draw_bars, draw_curve, draw_heat
from changke.ui.templatetags.ui import share
from changke.ui.words import word

LAYERS: Final = ("vip", "key", "ordinary")


@with_sight(gettext_lazy("Loyalty and value"), page=InsightPage.LOYALTY)
def show_loyalty(request: HttpRequest, sight: Sight, found: LoyaltyFigures) -> HttpResponse:
    """Show cohorts, pyramid, 20/80 curve and intervals."""
    charts = [
        cohort_chart(found.cohorts, sight=sight),
        pyramid_chart(found.layers, sight=sight),
        curve_chart(found.curve),
        interval_chart(found.intervals),
    ]
    return show_charts(request, sight, charts, title=_("Loyalty and value"), has_days="days")


def cohort_chart(cells: Sequence[CohortCell], *, sight: Sight) -> Chart:
    """Return the triangle: of the members whose first purchase fell in a month, who bought how many months later."""
    cohorts = sorted({cell.cohort for cell in cells})
    later = [cell for cell in cells if cell.months >= 1]
    next_month = [cell for cell in later if cell.months == 1 and cell.cohort < cohorts[-1]]
    came_back = part_of(sum(cell.buyers for cell in next_month), sum(cell.members for cell in next_month))
    hrefs = {
        cohort: sight.href(DateBetween(field="first_visit_on", first=cohort, last=month_of(cohort).last))
        for cohort in cohorts
    }
    width = max((cell.months for cell in later), default=0)
    by_place = {(cell.cohort, cell.months): cell for cell in cells}
    sizes = {cell.cohort: cell.members for cell in cells}
    return Chart(
        key="cohorts",
        subject=_("Cohorts by month of the first purchase"),
        finding=_("%(share)s of first-time buyers buy again in the next month") % {"share": share(came_back)},
        columns=[
            Column(label=_("First purchase"), kind="text"),
            Column(label=_("Members")),
            *(Column(label=_("+%(months)s months") % {"months": month}, kind="share") for month in range(1, width + 1)),
        ],
        rows=[
            [
                f"{cohort:%Y-%m}",
                sizes[cohort],
                *(
                    by_place[cohort, month].retention_ppm if (cohort, month) in by_place else None
                    for month in range(1, width + 1)
                ),
            ]
            for cohort in cohorts
        ],
        hrefs=[hrefs[cohort] for cohort in cohorts],
        drawing=draw_heat(
            [f"+{month}" for month in range(1, width + 1)],
            [f"{cohort:%Y-%m}" for cohort in cohorts],
            [(cell.months - 1, cohorts.index(cell.cohort), cell.retention_ppm, hrefs[cell.cohort]) for cell in later],
            kind="share",
            names=(_("months later"), ""),
        )
        if later
        else None,
        note=_("Percent of the cohort with a purchase in that month. The last month is not over yet."),
        size="wide",
    )


def pyramid_chart(rows: Sequence[GroupRow], *, sight: Sight) -> Chart:
    """Return the three layers by value: top 5 %, next 15 %, the rest."""
    by_layer = {str(row.key): row for row in rows}
    shown = [by_layer[layer] for layer in LAYERS if layer in by_layer]
    labels = [str(word(str(row.key), kind="ValueLayer")) for row in shown]
    hrefs = [sight.href(Choice(field="value_layer", values=(str(row.key),))) for row in shown]
    members, sales = sum(row.members for row in shown), sum(row.sales_minor for row in shown)
    top = by_layer.get("vip")
    return Chart(
        key="pyramid",
        subject=_("Customer pyramid"),
        finding=_("The VIP layer brings %(share)s of the members' sales in the period")
        % {"share": share(part_of(top.sales_minor if top else 0, sales))},
        columns=[
            Column(label=_("Layer"), kind="text"),
            Column(label=_("Members")),
            Column(label=_("Share of members"), kind="share"),
            Column(label=_("Sales"), kind="money"),
            Column(label=_("Share of sales"), kind="share"),
            Column(label=_("Average ticket"), kind="money"),
        ],
        rows=[
            [
                label,
                row.members,
                part_of(row.members, members),
                row.sales_minor,
                part_of(row.sales_minor, sales),
                row.mean_ticket_minor,
            ]
            for row, label in zip(shown, labels, strict=True)
        ],
        hrefs=hrefs,
        drawing=draw_bars(
            labels,
            Series(name=_("Share of members"), values=[part_of(row.members, members) for row in shown], hrefs=hrefs),
            Series(name=_("Share of sales"), values=[part_of(row.sales_minor, sales) for row in shown], hrefs=hrefs),
            kind="share",
            lying=True,
        ),
        note=_("VIP: the 5 % who spent most over all time. Key: the next 15 %. Ordinary: the other 80 %."),
    )


def curve_chart(points: Sequence[LorenzPoint]) -> Chart:
    """Return the 20/80 curve."""
    fifth = next((point for point in points if point.percent == 20), None)
    half = next((point.percent for point in points if (point.share_ppm or 0) >= 500_000), 100)
    return Chart(
        key="curve",
        subject=_("20/80 curve"),
        finding=_("The best 20 %% of the buyers bring %(share)s of the members' sales")
        % {"share": share(fifth.share_ppm if fifth else None)},
        columns=[
            Column(label=_("Best buyers"), kind="text"),
            Column(label=_("Members")),
            Column(label=_("Sales together"), kind="money"),
            Column(label=_("Share of sales"), kind="share"),
        ],
        rows=[[f"{point.percent} %", point.members, point.sales_minor, point.share_ppm] for point in points],
        drawing=draw_curve(
            [(0, 0), *((point.percent, (point.share_ppm or 0) / 10_000) for point in points)],
            even=True,
            names=(_("Best buyers"), _("Share of sales")),
            marks=[(20, (fifth.share_ppm or 0) / 10_000, share(fifth.share_ppm))] if fifth else [],
        )
        if points
        else None,
        note=_("Half of the members' sales come from %(percent)s %% of the buyers. The dashed line: everybody alike.")
        % {"percent": half},
    )


def interval_chart(rows: Sequence[IntervalRow]) -> Chart:
    """Return the histogram of days between two visits."""
    total = sum(row.intervals for row in rows)
    within = sum(row.intervals for row in rows if row.days_to is not None and row.days_to <= 30)
    labels = [f"{row.days_from}–{row.days_to}" if row.days_to else f"{row.days_from}+" for row in rows]
    return Chart(
        key="intervals",
        subject=_("Days between two visits"),
        finding=_("%(share)s of the returns happen within 30 days") % {"share": share(part_of(within, total))}
        if total
        else _("Nobody came twice in these days"),
        columns=[
            Column(label=_("Days"), kind="text"),
            Column(label=_("Intervals")),
            Column(label=_("Share"), kind="share"),
        ],
        rows=[[label, row.intervals, part_of(row.intervals, total)] for row, label in zip(rows, labels, strict=True)],
        drawing=draw_bars(labels, Series(name="", values=[row.intervals for row in rows])) if total else None,
        note=_("Each visit of the period against the visit before it, however long ago."),
        size="wide",
    )


urlpatterns = [path("insight/loyalty", show_loyalty, name="insight_loyalty")]
