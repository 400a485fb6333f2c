"""What every template may name."""

from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils.functional import SimpleLazyObject

from changke.queries.company import load_company


def company(request: HttpRequest) -> dict[str, Any]:
    """Return the company (asked only by pages that show it), the viewer and where the language is switched."""
    return {
        "company": SimpleLazyObject(load_company),
        "viewer": getattr(request, "viewer", None),
        "language_url": reverse("set_language"),
    }
