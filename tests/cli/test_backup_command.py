"""`changke backup` and `changke restore` from the command line."""

import json
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from changke.cli.main import main
from changke.config.database import connected, stop_server


@pytest.fixture
def home(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A home that does not exist yet, the only one the command line knows."""
    memory = "/dev/shm" if shutil.disk_usage("/dev/shm").free > 2 << 30 else None
    folder = Path(tempfile.mkdtemp(prefix="changke-test-", dir=memory))
    folder.chmod(0o711)
    monkeypatch.delenv("DATABASE_URL", raising=False)
    monkeypatch.setenv("CHANGKE_HOME", str(folder / "home"))
    yield folder / "home"
    stop_server(folder / "home")
    shutil.rmtree(folder)


def test_what_was_lost_comes_back(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["backup", "--json"]) == 0
    empty = json.loads(capsys.readouterr().out)
    assert Path(empty["path"]).parent == home / "backups"
    assert empty["tables"] == {}
    env = {"CHANGKE_HOME": str(home)}
    with connected(env, role="owner") as connection:
        connection.execute("CREATE TABLE guests (n int); INSERT INTO guests VALUES (1), (2)")
    file = home.parent / "shop.tar"
    assert main(["backup", str(file)]) == 0
    assert "2 rows in 1 tables" in capsys.readouterr().out

    assert main(["restore", str(file)]) == 1
    assert "--force" in capsys.readouterr().err
    key = home / "keys" / "master.key"
    before = key.read_text()
    key.unlink()
    with connected(env, role="owner") as connection:
        connection.execute("DELETE FROM guests")
    assert main(["restore", str(file), "--force"]) == 0
    said = capsys.readouterr().out
    assert "before-restore" in said
    assert f"restored from {file}" in said
    assert key.read_text() == before
    with connected(env, role="app") as connection:
        assert connection.execute("SELECT count(*) FROM guests").fetchone() == (2,)


def test_a_missing_file_is_told_before_a_home_is_made(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["restore", "no-such-file.tar"]) == 1
    assert "There is no file" in capsys.readouterr().err
    assert not home.exists()
