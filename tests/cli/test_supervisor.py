"""The supervisor restarts what dies, gives up on what never worked, and leaves nothing behind."""

import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from changke.cli import supervisor
from changke.cli.supervisor import Child, Service, Supervisor, restart_delay

WAITS = "import os, signal, sys; open(sys.argv[1], 'a').write(f'{os.getpid()}\\n'); signal.pause()"
STUBBORN = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN);" + WAITS
PARENT = "import subprocess, sys; subprocess.Popen([sys.executable, '-c', sys.argv[2], sys.argv[1]]);" + WAITS


def service(script: str, pids: Path, *more: str) -> Service:
    return Service(name="web", command=(sys.executable, "-c", script, str(pids), *more), environment=dict(os.environ))


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in 20 s"


def numbers(pids: Path) -> list[int]:
    return [int(line) for line in pids.read_text().splitlines()] if pids.exists() else []


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    status = Path(f"/proc/{pid}/status")
    try:
        return "\nState:\tZ" not in status.read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False


def supervise(*services: Service, during: Callable[[Supervisor], None]) -> tuple[int, list[str]]:
    """Run a supervisor while another thread does something to its services and then stops it."""
    told: list[str] = []
    watched = Supervisor(services=services, tell=told.append, heal=lambda: None)

    def act() -> None:
        try:
            during(watched)
        finally:
            watched.stopping.set()

    actor = threading.Thread(target=act)
    actor.start()
    code = watched.run()
    actor.join()
    return code, told


@pytest.mark.parametrize(("failures", "seconds"), [(0, 0), (1, 0), (2, 0.5), (3, 1), (4, 2), (5, 4), (6, 5), (99, 5)])
def test_patience_grows_up_to_five_seconds(failures: int, seconds: float) -> None:
    assert restart_delay(failures) == seconds


def test_a_killed_service_is_started_again_and_stopped_at_the_end(tmp_path: Path) -> None:
    pids = tmp_path / "pids"

    def kill_once(_: Supervisor) -> None:
        wait_for(lambda: len(numbers(pids)) == 1)
        os.kill(numbers(pids)[0], signal.SIGKILL)
        wait_for(lambda: len(numbers(pids)) == 2)

    code, told = supervise(service(WAITS, pids), during=kill_once)
    assert code == 0
    assert told == ["web ended (signal SIGKILL), starting it again"]
    assert not any(is_alive(pid) for pid in numbers(pids))


def test_children_of_a_killed_service_do_not_survive_it(tmp_path: Path) -> None:
    parents, children = tmp_path / "parents", tmp_path / "children"
    script = PARENT.replace("sys.argv[1]]);", f"{str(children)!r}]);")

    def kill_parent(_: Supervisor) -> None:
        wait_for(lambda: len(numbers(parents)) == len(numbers(children)) == 1)
        os.kill(numbers(parents)[0], signal.SIGKILL)
        wait_for(lambda: len(numbers(children)) == 2)
        wait_for(lambda: not is_alive(numbers(children)[0]))  # init needs a moment to bury it

    code, _ = supervise(service(script, parents, WAITS), during=kill_parent)
    assert code == 0
    wait_for(lambda: not any(is_alive(pid) for pid in numbers(parents) + numbers(children)))


def test_a_service_that_never_works_ends_the_run_with_code_1(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervisor, "RESTART_SECONDS_MAX", 0.0)
    other = tmp_path / "pids"
    broken = Service(name="broken", command=(sys.executable, "-c", "raise SystemExit(3)"), environment={})
    told: list[str] = []
    code = Supervisor(services=[broken, service(WAITS, other)], tell=told.append, heal=lambda: None).run()
    assert code == 1
    assert told[0] == "broken ended (exit code 3), starting it again"
    assert told[-1].startswith("broken cannot run")
    assert not any(is_alive(pid) for pid in numbers(other))


def test_a_service_that_has_worked_is_never_given_up() -> None:
    child = Child(service=Service(name="web", command=(sys.executable, "-c", ""), environment={}))
    child.start(0.0)
    assert child.process is not None
    child.process.wait()
    child.tend(supervisor.STEADY_SECONDS)
    child.failures = 50
    assert child.is_proven
    assert not child.is_hopeless


def test_a_service_that_ignores_the_wish_is_killed_in_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervisor, "STOP_SECONDS", 0.3)
    pids = tmp_path / "pids"
    code, told = supervise(service(STUBBORN, pids), during=lambda _: wait_for(lambda: len(numbers(pids)) == 1))
    assert code == 0
    assert told == ["web did not stop and was killed"]
    assert not is_alive(numbers(pids)[0])


def test_a_second_signal_stops_at_once(tmp_path: Path) -> None:
    pids = tmp_path / "pids"

    def hurry(watched: Supervisor) -> None:
        wait_for(lambda: len(numbers(pids)) == 1)
        watched.hurrying.set()

    begun = time.monotonic()
    code, _ = supervise(service(STUBBORN, pids), during=hurry)
    assert code == 0
    assert time.monotonic() - begun < supervisor.STOP_SECONDS


def test_nothing_survives_a_killed_supervisor(tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    script = (
        "import os, sys\nfrom changke.cli.supervisor import Service, Supervisor\n"
        f"command = (sys.executable, '-c', {WAITS!r}, {str(pids)!r})\n"
        "s = Service(name='web', command=command, environment=dict(os.environ))\n"
        "Supervisor(services=[s], tell=print, heal=lambda: None).run()\n"
    )
    pid = os.spawnv(os.P_NOWAIT, sys.executable, [sys.executable, "-c", script])
    wait_for(lambda: len(numbers(pids)) == 1)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    wait_for(lambda: not is_alive(numbers(pids)[0]))
    assert numbers(pids)
