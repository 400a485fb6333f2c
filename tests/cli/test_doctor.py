"""`changke doctor` names what is wrong and the cure, for each thing it looks at."""

import json
import os
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from changke.cli import checks, doctor
from changke.cli.checks import CHECKS, Finding, Status, Surroundings
from changke.cli.main import main
from changke.config.database import ServerFacts
from changke.config.home import prepare_home
from changke.kernel.clock import utc_now
from changke.kernel.errors import fail

NOW = datetime(2026, 11, 22, 4, 0, tzinfo=UTC)


@pytest.fixture
def at(tmp_path: Path) -> Surroundings:
    """A home with keys, in which the server is said to be well."""
    prepare_home(tmp_path / "home")
    there = Surroundings(env={"CHANGKE_HOME": str(tmp_path / "home")})
    put_server(there)
    return there


def put_server(at: Surroundings, *, moment: datetime = NOW, **changed: Any) -> None:
    facts: dict[str, Any] = {
        "version": "18.4",
        "version_number": 180004,
        "fsync": "on",
        "synchronous_commit": "on",
        "full_page_writes": "on",
        "clock": NOW,
        "size_bytes": 8_000_000,
        "other_sessions": 0,
    }
    vars(at)["server"] = (ServerFacts(**facts | changed), moment)


def status_of(name: str, at: Surroundings) -> Status:
    finding = CHECKS[name](at)
    assert (finding.status is Status.OK) == (finding.cure == ""), "whatever is wrong has a cure"
    return finding.status


def test_a_whole_home_is_well(at: Surroundings) -> None:
    assert {status_of(name, at) for name in ("python", "home", "keys", "database", "clock")} == {Status.OK}


def test_no_home_yet_is_a_hint_and_no_failure(tmp_path: Path) -> None:
    nowhere = Surroundings(env={"CHANGKE_HOME": str(tmp_path / "none")})
    assert {status_of(name, nowhere) for name in ("home", "keys", "database", "lake", "backups")} == {Status.WARN}
    assert not (tmp_path / "none").exists()


def test_open_folders_and_keys_are_failures(at: Surroundings) -> None:
    (at.home / "uploads").chmod(0o755)
    assert status_of("home", at) is Status.FAIL
    (at.home / "keys" / "master.key").chmod(0o644)
    assert status_of("keys", at) is Status.FAIL


@pytest.mark.parametrize(("free", "status"), [(1 << 29, Status.FAIL), (2 << 30, Status.WARN), (9 << 30, Status.OK)])
def test_a_full_disk_is_told_in_time(
    at: Surroundings, monkeypatch: pytest.MonkeyPatch, free: int, status: Status
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda place: SimpleNamespace(free=free))
    assert status_of("disk", at) is status


@pytest.mark.parametrize("changed", [{"fsync": "off"}, {"synchronous_commit": "off"}, {"version_number": 140000}])
def test_an_unsafe_server_is_a_failure(at: Surroundings, changed: dict[str, Any]) -> None:
    put_server(at, **changed)
    assert status_of("database", at) is Status.FAIL


def test_a_server_that_stands_still_is_a_hint_but_an_outside_one_a_failure(at: Surroundings) -> None:
    vars(at)["server"] = fail("database_unreachable", "It does not answer.", cure="Start it.")
    assert status_of("database", at) is Status.WARN
    at.env = {**at.env, "DATABASE_URL": "postgresql://x@127.0.0.1:9/y"}
    assert status_of("database", at) is Status.FAIL
    assert {status_of(name, at) for name in ("clock", "schema", "rights", "worker")} == {Status.WARN}


@pytest.mark.parametrize(("seconds", "status"), [(2, Status.OK), (-30, Status.WARN), (300, Status.FAIL)])
def test_clocks_that_differ_are_told(at: Surroundings, seconds: int, status: Status) -> None:
    put_server(at, moment=NOW + timedelta(seconds=seconds))
    assert status_of("clock", at) is status


def test_a_broken_file_of_the_lake_is_a_failure(at: Surroundings) -> None:
    assert status_of("lake", at) is Status.WARN
    pq.write_table(pa.table({"n": [1]}), at.home / "lake" / "visits.parquet")
    assert status_of("lake", at) is Status.OK
    (at.home / "lake" / "sales.parquet").write_bytes(b"PAR1 broken")
    assert status_of("lake", at) is Status.FAIL


def test_an_old_backup_is_told(at: Surroundings) -> None:
    assert status_of("backups", at) is Status.WARN
    backup = at.home / "backups" / "changke.tar"
    backup.touch()
    assert status_of("backups", at) is Status.OK
    old = (utc_now() - timedelta(days=8)).timestamp()
    os.utime(backup, (old, old))
    assert status_of("backups", at) is Status.WARN


def test_a_machine_without_chinese_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(checks, "FONT_FOLDERS", (tmp_path,))
    monkeypatch.setenv("HOME", str(tmp_path))
    assert status_of("fonts", Surroundings()) is Status.WARN
    (tmp_path / "NotoSansCJK-Regular.ttc").touch()
    assert status_of("fonts", Surroundings()) is Status.OK


def test_a_check_that_breaks_is_a_failure_and_the_others_still_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "CHECKS", {"one": lambda at: 1 / 0, "two": lambda at: checks.good("fine")})
    found = doctor.examine(Surroundings())
    assert found["one"].status is Status.FAIL
    assert "ZeroDivisionError" in found["one"].message
    assert found["two"] == Finding(status=Status.OK, message="fine")


@pytest.mark.parametrize(("status", "code"), [(Status.OK, 0), (Status.WARN, 0), (Status.FAIL, 1)])
def test_the_exit_code_tells_of_a_failure(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], status: Status, code: int
) -> None:
    monkeypatch.setattr(doctor, "CHECKS", {"one": lambda at: Finding(status=status, message="so", cure="do")})
    assert main(["doctor", "--json"]) == code
    row = {"check": "one", "status": status.value, "message": "so", "cure": "do"}
    assert json.loads(capsys.readouterr().out) == {"checks": [row]}
    assert main(["doctor"]) == code
    assert "-> do" in capsys.readouterr().out
