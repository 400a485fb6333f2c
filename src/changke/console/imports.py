"""Imports: the list, one import while it runs and when it is over, its report, and the second go after a rehearsal."""

from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from django.conf import settings
from django.contrib import messages
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import path, reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from changke.actions.import_files import drop_import_files, note_report_taken
from changke.actions.imports import ask_for_import, cancel_import
from changke.actions.lake import ask_for_refresh
from changke.console import import_plan
from changke.console.forms import page_number
from changke.console.import_words import (
    DELIMITERS,
    EFFECTS,
    ENCODINGS,
    FIELDS,
    MERGED,
    MODES,
    ROLES,
    STAGES,
    STATES,
)
from changke.console.page import render_page
from changke.gateways.files import open_file
from changke.gateways.sheets import CSV_TYPE
from changke.kernel.clock import utc_now
from changke.kernel.errors import ChangkeError
from changke.lobby.problems import say
from changke.lobby.viewer import viewer_of
from changke.queries.health import load_health
from changke.queries.import_files import find_load
from changke.queries.imports import (
    ImportFilter,
    ImportRow,
    find_import,
    find_report,
    list_imports,
    list_report_lines,
    load_plan,
)
from changke.rules.imports.plan import ImportMode, ImportState
from changke.rules.imports.profiles import PROFILES
from changke.rules.imports.words import REFUSAL_TEXTS, Field, PartRole, Refusal, Stage
from changke.rules.staff import Permission
from changke.ui.figures import Choice, Facet, Pages

PAGE_ROWS: Final = 50
LINES_SHOWN: Final = 100
COLOURS: Final = {ImportState.RUNNING: "running", ImportState.DONE: "done", ImportState.FAILED: "failed"}


def show_imports(request: HttpRequest) -> HttpResponse:
    """List the imports; those under way say how far they are."""
    viewer, get = viewer_of(request), request.GET
    chosen = ImportFilter(
        text=get.get("q", "").strip(),
        states=tuple(ImportState(value) for value in get.getlist("state") if value in set(ImportState)),
        modes=tuple(ImportMode(value) for value in get.getlist("mode") if value in set(ImportMode)),
        sort=get.get("sort", "-asked"),
    )
    number = page_number(request)
    rows, total = list_imports(viewer, chosen=chosen, offset=(number - 1) * PAGE_ROWS, limit=PAGE_ROWS)
    context = {
        "sort": chosen.sort,
        "keep": [("sort", chosen.sort)],
        "lines": [_line(row) for row in rows],
        "is_moving": any(row.is_under_way for row in rows),
        "is_filtered": bool(chosen.text or chosen.states or chosen.modes),
        "pages": Pages(number=number, size=PAGE_ROWS, total=total),
        "search": {"name": "q", "value": chosen.text, "label": _("File or person")},
        "facets": [
            Facet(name="state", label=_("State"), choices=_choices(STATES, chosen=chosen.states)),
            Facet(name="mode", label=_("Kind"), choices=_choices(MODES, chosen=chosen.modes)),
        ],
    }
    lead = _("Sales, members and products from files. What cannot be used is refused row by row, with its reason.")
    return render_page(request, "console/imports/list.html", context, title=_("Imports"), lead=lead)


def show_import(request: HttpRequest, public_id: str) -> HttpResponse:
    """Show one import: how far it is, or what came of it."""
    viewer, now = viewer_of(request), utc_now()
    row = _find(request, public_id)
    load = find_load(viewer, public_id=row.load, now=now) if row.load else None
    context = {
        **_moving(row),
        "row": row,
        "mode": MODES[row.mode],
        "profile": _profile_title(row),
        "problems": [say(problem) for problem in row.problems],
        "tables": [_table(table) for table in row.tables],
        "sums": _sums(row),
        "lines": [line for line in row.counts.get("lines", ()) if line["lines"]],
        "linked": row.counts.get("returned_lines_linked", 0),
        "reasons": _reasons(row),
        "left_out": _left_out(row),
        "merged": _merged(row),
        "changes": any(row.merged.get(name) for name in row.merged if not name.endswith("unchanged")),
        "report": [_report_line(line) for line in _lines(request, row)],
        "lines_shown": LINES_SHOWN,
        "may_take_report": find_report(viewer, public_id=public_id, now=now) is not None,
        "may_repeat": load is not None and not row.is_under_way,
        "may_refresh": viewer.may(Permission.RUN_INSIGHT),
        "load": load,
    }
    crumbs = ((_("Imports"), reverse("imports")),)
    return render_page(
        request, "console/imports/page.html", context, title=_file_names(row), crumbs=crumbs,
        lead=_("%(kind)s by %(who)s") % {"kind": MODES[row.mode], "who": row.actor},
    )  # fmt: skip


