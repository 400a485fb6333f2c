"""Answer with a page in the frame."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _

from changke.console.site import build_side_bar, href_of


def render_page(
    request: HttpRequest,
    template: str,
    context: Mapping[str, Any] | None = None,
    *,
    title: Any,
    lead: Any = "",
    crumbs: Sequence[tuple[Any, str]] = (),
    status: int = 200,
) -> HttpResponse:
    """Render a template that extends ui/page.html with the frame's side bar, viewer and addresses.

    `title` is heading and window title, `lead` one line below it, `crumbs` the pages above as (title, address).
    """
    viewer = request.viewer  # type: ignore[attr-defined]
    match = request.resolver_match
    frame = {
        "title": title,
        "lead": lead,
        "crumbs": [{"title": name, "href": href} for name, href in crumbs],
        "viewer": viewer,
        "side_bar": build_side_bar(viewer, current=(match.url_name or "") if match else ""),
        "home_url": href_of("console"),
        "palette_url": href_of("find"),
        "language_url": href_of("set_language"),
        "sign_out_url": href_of("account_logout"),
        "account_links": [
            {"title": title_of, "href": href, "icon": icon} for title_of, icon, href in account_pages() if href
        ],
    }
    return render(request, template, {**frame, **(context or {})}, status=status)


def account_pages() -> list[tuple[Any, str, str]]:
    """Return what a signed-in person may change of the own account: (title, icon, address)."""
    return [
        (_("My account"), "manage_accounts", href_of("account")),
        (_("Password"), "key", href_of("account_change_password")),
    ]
