"""A backup brings back what was there, to the byte and row, or touches nothing."""

import io
import stat
import tarfile
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from changke.config import backup, embedded
from changke.config.backup import make_backup, read_manifest, replace_with_backup, restore_backup
from changke.config.database import connected, connection_parts, ensure_server, server_facts, stop_server
from changke.config.dump import has_tables
from changke.config.home import load_keys, prepare_home
from changke.config.upgrade import needs_upgrade, upgrade_cluster
from changke.kernel.errors import ChangkeError

NOW = datetime(2026, 11, 22, 4, 0, tzinfo=UTC)
FILL = """
CREATE TABLE guests (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text NOT NULL);
INSERT INTO guests (name) SELECT '常客 ' || n FROM generate_series(1, 500) AS n;
CREATE TABLE "odd ""name" (n int); INSERT INTO "odd ""name" VALUES (1);
CREATE FUNCTION changke_guard_history() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'no'; END $$;
CREATE TABLE history (n int); INSERT INTO history VALUES (1), (2);
CREATE TRIGGER guard BEFORE UPDATE ON history FOR EACH STATEMENT EXECUTE FUNCTION changke_guard_history();
"""


def rows(env: dict[str, str], query: str) -> list[tuple[object, ...]]:
    with connected(env, role="owner") as connection:
        return connection.execute(query.encode()).fetchall()


def empty(env: dict[str, str]) -> None:
    with connected(env, role="owner") as connection:
        connection.execute("DROP OWNED BY CURRENT_USER")


@pytest.fixture
def filled(shop: dict[str, str]) -> dict[str, str]:
    """A shop with rows, a guarded table and a file."""
    with connected(shop, role="owner") as connection:
        connection.execute(FILL)
    upload = Path(shop["CHANGKE_HOME"]) / "uploads" / "floor" / "平面图.png"
    upload.parent.mkdir(exist_ok=True)
    upload.write_bytes(b"picture" * 1000)
    return shop


def test_round_trip_into_a_new_home(filled: dict[str, str], home: Path, tmp_path: Path) -> None:
    made = make_backup(filled, target=tmp_path, now=NOW)
    assert made.path.name == "changke-20261122T040000Z.tar"
    assert stat.S_IMODE(made.path.stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir()] == [made.path.name]
    assert made.manifest == read_manifest(made.path)
    assert made.manifest.tables == {"guests": 500, "history": 2, 'odd "name': 1}

    prepare_home(home)
    ensure_server(home)
    env = {"CHANGKE_HOME": str(home)}
    restore_backup(env, source=made.path)
    query = "SELECT id, name FROM guests ORDER BY id"
    assert rows(env, query) == rows(filled, query)
    assert load_keys(home) == load_keys(Path(filled["CHANGKE_HOME"]))
    assert (home / "uploads" / "floor" / "平面图.png").read_bytes() == b"picture" * 1000
    with connected(env, role="app") as connection:
        connection.execute("INSERT INTO guests (name) VALUES ('next')")  # the sequence goes on
    with pytest.raises(Exception, match="permission denied"), connected(env, role="app") as connection:
        connection.execute("UPDATE history SET n = 0")
    assert not list(home.glob(".restore-*"))
    with pytest.raises(ChangkeError) as caught:
        restore_backup(env, source=made.path)
    assert caught.value.problems[0].code == "restore_over_data"


def test_replacing_keeps_a_backup_of_what_was_there(filled: dict[str, str], tmp_path: Path) -> None:
    made = make_backup(filled, target=tmp_path / "one.tar", now=NOW)
    with connected(filled, role="owner") as connection:
        connection.execute("DELETE FROM guests WHERE id > 10; CREATE TABLE newer (n int)")
    safety = replace_with_backup(filled, source=made.path, now=NOW)
    assert rows(filled, "SELECT count(*) FROM guests") == [(500,)]
    assert rows(filled, "SELECT to_regclass('newer')") == [(None,)]
    assert safety is not None
    assert safety.manifest.tables["guests"] == 10
    assert safety.path.parent == Path(filled["CHANGKE_HOME"]) / "backups"


def test_a_busy_database_is_not_replaced(filled: dict[str, str], tmp_path: Path) -> None:
    made = make_backup(filled, target=tmp_path, now=NOW)
    with connected(filled, role="app"), pytest.raises(ChangkeError) as caught:
        replace_with_backup(filled, source=made.path, now=NOW)
    assert caught.value.problems[0].code == "database_in_use"


def test_missing_rows_leave_everything_as_it_was(filled: dict[str, str], tmp_path: Path) -> None:
    made = make_backup(filled, target=tmp_path, now=NOW)
    false = replace(made.manifest, tables={**made.manifest.tables, "guests": 501})
    with connected(filled, role="owner") as connection:
        connection.execute("DELETE FROM guests WHERE id > 10")
    with pytest.raises(ChangkeError, match="rows are missing in guests"):
        backup._bring_back(filled, source=made.path, manifest=false)
    assert rows(filled, "SELECT count(*) FROM guests") == [(10,)]


