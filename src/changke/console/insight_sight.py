"""What every insight page looks at: the lake, the stores and the days that the viewer chose."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from functools import wraps
from typing import Any, Final
from urllib.parse import urlencode

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path, reverse
from django.utils.translation import gettext_lazy as _

from changke.actions.insight_figures import ask_for_figures
from changke.console.page import render_page
from changke.console.site import href_of
from changke.insight.segment_json import tree_to_json
from changke.kernel.periods import Period, days_ending
from changke.lobby.viewer import viewer_of
from changke.queries.insight import StoreName, list_store_names
from changke.queries.insight_cache import ReportMissingError
from changke.queries.insight_pages import LOADERS, InsightPage
from changke.queries.lake import CurrentLake, current_lake
from changke.rules.reports.scope import Scope
from changke.rules.segments import AllOf, Choice, Tree
from changke.rules.staff import Viewer
from changke.ui.figures import Choice as Option
from changke.ui.figures import Progress

SPANS: Final = {
    "30": _("30 days"),
    "90": _("90 days"),
    "180": _("180 days"),
    "365": _("One year"),
    "own": _("Own dates"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """The lake, the days, and the stores: `store_ids` None = every store."""

    viewer: Viewer
    lake: CurrentLake
    period: Period
    span: str
    stores: tuple[StoreName, ...]
    chosen: StoreName | None

    @property
    def store_ids(self) -> frozenset[int] | None:
        return self.viewer.store_ids if self.chosen is None else frozenset({self.chosen.id})

    @property
    def scope(self) -> Scope:
        """What reports look at."""
        return Scope(period=self.period, store_ids=self.store_ids)

    def tree(self, *parts: Tree) -> Tree:
        """Return conditions joined with the chosen store: the members behind a figure of this page."""
        if self.chosen is not None:
            parts = (*parts, Choice(field="home_store_id", values=(self.chosen.id,)))
        return parts[0] if len(parts) == 1 else AllOf(parts=parts)

    def href(self, *parts: Tree) -> str:
        """Return the address of the members behind a figure of this page."""
        return drill(self.tree(*parts))

    @property
    def spans(self) -> list[Option]:
        return [Option(value=value, label=label, is_chosen=value == self.span) for value, label in SPANS.items()]


def sight_of(request: HttpRequest, *, lake: CurrentLake) -> Sight:
    """Read ?store=, ?span= and ?first=&last=; what cannot be read falls back to every store and the last 30 days."""
    viewer = viewer_of(request)
    stores = list_store_names(viewer)
    last = lake.as_of - timedelta(days=1)
    span = request.GET.get("span", "30")
    span = span if span in SPANS else "30"
    period = days_ending(last, days=30 if span == "own" else int(span))
    typed_first, typed_last = read_day(request.GET.get("first")), read_day(request.GET.get("last"))
    if span == "own" and typed_first and typed_last and typed_first <= typed_last:
        period = Period(first=typed_first, last=typed_last)
    chosen = next((store for store in stores if store.public_id == request.GET.get("store")), None)
    return Sight(viewer=viewer, lake=lake, period=period, span=span, stores=stores, chosen=chosen)


def read_day(text: str | None) -> date | None:
    try:
        return date.fromisoformat(text or "")
    except ValueError:
        return None


def with_sight(
    title: Any, *, page: InsightPage | None = None
) -> Callable[[Callable[..., HttpResponse]], Callable[..., HttpResponse]]:
    """Hand a view what it looks at; before the first import answer the page that says what to do next.

    With `page` the view gets that page's figures too; where nobody has computed them yet, a job is asked to, and the
    answer is a page that waits for it.
    """

    def wrap(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
        @wraps(view)
        def answer(request: HttpRequest, **arguments: Any) -> HttpResponse:
            lake = current_lake()
            if lake is None:
                return show_beginning(request, title=title)
            sight = sight_of(request, lake=lake)
            if page is None:
                return view(request, sight, **arguments)
            try:
                figures = LOADERS[page](sight.viewer, lake=lake, scope=sight.scope)
            except ReportMissingError:
                return show_waiting(request, page=page, sight=sight, title=title)
            return view(request, sight, figures, **arguments)

        return answer

    return wrap


def show_beginning(request: HttpRequest, *, title: Any) -> HttpResponse:
    """Show the empty state: there are no sales yet; where to bring them in."""
    href = href_of("import_new") or href_of("imports")
    return render_page(request, "console/insight/beginning.html", {"import_href": href}, title=title)


def show_waiting(request: HttpRequest, *, page: InsightPage, sight: Sight, title: Any) -> HttpResponse:
    """Ask a job for the figures of a page and show that it is being done."""
    ask_for_figures(sight.viewer, page=page, scope=sight.scope)
    context = {"sight": sight, "progress": waiting(request, page=page), "has_days": "days"}
    return render_page(request, "console/insight/waiting.html", context, title=title)


def waiting(request: HttpRequest, *, page: InsightPage) -> Progress:
    """Return the progress of figures that are being computed: asked again every second with the same choices."""
    query = request.GET.copy()
    query["page"] = page.value
    return Progress(
        label=_("Reading every sale of these days and stores, for the first time"),
        done=0,
        url=f"{reverse('insight_waiting')}?{query.urlencode()}",
    )


def show_state(request: HttpRequest) -> HttpResponse:
    """Answer the progress of a page's figures; when they are there the page is asked for anew."""
    lake = current_lake()
    wanted = request.GET.get("page", "")
    if lake is None or wanted not in set(InsightPage):
        raise Http404
    page = InsightPage(wanted)
    sight = sight_of(request, lake=lake)
    answer = render(request, "ui/components/progress.html", {"progress": waiting(request, page=page)})
    try:
        LOADERS[page](sight.viewer, lake=lake, scope=sight.scope)
    except ReportMissingError:
        ask_for_figures(sight.viewer, page=page, scope=sight.scope)
        return answer
    answer.headers["HX-Refresh"] = "true"
    return answer


def drill(tree: Tree) -> str:
    """Return the address of the members whom a tree matches."""
    return (
        reverse("insight_members") + "?" + urlencode({"where": json.dumps(tree_to_json(tree), separators=(",", ":"))})
    )


urlpatterns = [path("insight/waiting", show_state, name="insight_waiting")]