def import_state(request: HttpRequest, public_id: str) -> HttpResponse:
    """Answer how far an import is; when it is over the page is asked for anew."""
    row = _find(request, public_id)
    answer = render(request, "console/imports/progress.html", _moving(row))
    if not row.is_under_way:
        answer.headers["HX-Refresh"] = "true"
    return answer


@require_POST
def cancel(request: HttpRequest, public_id: str) -> HttpResponse:
    """Stop an import and drop its files soon."""
    viewer, row = viewer_of(request), _find(request, public_id)
    try:
        cancel_import(viewer, public_id=public_id, now=utc_now())
    except ChangkeError as error:
        messages.error(request, " ".join(say(problem) for problem in error.problems))
    else:
        if row.load:
            drop_import_files(viewer, load=row.load, now=utc_now())
        messages.success(request, _("The import stops; nothing of it is kept."))
    return redirect("import", public_id=public_id)


@require_POST
def import_now(request: HttpRequest, public_id: str) -> HttpResponse:
    """Import what was rehearsed, exactly as it was rehearsed."""
    viewer = viewer_of(request)
    row, plan = _find(request, public_id), load_plan(viewer, public_id=public_id)
    if plan is None or find_load(viewer, public_id=row.load, now=utc_now()) is None:
        raise Http404
    following = ask_for_import(viewer, plan=replace(plan, mode=ImportMode.MERGE), now=utc_now())
    return redirect("import", public_id=following)


@require_POST
def refresh(request: HttpRequest, public_id: str) -> HttpResponse:
    """Refresh the analysis after an import, at once."""
    ask_for_refresh(viewer_of(request))
    messages.success(request, _("The analysis is being refreshed. New figures stand there in a minute or two."))
    return redirect("import", public_id=_find(request, public_id).public_id)


@require_safe
def take_report(request: HttpRequest, public_id: str) -> HttpResponseBase:
    """Hand out the whole row report; the audit says who took it."""
    viewer = viewer_of(request)
    report = find_report(viewer, public_id=public_id, now=utc_now())
    if report is None:
        raise Http404
    try:
        file = open_file(Path(settings.UPLOADS), path=str(report))
    except FileNotFoundError:
        raise Http404 from None
    note_report_taken(viewer, public_id=public_id, now=utc_now())
    return FileResponse(file, as_attachment=True, filename=f"refused-{public_id[:6]}.csv", content_type=CSV_TYPE)


def _find(request: HttpRequest, public_id: str) -> ImportRow:
    row = find_import(viewer_of(request), public_id=public_id)
    if row is None:
        raise Http404
    return row


def _line(row: ImportRow) -> dict[str, Any]:
    return {
        "row": row,
        "files": _file_names(row),
        "profile": _profile_title(row),
        "mode": MODES[row.mode],
        "state": STATES[row.state],
        "colour": COLOURS.get(row.state, "waiting"),
        "kept": row.rows("kept"),
        "refused": row.rows("refused"),
    }