def cut_short(content: bytes) -> bytes:
    return content[: len(content) // 2]


def one_bit_off(content: bytes) -> bytes:
    place = content.index(b"picture")
    return content[:place] + b"Picture" + content[place + 7 :]


@pytest.mark.parametrize("harm", [cut_short, one_bit_off, lambda content: b"no tar at all", lambda content: b""])
def test_a_broken_file_is_refused_before_anything_is_touched(
    filled: dict[str, str], tmp_path: Path, harm: object
) -> None:
    made = make_backup(filled, target=tmp_path, now=NOW)
    broken = tmp_path / "broken.tar"
    broken.write_bytes(harm(made.path.read_bytes()))  # type: ignore[operator]
    empty(filled)
    with pytest.raises(ChangkeError) as caught:
        restore_backup(filled, source=broken)
    assert caught.value.problems[0].code == "backup_broken"
    assert not has_tables(filled)


@pytest.mark.parametrize("name", ["../escaped", "/tmp/escaped", "uploads/unlisted"])
def test_files_that_the_manifest_does_not_list_are_refused(filled: dict[str, str], tmp_path: Path, name: str) -> None:
    made = make_backup(filled, target=tmp_path, now=NOW)
    with tarfile.open(made.path, "a") as tar:
        tar.addfile(tarfile.TarInfo(name), io.BytesIO())
    empty(filled)
    with pytest.raises(ChangkeError) as caught:
        restore_backup(filled, source=made.path)
    assert caught.value.problems[0].code == "backup_broken"


def test_a_backup_of_a_later_program_is_refused(
    filled: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as later:
        later.setattr(backup, "version", lambda name: "99.0.0")
        made = make_backup(filled, target=tmp_path, now=NOW)
    empty(filled)
    with pytest.raises(ChangkeError) as caught:
        restore_backup(filled, source=made.path)
    assert caught.value.problems[0].code == "backup_newer"


def test_nothing_is_written_over_and_no_half_file_stays(
    filled: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = make_backup(filled, target=tmp_path / "one.tar", now=NOW)
    with pytest.raises(ChangkeError) as caught:
        make_backup(filled, target=made.path, now=NOW)
    assert caught.value.problems[0].code == "backup_exists"
    monkeypatch.setattr(backup, "_flush", lambda path: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        make_backup(filled, target=tmp_path / "two.tar", now=NOW)
    assert [path.name for path in tmp_path.iterdir()] == ["one.tar"]


def older_major() -> int:
    older = [major for major in embedded.bundled() if major < embedded.newest_major()]
    if not older:
        pytest.skip("the installed wheel carries one PostgreSQL only: there is nothing to upgrade from")
    return max(older)


def test_upgrade_moves_the_data_and_an_older_server_takes_them_back(home: Path, tmp_path: Path) -> None:
    major = older_major()
    keys = prepare_home(home)
    env = {"CHANGKE_HOME": str(home)}
    start_older(home, major=major)
    with connected(env, role="owner") as connection:
        connection.execute(FILL)
    stop_server(home)
    assert needs_upgrade(home)
    with pytest.raises(ChangkeError, match="changke upgrade"):
        ensure_server(home)

    made = upgrade_cluster(home, now=NOW)
    assert made.manifest.server.startswith(f"{major}.")
    assert not needs_upgrade(home)
    ensure_server(home)
    assert server_facts(env).version_number // 10000 == embedded.newest_major()
    assert rows(env, "SELECT count(*) FROM guests") == [(500,)]
    assert load_keys(home) == keys
    assert (home / "postgres" / f"data.{major}-20261122T040000Z").exists()
    assert (home / "postgres").resolve().is_relative_to(home)
    assert not (home / "upgrade").exists()

    newer = make_backup(env, target=tmp_path, now=NOW)
    elsewhere = home.parent / "elsewhere"
    prepare_home(elsewhere)
    start_older(elsewhere, major=major)
    parts = connection_parts({"CHANGKE_HOME": str(elsewhere)}, role="owner")
    url = f"postgresql://{parts['user']}@/{parts['dbname']}?host={parts['host']}"
    outside = {"DATABASE_URL": url, "CHANGKE_HOME": str(elsewhere)}
    try:
        restore_backup(outside, source=newer.path)
        assert rows(outside, "SELECT count(*) FROM guests") == [(500,)]
    finally:
        embedded.stop(elsewhere)


def start_older(home: Path, *, major: int) -> None:
    """Start a cluster of an older version, as the program of that time did."""
    with pytest.MonkeyPatch.context() as then:
        then.setattr(embedded, "newest_major", lambda: major)
        assert ensure_server(home)
