"""RFM runs: asked for, scored in the background, kept with their settings and results."""

from datetime import date, datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import transaction
from pydantic import TypeAdapter

from changke.actions.steps.audit import record_audit
from changke.actions.steps.rfm_runs import begin_run
from changke.insight.engine import open_engine
from changke.insight.lake import facts_of, hold_current
from changke.insight.runs import RfmRun as RunSummary
from changke.insight.runs import run_rfm
from changke.kernel.errors import ChangkeError, fail
from changke.queries.settings import load_setting
from changke.records.models import RfmRun
from changke.rules.lifecycle import LifecycleSettings
from changke.rules.rfm import RfmSettings
from changke.rules.schedules import RunOrigin
from changke.rules.staff import Permission, Viewer, require


def ask_for_run(actor: Viewer, *, rfm: RfmSettings, as_of: date, now: datetime, name: str = "") -> RfmRun:
    """Keep a run as of a date under a name and queue its scoring; returns its row."""
    require(actor, permission=Permission.RUN_INSIGHT)
    if rfm.store_ids and not all(actor.sees_store(store) for store in rfm.store_ids):
        raise fail("store_unknown", "There is no such store.", field="store_ids")
    return begin_run(actor, settings=rfm, as_of=as_of, origin=RunOrigin.MANUAL, now=now, name=name)


def score_rfm(run_id: int, *, now: datetime) -> None:
    """Score a run and keep its result; scoring it again gives the same file. A failure is written on the run."""
    run = RfmRun.objects.get(id=run_id)
    if run.state == "done":
        return
    rfm = TypeAdapter(RfmSettings).validate_python(run.settings)
    try:
        summary = _score(run, rfm=rfm)
    except ChangkeError as error:
        RfmRun.objects.filter(id=run_id).update(state="failed", error=str(error)[:500], finished_at=now)
        return
    with transaction.atomic():
        RfmRun.objects.filter(id=run_id).update(state="done", summary=summary, finished_at=now, error="")


@transaction.atomic
def delete_run(actor: Viewer, *, public_id: str, now: datetime) -> None:
    """Delete a run and its result; scheduled ones too (their slot is then worked again)."""
    require(actor, permission=Permission.RUN_INSIGHT)
    run = RfmRun.objects.select_for_update().filter(public_id=public_id).first()
    if run is None:
        raise fail("run_unknown", "There is no such run.")
    record_audit(
        actor,
        now=now,
        action="delete_rfm_run",
        subject_kind="rfm_run",
        subject_id=run.id,
        before={"as_of": str(run.as_of)},
    )
    path = result_path(public_id)
    run.delete()
    transaction.on_commit(lambda: path.unlink(missing_ok=True))


def result_path(public_id: str) -> Path:
    """Return where the rows of a run lie."""
    return Path(settings.LAKE) / "runs" / f"{public_id}.parquet"


def _score(run: RfmRun, *, rfm: RfmSettings) -> dict[str, Any]:
    lake = Path(settings.LAKE)
    with hold_current(lake) as version, open_engine(spill=lake) as engine:
        found = run_rfm(
            engine,
            facts_of(engine, version),
            rfm=rfm,
            lifecycle=load_setting(LifecycleSettings),
            as_of=run.as_of,
            path=result_path(run.public_id),
        )
    return dict(TypeAdapter(RunSummary).dump_python(found, mode="json"))
