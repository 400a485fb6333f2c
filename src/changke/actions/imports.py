"""Imports: rehearsed, merged, queued, stopped; and the bulk load of history that the demo and other programs make."""

from dataclasses import asdict, dataclass
from datetime import datetime, time, timedelta
from pathlib import Path
from typing import Final

from django.conf import settings
from django.db import transaction
from pydantic import TypeAdapter

from changke.actions.steps.audit import record_audit
from changke.actions.steps.bulk_beside import Beside, ImportStoppedError, import_lock
from changke.actions.steps.bulk_clean import Prepared, prepare
from changke.actions.steps.bulk_copy import run as run_sql
from changke.actions.steps.bulk_days import settle_days
from changke.actions.steps.bulk_merge import MergeOrder, Merging, merge, merge_first, rehearse_merge
from changke.actions.steps.bulk_report import keep_report
from changke.actions.steps.enqueue import enqueue
from changke.actions.steps.events import record_event
from changke.gateways.folders import open_folder, remove_folder, remove_others
from changke.gateways.tables import hash_files
from changke.insight.staging import StagedTables
from changke.kernel.errors import ChangkeError, Problem, fail
from changke.kernel.job_names import JobName
from changke.queries.company import load_company
from changke.records.models import ImportRun
from changke.rules.imports.counts import CleaningCounts
from changke.rules.imports.plan import Fill, ImportMode, ImportPlan, ImportState, MergeCounts
from changke.rules.imports.words import CleaningRule, Progress, ProgressSink
from changke.rules.staff import Permission, Viewer, act_as, require

IMPORTED: Final = "history_imported"  # event, one an import that wrote something
REPORT_KEPT: Final = timedelta(days=30)  # it holds what customers' files held


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportResult:
    """What came of an import. `report` lists every refused row (CSV); None where none was."""

    public_id: str
    state: ImportState
    profile: str
    cleaning: CleaningCounts
    merged: MergeCounts
    report: Path | None
    skipped: tuple[str, ...]  # tables that are no part of the profile


def import_files(
    actor: Viewer, *, plan: ImportPlan, now: datetime, sink: ProgressSink = lambda _progress: None
) -> ImportResult:
    """Read, clean and merge files in one go, at the fastest: for the command line, where nobody waits for pages.

    Nothing is merged unless everything is: reading and cleaning write to a folder, then one transaction merges. The
    same files again change nothing; after a crash, run it again. A rehearsal counts the same and writes nothing.
    """
    require(actor, permission=Permission.IMPORT_DATA)
    run = _record(actor, plan=plan, now=now)
    return _carry_out(run, actor=actor, plan=plan, now=now, sink=sink, merging=merge_first)


@transaction.atomic
def ask_for_import(actor: Viewer, *, plan: ImportPlan, now: datetime) -> str:
    """Queue an import and return its public id; imports take turns."""
    require(actor, permission=Permission.IMPORT_DATA)
    run = _record(actor, plan=plan, now=now)
    enqueue(JobName.RUN_IMPORT, lock="import", run_id=run.id)
    return run.public_id


def run_import(run_id: int, *, now: datetime) -> None:
    """Carry out a queued import beside a working shop; a run that was interrupted starts again, a done one stays."""
    run = ImportRun.objects.get(id=run_id)
    if run.state not in {ImportState.WAITING, ImportState.RUNNING}:
        return
    plan = TypeAdapter(ImportPlan).validate_python(run.plan)
    actor = Viewer(
        user_id=run.asked_by_id,
        staff_id=None,
        name=run.actor,
        role=act_as("import").role,
        store_ids=None,
        place="import",
    )
    try:
        _carry_out(run, actor=actor, plan=plan, now=now, sink=lambda _progress: None, merging=merge)
    except ChangkeError:
        return  # it stands on the run, for whoever asked


@transaction.atomic
def cancel_import(actor: Viewer, *, public_id: str, now: datetime) -> None:
    """Stop an import that waits or runs: a waiting one at once, a running one at its next step; nothing is merged."""
    require(actor, permission=Permission.IMPORT_DATA)
    run = ImportRun.objects.select_for_update().filter(public_id=public_id).first()
    if run is None or run.state not in {ImportState.WAITING, ImportState.RUNNING}:
        raise fail("import_over", "This import is not waiting and not running.")
    run.is_cancel_asked = True
    if run.state == ImportState.WAITING:
        run.state, run.finished_at = ImportState.CANCELLED, now
    run.save(update_fields=["is_cancel_asked", "state", "finished_at"])
    record_audit(actor, now=now, action="cancel_import", subject_kind="import_run", subject_id=run.id)


def load_history(
    tables: StagedTables,
    *,
    source: str,
    now: datetime,
    actor: Viewer,
    source_name: str = "",
    sink: ProgressSink = lambda _progress: None,
) -> MergeCounts:
    """Merge staged tables that a program made, by the same path as files: known sales are compared by content_hash.

    Stores that do not exist yet get the company's time zone. Errors: `company_missing`, `import_running`.
    """
    require(actor, permission=Permission.IMPORT_DATA)
    with import_lock():
        order = MergeOrder(
            tables=tables,
            source=source,
            source_name=source_name or source,
            time_zone=_company_zone(),
            day_ends_at=time(0),
            fill=Fill.EMPTY_ONLY,
            links_returns=False,
            spill=_folder(),
        )
        with transaction.atomic():
            merged = merge_first(order, now=now, sink=sink)
            _leave_traces(actor, merged=merged, run_id=None, source=source, now=now)
    _finish(merged)
    return merged


