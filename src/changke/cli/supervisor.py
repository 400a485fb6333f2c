"""Keeps a few processes running: restarts what dies, with patience, and stops all of them cleanly."""

import ctypes
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final

STEADY_SECONDS: Final = 5.0  # who lived so long works; an early death counts as a failure
RESTART_SECONDS_MAX: Final = 5.0
FAILURES_MAX: Final = 5  # of a service that never worked: then nobody is served by trying on
STOP_SECONDS: Final = 8.0
TICK_SECONDS: Final = 0.1
PR_SET_PDEATHSIG: Final = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """A process that must run: its name, its command line and its environment."""

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str]


def restart_delay(failures: int) -> float:
    """Return the seconds to wait before the next start: none at first, then doubling from 0.5 s up to 5 s."""
    return 0.0 if failures <= 1 else float(min(0.5 * 2 ** min(failures - 2, 8), RESTART_SECONDS_MAX))


@dataclass(slots=True, kw_only=True)
class Child:
    """One service and its present process."""

    service: Service
    process: "subprocess.Popen[bytes] | None" = None
    started_at: float = 0.0
    due_at: float = 0.0
    failures: int = 0
    is_proven: bool = False  # has once lived for STEADY_SECONDS

    @property
    def is_hopeless(self) -> bool:
        return not self.is_proven and self.failures >= FAILURES_MAX

    def start(self, moment: float) -> None:
        """Start the process in a session of its own: Ctrl-C reaches the supervisor alone, which stops it in order."""
        self.process = subprocess.Popen(  # noqa: S603 our own command line
            self.service.command,
            env=dict(self.service.environment),
            stdin=subprocess.DEVNULL,
            start_new_session=True,
            preexec_fn=_end_with_parent,  # noqa: PLW1509 the supervisor has one thread
        )
        self.started_at = moment

    def tend(self, moment: float) -> str:
        """Start the process when it is due, note its death; returns a line worth telling, or nothing."""
        if self.process is None:
            if moment >= self.due_at:
                self.start(moment)
            return ""
        if moment - self.started_at >= STEADY_SECONDS:
            self.is_proven, self.failures = True, 0
        status = self.process.poll()
        if status is None:
            return ""
        self._sweep(signal.SIGKILL)  # its own children would hold the port
        self.process = None
        self.failures += 1
        delay = restart_delay(self.failures)
        self.due_at = moment + delay
        return f"{self.service.name} ended ({_manner(status)}), starting it again" + (
            f" in {delay:g} s" if delay else ""
        )

    def ask_to_stop(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()

    def end(self, seconds: float) -> bool:
        """Wait for the process to stop, then kill what is left of its session; False where it had to be killed."""
        if self.process is None:
            return True
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(max(seconds, 0.0))
        is_clean = self.process.poll() is not None
        self._sweep(signal.SIGKILL)
        self.process.wait()
        self.process = None
        return is_clean

    def _sweep(self, number: signal.Signals) -> None:
        assert self.process is not None
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, number)


@dataclass(slots=True, kw_only=True)
class Supervisor:
    """Runs services until told to stop; `heal` is called every second and after each death, and raises nothing."""

    services: Sequence[Service]
    tell: Callable[[str], None]
    heal: Callable[[], None]
    stopping: threading.Event = field(default_factory=threading.Event)
    hurrying: threading.Event = field(default_factory=threading.Event)

    def handle_signals(self) -> None:
        """Take SIGINT, SIGTERM and SIGHUP as the wish to stop; a second one as the wish to stop at once."""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, lambda *_: self.hurrying.set() if self.stopping.is_set() else self.stopping.set())

    def run(self) -> int:
        """Keep the services running; returns 0 after a wished stop, 1 when one of them never came to work."""
        children = [Child(service=service) for service in self.services]
        healed_at = time.monotonic()
        try:
            while not self.stopping.is_set():
                moment = time.monotonic()
                for child in children:
                    if news := child.tend(moment):
                        self.tell(news)
                        healed_at = 0.0  # what it leans on may have died too: look before it starts again
                    if child.is_hopeless:
                        self.tell(f"{child.service.name} cannot run: see its last words above")
                        return 1
                if moment - healed_at >= 1:
                    self.heal()
                    healed_at = moment
                self.stopping.wait(TICK_SECONDS)
        finally:
            self._stop(children)
        return 0

    def _stop(self, children: list[Child]) -> None:
        for child in children:
            child.ask_to_stop()
        deadline = time.monotonic() + STOP_SECONDS
        while any(child.process and child.process.poll() is None for child in children):
            if time.monotonic() > deadline or self.hurrying.wait(TICK_SECONDS / 2):
                break
        for child in children:
            if not child.end(0):
                self.tell(f"{child.service.name} did not stop and was killed")


def _end_with_parent() -> None:
    """Ask Linux to end this process when the supervisor dies, even by kill -9, so that nothing holds the port."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def _manner(status: int) -> str:
    return f"signal {signal.Signals(-status).name}" if status < 0 else f"exit code {status}"
