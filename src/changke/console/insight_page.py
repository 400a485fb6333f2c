"""One way to answer for every page of charts: the export where it is asked for, else the page."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.http import HttpRequest, HttpResponse

from changke.console.insight_export import answer_export
from changke.console.insight_sight import Sight
from changke.console.page import render_page
from changke.kernel.money import Currency, currency, format_money
from changke.queries.company import load_company
from changke.rules.reports.scope import PPM
from changke.ui.charts import Chart


def show_charts(
    request: HttpRequest,
    sight: Sight,
    charts: Sequence[Chart],
    *,
    title: Any,
    template: str = "console/insight/charts.html",
    context: Mapping[str, Any] | None = None,
    lead: Any = "",
    has_days: str = "",
    crumbs: Sequence[tuple[Any, str]] = (),
) -> HttpResponse:
    """Answer a page of charts or, with ?export=, the table of one; `has_days` = "days" shows the picker of days."""
    export = answer_export(request, charts, unit=company_unit())
    if export is not None:
        return export
    frame = {"sight": sight, "charts": charts, "has_days": has_days}
    return render_page(request, template, {**frame, **(context or {})}, title=title, lead=lead, crumbs=crumbs)


def company_unit() -> Currency:
    """Return the company's currency."""
    company = load_company()
    return currency(company.currency if company else "CNY")


def written(amount_minor: int | None, *, unit: Currency) -> str:
    """Write money for a sentence; a dash for nothing."""
    return "–" if amount_minor is None else format_money(amount_minor, unit=unit)


def part_of(part: int, whole: int) -> int:
    """Return a share in millionths; 0 of nothing."""
    return part * PPM // whole if whole else 0
