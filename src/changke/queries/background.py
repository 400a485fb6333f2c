"""Jobs in the background: how many in which state, and the latest of them."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from django.db.models import Count, Max, QuerySet
from procrastinate.contrib.django.models import ProcrastinateJob

from changke.kernel.job_names import JobName
from changke.rules.staff import Permission, Viewer, require


class JobState(StrEnum):
    WAITING = "todo"
    RUNNING = "doing"
    DONE = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"
    ABORTED = "aborted"


@dataclass(frozen=True, slots=True, kw_only=True)
class JobRow:
    """One job; `changed_at` is its last event, `due_at` the moment before which it does not start."""

    id: int
    name: str
    state: JobState
    attempts: int
    due_at: datetime | None
    changed_at: datetime | None


HOUSEKEEPING = (JobName.DO_DUE_WORK, JobName.RESCUE_STALLED_JOBS)  # every few seconds: shown only where it went wrong


def count_jobs(viewer: Viewer) -> dict[JobState, int]:
    """Return how many jobs are in each state; one query."""
    require(viewer, permission=Permission.SEE_SETTINGS)
    counts = _worth_showing().order_by().values_list("status").annotate(Count("id"))
    return dict.fromkeys(JobState, 0) | {JobState(state): count for state, count in counts}


def list_jobs(
    viewer: Viewer, *, states: tuple[JobState, ...] = (), offset: int = 0, limit: int = 50
) -> tuple[tuple[JobRow, ...], int]:
    """Return one page of the jobs in these states (none = all), the newest first, and how many there are."""
    require(viewer, permission=Permission.SEE_SETTINGS)
    jobs = _worth_showing().order_by("-id")
    if states:
        jobs = jobs.filter(status__in=states)
    page = jobs.annotate(changed_at=Max("procrastinateevent__at"))[offset : offset + limit]
    rows = tuple(
        JobRow(
            id=job.id,
            name=job.task_name,
            state=JobState(job.status),
            attempts=job.attempts,
            due_at=job.scheduled_at,
            changed_at=job.changed_at,
        )
        for job in page
    )
    return rows, jobs.count()


def _worth_showing() -> QuerySet[ProcrastinateJob]:
    return ProcrastinateJob.objects.exclude(task_name__in=HOUSEKEEPING, status="succeeded")
