"""The command palette's answers: members, pages, segments."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path

from changke.console.site import build_side_bar

FOUND_MAX = 8


def find(request: HttpRequest) -> HttpResponse:
    """Answer the rows that fit ?q=: pages by title, members by phone, card, name or pinyin."""
    text = request.GET.get("q", "").strip()
    viewer = request.viewer  # type: ignore[attr-defined]
    pages = [
        {"title": entry["title"], "icon": entry["icon"], "href": entry["href"], "note": group["title"]}
        for group in build_side_bar(viewer, current="")
        for entry in group["entries"]
        if text.lower() in f"{entry['title']} {group['title']}".lower()
    ]
    return render(
        request, "console/components/found.html", {"found": pages[: FOUND_MAX if text else None], "text": text}
    )


urlpatterns = [path("find", find, name="find")]
