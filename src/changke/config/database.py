"""The database: the embedded server of the home, or the one that DATABASE_URL names; its roles, rights and safety.

Two roles: the owner makes tables (migrations), the app reads and writes rows but has no right to change history.
"""

import os
import pwd
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final, Literal

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

from changke.config import embedded
from changke.config.home import home_folder, locked, make_private
from changke.kernel.errors import ChangkeError, fail

Role = Literal["app", "owner"]

DATABASE: Final = "changke"
ROLE_NAMES: Final[dict[Role, str]] = {"app": "changke_app", "owner": "changke_owner"}
SERVER_MIN: Final = 150000
HISTORY_GUARD: Final = "changke_guard_history"  # tables with a trigger of this function are append-only


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerFacts:
    """What a server says of itself."""

    version: str
    version_number: int
    fsync: str
    synchronous_commit: str
    full_page_writes: str
    clock: datetime
    size_bytes: int
    other_sessions: int  # of this database, other than the asking one


def database_settings(env: Mapping[str, str], *, role: Role) -> dict[str, Any]:
    """Return Django's DATABASES["default"] for a role; starts nothing and connects to nothing.

    CHANGKE_STATEMENT_TIMEOUT_MS, where set, ends longer statements on the server (`changke up` sets it for the web).
    """
    parts = connection_parts(env, role=role)
    names = {"dbname": "NAME", "user": "USER", "password": "PASSWORD", "host": "HOST", "port": "PORT"}
    options: dict[str, Any] = {"connect_timeout": 5, "application_name": f"changke {role}"}
    options |= {key: value for key, value in parts.items() if key not in names}
    if timeout := env.get("CHANGKE_STATEMENT_TIMEOUT_MS"):
        options["options"] = f"{options.get('options', '')} -c statement_timeout={int(timeout)}".strip()
    return {
        "ENGINE": "django.db.backends.postgresql",
        **{names[key]: value for key, value in parts.items() if key in names},
        "CONN_MAX_AGE": None,
        "CONN_HEALTH_CHECKS": True,  # a kept connection survives a restart of the server
        "OPTIONS": options,
    }


def connection_parts(env: Mapping[str, str], *, role: Role) -> dict[str, str]:
    """Return libpq's parameters of a role: from DATABASE_URL (owner: DATABASE_OWNER_URL first), else embedded."""
    url = env.get("DATABASE_URL", "")
    if not url:
        return _embedded_parts(home_folder(env), user=ROLE_NAMES[role], database=DATABASE)
    if role == "owner":
        url = env.get("DATABASE_OWNER_URL") or url
    try:
        if not url.startswith(("postgresql://", "postgres://")):
            raise psycopg.ProgrammingError
        parts = {key: str(value) for key, value in conninfo_to_dict(url).items() if value is not None}
    except psycopg.ProgrammingError:  # its text may quote the password
        parts = {}
    if not parts.get("dbname"):
        raise fail(
            "database_url",
            "DATABASE_URL is not the address of a PostgreSQL database.",
            cure="Write it as postgresql://user:password@host:5432/name, with signs such as @ percent-encoded.",
        )
    return parts


def ensure_database(env: Mapping[str, str]) -> bool:
    """Make sure that a safe database answers: start the embedded server at need, or check the one of DATABASE_URL.

    True where this call started a server. Raises ChangkeError with the cure.
    """
    if not env.get("DATABASE_URL"):
        return ensure_server(home_folder(env))
    refuse_unsafe(server_facts(env))
    return False


