"""What `changke doctor` looks at: one small function a check, in the order in which things depend on each other."""

import os
import shutil
import socket
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from functools import cached_property
from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.parquet as pq

from changke.config.database import ServerFacts, open_history, refuse_unsafe, server_facts
from changke.config.home import home_folder, load_keys, open_parts
from changke.config.upgrade import needs_upgrade
from changke.kernel.clock import utc_now
from changke.kernel.errors import ChangkeError

PYTHON_MIN: Final = (3, 11)
DISK_FAIL_BYTES: Final = 1 << 30
DISK_WARN_BYTES: Final = 5 << 30
SKEW_WARN: Final = timedelta(seconds=5)
SKEW_FAIL: Final = timedelta(seconds=60)
BACKUP_AGE_MAX: Final = timedelta(days=7)
FONT_FOLDERS: Final = (Path("/usr/share/fonts"), Path("/usr/local/share/fonts"), Path("/Library/Fonts"))
FONT_WORDS: Final = ("wqy", "cjk", "sourcehan", "simsun", "simhei", "pingfang", "droidsansfallback")


class Status(StrEnum):
    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What a check found: how bad, what it is, and the cure."""

    status: Status
    message: str
    cure: str = ""


@dataclass(kw_only=True)
class Surroundings:
    """The installation that is looked at; what several checks need is asked once."""

    env: Mapping[str, str] = field(default_factory=lambda: os.environ)
    port: int = 8000

    @property
    def home(self) -> Path:
        return home_folder(self.env)

    @cached_property
    def server(self) -> "tuple[ServerFacts, datetime] | ChangkeError":
        """What the server says, and our own time in the middle of the question."""
        begun = utc_now()
        try:
            facts = server_facts(self.env)
        except ChangkeError as error:
            return error
        return facts, begun + (utc_now() - begun) / 2

    @cached_property
    def django(self) -> str:
        """Set Django up; returns why it could not be."""
        import django

        try:
            django.setup()
        except Exception as error:  # whatever a wrong setting raises is the finding
            return f"{type(error).__name__}: {error}"
        return ""


Check = Callable[[Surroundings], Finding]


def good(message: str) -> Finding:
    return Finding(status=Status.OK, message=message)


def warn(message: str, *, cure: str) -> Finding:
    return Finding(status=Status.WARN, message=message, cure=cure)


def bad(message: str, *, cure: str) -> Finding:
    return Finding(status=Status.FAIL, message=message, cure=cure)


def from_error(error: ChangkeError) -> Finding:
    problem = error.problems[0]
    values = dict(problem.values)
    return bad(
        problem.message % values if values else problem.message, cure=problem.cure % values if values else problem.cure
    )


def check_python(_: Surroundings) -> Finding:
    found = ".".join(map(str, sys.version_info[:3]))
    if sys.version_info < PYTHON_MIN:
        return bad(f"Python {found} is too old", cure="Install Python 3.11 or newer.")
    return good(f"Python {found}")


def check_home(at: Surroundings) -> Finding:
    if not at.home.exists():
        return warn(f"{at.home} is empty: nothing is installed here yet", cure="Run `changke init` or `changke demo`.")
    if parts := open_parts(at.home):
        names = " ".join(map(str, parts))
        return bad(f"other users can get at {names}", cure=f"Run: chmod go-rwx {names}")
    return good(f"{at.home} is closed to other users")


def check_disk(at: Surroundings) -> Finding:
    place = next(folder for folder in (at.home, *at.home.parents) if folder.exists())
    free = shutil.disk_usage(place).free
    said = f"{free / (1 << 30):.1f} GiB free at {place}"
    if free < DISK_WARN_BYTES:
        return (bad if free < DISK_FAIL_BYTES else warn)(
            said, cure="Free some space, or move CHANGKE_HOME to a larger disk."
        )
    return good(said)


def check_keys(at: Surroundings) -> Finding:
    if not at.home.exists():
        return warn("no keys yet", cure="Run `changke init`.")
    try:
        load_keys(at.home)
    except ChangkeError as error:
        return from_error(error)
    return good("all keys are there and private")


def check_server(at: Surroundings) -> Finding:
    if isinstance(at.server, ChangkeError):
        if at.env.get("DATABASE_URL"):
            return from_error(at.server)
        if needs_upgrade(at.home):
            return bad("the data were written by another PostgreSQL", cure="Run `changke upgrade`.")
        return warn("the embedded database does not run", cure="Run `changke up`: it starts it.")
    facts, _ = at.server
    try:
        refuse_unsafe(facts)
    except ChangkeError as error:
        return from_error(error)
    return good(f"PostgreSQL {facts.version} answers, {facts.size_bytes / 1e6:,.0f} MB, acknowledged writes are kept")


def check_clock(at: Surroundings) -> Finding:
    if isinstance(at.server, ChangkeError):
        return not_seen()
    facts, moment = at.server
    skew = abs(facts.clock - moment)
    said = f"the clocks of the database and of this machine differ by {skew.total_seconds():.1f} s"
    if skew > SKEW_WARN:
        return (bad if skew > SKEW_FAIL else warn)(said, cure="Set the clocks of both machines by NTP.")
    return good(said)


def check_settings(at: Surroundings) -> Finding:
    if at.django:
        return bad(f"the settings cannot be read: {at.django}", cure="Mend the environment variable it names.")
    from django.conf import settings

    if settings.DEBUG and settings.IS_PRODUCTION:
        return bad("DEBUG is on: error pages show the inside", cure="Unset CHANGKE_DEBUG.")
    return good("the settings can be read, DEBUG is " + ("on" if settings.DEBUG else "off"))


def check_migrations(at: Surroundings) -> Finding:
    if isinstance(at.server, ChangkeError) or at.django:
        return not_seen()
    from changke.config.migrate import pending_migrations

    pending = pending_migrations()
    if pending:
        return bad(f"{len(pending)} migrations are missing, first {pending[0]}", cure="Run `changke upgrade`.")
    return good("the schema is that of this version")


def check_rights(at: Surroundings) -> Finding:
    if isinstance(at.server, ChangkeError):
        return not_seen()
    if tables := open_history(at.env):
        cure = "Run `changke upgrade`; on a server of your own give web and owner different roles (DATABASE_OWNER_URL)."
        return warn(f"the web's role may change history: {', '.join(tables)}", cure=cure)
    return good("the web's role cannot change history")


def check_worker(at: Surroundings) -> Finding:
    if isinstance(at.server, ChangkeError) or at.django:
        return not_seen()
    from django.db import Error

    from changke.queries.health import load_health

    try:
        health = load_health(now=utc_now())
    except Error:
        return not_seen()
    if health.is_worker_alive:
        return good("a worker is alive")
    seen = f"since {health.worker_seen_at:%Y-%m-%d %H:%M} UTC" if health.worker_seen_at else "yet"
    return warn(f"no worker has reported {seen}: jobs and schedules wait", cure="Run `changke up`.")


def check_lake(at: Surroundings) -> Finding:
    files = sorted((at.home / "lake").rglob("*.parquet"))
    if not files:
        return warn("there are no figures yet", cure="Import sales, then run `changke analyse`.")
    for file in files:
        try:
            pq.read_metadata(file)
        except (OSError, pa.ArrowException):
            cure = f"Delete {at.home / 'lake'} and run `changke analyse`: it is made anew from the database."
            return bad(f"{file} cannot be read", cure=cure)
    return good(f"{len(files)} files of the lake can be read")


def check_backups(at: Surroundings) -> Finding:
    times = [file.stat().st_mtime for file in (at.home / "backups").glob("*.tar")]
    if not times:
        return warn("there is no backup in the home", cure="Run `changke backup`, and keep a copy on another machine.")
    age = timedelta(seconds=utc_now().timestamp() - max(times))
    if age > BACKUP_AGE_MAX:
        return warn(f"the newest backup is {age.days} days old", cure="Run `changke backup` daily, e.g. by cron.")
    return good(f"the newest backup is {age.days} days old")


def check_fonts(_: Surroundings) -> Finding:
    folders = [*FONT_FOLDERS, Path.home() / ".fonts", Path.home() / ".local/share/fonts"]
    fonts = (file.name for folder in folders if folder.is_dir() for file in folder.rglob("*.tt[fc]"))
    if found := next((name for name in fonts if any(word in name.lower().replace("-", "") for word in FONT_WORDS)), ""):
        return good(f"a font with Chinese is there: {found}")
    return warn(
        "no font with Chinese was found: printed pages lack it", cure="Install one: apt install fonts-wqy-zenhei"
    )


def check_port(at: Surroundings) -> Finding:
    with socket.socket() as trial:
        trial.settimeout(1)
        if trial.connect_ex(("127.0.0.1", at.port)):
            return good(f"port {at.port} is free")
    return good(f"something answers on port {at.port}; if it is not Changke, use `changke up --port`")


def not_seen() -> Finding:
    return warn("not looked at, because something above must be mended first", cure="Mend that, then ask again.")


CHECKS: Final[dict[str, Check]] = {
    "python": check_python,
    "home": check_home,
    "disk": check_disk,
    "keys": check_keys,
    "database": check_server,
    "clock": check_clock,
    "settings": check_settings,
    "schema": check_migrations,
    "rights": check_rights,
    "worker": check_worker,
    "lake": check_lake,
    "backups": check_backups,
    "fonts": check_fonts,
    "port": check_port,
}
