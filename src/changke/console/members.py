"""Members: the list with facets, saved views and columns; batches with a preview; the list as a file."""

from collections.abc import Iterator
from datetime import date
from io import TextIOWrapper
from tempfile import TemporaryFile
from typing import Any, Final

from django.contrib import messages
from django.http import FileResponse, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect
from django.urls import path, reverse
from django.utils.timezone import localdate
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from changke.actions.members import note_member_export, set_validity_in_batch
from changke.actions.saved_views import delete_view, save_view
from changke.actions.tags import tag_members, untag_members
from changke.console.forms import chosen_ids, page_number
from changke.console.member_columns import (
    ColumnSpec,
    build_facets,
    chosen_columns,
    columns_with,
    load_names,
    read_filter,
)
from changke.console.page import render_page
from changke.gateways.sheets import CSV_TYPE, XLSX_TYPE, Cell, write_csv, write_xlsx
from changke.kernel.clock import utc_now
from changke.kernel.errors import fail
from changke.lobby.viewer import viewer_of
from changke.queries.lake import current_lake
from changke.queries.member_batches import BatchPreview, preview_tags, preview_untag, preview_validity
from changke.queries.member_list import (
    PAGE_SIZE,
    PAGED_MAX,
    MemberRow,
    count_facets,
    each_member,
    list_all_ids,
    list_members,
    load_contacts,
)
from changke.queries.saved_views import list_views
from changke.queries.tags import name_tags
from changke.rules.staff import Permission, Viewer
from changke.ui.figures import Pages

BATCH_MAX: Final = 50_000
EXPORT_BATCH: Final = 1000
VIEWS_OF: Final = "members"


