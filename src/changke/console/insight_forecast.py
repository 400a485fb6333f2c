"""Forecast: who is likely to buy, and how far such forecasts were right in the past."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from django.http import HttpRequest, HttpResponse
from django.urls import path
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from changke.console.insight_page import company_unit, part_of, show_charts, written
from changke.console.insight_sight import Sight, with_sight
from changke.insight.calibration import Calibration
from changke.queries.insight_pages import ForecastFigures, InsightPage
from changke.rules.groups import GroupSettings
from changke.rules.reports.loyalty import GroupRow
from changke.rules.reports.scope import PPM
from changke.rules.segments import Choice
from changke.ui.charts import Chart, Column, Series, draw_bars, draw_lines
from changke.ui.templatetags.ui import day, number, share

CARE: Final = ("A", "B", "C")
MILLI: Final = 1000


@with_sight(gettext_lazy("Forecast"), page=InsightPage.FORECAST)
def show_forecast(request: HttpRequest, sight: Sight, found: ForecastFigures) -> HttpResponse:
    """Show the care classes and how well the forecasts behind them did."""
    charts = [care_chart(found.care, settings=found.settings, sight=sight)]
    if found.trust is not None:
        charts += [decile_chart(found.trust), reliability_chart(found.trust)]
    context: dict[str, Any] = {"trust": found.trust}
    return show_charts(
        request, sight, charts, title=_("Forecast"), template="console/insight/forecast.html", context=context,
        lead=_("From each member's own visits (BG/NBD and Gamma-Gamma): who will come again, and what they may spend."),
    )  # fmt: skip


def care_chart(rows: Sequence[GroupRow], *, settings: GroupSettings, sight: Sight) -> Chart:
    """Return the care classes A, B, C."""
    by_class: Mapping[str, GroupRow] = {str(row.key): row for row in rows}
    shown = [by_class[name] for name in CARE if name in by_class]
    labels = [str(row.key) for row in shown]
    hrefs = [sight.href(Choice(field="care_class", values=(str(row.key),))) for row in shown]
    members, sales = sum(row.members for row in shown), sum(row.sales_minor for row in shown)
    first = by_class.get("A")
    return Chart(
        key="care",
        subject=_("Care classes"),
        finding=_("%(count)s members are in class A; they brought %(share)s of the members' sales so far")
        % {
            "count": number(first.members if first else 0),
            "share": share(part_of(first.sales_minor if first else 0, sales)),
        },
        columns=[
            Column(label=_("Class"), kind="text"),
            Column(label=_("Members")),
            Column(label=_("Share of members"), kind="share"),
            Column(label=_("Sales ever"), kind="money"),
            Column(label=_("Average ticket"), kind="money"),
        ],
        rows=[
            [label, row.members, part_of(row.members, members), row.sales_minor, row.mean_ticket_minor]
            for row, label in zip(shown, labels, strict=True)
        ],
        hrefs=hrefs,
        drawing=draw_bars(
            labels, Series(name=_("Members"), values=[row.members for row in shown], hrefs=hrefs), lying=True
        )
        if shown
        else None,
        note=_(
            "A: at least %(chance)s likely to buy in the next 30 days, average ticket above %(ticket)s, spending power"
            " %(power)s or more, and not judged lower by the clerk. B: at least %(fair)s likely. C: the others."
        )
        % {
            "chance": share(settings.care_a_probability_min_ppm),
            "fair": share(settings.care_b_probability_min_ppm),
            "ticket": written(settings.care_a_ticket_above_minor, unit=company_unit()),
            "power": settings.care_a_spending_power_min,
        },
        size="wide",
    )


def decile_chart(trust: Calibration) -> Chart:
    """Return the visits forecast and counted, by tenths of the members."""
    labels = [str(row.decile) for row in trust.deciles]
    off = abs(trust.expected_visits - trust.actual_visits) / trust.actual_visits if trust.actual_visits else 0
    return Chart(
        key="calibration",
        subject=_("Visits forecast and counted, %(first)s to %(last)s")
        % {"first": day(trust.split_on), "last": day(trust.ends_on)},
        finding=_("All in all the forecast was %(off)s off") % {"off": share(round(off * PPM))},
        columns=[
            Column(label=_("Tenth, 10 = most visits expected"), kind="text"),
            Column(label=_("Members")),
            Column(label=_("Visits forecast a member"), kind="decimal"),
            Column(label=_("Visits counted a member"), kind="decimal"),
        ],
        rows=[
            [label, row.members, round(row.expected_visits * MILLI), round(row.actual_visits * MILLI)]
            for row, label in zip(trust.deciles, labels, strict=True)
        ],
        drawing=draw_bars(
            labels,
            Series(name=_("Forecast"), values=[round(row.expected_visits * MILLI) for row in trust.deciles]),
            Series(name=_("Counted"), values=[round(row.actual_visits * MILLI) for row in trust.deciles]),
            kind="decimal",
        ),
        note=_(
            "The forecast knew only what was known on the first of these days. Members by tenths of their forecast."
        ),
    )


def reliability_chart(trust: Calibration) -> Chart:
    """Return how often members with a forecast chance did come."""
    rows = trust.reliability
    labels = [f"{row.band_from_percent}–{row.band_from_percent + 10} %" for row in rows]
    members = sum(row.members for row in rows)
    off = sum(row.members * abs(row.expected_share - row.actual_share) for row in rows) / members if members else 0
    return Chart(
        key="reliability",
        subject=_("Chance of a visit within 30 days"),
        finding=_("The chance was %(off)s points off on average") % {"off": f"{100 * off:.1f}"},
        columns=[
            Column(label=_("Chance forecast"), kind="text"),
            Column(label=_("Members")),
            Column(label=_("Mean forecast"), kind="share"),
            Column(label=_("Came"), kind="share"),
            Column(label=_("Came at least"), kind="share"),
            Column(label=_("Came at most"), kind="share"),
        ],
        rows=[
            [
                label,
                row.members,
                round(row.expected_share * PPM),
                round(row.actual_share * PPM),
                round(row.low * PPM),
                round(row.high * PPM),
            ]
            for row, label in zip(rows, labels, strict=True)
        ],
        drawing=draw_lines(
            labels,
            Series(name=_("Came"), values=[round(row.actual_share * PPM) for row in rows]),
            Series(
                name=_("Mean forecast"), values=[round(row.expected_share * PPM) for row in rows], colour="series-2"
            ),
            kind="share",
        ),
        note=_("“At least” and “at most”: the true share lies between them with 95 % confidence (Wilson)."),
    )


urlpatterns = [path("insight/forecast", show_forecast, name="insight_forecast")]
