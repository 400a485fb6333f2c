"""What happens to every request: a log line, a viewer, the permission table, the content policy."""

import time
from collections.abc import Callable
from datetime import datetime, timedelta
from secrets import token_hex
from typing import Any, Final

import structlog
from django.contrib.auth import logout
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import resolve_url
from django.utils import translation

from changke.kernel.clock import utc_now
from changke.kernel.errors import ChangkeError
from changke.lobby.permissions import ADDRESSES, Access
from changke.lobby.problems import answer_problem, answer_refused_input, wants_json
from changke.lobby.viewer import address_of
from changke.queries.sign_ins import SignedIn, load_signed_in
from changke.rules.staff import NotAllowedError

Answer = Callable[[HttpRequest], HttpResponse]

log = structlog.get_logger("changke.requests")

SEEN_EVERY: Final = timedelta(minutes=1)  # a session writes down at most this often that it is in use
POLICY: Final = "; ".join(
    (
        "default-src 'self'",
        "img-src 'self' data: blob:",
        # The charts place their tip boxes by style attributes; style elements and scripts stay in files of our own.
        "style-src-attr 'unsafe-inline'",
        "object-src 'none'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    )
)


class RequestLogMiddleware:
    """Write one line a request: id, URL name, status, milliseconds; no address, no query, nobody's name."""

    def __init__(self, get_response: Answer) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        started = time.perf_counter()
        request_id = token_hex(8)
        request.number = request_id  # type: ignore[attr-defined] # what a page of an error tells
        with structlog.contextvars.bound_contextvars(request_id=request_id):
            response = self.get_response(request)
            match = request.resolver_match
            log.info(
                "request",
                method=request.method,
                page=match.view_name if match else "",
                status=response.status_code,
                ms=round((time.perf_counter() - started) * 1000),
                user_id=getattr(getattr(request, "viewer", None), "user_id", None),
            )
        response.headers["X-Request-Id"] = request_id
        return response


class ViewerMiddleware:
    """Set `request.viewer` and `request.signed_in` (None for nobody); end old sessions; choose the language."""

    def __init__(self, get_response: Answer) -> None:
        self.get_response = get_response

    def __call__(self, request: Any) -> HttpResponse:
        request.signed_in = self._find(request, now=utc_now())
        request.viewer = request.signed_in.viewer if request.signed_in else None
        if request.viewer is not None:
            translation.activate(request.viewer.language)
            request.LANGUAGE_CODE = translation.get_language()
        return self.get_response(request)

    def _find(self, request: HttpRequest, *, now: datetime) -> SignedIn | None:
        user_id = request.user.pk
        if user_id is None:
            return None
        found = load_signed_in(user_id, place=address_of(request))
        if found is None or not _touch(request, found=found, now=now):
            logout(request)
            return None
        return found


def _touch(request: HttpRequest, *, found: SignedIn, now: datetime) -> bool:
    """Note that the session is in use; False where it has been idle or has lasted too long."""
    session = request.session
    started_at = datetime.fromisoformat(session.setdefault("started_at", now.isoformat()))
    seen_at = datetime.fromisoformat(session.setdefault("seen_at", now.isoformat()))
    if now - seen_at > timedelta(minutes=found.security.session_idle_minutes):
        return False
    if now - started_at > timedelta(hours=found.security.session_hours_max):
        return False
    if now - seen_at > SEEN_EVERY:
        session["seen_at"] = now.isoformat()
    return True


class PermissionMiddleware:
    """Open an address only to those whom the permission table names; lead people first to what they owe."""

    def __init__(self, get_response: Answer) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(self, request: Any, *_view: Any) -> HttpResponse | None:
        needed = ADDRESSES.get(request.resolver_match.view_name)
        if needed is None:
            raise PermissionDenied
        if needed is Access.PUBLIC:
            return None
        if request.viewer is None:
            return _ask_to_sign_in(request)
        if needed is not Access.DUTY and (duty := _duty(request.signed_in)):
            return HttpResponseRedirect(resolve_url(duty))
        if isinstance(needed, Access) or request.viewer.may(needed):
            return None
        raise PermissionDenied

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if isinstance(exception, NotAllowedError):
            return answer_problem(request, status=403)
        if isinstance(exception, ChangkeError):
            return answer_refused_input(request, error=exception)
        return None


def _duty(signed_in: SignedIn) -> str:
    """Return the URL name of what somebody owes before anything else opens; empty for nothing."""
    if signed_in.must_change_password:
        return "account_change_password"
    if signed_in.must_add_second_factor:
        return "mfa_activate_totp"
    return ""


def _ask_to_sign_in(request: Any) -> HttpResponse:
    if request.headers.get("HX-Request"):
        return HttpResponse(status=204, headers={"HX-Redirect": resolve_url("account_login")})
    if wants_json(request):
        return answer_problem(request, status=401)
    return redirect_to_login(request.get_full_path())


class ContentPolicyMiddleware:
    """Let a page load only what this server brings, and say nothing to other sites."""

    def __init__(self, get_response: Answer) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        response.headers.setdefault("Content-Security-Policy", POLICY)
        response.headers.setdefault("Permissions-Policy", "camera=(), geolocation=(), microphone=()")
        if getattr(request, "viewer", None) is not None:
            response.headers.setdefault("Cache-Control", "no-store")
        return response
