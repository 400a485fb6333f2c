"""Settings for Django, roles and rights, and what the app role may not do."""

from pathlib import Path
from threading import Event
from typing import Any

import psycopg
import pytest

from changke.config.database import (
    ServerFacts,
    connected,
    connection_parts,
    database_settings,
    ensure_database,
    grant_rights,
    refuse_unsafe,
    server_facts,
)
from changke.kernel.clock import utc_now
from changke.kernel.errors import ChangkeError

URL = "postgresql://shop:p%40ss%2Fword@db.example.com:6432/changke?sslmode=require"
SAFE: dict[str, Any] = {
    "version": "18.4",
    "version_number": 180004,
    "fsync": "on",
    "synchronous_commit": "on",
    "full_page_writes": "on",
    "clock": utc_now(),
    "size_bytes": 0,
    "other_sessions": 0,
}


def test_settings_of_the_embedded_server_name_its_socket() -> None:
    settings = database_settings({"CHANGKE_HOME": "/srv/shop"}, role="app")
    assert settings["HOST"] == "/srv/shop/postgres/socket"
    assert (settings["NAME"], settings["USER"], settings["PORT"]) == ("changke", "changke_app", "5432")
    assert settings["CONN_MAX_AGE"] is None
    assert "PASSWORD" not in settings
    assert "options" not in settings["OPTIONS"]


def test_settings_of_a_url_are_decoded() -> None:
    settings = database_settings({"DATABASE_URL": URL}, role="app")
    assert (settings["USER"], settings["PASSWORD"]) == ("shop", "p@ss/word")
    assert (settings["HOST"], settings["PORT"], settings["NAME"]) == ("db.example.com", "6432", "changke")
    assert settings["OPTIONS"]["sslmode"] == "require"


def test_owner_has_a_url_of_its_own_where_one_is_given() -> None:
    env = {"DATABASE_URL": URL, "DATABASE_OWNER_URL": "postgresql://boss@db.example.com/changke"}
    assert database_settings(env, role="owner")["USER"] == "boss"
    assert database_settings(env, role="app")["USER"] == "shop"
    assert database_settings({"DATABASE_URL": URL}, role="owner")["USER"] == "shop"


def test_statement_timeout_is_set_only_where_asked() -> None:
    settings = database_settings({"DATABASE_URL": URL, "CHANGKE_STATEMENT_TIMEOUT_MS": "3000"}, role="app")
    assert settings["OPTIONS"]["options"] == "-c statement_timeout=3000"


@pytest.mark.parametrize("url", ["mysql://a:secret@b/c", "postgresql://a:secret@[b/c", "postgresql://a:secret@b", "x"])
def test_a_bad_url_is_refused_without_quoting_its_password(url: str) -> None:
    with pytest.raises(ChangkeError) as caught:
        connection_parts({"DATABASE_URL": url}, role="app")
    assert caught.value.problems[0].code == "database_url"
    assert "secret" not in str(caught.value)


def test_an_unreachable_server_is_told_without_a_trace_of_its_password() -> None:
    env = {"DATABASE_URL": "postgresql://shop:secret@127.0.0.1:9/changke"}
    with pytest.raises(ChangkeError) as caught:
        ensure_database(env)
    assert caught.value.problems[0].code == "database_unreachable"
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"fsync": "off"}, "server_unsafe"),
        ({"synchronous_commit": "off"}, "server_unsafe"),
        ({"full_page_writes": "off"}, "server_unsafe"),
        ({"version_number": 149999, "version": "14.9"}, "server_old"),
    ],
)
def test_unsafe_servers_are_refused(changed: dict[str, Any], code: str) -> None:
    refuse_unsafe(ServerFacts(**SAFE))
    with pytest.raises(ChangkeError) as caught:
        refuse_unsafe(ServerFacts(**SAFE | changed))
    assert caught.value.problems[0].code == code
    assert caught.value.problems[0].cure


def test_an_outside_server_is_used_as_it_is(shop: dict[str, str]) -> None:
    parts = connection_parts(shop, role="owner")
    env = {
        "DATABASE_URL": f"postgresql://{parts['user']}@/{parts['dbname']}?host={parts['host']}",
        "CHANGKE_HOME": "/x",
    }
    assert ensure_database(env) is False
    assert server_facts(env).version_number >= 150000


def test_the_app_reads_and_writes_rows_but_makes_no_tables_and_changes_no_history(shop: dict[str, str]) -> None:
    with connected(shop, role="owner") as connection:
        connection.execute("CREATE TABLE notes (id bigint GENERATED ALWAYS AS IDENTITY, text text)")
        connection.execute("CREATE TABLE history (n int)")
        connection.execute(
            "CREATE FUNCTION changke_guard_history() RETURNS trigger LANGUAGE plpgsql AS"
            " $$ BEGIN RAISE EXCEPTION 'append-only'; END $$"
        )
        connection.execute(
            "CREATE TRIGGER guard BEFORE UPDATE OR DELETE ON history"
            " FOR EACH STATEMENT EXECUTE FUNCTION changke_guard_history()"
        )
    grant_rights(shop)
    grant_rights(shop)
    with connected(shop, role="app") as connection:
        connection.execute("INSERT INTO notes (text) VALUES ('a')")
        connection.execute("UPDATE notes SET text = 'b'")
        connection.execute("DELETE FROM notes")
        connection.execute("INSERT INTO history VALUES (1)")
        connection.execute("ANALYZE notes")
    for statement in (
        "UPDATE history SET n = 2",
        "DELETE FROM history",
        "TRUNCATE history",
        "TRUNCATE notes",
        "CREATE TABLE mine (n int)",
        "DROP TABLE notes",
        "ALTER TABLE history DISABLE TRIGGER guard",
        "SET ROLE changke_owner",
    ):
        with pytest.raises(psycopg.errors.InsufficientPrivilege), connected(shop, role="app") as connection:
            connection.execute(statement)


def test_the_owner_makes_databases_in_which_the_app_has_its_rights(shop: dict[str, str]) -> None:
    parts = connection_parts(shop, role="owner")
    with psycopg.connect(**parts, autocommit=True) as connection:  # type: ignore[arg-type]
        connection.execute("CREATE DATABASE test_changke")
        with psycopg.connect(**parts | {"dbname": "test_changke"}) as fresh:  # type: ignore[arg-type]
            fresh.execute("CREATE TABLE t (n int)")
        with psycopg.connect(**connection_parts(shop, role="app") | {"dbname": "test_changke"}) as app:  # type: ignore[arg-type]
            app.execute("INSERT INTO t VALUES (1)")
            assert app.execute("SELECT n FROM t").fetchone() == (1,)
        connection.execute("DROP DATABASE test_changke")


def test_server_logs_keep_no_rows(shop: dict[str, str]) -> None:
    with connected(shop, role="owner") as connection:
        connection.execute("CREATE TABLE phones (phone text PRIMARY KEY)")
        connection.execute("INSERT INTO phones VALUES ('13800001111')")
    with pytest.raises(psycopg.errors.UniqueViolation), connected(shop, role="app") as connection:
        connection.execute("INSERT INTO phones VALUES ('13800001111')")
    folder, texts = Path(shop["CHANGKE_HOME"], "postgres", "log"), ""
    for _ in range(100):  # the server hands its lines to a collector, which writes them a moment later
        texts = "".join(log.read_text() for log in folder.iterdir())
        if "duplicate key" in texts:
            break
        Event().wait(0.05)
    assert "duplicate key" in texts
    assert "13800001111" not in texts
