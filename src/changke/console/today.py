"""Today: key figures against the period before, what waits, what changed since the day before."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any, Final

from django.http import HttpRequest, HttpResponse
from django.urls import path, reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext_lazy

from changke.console.insight_sight import Sight, with_sight
from changke.console.page import render_page
from changke.console.site import href_of
from changke.kernel.clock import utc_now
from changke.kernel.money import currency, format_money
from changke.lobby.permissions import may_open
from changke.queries.company import load_company
from changke.queries.insight_pages import InsightPage
from changke.queries.today import LastDay, Span, TodayFigures, TodoKind, list_todos
from changke.rules.reports.overview import DayRow
from changke.rules.reports.scope import PPM, ppm
from changke.rules.segments import DateBetween, Number
from changke.rules.staff import Viewer
from changke.ui.figures import Figure
from changke.ui.templatetags.ui import number, share

TODOS: Final[dict[TodoKind, tuple[str, Any, str, str]]] = {  # icon, words, page, its query
    TodoKind.BIRTHDAYS_TODAY: (
        "cake",
        ngettext_lazy("%(count)s member has a birthday today", "%(count)s members have a birthday today", "number"),
        "members",
        "birthday=today",
    ),
    TodoKind.BIRTHDAYS_SOON: (
        "event",
        ngettext_lazy("%(count)s birthday in the next six days", "%(count)s birthdays in the next six days", "number"),
        "members",
        "birthday=week",
    ),
    TodoKind.APPROVALS: (
        "how_to_reg",
        ngettext_lazy("%(count)s provisional member to approve", "%(count)s provisional members to approve", "number"),
        "approvals",
        "",
    ),
    TodoKind.DUPLICATES: (
        "join_inner",
        ngettext_lazy("%(count)s pair that may be one person", "%(count)s pairs that may be one person", "number"),
        "duplicates",
        "",
    ),
    TodoKind.FAILED_IMPORTS: (
        "error",
        ngettext_lazy("%(count)s import that failed", "%(count)s imports that failed", "number"),
        "imports",
        "",
    ),
    TodoKind.FAILED_RUNS: (
        "error",
        ngettext_lazy("%(count)s run that failed", "%(count)s runs that failed", "number"),
        "insight_runs",
        "",
    ),
}


@with_sight(gettext_lazy("Today"), page=InsightPage.TODAY)
def show_today(request: HttpRequest, sight: Sight, found: TodayFigures) -> HttpResponse:
    """Show the working day's first page."""
    company = load_company()
    context = {
        "sight": sight,
        "figures": key_figures(found.now, found.before),
        "todos": todo_rows(sight.viewer),
        "changes": list(sentences(found.last_day, sight=sight, unit_code=company.currency if company else "CNY")),
        "last_day": found.last_day.day,
        "is_old": (timezone.localdate(utc_now()) - found.last_day.day).days > 1,
    }
    return render_page(request, "console/today/page.html", context, title=_("Today"))


def key_figures(span: Span, span_before: Span) -> list[Figure]:
    """Return the figures of the head of the page."""
    now, before, days = span.figures, span_before.figures, by_day(span)
    against = _("against the %(days)s days before") % {"days": span.scope.period.days}
    return [
        Figure(
            label=_("Sales"),
            value=now.sales_minor,
            before=before.sales_minor,
            kind="money",
            against=against,
            spark=[day.sales_minor if day else 0 for day in days],
        ),
        Figure(
            label=_("Member share of sales"),
            value=now.member_share_ppm,
            before=before.member_share_ppm,
            kind="share",
            against=against,
            spark=[ppm(day.member_sales_minor, day.sales_minor) if day else None for day in days],
        ),
        Figure(label=_("New members"), value=now.new_members, before=before.new_members, against=against),
        Figure(
            label=_("Members who bought"),
            value=now.buyers,
            before=before.buyers,
            against=against,
            spark=[day.buyers if day else 0 for day in days],
        ),
        Figure(
            label=_("Repurchase rate"),
            value=now.repurchase_ppm,
            before=before.repurchase_ppm,
            kind="share",
            against=against,
            hint=_("of those who bought, on two days or more"),
        ),
        Figure(
            label=_("Sleeping members woken"),
            value=span.woken,
            before=span_before.woken,
            against=against,
            hint=_("came back after the silence that makes a sleeper"),
        ),
    ]


def by_day(span: Span) -> list[DayRow | None]:
    """Return the days of a period in order, None for one without a sale."""
    found = {row.day: row for row in span.days}
    period = span.scope.period
    return [found.get(period.first + timedelta(days=offset)) for offset in range(period.days)]


def todo_rows(viewer: Viewer) -> list[dict[str, Any]]:
    """Return the to-do list with its words; a link only to pages that exist and may be opened."""
    rows = []
    for todo in list_todos(viewer, today=timezone.localdate(utc_now())):
        icon, words, page, query = TODOS[todo.kind]
        href = href_of(page) if may_open(viewer, name=page) else ""
        text = words % {"number": todo.count, "count": number(todo.count)}
        rows.append({"icon": icon, "text": text, "href": href and href + "?" * bool(query) + query})
    return rows


def sentences(last: LastDay, *, sight: Sight, unit_code: str) -> Iterator[dict[str, Any]]:
    """Yield what the last day brought, each as text, icon and the members behind it."""
    now, before = last.figures, last.week_before
    moved = change_ppm(now.sales_minor, before.sales_minor)
    if moved is None:
        text = _("Sales were %(sales)s; there is no sale on the same weekday a week before to compare with.")
    elif moved >= 0:
        text = _("Sales were %(sales)s, %(share)s more than on the same weekday a week before.")
    else:
        text = _("Sales were %(sales)s, %(share)s less than on the same weekday a week before.")
    sales = format_money(now.sales_minor, unit=currency(unit_code))
    yield {"icon": "payments", "text": text % {"sales": sales, "share": share(abs(moved or 0))}, "href": ""}
    counts = {"now": number(now.buyers), "before": number(before.buyers)}
    bought = DateBetween(field="last_visit_on", first=last.day, last=last.day)
    text = _("%(now)s members bought; a week before it was %(before)s.") % counts
    yield {"icon": "shopping_bag", "text": text, "href": sight.href(bought)}
    joined = DateBetween(field="joined_on", first=last.day, last=last.day)
    counts = {"now": number(now.new_members), "before": number(before.new_members)}
    text = _("%(now)s members joined; a week before it was %(before)s.") % counts
    yield {"icon": "person_add", "text": text, "href": sight.href(joined)}
    if last.fell_asleep:
        days = last.asleep_after_days
        text = _("%(count)s members fell asleep: %(days)s days without a visit.")
        silent = Number(field="recency_days", low=days, high=days)
        text = text % {"count": number(last.fell_asleep), "days": days}
        yield {"icon": "bedtime", "text": text, "href": sight.href(silent)}


def change_ppm(now: int, before: int) -> int | None:
    """Return a relative change in millionths; None where there is nothing to compare with."""
    return None if before <= 0 else (now - before) * PPM // before


def go_home(request: HttpRequest) -> HttpResponse:
    """Open Today, or the member list for who has no key figures."""
    from_here = "today" if may_open(request.viewer, name="today") else "members"  # type: ignore[attr-defined]
    return HttpResponse(status=302, headers={"Location": reverse(from_here)})


urlpatterns = [path("", go_home, name="console"), path("today", show_today, name="today")]
