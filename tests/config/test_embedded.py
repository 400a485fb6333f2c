"""The embedded server starts, heals and stops alone, as root and as an ordinary user."""

import os
import pwd
import shutil
import signal
import socket
import stat
import subprocess
import sys
import sysconfig
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

import changke
from changke.config import embedded
from changke.config.database import connected, ensure_server, server_status, stop_server
from changke.config.home import prepare_home
from changke.kernel.errors import ChangkeError

START = """
import os, sys
from changke.config.database import ensure_database
from changke.config.home import home_folder, prepare_home
prepare_home(home_folder(os.environ))
print(ensure_database(os.environ))
"""


def environment(home: Path) -> dict[str, str]:
    paths = [Path(changke.__file__).parents[1], Path(psycopg.__file__).parents[1]]
    return {"PATH": os.defpath, "CHANGKE_HOME": str(home), "PYTHONPATH": os.pathsep.join(map(str, paths))}


def test_two_starts_at_once_make_one_server_that_outlives_both(home: Path) -> None:
    home.mkdir(mode=0o700)  # as a careful user makes it
    starts = [
        subprocess.Popen([sys.executable, "-c", START], env=environment(home), stdout=subprocess.PIPE, text=True)
        for _ in range(3)
    ]
    answers = [start.communicate(timeout=60)[0].strip() for start in starts]
    assert sorted(answers) == ["False", "False", "True"]
    assert server_status(home) is not None
    assert stop_server(home)
    assert server_status(home) is None
    assert not stop_server(home)


def test_kill_9_under_work_heals_alone_and_keeps_what_was_acknowledged(shop: dict[str, str]) -> None:
    home = Path(shop["CHANGKE_HOME"])
    with connected(shop, role="owner") as connection:
        connection.execute("CREATE TABLE kept (n int)")
        connection.execute("INSERT INTO kept SELECT generate_series(1, 1000)")

    def work() -> None:
        with pytest.raises(psycopg.OperationalError), connected(shop, role="app") as connection:
            connection.execute("SELECT count(*) FROM kept, kept AS b, kept AS c")  # busy: does not see its server die

    worker = threading.Thread(target=work)
    worker.start()
    while (status := server_status(home)) is None or status.other_sessions < 1:
        pass
    pid = embedded.running_pid(home)
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    begun = time.monotonic()
    assert ensure_server(home)
    assert time.monotonic() - begun < 10
    worker.join(timeout=10)
    with connected(shop, role="owner") as connection:
        assert connection.execute("SELECT count(*) FROM kept").fetchone() == (1000,)


def test_pid_file_with_the_number_of_another_process_is_no_obstacle(shop: dict[str, str]) -> None:
    home = Path(shop["CHANGKE_HOME"])
    pid_file = home / "postgres" / "data" / "postmaster.pid"
    lines = pid_file.read_text().splitlines()
    stop_server(home)
    pid_file.write_text("\n".join([str(os.getpid()), *lines[1:]]))
    assert embedded.running_pid(home) is None
    assert not stop_server(home)  # this very process was not touched
    assert ensure_server(home)


def test_restart_is_fast(shop: dict[str, str]) -> None:
    home = Path(shop["CHANGKE_HOME"])
    stop_server(home)
    begun = time.monotonic()
    ensure_server(home)
    assert time.monotonic() - begun < 1


def test_folders_are_closed_and_nothing_listens_on_tcp(shop: dict[str, str]) -> None:
    home = Path(shop["CHANGKE_HOME"])
    place = home / "postgres"
    folders = [place, place / "data", place / "socket", place / "log"]
    assert {stat.S_IMODE(folder.stat().st_mode) for folder in folders} == {0o700}
    assert stat.S_IMODE(home.stat().st_mode) & 0o067 == 0
    with connected(shop, role="owner") as connection:
        assert connection.execute("SHOW listen_addresses").fetchone() == ("",)
        hba = connection.execute("SELECT current_setting('hba_file')").fetchone()
    assert hba is not None
    assert "trust" not in Path(hba[0]).read_text()


def test_other_users_do_not_get_in(shop: dict[str, str]) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can try as another user")
    address = str(Path(shop["CHANGKE_HOME"]) / "postgres" / "socket" / f".s.PGSQL.{embedded.PORT}")
    try_it = f"import socket; socket.socket(socket.AF_UNIX).connect({address!r})"
    nobody = pwd.getpwnam("nobody").pw_uid
    tried = subprocess.run(
        ["/usr/bin/python3", "-c", try_it], check=False, user=nobody, capture_output=True, text=True, cwd="/"
    )
    assert "PermissionError" in tried.stderr
    with socket.socket(socket.AF_UNIX) as root:
        root.connect(address)


@pytest.fixture
def stopped(shop: dict[str, str]) -> Iterator[Path]:
    """The shared home while its server stands still."""
    home = Path(shop["CHANGKE_HOME"])
    stop_server(home)
    yield home
    (home / "postgres" / "data" / "local.conf").unlink(missing_ok=True)


