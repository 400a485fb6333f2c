"""Every job name is registered and every registered task of ours is in the enum; due work is queued once."""

from datetime import date, datetime, timedelta
from pathlib import Path

import pytest
from procrastinate.contrib.django import app
from procrastinate.contrib.django.models import ProcrastinateJob

from changke.actions.due_work import do_due_work
from changke.actions.lake import refresh_lake
from changke.actions.settings import save_setting
from changke.jobs import tasks
from changke.kernel.job_names import JobName
from changke.records.models import Member, RfmRun
from changke.rules.schedules import RfmSchedule, RunOrigin, due_slots
from changke.rules.staff import SYSTEM


def test_names_and_tasks_are_the_same() -> None:
    assert tasks.__doc__
    ours = {name for name in app.tasks if not name.startswith("builtin:") and "." not in name}
    assert ours == {name.value for name in JobName}


@pytest.mark.parametrize(
    ("as_of", "slots"),
    [
        (date(2026, 11, 22), (("monthly", date(2026, 11, 1)), ("quarterly", date(2026, 10, 1)))),
        (date(2026, 1, 1), (("monthly", date(2026, 1, 1)), ("quarterly", date(2026, 1, 1)))),
        (date(2026, 12, 31), (("monthly", date(2026, 12, 1)), ("quarterly", date(2026, 10, 1)))),
    ],
)
def test_the_newest_slot_of_each_schedule(as_of: date, slots: tuple[tuple[str, date], ...]) -> None:
    assert due_slots(RfmSchedule(monthly=True, quarterly=True), as_of=as_of) == slots


@pytest.mark.django_db
def test_nothing_is_due_in_an_empty_shop(home: Path, now: datetime) -> None:
    assert do_due_work(now=now) == []
    assert not ProcrastinateJob.objects.exists()


@pytest.mark.promise(27)
@pytest.mark.django_db
def test_a_slot_is_worked_once_however_often_the_clock_knocks(small_shop: list[Member], now: datetime) -> None:
    save_setting(SYSTEM, value=RfmSchedule(monthly=True, quarterly=True), now=now)
    for minutes in (0, 1, 2, -120):
        do_due_work(now=now + timedelta(minutes=minutes))
    made = set(RfmRun.objects.values_list("origin", "as_of"))
    assert made == {(RunOrigin.MONTHLY, date(2026, 11, 1)), (RunOrigin.QUARTERLY, date(2026, 10, 1))}
    assert ProcrastinateJob.objects.filter(task_name=JobName.SCORE_RFM).count() == 2


@pytest.mark.django_db
def test_the_lake_follows_the_turn_of_the_day(small_shop: list[Member], now: datetime) -> None:
    tomorrow = now + timedelta(days=1)
    assert JobName.REFRESH_LAKE in do_due_work(now=tomorrow)
    assert JobName.REFRESH_LAKE not in do_due_work(now=tomorrow), "one refresh waits already"
    ProcrastinateJob.objects.all()._raw_delete("default")
    refresh_lake(now=tomorrow)
    assert JobName.REFRESH_LAKE not in do_due_work(now=tomorrow)
