"""What is due by our own data, asked every minute: nothing depends on a schedule having fired.

Each piece looks at what was done last, so that a slot that was missed while nothing ran is worked once, later.
"""

from datetime import datetime, timedelta

from changke.actions.steps.birthdays import renew_birthdays
from changke.actions.steps.bulk_days import settle_days
from changke.actions.steps.enqueue import enqueue
from changke.actions.steps.rfm_runs import begin_run
from changke.actions.steps.uploads import remove_expired_uploads
from changke.kernel.job_names import JobName
from changke.queries.due_work import lake_is_behind, runs_due
from changke.queries.settings import load_setting
from changke.rules.rfm import RfmSettings
from changke.rules.schedules import RfmSchedule
from changke.rules.staff import act_as

LAKE_REST = timedelta(minutes=5)  # between two refreshes while sales keep coming in


def do_due_work(*, now: datetime) -> list[JobName]:
    """Queue what is due and return the names of the jobs that were queued; remove files whose time is over."""
    due = []
    if lake_is_behind(now=now, rest=LAKE_REST):
        enqueue(JobName.REFRESH_LAKE, lock="lake")
        due.append(JobName.REFRESH_LAKE)
    for origin, as_of in runs_due(load_setting(RfmSchedule)):
        begin_run(act_as("schedule"), settings=load_setting(RfmSettings), as_of=as_of, origin=origin, now=now)
        due.append(JobName.SCORE_RFM)
    remove_expired_uploads(now=now)
    renew_birthdays(now=now)
    settle_days()
    return due