@pytest.mark.parametrize("name", ["fsync", "synchronous_commit"])
def test_unsafe_settings_are_refused_with_the_cure(stopped: Path, name: str) -> None:
    write_settings(stopped, f"{name} = off\n")
    with pytest.raises(ChangkeError) as caught:
        ensure_server(stopped)
    assert caught.value.problems[0].code == "server_unsafe"
    assert f"{name} = off" in str(caught.value)
    assert embedded.running_pid(stopped) is None


def test_broken_settings_are_told_in_the_servers_words(stopped: Path) -> None:
    write_settings(stopped, "no_such_setting = 1\n")
    with pytest.raises(ChangkeError, match="no_such_setting"):
        ensure_server(stopped)


def write_settings(home: Path, text: str) -> None:
    local = home / "postgres" / "data" / "local.conf"
    local.write_text(text)
    local.chmod(0o644)


def test_a_cluster_of_unknown_version_is_left_alone(tmp_path: Path) -> None:
    mark = tmp_path / "postgres" / "data" / "PG_VERSION"
    mark.parent.mkdir(parents=True)
    mark.write_text("12\n")
    with pytest.raises(ChangkeError) as caught:
        ensure_server(tmp_path)
    assert caught.value.problems[0].code == "postgres_major"
    assert [path.name for path in mark.parent.iterdir()] == ["PG_VERSION"]


def test_an_upgrade_killed_at_its_last_step_is_completed(stopped: Path) -> None:
    place = (stopped / "postgres").resolve()
    (place / "data").rename(place / "data.next")
    assert ensure_server(stopped)
    assert (place / "data" / "PG_VERSION").exists()
    assert not (place / "data.next").exists()


@pytest.fixture
def system_home(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A stand-in for /var/lib/changke."""
    monkeypatch.setattr(embedded, "SYSTEM_HOME", folder / "system")
    return folder / "system"


def test_a_long_path_gets_a_short_private_socket(home: Path, system_home: Path) -> None:
    long = home.parent / ("x" * 60) / ("y" * 60)
    prepare_home(long)
    try:
        assert ensure_server(long)
        folder = embedded.socket_folder(long)
        assert not folder.is_relative_to(long)
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        assert server_status(long) is not None
    finally:
        stop_server(long)
        shutil.rmtree(embedded.socket_folder(long))


def test_root_keeps_the_data_elsewhere_when_the_home_is_out_of_reach(folder: Path, system_home: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root runs the server as another user")
    (folder / "closed").mkdir(mode=0o700)
    home = folder / "closed" / "home"
    prepare_home(home)
    assert ensure_server(home)
    place = (home / "postgres").resolve()
    assert place.parent == system_home / "clusters"
    assert stat.S_IMODE(place.stat().st_mode) == 0o700
    stop_server(home)
    assert ensure_server(home)
    stop_server(home)


def test_root_copies_programs_out_of_a_closed_environment(
    stopped: Path, system_home: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root runs the server as another user")
    tmp_path.chmod(0o700)
    (tmp_path / "site").symlink_to(sysconfig.get_path("purelib"))
    major = embedded.newest_major()
    inside = tmp_path / "site" / embedded.bundled()[major].relative_to(sysconfig.get_path("purelib"))
    monkeypatch.setattr(embedded, "bundled", lambda: {major: inside})
    assert ensure_server(stopped)
    pid = embedded.running_pid(stopped)
    assert Path(f"/proc/{pid}/exe").resolve().is_relative_to(system_home / "programs")
    stop_server(stopped)


def test_an_ordinary_user_runs_it_too(folder: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("the other tests of this file ran as an ordinary user")
    python = next((path for path in (sys.executable, "/usr/bin/python3.11") if reachable(Path(path))), None)
    if python is None:
        pytest.skip("no Python 3.11 that an ordinary user may run")
    nobody = pwd.getpwnam("nobody")
    os.chown(folder, nobody.pw_uid, nobody.pw_gid)
    script = START + (
        "from changke.config.database import server_facts, stop_server\n"
        "print(server_facts(os.environ).version, stop_server(home_folder(os.environ)))\n"
    )
    done = subprocess.run(
        [python, "-c", script], env=environment(folder / "home") | {"HOME": str(folder)}, cwd="/", check=False,
        user=nobody.pw_uid, group=nobody.pw_gid, extra_groups=[], capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert done.stderr == ""
    assert done.stdout.split() == ["True", server_version(), "True"]
    assert (folder / "home" / "postgres" / "data").stat().st_uid == nobody.pw_uid
    assert stat.S_IMODE((folder / "home").stat().st_mode) == 0o700


def reachable(path: Path) -> bool:
    return path.exists() and all(parent.stat().st_mode & 0o001 for parent in path.resolve().parents)


def server_version() -> str:
    program = embedded.program_for_user("postgres")
    return subprocess.run([program, "--version"], capture_output=True, text=True, check=True).stdout.split()[-1]
