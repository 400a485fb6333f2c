"""The language a reader chose: in a cookie for everybody, with the sign-in for staff."""

from typing import Any

from django.conf import settings
from django.http import HttpResponse, HttpResponseRedirect
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST

from changke.actions.sign_ins import choose_language
from changke.lobby.problems import answer_problem


@require_POST
def set_language(request: Any) -> HttpResponse:
    """Switch the language and go back to where the switch stood."""
    language = request.POST.get("language", "")
    if language not in dict(settings.LANGUAGES):
        return answer_problem(request, status=422)
    following = request.POST.get("next", "")
    if not url_has_allowed_host_and_scheme(following, {request.get_host()}, require_https=request.is_secure()):
        following = settings.LOGIN_REDIRECT_URL
    if request.viewer is not None:
        choose_language(request.viewer, language=language)
    response = HttpResponseRedirect(following)
    response.set_cookie(
        settings.LANGUAGE_COOKIE_NAME,
        language,
        max_age=365 * 24 * 3600,
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )
    return response
