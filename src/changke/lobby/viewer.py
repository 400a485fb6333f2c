"""Who stands behind a request."""

import ipaddress
from typing import Any

from django.conf import settings
from django.http import HttpRequest

from changke.rules.staff import NotAllowedError, Viewer


def viewer_of(request: HttpRequest) -> Viewer:
    """Return the signed-in viewer; NotAllowedError where there is none."""
    viewer = getattr(request, "viewer", None)
    if viewer is None:
        raise NotAllowedError("nobody is signed in")
    return viewer


def address_of(request: Any) -> str:
    """Return the client's address; behind CHANGKE_PROXIES proxies the one that the outermost of them saw.

    Whatever a client writes into X-Forwarded-For itself stands further left and is never taken.
    """
    address = request.META.get("REMOTE_ADDR", "")
    forwarded = [part.strip() for part in request.META.get("HTTP_X_FORWARDED_FOR", "").split(",") if part.strip()]
    if settings.PROXIES and len(forwarded) >= settings.PROXIES:
        address = forwarded[-settings.PROXIES]
    try:
        return str(ipaddress.ip_address(address))
    except ValueError:
        return "0.0.0.0"  # noqa: S104 - an unknown address (a socket file), not one to listen on


def is_from_this_machine(request: HttpRequest) -> bool:
    """Say whether a request comes from this machine itself and was passed on by nobody."""
    return "HTTP_X_FORWARDED_FOR" not in request.META and ipaddress.ip_address(address_of(request)).is_loopback
