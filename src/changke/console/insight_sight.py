"""What every insight page looks at: the lake, the stores and the days that the viewer chose."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from functools import wraps
from typing import Any, Final
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from changke.console.page import render_page
from changke.console.site import href_of
from changke.insight.segment_json import tree_to_json
from changke.kernel.periods import Period, days_ending
from changke.queries.insight import StoreName, list_store_names
from changke.queries.lake import CurrentLake, current_lake
from changke.rules.reports.scope import Scope
from changke.rules.segments import AllOf, Choice, Tree
from changke.rules.staff import Viewer
from changke.ui.figures import Choice as Option

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

    @property
    def everything(self) -> Scope:
        """The same stores over all days of the lake."""
        return Scope(period=Period(first=date.min, last=self.lake.as_of - timedelta(days=1)), store_ids=self.store_ids)

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
    viewer: Viewer = request.viewer  # type: ignore[attr-defined]
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


def with_sight(title: Any) -> Callable[[Callable[..., HttpResponse]], Callable[..., HttpResponse]]:
    """Hand a view what it looks at; before the first import answer the page that says what to do next."""

    def wrap(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
        @wraps(view)
        def answer(request: HttpRequest, **arguments: Any) -> HttpResponse:
            lake = current_lake()
            if lake is None:
                return show_beginning(request, title=title)
            return view(request, sight_of(request, lake=lake), **arguments)

        return answer

    return wrap


def show_beginning(request: HttpRequest, *, title: Any) -> HttpResponse:
    """Show the empty state: there are no sales yet; where to bring them in."""
    href = href_of("import_new") or href_of("imports")
    return render_page(request, "console/insight/beginning.html", {"import_href": href}, title=title)


def drill(tree: Tree) -> str:
    """Return the address of the members whom a tree matches."""
    return (
        reverse("insight_members") + "?" + urlencode({"where": json.dumps(tree_to_json(tree), separators=(",", ":"))})
    )