def _moving(row: ImportRow) -> dict[str, Any]:
    """Return what the steps of an import under way show."""
    now, stages = utc_now(), list(Stage)
    at = stages.index(row.stage) if row.stage else -1
    unit = 1000 if row.stage is Stage.READ else 1
    return {
        "row": row,
        "steps": [
            {"name": STAGES[stage], "state": "done" if n < at else "now" if n == at else "later"}
            for n, stage in enumerate(stages)
        ],
        "state": STATES[row.state],
        "done": row.done // unit,
        "total": row.total // unit,
        "is_bytes": row.stage is Stage.READ,
        "seconds_left": row.seconds_left(now) if row.state is ImportState.RUNNING else None,
        "is_worker_alive": not row.is_under_way or load_health(now=now).is_worker_alive,
    }


def _sums(row: ImportRow) -> list[dict[str, Any]]:
    """Return, for every kind of table: rows in = rows kept + rows refused."""
    return [
        {
            "role": ROLES[PartRole(role)],
            "in": rows_in,
            "kept": row.counts["rows_kept"][role],
            "refused": row.counts["rows_refused"][role],
        }
        for role, rows_in in row.counts.get("rows_in", {}).items()
    ]


def _reasons(row: ImportRow) -> list[dict[str, Any]]:
    found = sorted(row.counts.get("refused", ()), key=lambda one: -one["rows"])
    return [
        {"role": ROLES[PartRole(one["role"])], "rows": one["rows"], **_reason(Refusal(one["reason"]))} for one in found
    ]


def _left_out(row: ImportRow) -> list[dict[str, Any]]:
    found = sorted(row.counts.get("left_out", {}).items(), key=lambda one: -one[1])
    return [{"cells": cells, **_reason(Refusal(reason))} for reason, cells in found]


def _reason(reason: Refusal) -> dict[str, str]:
    message, cure = REFUSAL_TEXTS[reason]
    return {"message": _(message), "cure": _(cure)}


def _merged(row: ImportRow) -> list[tuple[Any, list[tuple[Any, int]]]]:
    """Return what the merge made of each noun, without those that nothing happened to."""
    named = [(words, [(word, row.merged.get(name, 0)) for name, word in names.items()]) for words, names in MERGED]
    return [(words, parts) for words, parts in named if any(count for _word, count in parts)]


def _table(table: Any) -> dict[str, Any]:
    return {
        "name": table["name"],
        "role": ROLES[PartRole(table["role"])],
        "rows": table["rows"],
        "encoding": ENCODINGS.get(table["encoding"], table["encoding"]),
        "delimiter": DELIMITERS.get(table["delimiter"], table["delimiter"]),
        "columns": [(FIELDS[Field(name)], column) for name, column in table["columns"].items()]
        + list(table["attributes"].items()),
    }


def _lines(request: HttpRequest, row: ImportRow) -> Any:
    if row.is_under_way:
        return ()
    return list_report_lines(viewer_of(request), public_id=row.public_id, now=utc_now(), limit=LINES_SHOWN)


def _report_line(line: Any) -> dict[str, Any]:
    return {
        "line": line,
        "effect": EFFECTS[line.effect],
        "field": FIELDS[Field(line.field)] if line.field in set(Field) else line.field,
        **_reason(line.reason),
    }


def _profile_title(row: ImportRow) -> str:
    profile = PROFILES.get(row.profile)
    return _(profile.title) if profile else row.profile or _("guessed")


def _file_names(row: ImportRow) -> str:
    return ", ".join(row.files[:3]) + (" ..." if len(row.files) > 3 else "")


def _choices(words: Any, *, chosen: Any) -> list[Choice]:
    return [Choice(value=member.value, label=word, is_chosen=member in chosen) for member, word in words.items()]


urlpatterns = [
    path("imports", show_imports, name="imports"),
    *import_plan.urlpatterns,
    path("imports/<slug:public_id>", show_import, name="import"),
    path("imports/<slug:public_id>/state", import_state, name="import_state"),
    path("imports/<slug:public_id>/cancel", cancel, name="import_cancel"),
    path("imports/<slug:public_id>/now", import_now, name="import_now"),
    path("imports/<slug:public_id>/refresh", refresh, name="import_refresh"),
    path("imports/<slug:public_id>/report", take_report, name="import_report"),
]
