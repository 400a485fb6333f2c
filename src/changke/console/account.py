"""One's own account: password, second factor, recovery codes, sessions, language."""

from typing import Any

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


def show_account(request: Any) -> HttpResponse:
    """Show what belongs to the viewer's own sign-in."""
    viewer = viewer_of(request)
    context = {
        "username": request.user.get_username(),
        "has_second_factor": request.signed_in.has_second_factor,
        "is_needed": viewer.role in request.signed_in.security.second_factor_roles,
        "sessions": list_own_sessions(viewer),
        "this_key": request.session.session_key,
        "stores": None if viewer.store_ids is None else [local_name(row.card) for row in list_stores(viewer)],
    }
    return render_page(request, "console/account/page.html", context, title=_("My account"))


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
