"""What the page Today shows: key figures against the period before, what waits for a decision, what changed."""

from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from changke.insight.maps import count_silent, count_woken
from changke.insight.reports.overview import list_days, load_key_figures
from changke.kernel.periods import days_ending
from changke.queries.insight_cache import remember
from changke.queries.lake import CurrentLake
from changke.queries.members import members_within
from changke.queries.settings import load_setting
from changke.records.models import DuplicatePair, ImportRun, RfmRun
from changke.rules.imports.plan import ImportState
from changke.rules.lifecycle import LifecycleSettings
from changke.rules.members import MemberStatus
from changke.rules.reports.overview import DayRow, KeyFigures
from changke.rules.reports.scope import Scope
from changke.rules.staff import Permission, Viewer, require


class TodoKind(StrEnum):
    BIRTHDAYS_TODAY = "birthdays_today"
    BIRTHDAYS_SOON = "birthdays_soon"
    APPROVALS = "approvals"
    DUPLICATES = "duplicates"
    FAILED_IMPORTS = "failed_imports"
    FAILED_RUNS = "failed_runs"


@dataclass(frozen=True, slots=True, kw_only=True)
class Todo:
    kind: TodoKind
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """One period: its figures, its days (those with a sale only) and how many sleepers came back."""

    scope: Scope
    figures: KeyFigures
    days: tuple[DayRow, ...]
    woken: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LastDay:
    """The last day of the lake, the same weekday a week before, and who fell asleep by it."""

    day: date
    figures: KeyFigures
    week_before: KeyFigures
    fell_asleep: int
    asleep_after_days: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TodayFigures:
    now: Span
    before: Span
    last_day: LastDay


def load_today(viewer: Viewer, *, lake: CurrentLake, scope: Scope) -> TodayFigures:
    """Return the figures of a period, of the one before it, and of the lake's last day."""
    require(viewer, permission=Permission.SEE_TODAY)
    silent = load_setting(LifecycleSettings).sleeping_from_days
    return TodayFigures(
        now=span_of(lake, scope=scope, silent_days=silent),
        before=span_of(lake, scope=scope.before(), silent_days=silent),
        last_day=last_day_of(lake, store_ids=scope.store_ids, silent_days=silent),
    )


def span_of(lake: CurrentLake, *, scope: Scope, silent_days: int) -> Span:
    return Span(
        scope=scope,
        figures=remember(lake, load_key_figures, scope=scope),
        days=remember(lake, list_days, scope=scope),
        woken=remember(lake, count_woken, scope=scope, silent_days=silent_days),
    )


def last_day_of(lake: CurrentLake, *, store_ids: frozenset[int] | None, silent_days: int) -> LastDay:
    day = lake.as_of - timedelta(days=1)
    now = Scope(period=days_ending(day, days=1), store_ids=store_ids)
    before = Scope(period=days_ending(day - timedelta(days=7), days=1), store_ids=store_ids)
    return LastDay(
        day=day,
        figures=remember(lake, load_key_figures, scope=now),
        week_before=remember(lake, load_key_figures, scope=before),
        fell_asleep=remember(lake, count_silent, scope=now, days=silent_days),
        asleep_after_days=silent_days,
    )


def list_todos(viewer: Viewer, *, today: date) -> list[Todo]:
    """Return what waits for somebody, kinds with nothing left out."""
    require(viewer, permission=Permission.SEE_TODAY)
    members = members_within(viewer)
    living = members.filter(status__in=[MemberStatus.FORMAL, MemberStatus.PROVISIONAL])
    counts = {
        TodoKind.BIRTHDAYS_TODAY: living.filter(next_birthday_on=today).count(),
        TodoKind.BIRTHDAYS_SOON: living.filter(
            next_birthday_on__gt=today, next_birthday_on__lte=today + timedelta(days=6)
        ).count(),
        TodoKind.APPROVALS: members.filter(status=MemberStatus.PROVISIONAL).count(),
    }
    if viewer.may(Permission.MERGE_MEMBERS):
        counts[TodoKind.DUPLICATES] = DuplicatePair.objects.filter(state="open").count()
    if viewer.may(Permission.IMPORT_DATA):
        counts[TodoKind.FAILED_IMPORTS] = ImportRun.objects.filter(
            state=ImportState.FAILED, asked_at__date__gte=today - timedelta(days=7)
        ).count()
    if viewer.may(Permission.RUN_INSIGHT):
        counts[TodoKind.FAILED_RUNS] = RfmRun.objects.filter(
            state="failed", started_at__date__gte=today - timedelta(days=7)
        ).count()
    return [Todo(kind=kind, count=count) for kind, count in counts.items() if count]
