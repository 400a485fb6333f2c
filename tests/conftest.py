"""One private PostgreSQL for the whole test run: started once, joined by every worker."""

import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from django.db import connection

from changke.config.database import ensure_database

pytest_plugins = ("promise_rows",)
ROOT = Path(__file__).resolve().parents[1]
SHARED = ROOT.parent / "shared"


def pytest_configure() -> None:
    ensure_database(os.environ)


@pytest.fixture
def now() -> datetime:
    """A fixed moment: a Sunday, 12:00 in Shanghai."""
    return datetime(2026, 11, 22, 4, 0, tzinfo=UTC)


@pytest.fixture
def shared_data() -> Path:
    """The folder of the data sets that may not be shipped, or a skip that says so."""
    folder = SHARED / "data"
    if not folder.is_dir():
        pytest.skip(f"skipped: the data sets of {folder} are not on this machine")
    return folder


@pytest.fixture
def home(tmp_path: Path, settings: object) -> Iterator[Path]:
    """A home folder of the test's own for uploads and the lake."""
    for name in ("uploads", "lake"):
        (tmp_path / name).mkdir()
    settings.UPLOADS, settings.LAKE = tmp_path / "uploads", tmp_path / "lake"  # type: ignore[attr-defined]
    yield tmp_path


@pytest.fixture(autouse=True)
def no_jobs_left(request: pytest.FixtureRequest) -> Iterator[None]:
    """Empty the queue after a test that committed: Django's flush knows nothing of the queue's own tables."""
    yield
    marker = request.node.get_closest_marker("django_db")
    committed = {"transactional_db", "live_server"} & set(request.fixturenames)
    if committed or (marker is not None and marker.kwargs.get("transaction")):
        blocker = request.getfixturevalue("django_db_blocker")
        with blocker.unblock(), connection.cursor() as cursor:
            cursor.execute("TRUNCATE procrastinate_jobs CASCADE")