def ensure_server(home: Path) -> bool:
    """Start the embedded server of a home unless it answers, with its roles and database; True where it was started.

    Of two starts at once the second waits and joins. The server outlives the calling process; `stop_server` ends it.
    """
    _refuse_old_cluster(home)
    if server_status(home) is not None:
        return False
    make_private(home, mode=0o710 if os.geteuid() == 0 else 0o700)
    with locked(make_private(home / "run") / "server.lock"):
        if server_status(home) is not None:
            return False
        embedded.make_cluster(home, major=embedded.newest_major())
        embedded.start(home, roles=tuple(ROLE_NAMES.values()))
        _make_roles(home)
        facts = server_status(home)
        if facts is None:
            raise fail(
                "postgres_start",
                "The database did not become ready: %(log)s",
                cure="The server's log lies in the home under postgres/log.",
                log=embedded.log_tail(home),
            )
        try:
            refuse_unsafe(facts)
        except ChangkeError:
            embedded.stop(home)
            raise
    return True


def _refuse_old_cluster(home: Path) -> None:
    """Raise ChangkeError where another major version wrote the data: nobody may write while they are moved."""
    old, new = embedded.data_major(home), embedded.newest_major()
    if old is None or old == new:
        return
    embedded.refuse_unknown_major(old)
    raise fail(
        "upgrade_needed",
        "The data were written by PostgreSQL %(old)s, this version of Changke brings %(new)s.",
        cure="Run `changke upgrade`: it makes a backup first.",
        old=old,
        new=new,
    )


def stop_server(home: Path) -> bool:
    """Stop the embedded server of a home, and no other server; False where it was not running."""
    if not home.exists():
        return False
    with locked(make_private(home / "run") / "server.lock"):
        return embedded.stop(home)


def server_status(home: Path) -> ServerFacts | None:
    """Ask the embedded server of a home how it is; None where it does not answer."""
    if not embedded.socket_folder(home).exists():
        return None
    try:
        return server_facts({"CHANGKE_HOME": str(home)})
    except ChangkeError:
        return None


def server_facts(env: Mapping[str, str]) -> ServerFacts:
    """Ask the server of this installation how it is; ChangkeError where it does not answer."""
    with connected(env, role="owner") as connection:
        row = connection.execute(
            "SELECT current_setting('server_version'), current_setting('server_version_num')::int,"
            " current_setting('fsync'), current_setting('synchronous_commit'), current_setting('full_page_writes'),"
            " clock_timestamp(), pg_database_size(current_database()),"
            " (SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
            "   AND usesysid IS NOT NULL AND pid <> pg_backend_pid())"
        ).fetchone()
    assert row is not None
    return ServerFacts(
        version=row[0],
        version_number=row[1],
        fsync=row[2],
        synchronous_commit=row[3],
        full_page_writes=row[4],
        clock=row[5],
        size_bytes=row[6],
        other_sessions=row[7],
    )


def refuse_unsafe(facts: ServerFacts) -> None:
    """Raise ChangkeError for a server that is too old or that may forget what it has acknowledged."""
    if facts.version_number < SERVER_MIN:
        raise fail(
            "server_old",
            "PostgreSQL %(version)s is too old.",
            cure="Use PostgreSQL 15 or newer, or unset DATABASE_URL to use the embedded one.",
            version=facts.version,
        )
    for name in ("fsync", "synchronous_commit", "full_page_writes"):
        if getattr(facts, name) == "off":
            raise fail(
                "server_unsafe",
                "The database runs with %(name)s = off: a power cut would lose money that was booked.",
                cure="Set %(name)s = on (in postgresql.conf, or postgres/data/local.conf in the home) and restart it.",
                name=name,
            )


@contextmanager
def connected(env: Mapping[str, str], *, role: Role) -> Iterator[psycopg.Connection]:
    """Yield a connection outside Django, in one transaction: committed at the end, rolled back on any error."""
    try:
        connection = psycopg.connect(**connection_parts(env, role=role), connect_timeout=5)  # type: ignore[arg-type]
    except psycopg.OperationalError as error:
        raise fail(
            "database_unreachable",
            "The database does not answer: %(why)s",
            cure="Check DATABASE_URL and that the server runs; the embedded one is started by `changke up`.",
            why=str(error).strip().splitlines()[-1],
        ) from error
    with connection:
        yield connection


