"""What machines ask: alive, ready, measures."""

from unittest.mock import patch

import pytest
from django.db import OperationalError
from django.test import Client

pytestmark = pytest.mark.django_db


def test_alive_asks_nothing(client: Client, django_assert_num_queries: object) -> None:
    with django_assert_num_queries(0):  # type: ignore[operator]
        assert client.get("/livez").content == b"ok\n"


def test_ready_tells_what_it_looked_at(client: Client) -> None:
    answer = client.get("/readyz")
    assert answer.status_code == 200
    assert answer.json() == {"database": "ok", "schema": "ok", "worker": "silent"}


def test_a_database_that_is_down_makes_it_unready(client: Client) -> None:
    with patch("changke.lobby.health.load_health", side_effect=OperationalError):
        answer = client.get("/readyz")
    assert (answer.status_code, answer.json()) == (503, {"database": "down"})


def test_a_schema_that_lags_makes_it_unready(client: Client) -> None:
    with patch("changke.queries.health.MigrationExecutor.migration_plan", return_value=["0003"]):
        assert client.get("/readyz").status_code == 503


def test_measures_are_for_this_machine_or_a_token(client: Client, settings: object) -> None:
    assert client.get("/metrics").status_code == 200
    assert client.get("/metrics", REMOTE_ADDR="10.1.2.3").status_code == 403
    assert client.get("/metrics", HTTP_X_FORWARDED_FOR="127.0.0.1").status_code == 403
    assert client.get("/metrics", REMOTE_ADDR="10.1.2.3", HTTP_AUTHORIZATION="Bearer ").status_code == 403
    settings.METRICS_TOKEN = "long-token"  # type: ignore[attr-defined]
    answer = client.get("/metrics", REMOTE_ADDR="10.1.2.3", HTTP_AUTHORIZATION="Bearer long-token")
    assert b"django_http_requests" in answer.content
