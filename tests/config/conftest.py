"""A home folder with a running server of its own, apart from the one that the other tests use."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from changke.config.database import connected, ensure_server, grant_rights, stop_server
from changke.config.home import prepare_home


@pytest.fixture
def home() -> Iterator[Path]:
    """A folder for a new home; pytest's own tmp_path is closed to the server's system user."""
    folder = Path(tempfile.mkdtemp(prefix="changke-test-"))
    folder.chmod(0o711)
    yield folder / "home"
    stop_server(folder / "home")
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
def running_home() -> Iterator[Path]:
    """A home whose server runs, made once."""
    folder = Path(tempfile.mkdtemp(prefix="changke-test-"))
    folder.chmod(0o711)
    prepare_home(folder / "home")
    yield folder / "home"
    stop_server(folder / "home")
    shutil.rmtree(folder)


@pytest.fixture
def shop(running_home: Path) -> dict[str, str]:
    """The environment of an installation whose server runs and whose database is empty."""
    env = {"CHANGKE_HOME": str(running_home)}
    ensure_server(running_home)
    empty(env)
    return env


def empty(env: dict[str, str]) -> None:
    with connected(env, role="owner") as connection:
        connection.execute("DROP OWNED BY CURRENT_USER")
    grant_rights(env)
