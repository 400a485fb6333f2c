"""The row of a run and the job that scores it, in one transaction."""

from datetime import date, datetime

from django.db import transaction
from pydantic import TypeAdapter

from changke.actions.steps.audit import record_audit
from changke.actions.steps.enqueue import enqueue
from changke.kernel.job_names import JobName
from changke.records.models import RfmRun
from changke.rules.rfm import RfmSettings
from changke.rules.schedules import RunOrigin
from changke.rules.staff import Viewer


@transaction.atomic
def begin_run(
    actor: Viewer, *, settings: RfmSettings, as_of: date, origin: RunOrigin, now: datetime, name: str = ""
) -> RfmRun:
    """Write the run as running and queue its scoring; a slot that somebody took meanwhile comes back as it is."""
    told = TypeAdapter(RfmSettings).dump_python(settings, mode="json")
    wanted = {"name": name.strip(), "settings": told, "started_at": now, "made_by_id": actor.user_id}
    if origin is RunOrigin.MANUAL:
        run, is_new = RfmRun.objects.create(as_of=as_of, origin=origin.value, **wanted), True
    else:
        run, is_new = RfmRun.objects.get_or_create(as_of=as_of, origin=origin.value, defaults=wanted)
    if is_new:
        enqueue(JobName.SCORE_RFM, lock="lake", run_id=run.id)
        record_audit(
            actor,
            now=now,
            action="begin_rfm_run",
            subject_kind="rfm_run",
            subject_id=run.id,
            after={"as_of": str(as_of)},
        )
    return run
