"""A new import: files are brought, looked at, their columns given a meaning, then rehearsed or imported."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from django import forms
from django.contrib import messages
from django.core.exceptions import RequestDataTooBig
from django.core.files.uploadhandler import FileUploadHandler
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect
from django.urls import path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.http import require_POST

from changke.actions.import_files import drop_import_files, keep_import_files
from changke.actions.imports import ask_for_import
from changke.console.forms import accept
from changke.console.import_words import (
    DAY_ORDERS,
    DELIMITERS,
    ENCODINGS,
    FIELDS,
    MEMBER_RULES,
    ROLES,
    SALE_KEYS,
    meaning_word,
)
from changke.console.page import render_page
from changke.gateways.sources import TABLE_ENDINGS
from changke.kernel.clock import utc_now
from changke.kernel.errors import ChangkeError
from changke.lobby.problems import say
from changke.lobby.viewer import viewer_of
from changke.queries.attributes import list_attributes
from changke.queries.import_files import Load, find_load
from changke.queries.import_preview import (
    ATTRIBUTE,
    ImportPreview,
    TableReading,
    look_at_tables,
    understand_tables,
)
from changke.queries.imports import load_plan
from changke.rules.imports.files import FILE_BYTES_MAX
from changke.rules.imports.plan import ImportMode, ImportPlan
from changke.rules.imports.profiles import PROFILES, DayOrder, SaleKey
from changke.rules.imports.words import FIELDS_OF, RULE_TEXTS, CleaningRule, Field, PartRole
from changke.ui.templatetags.ui import local_name

BODY_BYTES_MAX: Final = 5 * FILE_BYTES_MAX  # of all files brought at once
ACCEPTED: Final = ",".join((*TABLE_ENDINGS, ".zip", ".gz"))
HEADER_ROWS: Final = 10
COLUMN: Final = "column:"  # begins the names of the fields that say what a column means
RULE: Final = "rule:"
GO: Final = {"rehearse": ImportMode.REHEARSAL, "import": ImportMode.MERGE}


class BodyGuard(FileUploadHandler):
    """Refuses a body larger than all files may be before a byte of it is read."""

    def handle_raw_input(
        self,
        input_data: Any,  # noqa: ARG002 - Django's signature, here and below
        META: Any,  # noqa: ARG002, N803
        content_length: int,
        boundary: Any,  # noqa: ARG002
        encoding: Any = None,  # noqa: ARG002
    ) -> None:
        if content_length > BODY_BYTES_MAX:
            raise RequestDataTooBig

    def receive_data_chunk(self, raw_data: bytes, start: int) -> bytes:  # noqa: ARG002
        return raw_data

    def file_complete(self, file_size: int) -> None:  # noqa: ARG002
        return None


class FilesInput(forms.FileInput):
    allow_multiple_selected = True


class FilesField(forms.FileField):
    def clean(self, data: Any, initial: Any = None) -> list[Any]:
        return [super(FilesField, self).clean(one, initial) for one in data or [None]]


class FilesForm(forms.Form):
    brought = FilesField(
        label=gettext_lazy("Files"),
        widget=FilesInput(attrs={"accept": ACCEPTED}),
        help_text=gettext_lazy(
            "CSV, Excel, OpenDocument or Parquet, plain or packed as zip or gz; several at once. Up to 200 MB each."
        ),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """What a user filled in: a plan, and what cannot be carried out."""

    plan: ImportPlan
    problems: list[str] = field(default_factory=list)


@csrf_exempt  # the body is looked at only behind the guard; take_files asks for the token
def new_import(request: HttpRequest) -> HttpResponse:
    """Bring files."""
    request.upload_handlers.insert(0, BodyGuard(request))
    return take_files(request)


@csrf_protect
def take_files(request: HttpRequest) -> HttpResponse:
    """Take files that were brought, or show where to put them."""
    viewer, made = viewer_of(request), []
    is_posted = request.method == "POST"
    form = FilesForm(request.POST, request.FILES) if is_posted else FilesForm()

    def keep() -> None:
        files = [(file.name, file.size, file.chunks()) for file in form.cleaned_data["brought"]]
        made.append(keep_import_files(viewer, files=files, now=utc_now()))

    if form.is_valid() and accept(form, act=keep, fields={"": "brought"}):
        following = reverse("import_plan", kwargs={"load": made[0]})
        if request.headers.get("HX-Request"):
            return HttpResponse(status=204, headers={"HX-Redirect": following})
        return redirect(following)
    context = {"form": form, "limit": FILE_BYTES_MAX, "profiles": [_(profile.title) for profile in PROFILES.values()]}
    crumbs = ((_("Imports"), reverse("imports")),)
    return render_page(request, "console/imports/new.html", context, title=_("New import"), crumbs=crumbs)


def plan_import(request: HttpRequest, load: str) -> HttpResponse:
    """Show how files would be read; take corrections; rehearse or import."""
    viewer = viewer_of(request)
    found = _find(request, load)
    beginning = _beginning(request, found)
    problems: list[str] = []
    try:
        wishes = read_wishes(request, beginning=beginning) if request.method == "POST" else Wishes(plan=beginning)
        preview = understand_tables(look_at_tables(viewer, plan=wishes.plan), plan=wishes.plan)
    except ChangkeError as error:
        problems = [say(problem) for problem in error.problems]
        return _show_plan(request, load=found, plan=beginning, preview=None, problems=problems)
    problems = wishes.problems + refuse_preview(preview)
    mode = GO.get(request.POST.get("do", ""))
    if mode is None:
        return _show_plan(request, load=found, plan=wishes.plan, preview=preview, problems=wishes.problems)
    if problems:
        return _show_plan(request, load=found, plan=wishes.plan, preview=preview, problems=problems)
    public_id = ask_for_import(viewer, plan=replace(wishes.plan, mode=mode), now=utc_now())
    return redirect("import", public_id=public_id)


@require_POST
def drop_files(request: HttpRequest, load: str) -> HttpResponse:
    """Drop files that shall not be imported."""
    drop_import_files(viewer_of(request), load=_find(request, load).public_id, now=utc_now())
    messages.success(request, _("The files are removed."))
    return redirect("imports")


def read_wishes(request: HttpRequest, *, beginning: ImportPlan) -> Wishes:
    """Read the filled-in form. Only what differs from the guess is a wish; another profile starts anew."""
    post, viewer = request.POST, viewer_of(request)
    plan = replace(
        beginning,
        profile=_one_of(post.get("profile", ""), PROFILES),
        encoding=_one_of(post.get("encoding", ""), ENCODINGS),
        delimiter=_one_of(post.get("delimiter", ""), DELIMITERS),
        header_row=int(header) if (header := post.get("header_row", "")).isdecimal() and len(header) < 3 else None,
        day_order=DayOrder(chosen) if (chosen := _one_of(post.get("day_order", ""), DAY_ORDERS)) else None,
        sale_key=SaleKey(chosen) if (chosen := _one_of(post.get("sale_key", ""), SALE_KEYS)) else None,
        source=post.get("source", "").strip()[:40],
        columns={},
        attributes={},
        ignored=(),
        rules={},
    )
    if plan.profile != post.get("shown_profile", ""):
        return Wishes(plan=replace(plan, source="", day_order=None, sale_key=None))
    plan = replace(plan, rules={rule: f"{RULE}{rule}" in post for rule in CleaningRule if f"shown:{rule}" in post})
    guessed = understand_tables(look_at_tables(viewer, plan=plan), plan=plan)
    return _with_columns(plan, guessed=guessed, post=post)


def _with_columns(plan: ImportPlan, *, guessed: ImportPreview, post: QueryDict) -> Wishes:
    columns: dict[str, str] = {}
    attributes: dict[str, str] = {}
    ignored: list[str] = []
    problems: list[str] = []
    for table in guessed.tables:
        meant: dict[str, str] = {}
        for column in table.columns:
            meaning = post.get(COLUMN + column.name, column.guess)
            if meaning and meaning in meant:
                text = _("%(meaning)s is said of two columns: %(first)s and %(second)s. Choose one of them.")
                names = {"meaning": _word(meaning), "first": meant[meaning], "second": column.name}
                problems.append(text % names)
            meant[meaning] = column.name
            if meaning == column.guess:
                continue
            if not meaning:
                ignored.append(column.name)
            elif meaning.startswith(ATTRIBUTE):
                attributes[meaning.removeprefix(ATTRIBUTE)] = column.name
            elif meaning in set(Field):
                columns[meaning] = column.name
    chosen = replace(plan, columns=columns, attributes=attributes, ignored=tuple(dict.fromkeys(ignored)))
    return Wishes(plan=chosen, problems=problems)


def refuse_preview(preview: ImportPreview) -> list[str]:
    """Return why an import would come to nothing."""
    problems = []
    if not preview.roles:
        problems.append(
            _("No table can be imported yet: say which columns are the missing ones, or choose another profile.")
        )
    if preview.settings.currency != preview.currency:
        text = _("These sales are in %(theirs)s, the company's money is %(ours)s.")
        problems.append(text % {"theirs": preview.settings.currency, "ours": preview.currency})
    return problems


def _find(request: HttpRequest, load: str) -> Load:
    found = find_load(viewer_of(request), public_id=load, now=utc_now())
    if found is None:
        raise Http404
    return found


def _beginning(request: HttpRequest, load: Load) -> ImportPlan:
    """Return the plan to begin with: that of an earlier import of the same files (?like=), else one all guessed."""
    paths = tuple(str(path) for path in load.paths)
    earlier = load_plan(viewer_of(request), public_id=request.GET.get("like", ""))
    if earlier is not None and earlier.paths == paths:
        return earlier
    return ImportPlan(paths=paths)


def _show_plan(
    request: HttpRequest, *, load: Load, plan: ImportPlan, preview: ImportPreview | None, problems: list[str]
) -> HttpResponse:
    context: dict[str, Any] = {
        "load": load,
        "plan": plan,
        "preview": preview,
        "problems": problems,
        "encodings": ENCODINGS,
        "delimiters": DELIMITERS,
        "header_rows": range(HEADER_ROWS + 1),
        "profiles": {name: _(profile.title) for name, profile in PROFILES.items()},
    }
    if preview is not None:
        context |= _shown(preview)
    crumbs = ((_("Imports"), reverse("imports")), (_("New import"), reverse("import_new")))
    title = ", ".join(load.names[:3]) + (" ..." if len(load.names) > 3 else "")
    return render_page(request, "console/imports/plan.html", context, title=title, crumbs=crumbs)


def _shown(preview: ImportPreview) -> dict[str, Any]:
    names = {row.key: local_name(row) for row in list_attributes() if not row.is_retired and not row.is_sensitive}
    seen: set[str] = set()
    tables = []
    for table in preview.tables:
        tables.append(_table(table, preview=preview, names=names, seen=seen))
        seen |= {column.name for column in table.columns}
    has_sales = any(part.role is PartRole.SALES for part in preview.profile.parts)
    first = preview.tables[0] if preview.tables else None
    rules = [rule for rule in CleaningRule if has_sales or rule in MEMBER_RULES]
    return {
        "tables": tables,
        "first": first,
        "is_text": first is not None and bool(first.encoding),
        "guessed_encoding": ENCODINGS.get(first.encoding, first.encoding) if first else "",
        "guessed_delimiter": DELIMITERS.get(first.delimiter, first.delimiter) if first else "",
        "rules": [(rule, *map(_, RULE_TEXTS[rule]), rule in preview.settings.rules) for rule in rules],
        "has_sales": has_sales,
        "day_orders": DAY_ORDERS,
        "day_order": DAY_ORDERS[preview.settings.day_order],
        "sale_keys": SALE_KEYS,
        "sale_key": SALE_KEYS[preview.settings.sale_key],
        "warnings": refuse_preview(preview),
    }


def _table(table: TableReading, *, preview: ImportPreview, names: Mapping[str, str], seen: set[str]) -> dict[str, Any]:
    fields = dict.fromkeys(one for part in preview.profile.parts for one in FIELDS_OF[part.role])
    required = {one for part in preview.profile.parts if part.role is table.role for one in part.required}
    has_members = any(part.role is PartRole.MEMBERS for part in preview.profile.parts)
    options = [(one.value, FIELDS[one], one in required) for one in fields]
    more = [(ATTRIBUTE + key, name, False) for key, name in names.items()] if has_members else []
    known = {value for value, _label, _must in (*options, *more)}
    columns = []
    for column in table.columns:
        first = next(iter(column.meanings), "")
        columns.append(
            {
                "name": column.name,
                "meaning": first,
                "label": meaning_word(first, attributes=names) if first else _("not imported"),
                "also": [meaning_word(one, attributes=names) for one in column.meanings[1:]],
                "is_above": column.name in seen,
                "unknown": [(first, meaning_word(first, attributes=names))] if first and first not in known else [],
            }
        )
    missing = [" / ".join(str(FIELDS[one]) for one in either) for either in table.missing]
    return {
        "reading": table,
        "role": ROLES[table.role],
        "closest": ROLES[table.closest],
        "columns": columns,
        "options": options,
        "attributes": more,
        "missing": missing,
    }


def _word(meaning: str) -> str:
    names = {row.key: local_name(row) for row in list_attributes()}
    return str(meaning_word(meaning, attributes=names))


def _one_of(text: str, known: Mapping[Any, Any]) -> str:
    return text if text in known else ""


urlpatterns = [
    path("imports/new", new_import, name="import_new"),
    path("imports/files/<slug:load>", plan_import, name="import_plan"),
    path("imports/files/<slug:load>/drop", drop_files, name="import_drop"),
]
