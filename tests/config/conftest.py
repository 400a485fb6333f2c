"""A home folder with a running server of its own, apart from the one that the other tests use."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from changke.config.database import connected, ensure_server, grant_rights, stop_server
from changke.config.home import prepare_home


def open_folder() -> Path:
    """Make a folder that other users can pass, in memory where there is room: clusters wait for disks."""
    memory = Path("/dev/shm")
    has_room = memory.is_dir() and os.access(memory, os.W_OK) and shutil.disk_usage(memory).free > 2 << 30
    folder = Path(tempfile.mkdtemp(prefix="changke-test-", dir=memory if has_room else None))
    folder.chmod(0o711)
    return folder


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that other users can pass; pytest's own tmp_path is closed to the server's system user."""
    made = open_folder()
    yield made
    shutil.rmtree(made)


@pytest.fixture
def home(folder: Path) -> Iterator[Path]:
    """A home that does not exist yet; its server is stopped afterwards."""
    yield folder / "home"
    stop_server(folder / "home")


@pytest.fixture(scope="session")
def running_home() -> Iterator[Path]:
    """A home whose server runs, made once."""
    folder = open_folder()
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