def _record(actor: Viewer, *, plan: ImportPlan, now: datetime) -> ImportRun:
    hashes = hash_files([Path(path) for path in plan.paths])
    return ImportRun.objects.create(
        mode=plan.mode,
        profile=plan.profile,
        source=plan.source,
        files=[{"name": Path(path).name, "path": path, "sha256": sha256} for path, sha256 in hashes.items()],
        plan=TypeAdapter(ImportPlan).dump_python(plan, mode="json"),
        asked_at=now,
        asked_by_id=actor.user_id,
        actor=actor.name[:150],
    )


def _carry_out(
    run: ImportRun, *, actor: Viewer, plan: ImportPlan, now: datetime, sink: ProgressSink, merging: Merging
) -> ImportResult:
    """Do all of an import and write on its run what came of it."""
    folder = _folder() / run.public_id
    try:
        with import_lock() as beside:
            beside.bury_the_dead(run.id)
            remove_others(_folder(), keep=folder)
            ImportRun.objects.filter(id=run.id).update(state=ImportState.RUNNING, started_at=now, problems=[])
            return _work(run, actor=actor, plan=plan, now=now, folder=folder, merging=merging,
                         sink=_both(sink, beside=beside, run_id=run.id))  # fmt: skip
    except ImportStoppedError:
        _end(run, state=ImportState.CANCELLED, now=now, problems=())
        raise fail("import_stopped", "The import was stopped; nothing was merged.") from None
    except ChangkeError as error:
        _end(run, state=ImportState.FAILED, now=now, problems=error.problems)
        raise
    except BaseException as error:
        values = (("error", type(error).__name__),)
        broken = Problem(code="import_broken", message="The import broke off (%(error)s).", values=values)
        _end(run, state=ImportState.FAILED, now=now, problems=(broken,))
        raise
    finally:
        remove_folder(folder)


def _work(
    run: ImportRun,
    *,
    actor: Viewer,
    plan: ImportPlan,
    now: datetime,
    folder: Path,
    merging: Merging,
    sink: ProgressSink,
) -> ImportResult:
    prepared = prepare(plan, folder=open_folder(folder), now=now, sink=sink)
    order = _order_of(prepared, spill=folder)
    with transaction.atomic():
        if plan.mode is ImportMode.REHEARSAL:
            merged = rehearse_merge(order, now=now, sink=sink)
        else:
            merged = merging(order, now=now, sink=sink)
            _leave_traces(actor, merged=merged, run_id=run.id, source=order.source, now=now)
        report = keep_report(
            prepared.cleaned.report,
            actor=actor,
            name=f"refused-{run.public_id}.csv",
            now=now,
            expires_at=now + REPORT_KEPT,
        )
        ImportRun.objects.filter(id=run.id).update(
            state=ImportState.DONE,
            finished_at=now,
            profile=prepared.settings.profile,
            source=order.source,
            tables=[asdict(table) for table in prepared.tables],
            counts=prepared.cleaned.counts.to_json(),
            merged=merged.to_json(),
            report_id=report.upload_id if report else None,
        )
    if plan.mode is ImportMode.MERGE:
        _finish(merged)
    return ImportResult(
        public_id=run.public_id,
        state=ImportState.DONE,
        profile=prepared.settings.profile,
        cleaning=prepared.cleaned.counts,
        merged=merged,
        report=report.path if report else None,
        skipped=prepared.skipped,
    )


def _order_of(prepared: Prepared, *, spill: Path) -> MergeOrder:
    fills = CleaningRule.FILL_EMPTY_ONLY in prepared.settings.rules
    return MergeOrder(
        tables=prepared.cleaned.staged,
        source=prepared.settings.source,
        source_name=prepared.source_name,
        time_zone=prepared.settings.time_zone,
        day_ends_at=prepared.settings.day_ends_at,
        fill=Fill.EMPTY_ONLY if fills else Fill.OVERWRITE,
        links_returns=CleaningRule.LINK_RETURNS in prepared.settings.rules,
        spill=spill,
    )


def _leave_traces(actor: Viewer, *, merged: MergeCounts, run_id: int | None, source: str, now: datetime) -> None:
    """Leave event and audit row of a merge, in its transaction; one that changed nothing leaves none."""
    if not merged.has_changed:
        return
    data = {"source": source, **merged.to_json()}
    record_event(IMPORTED, now=now, subject_id=run_id, data=data)
    record_audit(actor, now=now, action="import_history", subject_kind="import_run", subject_id=run_id, after=data)


def _finish(merged: MergeCounts) -> None:
    """Do what a merge leaves to be done in its own small pieces; what a crash leaves undone is done as due work."""
    settle_days()
    if merged.has_changed:
        run_sql("SELECT changke_analyse_imported()")


def _end(run: ImportRun, *, state: ImportState, now: datetime, problems: tuple[Problem, ...]) -> None:
    ImportRun.objects.filter(id=run.id).update(
        state=state, finished_at=now, problems=[asdict(problem) for problem in problems]
    )


def _both(sink: ProgressSink, *, beside: Beside, run_id: int) -> ProgressSink:
    def tell(progress: Progress) -> None:
        sink(progress)
        beside.tell(run_id, progress)

    return tell


def _company_zone() -> str:
    company = load_company()
    if company is None:
        raise fail("company_missing", "There is no company yet.", cure="Run `changke init` first.")
    return company.time_zone


def _folder() -> Path:
    """Return the folder of imports under way; what lies in it is of no use once an import is over."""
    return open_folder(Path(settings.UPLOADS) / "imports")
