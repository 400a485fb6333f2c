"""What is due by our own data: is the lake behind, which segments lack today's size."""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from django.db.models import Max
from procrastinate.contrib.django.models import ProcrastinateJob

from changke.kernel.job_names import JobName
from changke.queries.lake import current_lake
from changke.records.models import Company, EventReader, LakeRefresh, RfmRun, Sale
from changke.rules.features import default_analysis_date
from changke.rules.schedules import RfmSchedule, RunOrigin, due_slots

LAKE_READER = "lake"


def analysis_date(now: datetime) -> date:
    """Return the shipped analysis date: today in the company's zone, or the day after the last sale of old data."""
    zone = Company.objects.values_list("time_zone", flat=True).first() or "UTC"
    last = Sale.objects.aggregate(last=Max("business_day"))["last"]
    return default_analysis_date(last_sale_on=last, today=now.astimezone(ZoneInfo(zone)).date())


def lake_is_behind(*, now: datetime, rest: timedelta) -> bool:
    """Say whether a refresh is due: the day has turned, or sales changed and the last refresh is `rest` ago."""
    if not Sale.objects.exists() or _is_waiting(JobName.REFRESH_LAKE):
        return False
    lake = current_lake()
    if lake is None or lake.as_of < analysis_date(now):
        return True
    since = EventReader.objects.filter(name=LAKE_READER).values_list("xid", flat=True).first() or 0
    newest = LakeRefresh.objects.aggregate(last=Max("started_at"))["last"]
    return (newest is None or now - newest >= rest) and Sale.objects.filter(xid__gte=since).exists()


def runs_due(schedule: RfmSchedule) -> list[tuple[RunOrigin, date]]:
    """Return the slots of the schedule that have no run yet; none while the lake is empty."""
    lake = current_lake()
    if lake is None:
        return []
    done = set(RfmRun.objects.filter(origin__in=["monthly", "quarterly"]).values_list("origin", "as_of"))
    return [slot for slot in due_slots(schedule, as_of=lake.as_of) if slot not in done]


def _is_waiting(name: JobName) -> bool:
    return ProcrastinateJob.objects.filter(task_name=name.value, status__in=["todo", "doing"]).exists()
