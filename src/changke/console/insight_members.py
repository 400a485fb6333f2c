"""The members behind a point of a chart, and the way from there to a segment."""

import json
from urllib.parse import urlencode

from django.http import Http404, HttpRequest, HttpResponse
from django.urls import path
from django.utils.translation import gettext_lazy as _

from changke.console.insight_sight import Sight, with_sight
from changke.console.page import render_page
from changke.console.site import href_of
from changke.insight.segment_json import tree_from_json, tree_to_json
from changke.kernel.errors import ChangkeError
from changke.kernel.money import currency
from changke.lobby.permissions import may_open
from changke.queries.company import load_company
from changke.queries.insight import list_found_members, name_any
from changke.rules.segments import Segment
from changke.ui.figures import Pages
from changke.ui.sentences import write_sentence

PAGE_SIZE = 50


@with_sight(_("Members behind the figure"))
def show_members(request: HttpRequest, sight: Sight) -> HttpResponse:
    """Show whom ?where= (a tree of the segment language as JSON) matches, most valuable first."""
    try:
        tree = tree_from_json(json.loads(request.GET.get("where", "")))
    except (ValueError, ChangkeError) as error:
        raise Http404 from error
    number = max(1, int(request.GET.get("page", "1")) if request.GET.get("page", "1").isdigit() else 1)
    found = list_found_members(
        sight.viewer, lake=sight.lake, definition=Segment(where=tree), first=(number - 1) * PAGE_SIZE, size=PAGE_SIZE
    )
    company = load_company()
    where = json.dumps(tree_to_json(tree), separators=(",", ":"))
    segment_href = href_of("segment_new") if may_open(sight.viewer, name="segment_new") else ""
    context = {
        "sight": sight,
        "found": found,
        "sentence": write_sentence(
            found.sentence, unit=currency(company.currency if company else "CNY"), name_of=name_any
        ),
        "pages": Pages(number=number, size=PAGE_SIZE, total=found.total),
        "segment_href": segment_href and f"{segment_href}?{urlencode({'where': where})}",
    }
    return render_page(request, "console/insight/members.html", context, title=_("Members behind the figure"))


urlpatterns = [path("insight/members", show_members, name="insight_members")]
