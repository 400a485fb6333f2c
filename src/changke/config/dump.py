"""The database as one file and back, by PostgreSQL's own pg_dump, pg_restore and psql; every row is counted."""

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from psycopg import sql
from psycopg.conninfo import make_conninfo

from changke.config import embedded
from changke.config.database import connected, connection_parts, grant_rights, server_facts
from changke.kernel.errors import fail

TABLES: Final = (
    "SELECT relname FROM pg_class WHERE relkind IN ('r', 'p') AND NOT relispartition"
    " AND relnamespace = 'public'::regnamespace ORDER BY relname"
)
FIRST_WITH_TRANSACTION_TIMEOUT: Final = 170000
HEAD_LINES: Final = 40


def write_dump(env: Mapping[str, str], *, dump: Path) -> dict[str, int]:
    """Write the dump of a running database and return the rows of every table: both of the same moment."""
    with connected(env, role="owner") as connection:
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        snapshot = _one(connection.execute("SELECT pg_export_snapshot()").fetchone())
        counts = {}
        for (table,) in connection.execute(TABLES).fetchall():
            counting = sql.SQL("SELECT count(*) FROM public.{}").format(sql.Identifier(table))
            counts[str(table)] = int(str(_one(connection.execute(counting).fetchone())))
        address = f"--dbname={_address(env)}"
        _run_client(
            env, "pg_dump", address, "--format=custom", "--no-owner", "--no-privileges", f"--snapshot={snapshot}",
            f"--file={dump}",
        )  # fmt: skip
    return counts


def load_dump(env: Mapping[str, str], *, dump: Path, tables: Mapping[str, int], staging: Path) -> None:
    """Replace the database's content by a dump in one transaction, which ends only when every table has its rows.

    `staging` takes the script of the dump meanwhile. Refused or killed, the database stays as it was.
    """
    script, before, after = (staging / name for name in ("script.sql", "before.sql", "after.sql"))
    _run_client(env, "pg_restore", "--no-owner", "--no-privileges", f"--file={script}", str(dump))
    if server_facts(env).version_number < FIRST_WITH_TRANSACTION_TIMEOUT:
        _leave_out_transaction_timeout(script)
    before.write_text("SET client_min_messages = warning;\nDROP OWNED BY CURRENT_USER;\n")
    after.write_text("".join(_check(table, rows=rows) for table, rows in tables.items()))
    files = [f"--file={path}" for path in (before, script, after)]
    address = f"--dbname={_address(env)}"
    _run_client(env, "psql", address, "--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", "--single-transaction", *files)
    script.unlink()
    grant_rights(env)


def has_tables(env: Mapping[str, str]) -> bool:
    """Tell whether the database holds any table of ours."""
    with connected(env, role="owner") as connection:
        return connection.execute(TABLES).fetchone() is not None


def _check(table: str, *, rows: int) -> str:
    """Return SQL that raises an error unless the table holds its rows."""
    name = sql.Identifier("public", table).as_string()
    message = sql.Literal(f"rows are missing in {table}").as_string()
    return (
        f"DO $check$ BEGIN IF (SELECT count(*) FROM {name}) <> {rows} THEN"  # noqa: S608 quoted above
        f" RAISE EXCEPTION USING MESSAGE = {message}; END IF; END $check$;\n"
    )


def _leave_out_transaction_timeout(script: Path) -> None:
    """Drop the one setting in the head of the script that servers before 17 do not know."""
    draft = script.with_suffix(".draft")
    with script.open("rb") as source, draft.open("wb") as sink:
        for number, line in enumerate(source):
            if number > HEAD_LINES or not line.startswith(b"SET transaction_timeout"):
                sink.write(line)
    draft.replace(script)


def _address(env: Mapping[str, str]) -> str:
    """Return the owner's connection string without the password, which must not show in the list of processes."""
    parts = connection_parts(env, role="owner")
    return make_conninfo(**{key: value for key, value in parts.items() if key != "password"})


def _run_client(env: Mapping[str, str], name: str, *options: str) -> None:
    """Run a client program of the bundled PostgreSQL as the calling user; ChangkeError with its last words."""
    password = connection_parts(env, role="owner").get("password")
    surroundings = {"PATH": os.defpath, "LC_ALL": "C.UTF-8"} | ({"PGPASSWORD": password} if password else {})
    command = [str(embedded.program_for_user(name)), *options]
    done = subprocess.run(command, env=surroundings, stdin=subprocess.DEVNULL, capture_output=True, check=False)  # noqa: S603 our own words
    if done.returncode:
        raise fail(
            "dump_program",
            "%(program)s failed: %(said)s",
            cure="The data are as they were before; mend the cause and try again.",
            program=name,
            said=done.stderr.decode(errors="replace").strip()[-800:],
        )


def _one(row: tuple[object, ...] | None) -> object:
    assert row is not None
    return row[0]
