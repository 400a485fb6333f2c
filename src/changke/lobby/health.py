"""For machines: is the process alive, can it serve, what has it measured."""

import hmac

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.db import Error
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_safe
from django_prometheus.exports import ExportToDjangoView

from changke.kernel.clock import utc_now
from changke.lobby.viewer import is_from_this_machine
from changke.queries.health import load_health


@require_safe
def livez(_request: HttpRequest) -> HttpResponse:
    """Answer 200 as long as the process can answer at all; asks nothing else."""
    return HttpResponse("ok\n", content_type="text/plain")


@require_safe
def readyz(_request: HttpRequest) -> HttpResponse:
    """Answer 200 where the database answers with a complete schema, else 503; a silent worker is told, no more."""
    try:
        health = load_health(now=utc_now())
    except Error:
        return JsonResponse({"database": "down"}, status=503, headers={"Retry-After": "2"})
    body = {
        "database": "ok",
        "schema": "behind" if health.lacks_migrations else "ok",
        "worker": "ok" if health.is_worker_alive else "silent",
    }
    return JsonResponse(body, status=200 if health.is_ready else 503)


@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """Answer Prometheus from this machine, or who carries CHANGKE_METRICS_TOKEN."""
    given = request.headers.get("Authorization", "").removeprefix("Bearer ")
    has_token = bool(settings.METRICS_TOKEN) and hmac.compare_digest(given.encode(), settings.METRICS_TOKEN.encode())
    if not has_token and not is_from_this_machine(request):
        raise PermissionDenied
    answer: HttpResponse = ExportToDjangoView(request)
    return answer
