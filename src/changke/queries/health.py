"""Whether this process can serve: the database answers, the schema is complete, a worker is alive."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from procrastinate.contrib.django.models import ProcrastinateWorker

WORKER_SILENCE_MAX: Final = timedelta(seconds=30)


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """What a look at the database says; `worker_seen_at` is None where no worker has ever reported."""

    lacks_migrations: bool
    worker_seen_at: datetime | None
    is_worker_alive: bool

    @property
    def is_ready(self) -> bool:
        return not self.lacks_migrations


def load_health(*, now: datetime) -> Health:
    """Ask the database; raises django.db.Error where it does not answer."""
    executor = MigrationExecutor(connection)
    seen_at = ProcrastinateWorker.objects.order_by("-last_heartbeat").values_list("last_heartbeat", flat=True).first()
    return Health(
        lacks_migrations=bool(executor.migration_plan(executor.loader.graph.leaf_nodes())),
        worker_seen_at=seen_at,
        is_worker_alive=seen_at is not None and now - seen_at <= WORKER_SILENCE_MAX,
    )
