"""One's own account: password, second factor, recovery codes, sessions, language."""

from dataclasses import replace
from typing import Any, Final

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import path
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from changke.actions.sign_ins import end_own_sessions
from changke.console.page import render_page
from changke.kernel.clock import utc_now
from changke.lobby.viewer import viewer_of
from changke.queries.sign_ins import list_own_sessions
from changke.queries.stores import list_stores
from changke.ui.templatetags.ui import local_name

# What a browser calls itself holds the names of those it resembles: the most special one first.
BROWSERS: Final = {
    "MicroMessenger": "WeChat",
    "Edg": "Edge",
    "OPR": "Opera",
    "Firefox": "Firefox",
    "Chrome": "Chrome",
    "Safari": "Safari",
}
SYSTEMS: Final = ("Windows", "Android", "iPhone", "iPad", "Mac OS", "CrOS", "Linux")


def show_account(request: Any) -> HttpResponse:
    """Show what belongs to the viewer's own sign-in."""
    viewer = viewer_of(request)
    context = {
        "username": request.user.get_username(),
        "has_second_factor": request.signed_in.has_second_factor,
        "is_needed": viewer.role in request.signed_in.security.second_factor_roles,
        "sessions": [replace(row, browser=name_browser(row.browser)) for row in list_own_sessions(viewer)],
        "this_key": request.session.session_key,
        "stores": None if viewer.store_ids is None else [local_name(row.card) for row in list_stores(viewer)],
    }
    return render_page(request, "console/account/page.html", context, title=_("My account"))


def name_browser(user_agent: str) -> str:
    """Return browser and system of a session, or what it calls itself where both are unknown."""
    browser = next((name for sign, name in BROWSERS.items() if f"{sign}/" in user_agent), "")
    system = next((name for name in SYSTEMS if name in user_agent), "")
    return ", ".join(filter(None, (browser, system))) or user_agent


@require_POST
def end_sessions(request: HttpRequest) -> HttpResponse:
    """Sign out everywhere but here."""
    end_own_sessions(viewer_of(request), kept_key=request.session.session_key or "", now=utc_now())
    messages.success(request, _("Signed out everywhere else."))
    return redirect("account")


urlpatterns = [
    path("account", show_account, name="account"),
    path("account/sessions/end", end_sessions, name="account_sessions_end"),
]
