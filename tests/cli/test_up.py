"""`changke up`: what it starts, what it refuses, where it says the pages are."""

import argparse
import http.server
import socket
import sys
import threading
from pathlib import Path

import pytest

from changke.cli.up import (
    Watch,
    add_arguments,
    addresses,
    answers,
    build_services,
    only_one,
    refuse_taken_port,
    web_workers,
)
from changke.kernel.errors import ChangkeError


def arguments(*line: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    return parser.parse_args(line)


@pytest.mark.parametrize(("cores", "workers"), [(1, 2), (2, 2), (4, 4), (64, 8)])
def test_web_processes_follow_the_cores(cores: int, workers: int) -> None:
    assert web_workers(cores) == workers


def test_web_and_worker_run_as_the_app_and_only_pages_have_a_time_limit() -> None:
    env = {"CHANGKE_HOME": "/srv/shop", "CHANGKE_ROLE": "owner"}
    web, worker = build_services(env, arguments("--host", "0.0.0.0", "--port", "9000", "--workers", "3"))
    assert web.environment["CHANGKE_ROLE"] == worker.environment["CHANGKE_ROLE"] == "app"
    assert web.environment["CHANGKE_STATEMENT_TIMEOUT_MS"] == "3000"
    assert "CHANGKE_STATEMENT_TIMEOUT_MS" not in worker.environment
    assert web.environment["CHANGKE_HOME"] == "/srv/shop"
    line = " ".join(web.command)
    assert "--host 0.0.0.0 --port 9000 --workers 3" in line
    assert "wsgi" in line
    assert worker.command[:3] == (sys.executable, "-m", "changke")


def test_listens_on_this_machine_only_unless_told() -> None:
    assert arguments().host == "127.0.0.1"
    assert addresses("127.0.0.1", port=8000) == ["ready: http://localhost:8000/ (stop with Ctrl-C)"]


def test_who_listens_to_others_hears_of_the_names_to_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CHANGKE_HOSTS", raising=False)
    assert "CHANGKE_HOSTS" in addresses("0.0.0.0", port=80)[1]
    monkeypatch.setenv("CHANGKE_HOSTS", "shop.example")
    assert len(addresses("0.0.0.0", port=80)) == 1


def test_a_taken_port_is_told_with_the_cure() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(ChangkeError, match="--port") as caught:
            refuse_taken_port("127.0.0.1", port=port)
        assert caught.value.problems[0].code == "port_in_use"
    refuse_taken_port("127.0.0.1", port=port)


def test_ready_means_that_a_page_is_served() -> None:
    class Page(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200 if self.path == "/livez" else 404)
            self.end_headers()

        def log_message(self, *words: object) -> None:
            assert words

    with http.server.HTTPServer(("127.0.0.1", 0), Page) as server:
        port = server.server_port
        serving = threading.Thread(target=server.handle_request)
        serving.start()
        assert answers("127.0.0.1", port=port)
        serving.join()
    assert not answers("127.0.0.1", port=port)


def test_an_address_of_another_machine_is_refused() -> None:
    with pytest.raises(ChangkeError) as caught:
        refuse_taken_port("192.0.2.1", port=8000)
    assert caught.value.problems[0].code == "address_unusable"


def test_one_home_runs_once(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    with only_one(tmp_path):
        with pytest.raises(ChangkeError) as caught, only_one(tmp_path):
            pass
        assert caught.value.problems[0].code == "up_twice"
    with only_one(tmp_path):
        assert (tmp_path / "run" / "up.lock").exists()


def test_deleted_data_are_told_and_not_replaced_by_an_empty_database(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("DATABASE_URL", raising=False)
    Watch(tmp_path / "gone", host="127.0.0.1", port=9, as_json=False).heal()
    assert "are gone" in capsys.readouterr().out
    assert not (tmp_path / "gone").exists()
