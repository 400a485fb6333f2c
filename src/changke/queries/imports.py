"""Imports: the list, one run with what came of it, and the first rows of its report."""

import csv
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Any, Final, TextIO

from django.conf import settings
from django.db.models import QuerySet, TextField
from django.db.models.functions import Cast
from pydantic import TypeAdapter

from changke.gateways.files import open_file
from changke.kernel.errors import Problem
from changke.queries.import_files import load_of_path
from changke.records.models import ImportRun
from changke.rules.imports.plan import ImportMode, ImportPlan, ImportState
from changke.rules.imports.words import Effect, Refusal, Stage
from changke.rules.staff import Permission, Viewer, require

# What part of the whole each stage takes, in percent, measured on a million lines; for the time that is left.
SHARES: Final = {Stage.READ: 20, Stage.CLEAN: 30, Stage.COMPARE: 15, Stage.WRITE: 30, Stage.FINISH: 5}
TOO_EARLY: Final = timedelta(seconds=3)  # before that no time left can be told
UNDER_WAY: Final = (ImportState.WAITING, ImportState.RUNNING)
PLAN: Final = TypeAdapter(ImportPlan)


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportFilter:
    """What a list of imports is narrowed to; empty = everything."""

    text: str = ""  # in a file's name or the person's
    states: tuple[ImportState, ...] = ()
    modes: tuple[ImportMode, ...] = ()
    sort: str = "-asked"  # or "asked": the oldest first


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportRow:
    """One import. `counts` and `merged` are CleaningCounts and MergeCounts as JSON, empty until it is done."""

    public_id: str
    mode: ImportMode
    profile: str
    source: str
    files: tuple[str, ...]
    state: ImportState
    stage: Stage | None
    done: int
    total: int
    is_stopping: bool
    tables: tuple[Mapping[str, Any], ...]
    counts: Mapping[str, Any]
    merged: Mapping[str, int]
    problems: tuple[Problem, ...]
    asked_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    actor: str
    has_report: bool
    sees_rows: bool  # the viewer may read what stands in the refused rows
    load: str  # of files that this viewer may import again

    @property
    def is_under_way(self) -> bool:
        return self.state in UNDER_WAY

    @property
    def percent(self) -> int:
        """How far the whole import is."""
        if self.stage is None:
            return 0
        stages = list(Stage)
        before = sum(SHARES[stage] for stage in stages[: stages.index(self.stage)])
        return before + SHARES[self.stage] * self.done // max(1, self.total)

    def seconds_left(self, now: datetime) -> int | None:
        """Return how long it still takes, judged by what is done; None where that cannot be told yet."""
        if self.started_at is None or not self.percent or now - self.started_at < TOO_EARLY:
            return None
        passed = (now - self.started_at).total_seconds()
        return round(passed * (100 - self.percent) / self.percent)

    def rows(self, kind: str) -> int:
        """Return how many rows of all tables came in, were kept or refused: "in", "kept", "refused"."""
        return sum(self.counts.get(f"rows_{kind}", {}).values())


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportLine:
    """One line of a row report. `row` counts from 1 at the first row below the header."""

    file: str
    row: int
    effect: Effect
    field: str
    reason: Refusal
    text: str


def list_imports(
    viewer: Viewer, *, chosen: ImportFilter, offset: int = 0, limit: int = 50
) -> tuple[tuple[ImportRow, ...], int]:
    """Return one page of the imports, and how many there are."""
    require(viewer, permission=Permission.IMPORT_DATA)
    runs: QuerySet[ImportRun] = ImportRun.objects.select_related("report")
    runs = runs.order_by("asked_at", "id") if chosen.sort == "asked" else runs.order_by("-asked_at", "-id")
    if chosen.states:
        runs = runs.filter(state__in=chosen.states)
    if chosen.modes:
        runs = runs.filter(mode__in=chosen.modes)
    if chosen.text:
        named = runs.annotate(names=Cast("files", TextField()))
        runs = named.filter(names__icontains=chosen.text) | named.filter(actor__icontains=chosen.text)
    return tuple(_row(run, viewer=viewer) for run in runs[offset : offset + limit]), runs.count()


