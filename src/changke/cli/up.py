"""`changke up`: web, worker and embedded database in one terminal."""

import argparse
import errno
import fcntl
import http
import http.client
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from changke.cli.supervisor import Service, Supervisor
from changke.config.database import ensure_database, grant_rights, server_status, stop_server
from changke.config.embedded import data_major, running_pid
from changke.config.home import home_folder, prepare_home
from changke.kernel.errors import ChangkeError, fail

WEB_STATEMENT_MS: Final = 3000  # a page that asks the database for longer is a fault, not a wait
WORKER_GRACE_SECONDS: Final = 5
PROGRAM: Final = (sys.executable, "-m", "changke")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (shipped: this machine only)")
    parser.add_argument("--port", type=int, default=8000)
    parser.add_argument("--workers", type=int, default=web_workers(os.cpu_count() or 1), help="web processes")
    parser.add_argument("--threads", type=int, default=4, help="threads of each web process")


def run(arguments: argparse.Namespace) -> int:
    """Run everything until Ctrl-C or SIGTERM; exit code 0 after a clean stop, 1 when something cannot run."""
    home = home_folder(os.environ)
    prepare_home(home)
    with only_one(home):
        refuse_taken_port(arguments.host, port=arguments.port)
        ensure_database(os.environ)
        migrated = subprocess.run([*PROGRAM, "django", "version"], stdout=subprocess.DEVNULL, check=False)  # noqa: S603
        if migrated.returncode:
            return 1
        grant_rights(os.environ)  # also where a migration was killed before it came to that
        watch = Watch(home, host=arguments.host, port=arguments.port, as_json=arguments.json)
        services = build_services(os.environ, arguments)
        supervisor = Supervisor(services=services, tell=watch.tell, heal=watch.heal)
        supervisor.handle_signals()
        try:
            return supervisor.run()
        finally:
            if not os.environ.get("DATABASE_URL"):
                watch.tell(stop_idle_server(home))


def web_workers(cores: int) -> int:
    """Return how many web processes suit a machine: its cores, at least two (one may be restarting), at most eight."""
    return min(max(cores, 2), 8)


def build_services(env: Mapping[str, str], arguments: argparse.Namespace) -> list[Service]:
    """Return the processes to run: they have the app's role, and the web's statements a time limit."""
    plain = {**env, "CHANGKE_ROLE": "app"}
    web = (
        *(sys.executable, "-m", "granian", "--interface", "wsgi", "changke.config.wsgi:application"),
        *("--host", arguments.host, "--port", str(arguments.port)),
        *("--workers", str(arguments.workers), "--blocking-threads", str(arguments.threads)),
        *("--blocking-threads-idle-timeout", "600", "--no-ws", "--log-level", "warning"),
        *("--respawn-failed-workers", "--respawn-interval", "0.1", "--workers-kill-timeout", "6"),
    )
    worker = (*PROGRAM, "django", "procrastinate", "worker", "--shutdown-graceful-timeout", str(WORKER_GRACE_SECONDS))
    limited = {**plain, "CHANGKE_STATEMENT_TIMEOUT_MS": str(WEB_STATEMENT_MS)}
    return [
        Service(name="web", command=web, environment=limited),
        Service(name="worker", command=worker, environment=plain),
    ]


class Watch:
    """What `up` looks after beside its processes: tells when the web answers, starts a database that died."""

    def __init__(self, home: Path, *, host: str, port: int, as_json: bool) -> None:
        self.home, self.host, self.port, self.as_json = home, host, port, as_json
        self.is_told = False
        self.is_embedded = not os.environ.get("DATABASE_URL")

    def heal(self) -> None:
        if self.is_embedded and running_pid(self.home) is None:
            self._revive()
        if not self.is_told and answers(self.host, port=self.port):
            self.is_told = True
            for line in addresses(self.host, port=self.port):
                self.tell(line)

    def _revive(self) -> None:
        """Start the database again; data that were deleted under a running shop are no reason to begin an empty one."""
        if data_major(self.home) is None:
            self.tell(f"the data in {self.home} are gone: stop this with Ctrl-C and restore a backup")
            return
        self.tell("database ended, starting it again")
        try:
            ensure_database(os.environ)
        except ChangkeError as error:
            self.tell(str(error))

    def tell(self, line: str) -> None:
        print(json.dumps({"event": line}) if self.as_json else f"changke: {line}", flush=True)


def addresses(host: str, *, port: int) -> list[str]:
    """Return what to tell when the web answers: where it is, and what others need to reach it."""
    shown = "localhost" if host in {"127.0.0.1", "0.0.0.0", "::", "::1"} else host  # noqa: S104 compared only
    lines = [f"ready: http://{shown}:{port}/ (stop with Ctrl-C)"]
    if host not in {"127.0.0.1", "::1", "localhost"} and not os.environ.get("CHANGKE_HOSTS"):
        lines.append("set CHANGKE_HOSTS to the names under which other machines reach this one, comma between")
    return lines


def answers(host: str, *, port: int) -> bool:
    """Tell whether a web process serves pages: it listens before it can."""
    reached = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 compared only
    asking = http.client.HTTPConnection(reached, port, timeout=1)
    try:
        asking.request("GET", "/livez", headers={"Host": "localhost"})
        return asking.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        asking.close()


def refuse_taken_port(host: str, *, port: int) -> None:
    """Raise ChangkeError where the address cannot be listened on, before anything is started."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as trial:
            trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            trial.bind(address)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise fail(
                "port_in_use",
                "Port %(port)s of %(host)s is taken by another program.",
                cure="Stop that program, or choose another port: `changke up --port 8001`.",
                port=port,
                host=host,
            ) from error
        raise fail(
            "address_unusable",
            "%(host)s:%(port)s cannot be listened on: %(why)s.",
            cure="Choose an address of this machine with --host and a port above 1023 with --port.",
            port=port,
            host=host,
            why=error.strerror,
        ) from error


@contextmanager
def only_one(home: Path) -> Iterator[None]:
    """Hold the mark that `changke up` runs for this home; ChangkeError where another one does."""
    with (home / "run" / "up.lock").open("w") as mark:
        try:
            fcntl.flock(mark, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise fail(
                "up_twice",
                "`changke up` is already running for %(home)s.",
                cure="Use that one or stop it; another home is chosen with CHANGKE_HOME.",
                home=home,
            ) from None
        yield


def stop_idle_server(home: Path) -> str:
    """Stop the embedded database unless another command still uses it; returns what to tell."""
    deadline = time.monotonic() + 1  # sessions of the processes that just ended need a moment to vanish
    while (status := server_status(home)) and status.other_sessions and time.monotonic() < deadline:
        time.sleep(0.02)
    if status and status.other_sessions:
        return f"stopped; the database stays up for {status.other_sessions} other sessions"
    stop_server(home)
    return "stopped"
