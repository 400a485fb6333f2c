"""Every answer carries the policies; every request leaves one line without names; errors say nothing from inside."""

import json
from collections.abc import Callable
from typing import Any
from unittest.mock import patch

import pytest
import structlog
from django.test import Client, RequestFactory

from changke.kernel.errors import fail
from changke.lobby.problems import server_error
from changke.lobby.viewer import address_of
from changke.rules.staff import NotAllowedError, Role

HEADERS = {"HTTP_ACCEPT": "application/json"}


@pytest.mark.django_db
def test_an_answer_carries_its_policies(client: Client) -> None:
    answer = client.get("/console/account/login/")
    policy = answer["Content-Security-Policy"]
    assert "default-src 'self'" in policy and "unsafe-eval" not in policy and "script-src" not in policy
    assert (answer["X-Frame-Options"], answer["X-Content-Type-Options"]) == ("DENY", "nosniff")
    assert answer["Referrer-Policy"] == "same-origin" and len(answer["X-Request-Id"]) == 16


def test_pages_of_staff_are_not_kept_by_the_browser(sign_in: Callable[[Role], Client]) -> None:
    assert sign_in(Role.MARKETING).get("/console/account")["Cache-Control"] == "no-store"


def test_one_line_a_request_without_names(sign_in: Callable[[Role], Client]) -> None:
    client = sign_in(Role.MARKETING)
    with structlog.testing.capture_logs() as lines:
        client.get("/console/account?q=13800138000")
    line = next(line for line in lines if line["event"] == "request")
    assert (line["page"], line["status"]) == ("account", 200)
    assert "138" not in json.dumps(line) and set(line) <= {
        "event", "log_level", "method", "page", "status", "ms", "user_id", "request_id",
    }  # fmt: skip


@pytest.mark.django_db
def test_programs_get_problems_as_json(client: Client) -> None:
    answer = client.get("/console/account", **HEADERS)
    assert (answer.status_code, answer["Content-Type"]) == (401, "application/problem+json")
    assert answer.json()["code"] == "sign_in_needed"
    assert client.get("/nothing/here", **HEADERS).json()["code"] == "not_found"


@pytest.mark.django_db
def test_nobody_is_led_to_the_sign_in(client: Client) -> None:
    assert client.get("/console/account")["Location"] == "/console/account/login/?next=/console/account"
    part = client.get("/console/account", HTTP_HX_REQUEST="true")
    assert (part.status_code, part["HX-Redirect"]) == (204, "/console/account/login/")


@pytest.mark.parametrize(
    ("error", "status"),
    [(NotAllowedError("x"), 403), (fail("wrong", "The figure is wrong."), 422), (RuntimeError("secret-of-mine"), 500)],
)
def test_errors_become_pages_without_internals(
    sign_in: Callable[[Role], Client], error: Exception, status: int
) -> None:
    client = sign_in(Role.MARKETING)
    with patch("changke.lobby.language.choose_language", side_effect=error):
        answer = client.post("/console/account/language/", {"language": "en"})
    assert answer.status_code == status
    assert b"secret-of-mine" not in answer.content and b"Traceback" not in answer.content


@pytest.mark.parametrize(
    ("proxies", "forwarded", "address"),
    [
        (0, "1.1.1.1", "10.0.0.9"),
        (1, "1.1.1.1, 2.2.2.2", "2.2.2.2"),
        (2, "9.9.9.9, 1.1.1.1, 2.2.2.2", "1.1.1.1"),
        (2, "1.1.1.1", "10.0.0.9"),
        (1, "rubbish", "0.0.0.0"),
    ],
)
def test_only_our_own_proxies_say_who_calls(settings: object, proxies: int, forwarded: str, address: str) -> None:
    settings.PROXIES = proxies  # type: ignore[attr-defined]
    request = RequestFactory().get("/", REMOTE_ADDR="10.0.0.9", HTTP_X_FORWARDED_FOR=forwarded)
    assert address_of(request) == address


def test_the_page_of_a_broken_server_asks_no_database(
    sign_in: Callable[[Role], Client], django_assert_num_queries: Any
) -> None:
    request = RequestFactory().get("/console/account")
    request.number = "0123456789abcdef"  # type: ignore[attr-defined]
    with django_assert_num_queries(0):
        answer = server_error(request)
    assert answer.status_code == 500 and b"0123456789abcdef" in answer.content