def find_import(viewer: Viewer, *, public_id: str) -> ImportRow | None:
    """Return one import, or None."""
    require(viewer, permission=Permission.IMPORT_DATA)
    run = ImportRun.objects.select_related("report").filter(public_id=public_id).first()
    return _row(run, viewer=viewer) if run else None


def load_plan(viewer: Viewer, *, public_id: str) -> ImportPlan | None:
    """Return the plan of an import whose files this viewer brought, else None."""
    require(viewer, permission=Permission.IMPORT_DATA)
    run = ImportRun.objects.filter(public_id=public_id, asked_by_id=viewer.user_id).first()
    return PLAN.validate_python(run.plan) if run and viewer.user_id is not None else None


def find_report(viewer: Viewer, *, public_id: str, now: datetime) -> Path | None:
    """Return the whole row report (CSV) of an import, as long as it is kept and the viewer may read its rows."""
    require(viewer, permission=Permission.IMPORT_DATA)
    run = ImportRun.objects.select_related("report").filter(public_id=public_id).first()
    if run is None or run.report is None or not _sees_rows(run, viewer=viewer):
        return None
    is_kept = run.report.expires_at is None or run.report.expires_at > now
    return Path(run.report.path) if is_kept else None


def list_report_lines(viewer: Viewer, *, public_id: str, now: datetime, limit: int) -> tuple[ReportLine, ...]:
    """Return the first lines of a row report; none where the viewer may not read them or it is gone."""
    path = find_report(viewer, public_id=public_id, now=now)
    if path is None:
        return ()
    try:
        file = open_file(Path(settings.UPLOADS), path=str(path))
    except FileNotFoundError:
        return ()
    with file, io.TextIOWrapper(file, encoding="utf-8-sig", newline="") as text:
        return tuple(_read_lines(text, limit=limit))


def _read_lines(text: TextIO, *, limit: int) -> Iterator[ReportLine]:
    try:
        for row in islice(csv.DictReader(text), limit):
            yield ReportLine(
                file=row["file"],
                row=int(row["row"]),
                effect=Effect(row["effect"]),
                field=row["field"],
                reason=Refusal(row["reason"]),
                text=row["text"],
            )
    except csv.Error:  # a refused row of over 128 KiB: what stands before it is shown, the file has it all
        return


def _row(run: ImportRun, *, viewer: Viewer) -> ImportRow:
    is_own = viewer.user_id is not None and run.asked_by_id == viewer.user_id
    return ImportRow(
        public_id=run.public_id,
        mode=ImportMode(run.mode),
        profile=run.profile,
        source=run.source,
        files=tuple(file["name"] for file in run.files),
        state=ImportState(run.state),
        stage=Stage(run.stage) if run.stage else None,
        done=run.done,
        total=run.total,
        is_stopping=run.is_cancel_asked,
        tables=tuple(run.tables),
        counts=run.counts,
        merged=run.merged,
        problems=tuple(_problem(problem) for problem in run.problems),
        asked_at=run.asked_at,
        started_at=run.started_at,
        finished_at=run.finished_at,
        actor=run.actor,
        has_report=run.report_id is not None,
        sees_rows=_sees_rows(run, viewer=viewer),
        load=load_of_path(run.files[0]["path"]) if is_own and run.files else "",
    )


def _sees_rows(run: ImportRun, *, viewer: Viewer) -> bool:
    """Refused rows hold contacts in clear: for whoever brought the file, and for who may see contacts."""
    is_own = viewer.user_id is not None and run.asked_by_id == viewer.user_id
    return is_own or viewer.may(Permission.REVEAL_CONTACTS)


def _problem(stored: Mapping[str, Any]) -> Problem:
    values = tuple((str(name), str(value)) for name, value in stored.get("values", ()))
    return Problem(**{**stored, "values": values})
