"""A home folder with a running server of its own, apart from the one that the other tests use."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from changke.config.database import ensure_server, stop_server
from changke.config.home import prepare_home


@pytest.fixture
def home() -> Iterator[Path]:
    """A folder for a new home; pytest's own tmp_path is closed to the server's system user."""
    folder = Path(tempfile.mkdtemp(prefix="changke-test-"))
    folder.chmod(0o711)
    yield folder / "home"
    stop_server(folder / "home")
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def shop() -> Iterator[dict[str, str]]:
    """The environment of a home whose server runs, shared by the tests of one file."""
    folder = Path(tempfile.mkdtemp(prefix="changke-test-"))
    folder.chmod(0o711)
    prepare_home(folder / "home")
    ensure_server(folder / "home")
    yield {"CHANGKE_HOME": str(folder / "home")}
    stop_server(folder / "home")
    shutil.rmtree(folder)
