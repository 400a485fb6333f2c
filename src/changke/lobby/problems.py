"""Errors as answers: problem+json (RFC 9457) for programs, a calm page for people; never anything from inside."""

from dataclasses import dataclass
from typing import Any, Final

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template.loader import render_to_string
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from changke.kernel.errors import ChangkeError, Problem


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    code: str
    title: Any
    text: Any


KNOWN: Final = {
    400: Words(code="bad_request", title=_("This request cannot be read"), text=_("Go back and try it once more.")),
    401: Words(code="sign_in_needed", title=_("Please sign in"), text=_("This address opens after signing in.")),
    403: Words(
        code="not_allowed",
        title=_("This page is not open to you"),
        text=_("Your role does not include it. Head office can change that under Staff."),
    ),
    404: Words(
        code="not_found",
        title=_("There is nothing here"),
        text=_("The address is wrong, or what stood here is out of your reach."),
    ),
    422: Words(code="refused", title=_("This cannot be done"), text=_("Nothing was changed.")),
    429: Words(
        code="too_many_tries",
        title=_("Too many tries"),
        text=_("Wait 15 minutes and try again, or ask head office to lift the lock."),
    ),
    500: Words(
        code="internal_error",
        title=_("Something went wrong here"),
        text=_("Nothing was half done. Try again; if it happens once more, tell your administrator the number below."),
    ),
}


def say(problem: Problem) -> str:
    """Say a problem and its cure in the language of the reader."""
    text = " ".join(gettext(part) for part in (problem.message, problem.cure) if part)
    return text % dict(problem.values) if problem.values else text


def wants_json(request: HttpRequest) -> bool:
    """Say whether the caller is a program: it accepts JSON and does not ask for a page."""
    return not request.accepts("text/html") and request.accepts("application/json")


def answer_problem(request: HttpRequest, *, status: int, details: tuple[str, ...] = ()) -> HttpResponse:
    """Answer with a known problem, as problem+json or as a page."""
    words = KNOWN[status]
    if wants_json(request):
        body: dict[str, Any] = {
            "type": "about:blank",
            "title": str(words.title),
            "status": status,
            "code": words.code,
            "detail": " ".join(details) or str(words.text),
        }
        return JsonResponse(body, status=status, content_type="application/problem+json")
    context = {"title": words.title, "text": words.text, "details": details, "status": status}
    if status == 500:  # whatever broke may break again: this page asks no session and no database
        context["number"] = getattr(request, "number", "")
        return HttpResponse(render_to_string("lobby/problem.html", context), status=status)
    return HttpResponse(render_to_string("lobby/problem.html", context, request=request), status=status)


def answer_refused_input(request: HttpRequest, *, error: ChangkeError) -> HttpResponse:
    """Answer 422 with what is wrong and how to mend it."""
    return answer_problem(request, status=422, details=tuple(say(problem) for problem in error.problems))


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:  # noqa: ARG001 - Django's handler
    return answer_problem(request, status=400)


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:  # noqa: ARG001 - Django's handler
    return answer_problem(request, status=403)


def page_not_found(request: HttpRequest, exception: Exception) -> HttpResponse:  # noqa: ARG001 - Django's handler
    return answer_problem(request, status=404)


def server_error(request: HttpRequest) -> HttpResponse:
    return answer_problem(request, status=500)


def csrf_failed(request: HttpRequest, reason: str = "") -> HttpResponse:  # noqa: ARG001 - Django's handler
    return answer_problem(request, status=403, details=(gettext("The form was too old. Go back, reload, try again."),))