def show_members(request: HttpRequest) -> HttpResponse:
    """List the members within reach."""
    viewer, today = viewer_of(request), localdate(utc_now())
    wanted, names = read_filter(request.GET), load_names(viewer)
    columns = columns_with(names)
    shown = chosen_columns(columns, get=request.GET)
    number = min(page_number(request), PAGED_MAX // PAGE_SIZE)
    page = list_members(viewer, wanted=wanted, today=today, page=number)
    counts = count_facets(viewer, wanted=wanted, today=today, total=page.total)
    lake = current_lake()
    context = {
        "page": page,
        "lines": [(row, [_cell(row, column) for column in shown]) for row in page.rows],
        "columns": shown,
        "names": names,
        "sort": request.GET.get("sort", "-joined"),
        "search": {"name": "q", "value": wanted.text, "label": _("Phone, last four digits, card, name or initials")},
        "facets": build_facets(viewer, wanted=wanted, counts=counts, names=names, columns=columns, shown=shown),
        "keep": [("sort", request.GET["sort"])] if request.GET.get("sort") else [],
        "pages": Pages(number=number, size=PAGE_SIZE, total=min(page.total.number, PAGED_MAX)),
        "is_capped": page.total.number > PAGED_MAX,
        "is_filtered": bool(request.GET),
        "is_sampled": not counts.is_exact,
        "as_of": lake.as_of if lake else None,
        "query": request.GET.urlencode(),
        "views": list_views(viewer, page=VIEWS_OF),
        "tags": name_tags(viewer),
        "may": {
            "enrol": viewer.may(Permission.ENROL_MEMBERS),
            "batch": viewer.may(Permission.EDIT_MEMBERS_IN_BATCH),
            "export": viewer.may(Permission.EXPORT_DATA),
            "contacts": viewer.may(Permission.REVEAL_CONTACTS),
        },
    }
    return render_page(request, "console/members/list.html", context, title=_("Members"))


@require_POST
def run_batch(request: HttpRequest) -> HttpResponse:
    """Preview a batch over chosen members or the whole list, and do it when it is confirmed."""
    viewer, post = viewer_of(request), request.POST
    ids = _batch_ids(viewer, post=post)
    kind = post.get("kind", "")
    if kind not in BATCHES:
        raise fail("batch_unknown", "Choose what to do with these members.", field="kind")
    if "confirmed" in post:
        changed = _do_batch(viewer, kind=kind, ids=ids, post=post)
        text = ngettext("%(count)s member changed.", "%(count)s members changed.", changed)
        messages.success(request, text % {"count": f"{changed:,}"})
        return redirect(f"{reverse('members')}?{post.get('query', '')}")
    context = {
        "preview": _preview_batch(viewer, kind=kind, ids=ids, post=post),
        "kind": kind,
        "values": _batch_values(post),
        "ids": post.getlist("member"),
        "scope": post.get("scope", ""),
        "query": post.get("query", ""),
        "back": f"{reverse('members')}?{post.get('query', '')}",
        "needs_reason": kind == "validity",
    }
    crumbs = ((_("Members"), reverse("members")),)
    return render_page(request, "console/members/batch.html", context, title=_("What this would change"), crumbs=crumbs)


@require_POST
def export_members(request: HttpRequest) -> FileResponse:
    """Answer the whole list as CSV or XLSX: masked, or with contacts in clear for a reason."""
    viewer, post = viewer_of(request), request.POST
    query = post.get("query", "")
    get = QueryDict(query)
    ids = list_all_ids(viewer, wanted=read_filter(get), today=localdate(utc_now()))
    columns = chosen_columns(columns_with(load_names(viewer)), get=get)
    contents = ("name", "phone", "email", "address") if post.get("contacts") else ()
    note_member_export(
        viewer, rows=len(ids), query=query, contents=contents, reason=post.get("reason", ""), now=utc_now()
    )
    header = [_("Code"), _("Full name"), *(str(column.label) for column in columns)]
    rows = _export_rows(viewer, ids=ids, columns=columns)
    if contents:
        header = [_("Code"), _("Full name"), _("Phone"), _("E-mail"), _("Address"), *(str(c.label) for c in columns)]
        rows = _contact_rows(viewer, ids=ids, columns=columns)
    name = f"members-{localdate(utc_now()):%Y%m%d}"
    file = TemporaryFile()  # noqa: SIM115 - the answer closes it
    if post.get("as") == "xlsx":
        write_xlsx(file, header=header, rows=rows, title=_("Members"))
        kind, ending = XLSX_TYPE, "xlsx"
    else:
        text = TextIOWrapper(file, encoding="utf-8", newline="")
        write_csv(text, header=header, rows=rows)
        text.detach()
        kind, ending = CSV_TYPE, "csv"
    file.seek(0)
    return FileResponse(file, as_attachment=True, filename=f"{name}.{ending}", content_type=kind)


@require_POST
def keep_view(request: HttpRequest) -> HttpResponse:
    """Keep the present filter, order and columns under a name."""
    query = request.POST.get("query", "")
    save_view(viewer_of(request), page=VIEWS_OF, name=request.POST.get("name", ""), query=query)
    messages.success(request, _("The view is saved."))
    return redirect(f"{reverse('members')}?{query}")


@require_POST
def drop_view(request: HttpRequest, public_id: str) -> HttpResponse:
    """Forget a saved view."""
    delete_view(viewer_of(request), public_id=public_id)
    messages.success(request, _("The view is deleted."))
    return redirect("members")


def _cell(row: MemberRow, column: ColumnSpec) -> dict[str, Any]:
    """Return what the template needs to write a cell: the kind of drawing and the value."""
    return {"key": column.key, "value": column.export(row), "row": row, "is_number": column.is_number}


def _export_rows(viewer: Viewer, *, ids: list[int], columns: tuple[ColumnSpec, ...]) -> Iterator[list[Cell]]:
    for row in each_member(viewer, member_ids=ids):
        yield [row.code, row.name, *(column.export(row) for column in columns)]


def _contact_rows(viewer: Viewer, *, ids: list[int], columns: tuple[ColumnSpec, ...]) -> Iterator[list[Cell]]:
    for start in range(0, len(ids), EXPORT_BATCH):
        some = ids[start : start + EXPORT_BATCH]
        contacts = load_contacts(viewer, member_ids=some)
        for row in each_member(viewer, member_ids=some):
            clear = contacts[row.id]
            known: list[Cell] = [row.code, clear.name, clear.phone, clear.email, clear.address]
            yield [*known, *(column.export(row) for column in columns)]


def _batch_ids(viewer: Viewer, *, post: QueryDict) -> frozenset[int]:
    """Return the members of a batch: the ticked ones, or the whole list of the filter."""
    if post.get("scope") == "list":
        wanted = read_filter(QueryDict(post.get("query", "")))
        ids = frozenset(list_all_ids(viewer, wanted=wanted, today=localdate(utc_now())))
    else:
        ids = frozenset(chosen_ids(post.getlist("member")))
    if not ids:
        raise fail("nobody_chosen", "Nobody is chosen.", cure="Tick members first, or take the whole list.")
    if len(ids) > BATCH_MAX:
        raise fail(
            "batch_too_large",
            "At most %(most)s members are changed at once.",
            cure="Narrow the list with a filter.",
            most=f"{BATCH_MAX:,}",
        )
    return ids


def _batch_values(post: QueryDict) -> dict[str, str]:
    return {name: post.get(name, "").strip() for name in ("tags", "valid_from", "valid_until", "reason")}


def _tag_names(post: QueryDict) -> tuple[str, ...]:
    names = tuple(name.strip() for name in post.get("tags", "").replace("，", ",").split(",") if name.strip())
    if not names:
        raise fail("tag_missing", "Enter at least one tag.", field="tags")
    return names


def _day(post: QueryDict, field: str) -> date | None:
    text = post.get(field, "").strip()
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise fail("not_a_date", "This is not a date.", field=field) from None


def _preview_batch(viewer: Viewer, *, kind: str, ids: frozenset[int], post: QueryDict) -> BatchPreview:
    match kind:
        case "tag":
            return preview_tags(viewer, member_ids=ids, names=_tag_names(post))
        case "untag":
            return preview_untag(viewer, member_ids=ids, names=_tag_names(post))
        case _:
            first, last = _day(post, "valid_from"), _day(post, "valid_until")
            return preview_validity(viewer, member_ids=ids, valid_from=first, valid_until=last)


def _do_batch(viewer: Viewer, *, kind: str, ids: frozenset[int], post: QueryDict) -> int:
    match kind:
        case "tag":
            return tag_members(viewer, member_ids=ids, names=_tag_names(post), now=utc_now())
        case "untag":
            return untag_members(viewer, member_ids=ids, names=_tag_names(post), now=utc_now())
        case _:
            return set_validity_in_batch(
                viewer,
                member_ids=ids,
                valid_from=_day(post, "valid_from"),
                valid_until=_day(post, "valid_until"),
                reason=post.get("reason", ""),
                now=utc_now(),
            )


BATCHES: Final = frozenset({"tag", "untag", "validity"})

urlpatterns = [
    path("members", show_members, name="members"),
    path("members/batch", run_batch, name="members_batch"),
    path("members/export", export_members, name="members_export"),
    path("members/views", keep_view, name="members_view"),
    path("members/views/<str:public_id>/delete", drop_view, name="members_view_delete"),
]
