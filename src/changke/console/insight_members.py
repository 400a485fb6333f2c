"""The members behind a point of a chart, and the way from there to a segment."""

import json
from urllib.parse import urlencode

from django.http import Http404, HttpRequest, HttpResponse
from django.urls import path
from django.utils.translation import gettext_lazy as _

from changke.console.forms import page_number
from changke.console.insight_sight import Sight, with_sight
from changke.console.page import render_page
from changke.console.segment_builder import say_in_words
from changke.console.site import href_of
from changke.insight.segment_json import segment_to_json, tree_from_json
from changke.kernel.errors import ChangkeError
from changke.lobby.permissions import may_open
from changke.queries.insight import list_found_members
from changke.rules.segments import Segment
from changke.ui.figures import Pages

PAGE_SIZE = 50


@with_sight(_("Members behind the figure"))
def show_members(request: HttpRequest, sight: Sight) -> HttpResponse:
    """Show whom ?where= (a tree of the segment language as JSON) matches, most valuable first."""
    try:
        tree = tree_from_json(json.loads(request.GET.get("where", "")))
    except (ValueError, ChangkeError) as error:
        raise Http404 from error
    definition = Segment(where=tree)
    number = page_number(request)
    found = list_found_members(
        sight.viewer, lake=sight.lake, definition=definition, first=(number - 1) * PAGE_SIZE, size=PAGE_SIZE
    )
    spelled = json.dumps(segment_to_json(definition), separators=(",", ":"))
    segment_href = href_of("segment_new") if may_open(sight.viewer, name="segment_new") else ""
    context = {
        "sight": sight,
        "found": found,
        "sentence": say_in_words(definition),
        "pages": Pages(number=number, size=PAGE_SIZE, total=found.total),
        "segment_href": segment_href and f"{segment_href}?{urlencode({'tree': spelled})}",
    }
    return render_page(request, "console/insight/members.html", context, title=_("Members behind the figure"))


urlpatterns = [path("insight/members", show_members, name="insight_members")]