def grant_rights(env: Mapping[str, str]) -> None:
    """Give the app role its rights on all tables, and none to change history; call after migrations and a restore.

    History is every table that the trigger function `changke_guard_history` guards. One role for both: nothing to do.
    """
    owner, app = (connection_parts(env, role=role).get("user", "") for role in ("owner", "app"))
    if owner == app:
        return
    with connected(env, role="owner") as connection:
        for statement in _right_statements(app, version=connection.info.server_version):
            connection.execute(statement)
        for table in _history_tables(connection):
            revoke = sql.SQL("REVOKE UPDATE, DELETE, TRUNCATE ON public.{} FROM {}")
            connection.execute(revoke.format(sql.Identifier(table), sql.Identifier(app)))


def open_history(env: Mapping[str, str]) -> list[str]:
    """Return the tables of history that the app role has the right to change: it should be empty."""
    app = connection_parts(env, role="app").get("user", "")
    asking = "SELECT has_table_privilege(%s, %s, 'UPDATE, DELETE, TRUNCATE')"
    with connected(env, role="owner") as connection:
        tables = _history_tables(connection)
        answers = [connection.execute(asking, [app, f'public."{table}"']).fetchone() for table in tables]
    return [table for table, answer in zip(tables, answers, strict=True) if answer and answer[0]]


def _history_tables(connection: psycopg.Connection) -> list[str]:
    rows = connection.execute(
        "SELECT DISTINCT c.relname FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid"
        " JOIN pg_proc p ON p.oid = t.tgfoid WHERE p.proname = %s AND c.relnamespace = 'public'::regnamespace"
        " ORDER BY c.relname",
        [HISTORY_GUARD],
    ).fetchall()
    return [str(table) for (table,) in rows]


def _right_statements(app: str, *, version: int) -> list[sql.Composed]:
    tables = "SELECT, INSERT, UPDATE, DELETE" + (", MAINTAIN" if version >= 170000 else "")  # MAINTAIN: to ANALYZE
    templates = (
        "GRANT USAGE ON SCHEMA public TO {app}",
        f"GRANT {tables} ON ALL TABLES IN SCHEMA public TO {{app}}",
        "GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO {app}",
        f"ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT {tables} ON TABLES TO {{app}}",
        "ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT USAGE, SELECT ON SEQUENCES TO {app}",
    )
    return [sql.SQL(template).format(app=sql.Identifier(app)) for template in templates]


def _embedded_parts(home: Path, *, user: str, database: str) -> dict[str, str]:
    folder = embedded.socket_folder(home)
    parts = {"dbname": database, "user": user, "host": str(folder), "port": str(embedded.PORT)}
    if os.geteuid() and not folder.is_relative_to(home):  # under /tmp: anybody could have made it, so ask who listens
        parts["requirepeer"] = pwd.getpwuid(os.geteuid()).pw_name
    return parts


def _make_roles(home: Path) -> None:
    """Make roles and database where they are missing, and the app's rights in whatever the owner makes later."""
    parts = _embedded_parts(home, user=embedded.SUPERUSER, database="template1")
    with psycopg.connect(**parts, autocommit=True) as connection:  # type: ignore[arg-type]
        known = {name for (name,) in connection.execute("SELECT rolname FROM pg_roles")}
        if ROLE_NAMES["owner"] not in known:  # CREATEDB: tests make databases of their own
            connection.execute(f"CREATE ROLE {ROLE_NAMES['owner']} LOGIN CREATEDB IN ROLE pg_monitor")
        if ROLE_NAMES["app"] not in known:
            connection.execute(f"CREATE ROLE {ROLE_NAMES['app']} LOGIN")
        # Rights set in template1 are copied into every new database, so also into those that tests make.
        connection.execute(f"SET ROLE {ROLE_NAMES['owner']}")
        for statement in _right_statements(ROLE_NAMES["app"], version=connection.info.server_version)[3:]:
            connection.execute(statement)
        connection.execute("RESET ROLE")
        if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]).fetchone():
            connection.execute(f"CREATE DATABASE {DATABASE} OWNER {ROLE_NAMES['owner']}")
