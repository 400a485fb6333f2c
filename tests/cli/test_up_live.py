"""`changke up` whole: whatever is killed comes back alone, and it stops cleanly."""

import http.client
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from changke.cli.up import stop_idle_server
from changke.config.embedded import running_pid

HEAL_SECONDS = 10
START_SECONDS = 120


@pytest.fixture
def home() -> Iterator[Path]:
    """A home that the database's system user can get to, so that all of it lies in one folder."""
    folder = Path(tempfile.mkdtemp(prefix="changke-test-"))
    folder.chmod(0o711)
    yield folder / "home"
    shutil.rmtree(folder)


@pytest.fixture
def running(home: Path) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """`changke up` of a new home, when its pages are served, and its port."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    env = {**os.environ, "CHANGKE_HOME": str(home), "CHANGKE_ROLE": "owner", "CHANGKE_LOG_LEVEL": "CRITICAL"}
    line = [sys.executable, "-m", "changke", "up", "--port", str(port), "--workers", "2"]
    process = subprocess.Popen(line, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_for(lambda: is_ready(port), seconds=START_SECONDS)
        yield process, port
    finally:
        process.terminate()
        process.wait(timeout=30)
        stop_idle_server(home)


def wait_for(condition: Callable[[], bool], *, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"it did not happen in {seconds} s"


def is_ready(port: int) -> bool:
    asking = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        asking.request("GET", "/readyz", headers={"Host": "localhost"})
        return asking.getresponse().status == 200
    except OSError:
        return False
    finally:
        asking.close()


def children(pid: int) -> dict[str, int]:
    """Return the processes that `up` keeps running, by name."""
    found: dict[str, int] = {}
    for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
        with suppress(OSError):  # pg_ctl comes and goes
            words = Path(f"/proc/{child}/cmdline").read_bytes()
            names = (name for name, word in (("web", b"granian"), ("worker", b"procrastinate")) if word in words)
            found |= {name: int(child) for name in names}
    return found


def kill_and_wait(names: list[str], *, up: int, home: Path, port: int) -> None:
    before = {**children(up), "database": running_pid(home) or 0}
    for name in names:
        os.kill(before[name], signal.SIGKILL)

    def is_healed() -> bool:
        present = {**children(up), "database": running_pid(home) or 0}
        is_new = all(present.get(name, 0) not in {0, before[name]} for name in names)
        return is_new and len(present) == 3 and is_ready(port)

    wait_for(is_healed, seconds=HEAL_SECONDS)


@pytest.mark.soak
@pytest.mark.promise(20)
def test_whatever_is_killed_comes_back_and_all_stop_cleanly(
    running: tuple[subprocess.Popen[bytes], int], home: Path
) -> None:
    process, port = running
    for names in (["database"], ["web"], ["worker"], ["database"], ["web", "worker", "database"]):
        kill_and_wait(names, up=process.pid, home=home, port=port)
    mine = children(process.pid).values()
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=HEAL_SECONDS) == 0
    assert running_pid(home) is None
    assert not [pid for pid in mine if Path(f"/proc/{pid}").exists()]
