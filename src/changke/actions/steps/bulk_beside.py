"""What an import does beside its merging transaction: the lock for one at a time, progress, the wish to stop."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from django.db import connection

from changke.kernel.errors import fail
from changke.rules.imports.plan import ImportState
from changke.rules.imports.words import Progress

LOCK: Final = 0x63_68_61_6E_67_6B_65  # "changke": the advisory lock of imports


class ImportStoppedError(Exception):
    """Raised inside an import whose user asked for it to be stopped."""


class Beside:
    """A second connection that holds the lock of imports; what it writes is seen at once by everybody."""

    def __init__(self, second: Any) -> None:
        self._second = second
        self._told: tuple[str, int] = ("", -1)

    def tell(self, run_id: int, progress: Progress) -> None:
        """Write how far the import is, once a percent of each stage; raises ImportStoppedError where it shall stop."""
        percent = 100 * progress.done // max(1, progress.total)
        if self._told == (progress.stage, percent):
            return
        self._told = (progress.stage, percent)
        asked = self.run(
            "UPDATE import_runs SET stage = %s, done = %s, total = %s WHERE id = %s RETURNING is_cancel_asked",
            [progress.stage, progress.done, progress.total, run_id],
        )
        if asked and asked[0][0]:
            raise ImportStoppedError

    def bury_the_dead(self, run_id: int) -> None:
        """Mark every other run that seems to be running as failed: whoever holds the lock knows that none is."""
        self.run(
            """UPDATE import_runs SET state = %s, problems = %s WHERE state = %s AND id <> %s RETURNING id""",
            [
                ImportState.FAILED,
                '[{"code": "interrupted", "message": "The import was interrupted.", "cure": "Start it again."}]',
                ImportState.RUNNING,
                run_id,
            ],
        )

    def run(self, statement: str, parameters: list[Any]) -> list[tuple[Any, ...]]:
        with self._second.cursor() as cursor:
            cursor.execute(statement, parameters)
            return list(cursor.fetchall())


@contextmanager
def import_lock() -> Iterator[Beside]:
    """Hold the lock of imports on a connection of its own; `import_running` where another import has it.

    The lock goes with the connection: a killed import leaves none behind.
    """
    second = connection.copy()
    try:
        beside = Beside(second)
        [(is_ours,)] = beside.run("SELECT pg_try_advisory_lock(%s)", [LOCK])
        if not is_ours:
            raise fail(
                "import_running",
                "Another import is running.",
                cure="Wait until it is done, or stop it first.",
            )
        yield beside
    finally:
        second.close()
