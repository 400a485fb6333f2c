"""Jobs in the background: a failed one is tried again by somebody who has mended its cause."""

from datetime import datetime

from django.db import transaction
from procrastinate.contrib.django import app
from procrastinate.contrib.django.models import ProcrastinateJob

from changke.actions.steps.audit import record_audit
from changke.kernel.errors import fail
from changke.rules.staff import Permission, Viewer, require


@transaction.atomic
def retry_job(actor: Viewer, *, job_id: int, now: datetime) -> None:
    """Queue a failed job once more; the second of two at once is refused."""
    require(actor, permission=Permission.EDIT_SETTINGS)
    job = ProcrastinateJob.objects.select_for_update().filter(id=job_id).first()
    if job is None or job.status != "failed":
        raise fail("job_not_failed", "Only a failed job can be tried again.")
    app.job_manager.retry_job_by_id(job_id=job_id, retry_at=now)
    record_audit(
        actor, now=now, action="retry_job", subject_kind="job", subject_id=job_id, after={"task": job.task_name}
    )
