"""The command palette's answers: members, pages, segments."""

from typing import Any, Final

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path
from django.utils.translation import gettext as _

from changke.console.site import build_side_bar, href_of
from changke.queries.member_search import find_members
from changke.queries.segments import list_segments
from changke.rules.staff import Permission, Viewer
from changke.ui.templatetags.ui import local_name

MEMBERS_MAX: Final = 8
SEGMENTS_MAX: Final = 5


def find(request: HttpRequest) -> HttpResponse:
    """Answer the rows that fit ?q=: members by phone, card, name or pinyin, then pages and segments."""
    text = request.GET.get("q", "").strip()
    viewer: Viewer = request.viewer  # type: ignore[attr-defined]
    found = [*found_members(viewer, text=text), *found_pages(viewer, text=text), *found_segments(viewer, text=text)]
    return render(request, "console/components/found.html", {"found": found, "text": text})


def found_pages(viewer: Viewer, *, text: str) -> list[dict[str, Any]]:
    """Return the pages whose title or group holds the text; all of them for an empty one."""
    return [
        {"title": entry["title"], "icon": entry["icon"], "href": entry["href"], "note": group["title"]}
        for group in build_side_bar(viewer, current="")
        for entry in group["entries"]
        if text.lower() in f"{entry['title']} {group['title']}".lower()
    ]


def found_members(viewer: Viewer, *, text: str) -> list[dict[str, Any]]:
    """Return the members that a text may mean, those whose page the viewer may open."""
    if not text or not viewer.may(Permission.SEE_MEMBERS):
        return []
    return [
        {
            "title": hit.name or hit.code,
            "icon": "person",
            "href": href_of("member", public_id=hit.public_id),
            "note": " · ".join(part for part in (hit.phone, hit.code, hit.home_store) if part),
        }
        for hit in find_members(viewer, text=text, limit=MEMBERS_MAX)
        if hit.is_within and href_of("member", public_id=hit.public_id)
    ]


def found_segments(viewer: Viewer, *, text: str) -> list[dict[str, Any]]:
    """Return the segments whose name or note holds the text."""
    if not text or not viewer.may(Permission.SEE_SEGMENTS):
        return []
    return [
        {
            "title": local_name(row),
            "icon": "filter_alt",
            "href": href_of("segment", public_id=row.public_id),
            "note": _("Segment"),
        }
        for row in list_segments(viewer, search=text)[:SEGMENTS_MAX]
        if href_of("segment", public_id=row.public_id)
    ]


urlpatterns = [path("find", find, name="find")]
