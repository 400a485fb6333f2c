"""Tasks and schedules: each calls one action. What is due is decided by our own data, not by the schedule.

The schedule only knocks every minute: a slot that was missed while nothing ran is worked at the next knock.
"""

from dataclasses import replace

from procrastinate import JobContext
from procrastinate.contrib.django import app

from changke.actions.due_work import do_due_work
from changke.actions.duplicates import find_duplicates
from changke.actions.imports import run_import
from changke.actions.insight_figures import compute_figures, compute_usual_figures
from changke.actions.lake import refresh_lake
from changke.actions.rfm_runs import score_rfm
from changke.kernel.clock import utc_now
from changke.kernel.job_names import JobName
from changke.rules.staff import act_as

STALLED_AFTER_SECONDS = 30


@app.periodic(cron="* * * * *")
@app.task(name=JobName.DO_DUE_WORK.value, queueing_lock="due_work", lock="due_work")
def knock(timestamp: int) -> None:  # noqa: ARG001 - procrastinate passes the slot by name
    do_due_work(now=utc_now())


@app.task(name=JobName.REFRESH_LAKE.value, lock="lake")
def refresh() -> None:
    refresh_lake(now=utc_now())


@app.task(name=JobName.COMPUTE_FIGURES.value, lock="figures")
def compute(page: str, scope: str) -> None:
    compute_figures(page, scope)


@app.task(name=JobName.COMPUTE_USUAL_FIGURES.value, lock="figures")
def compute_usual() -> None:
    compute_usual_figures()


@app.task(name=JobName.SCORE_RFM.value, lock="lake")
def score(run_id: int) -> None:
    score_rfm(run_id, now=utc_now())


@app.task(name=JobName.RUN_IMPORT.value, lock="import")
def import_history(run_id: int) -> None:
    run_import(run_id, now=utc_now())


@app.task(name=JobName.FIND_DUPLICATES.value, lock="duplicates")
def search_duplicates(user_id: int | None, asker: str) -> None:
    find_duplicates(replace(act_as(asker), user_id=user_id), now=utc_now())


@app.periodic(cron="* * * * * */10")
@app.task(name=JobName.RESCUE_STALLED_JOBS.value, queueing_lock="rescue", pass_context=True)
async def rescue(context: JobContext, timestamp: int) -> None:  # noqa: ARG001 - as above
    """Give jobs whose worker died back to the queue; each task is safe to run again."""
    manager = context.app.job_manager
    for job in await manager.get_stalled_jobs(seconds_since_heartbeat=STALLED_AFTER_SECONDS):
        await manager.retry_job(job)
