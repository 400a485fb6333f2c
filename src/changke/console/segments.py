"""Segments: the list, one segment with its curve and members, and the builder with its live count."""

import json
from datetime import date
from typing import Any, Final

from django import forms
from django.contrib import messages
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext, pgettext
from django.views.decorators.http import require_POST

from changke.actions.segments import (
    SegmentCard,
    bring_back_segment,
    change_segment,
    note_segment_export,
    put_away_segment,
    save_new_segment,
)
from changke.console.forms import accept, posted, store_choices
from changke.console.page import render_page
from changke.console.segment_builder import builder_data, say_in_words
from changke.insight.segment_json import segment_from_json, segment_to_json
from changke.kernel.clock import utc_now
from changke.kernel.errors import ChangkeError
from changke.lobby.problems import say
from changke.lobby.segment_file import write_segment_file
from changke.lobby.viewer import viewer_of
from changke.queries.lake import current_lake
from changke.queries.segment_members import list_sample
from changke.queries.segment_words import MODELS, everybody, find_options
from changke.queries.segments import SegmentRow, count_members, list_segments, list_sizes, load_segment, segments_using
from changke.rules.segments import Segment as Definition
from changke.rules.staff import Permission, Viewer
from changke.ui.charts import Chart, Column, Series, draw_lines
from changke.ui.figures import Tab
from changke.ui.templatetags.ui import local_name

SAMPLE_SIZE: Final = 8
XLSX_ROWS_MAX: Final = 200_000
KINDS: Final = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
SHARING: Final = {
    "private": gettext_lazy("Only me"),
    "store": gettext_lazy("One store"),
    "company": gettext_lazy("The whole company"),
}


class SegmentForm(forms.Form):
    """A segment's card; the tree travels as JSON made by the builder."""

    name = forms.CharField(label=gettext_lazy("Name"), max_length=120)
    name_en = forms.CharField(label=gettext_lazy("English name"), max_length=120, required=False)
    note = forms.CharField(label=gettext_lazy("What it is for"), max_length=500, required=False)
    sharing = forms.ChoiceField(label=gettext_lazy("Who may use it"), choices=SHARING.items())
    store_id = forms.TypedChoiceField(label=gettext_lazy("Store"), coerce=int, empty_value=None, required=False)
    version = forms.IntegerField(widget=forms.HiddenInput, required=False)
    tree = forms.CharField(widget=forms.HiddenInput, max_length=200_000)

    def __init__(self, *args: Any, viewer: Viewer, **more: Any) -> None:
        super().__init__(*args, **more)
        store = self.fields["store_id"]
        assert isinstance(store, forms.TypedChoiceField)
        store.choices = [("", "–"), *store_choices(viewer)]
        if viewer.store_ids is not None:
            sharing = self.fields["sharing"]
            assert isinstance(sharing, forms.ChoiceField)
            sharing.choices = [pair for pair in SHARING.items() if pair[0] != "company"]

    def card(self) -> SegmentCard:
        values = self.cleaned_data
        return SegmentCard(
            name=values["name"],
            name_en=values["name_en"],
            note=values["note"],
            sharing=values["sharing"],
            store_id=values["store_id"],
            definition=read_tree(values["tree"]),
        )


def read_tree(text: str) -> Definition:
    """Read what the builder sent; ChangkeError names every condition that cannot be used."""
    try:
        return segment_from_json(json.loads(text))
    except json.JSONDecodeError:
        return segment_from_json(None)


def show_segments(request: HttpRequest) -> HttpResponse:
    """List the viewer's segments with their sentences and sizes."""
    viewer, archived = viewer_of(request), request.GET.get("state") == "archived"
    search = request.GET.get("q", "").strip()
    rows = list_segments(viewer, search=search, archived=archived)
    here = reverse("segments")
    context = {
        "rows": [
            {"row": row, "sentence": say_in_words(row.definition), "sharing": SHARING[row.sharing]} for row in rows
        ],
        "search": {"name": "q", "value": search, "label": _("Name or note")},
        "is_filtered": bool(search),
        "may_edit": viewer.may(Permission.EDIT_SEGMENTS),
        "has_sizes": viewer.store_ids is None,  # they were counted over the whole company
        "tabs": [
            Tab(label=_("In use"), href=here, is_current=not archived),
            Tab(label=pgettext("state", "Put away"), href=f"{here}?state=archived", is_current=archived),
        ],
    }
    lead = _("A segment is a saved choice of members that is always current.")
    return render_page(request, "console/segments/list.html", context, title=_("Segments"), lead=lead)


def show_segment(request: HttpRequest, public_id: str) -> HttpResponse:
    """Show one segment: its sentence, its size today and over time, some members, and where it is used."""
    viewer, row = viewer_of(request), find_or_404(request, public_id)
    lake = current_lake()
    context = {
        "row": row,
        "sentence": say_in_words(row.definition),
        "sharing": SHARING[row.sharing],
        "count": count_members(viewer, definition=row.definition) if lake else None,
        "as_of": lake.as_of if lake else None,
        "members": list_sample(viewer, definition=row.definition, size=SAMPLE_SIZE) if lake else [],
        "users": segments_using(viewer, segment_id=row.id),
        "chart": _curve(row, list_sizes(viewer, segment_id=row.id)),
        "may_edit": may_change(viewer, row),
        "may_export": viewer.may(Permission.EXPORT_DATA),
    }
    crumbs = ((_("Segments"), reverse("segments")),)
    return render_page(
        request, "console/segments/page.html", context, title=local_name(row), lead=row.note, crumbs=crumbs
    )


def new_segment(request: HttpRequest) -> HttpResponse:
    """Build a segment; ?tree= begins with a given one, ?copy= with that of another segment."""
    viewer = viewer_of(request)
    definition, initial = _beginning(request)
    form = SegmentForm(posted(request), viewer=viewer, initial={"sharing": "private", **initial})

    def save() -> None:
        saved.append(save_new_segment(viewer, card=form.card(), now=utc_now()).public_id)

    saved: list[str] = []
    if form.is_bound and form.is_valid() and accept(form, act=save):
        messages.success(request, _("Saved."))
        return redirect("segment", public_id=saved[0])
    return _show_builder(request, form=form, definition=definition, title=_("New segment"), back=reverse("segments"))


def edit_segment(request: HttpRequest, public_id: str) -> HttpResponse:
    """Change a segment in the builder."""
    viewer, row = viewer_of(request), find_or_404(request, public_id)
    if not may_change(viewer, row):
        raise Http404
    initial = {
        "name": row.name,
        "name_en": row.name_en,
        "note": row.note,
        "sharing": row.sharing,
        "store_id": row.store_id,
        "version": row.version,
    }
    form = SegmentForm(posted(request), viewer=viewer, initial=initial)

    def save() -> None:
        version = form.cleaned_data["version"] or 0
        change_segment(viewer, public_id=public_id, card=form.card(), version=version, now=utc_now())

    if form.is_bound and form.is_valid() and accept(form, act=save):
        messages.success(request, _("Saved."))
        return redirect("segment", public_id=public_id)
    back = reverse("segment", kwargs={"public_id": public_id})
    return _show_builder(request, form=form, definition=row.definition, title=local_name(row), back=back)


@require_POST
def put_away(request: HttpRequest, public_id: str) -> HttpResponse:
    """Put a segment away, or say what still builds on it."""
    try:
        put_away_segment(viewer_of(request), public_id=public_id, now=utc_now())
        messages.success(request, _("Put away. It can be brought back."))
    except ChangkeError as error:
        messages.error(request, " ".join(say(problem) for problem in error.problems))
        return redirect("segment", public_id=public_id)
    return redirect("segments")


@require_POST
def bring_back(request: HttpRequest, public_id: str) -> HttpResponse:
    """Bring a segment back."""
    try:
        bring_back_segment(viewer_of(request), public_id=public_id, now=utc_now())
        messages.success(request, _("It is back in use."))
    except ChangkeError as error:
        messages.error(request, " ".join(say(problem) for problem in error.problems))
    return redirect("segment", public_id=public_id)


@require_POST
def count_live(request: HttpRequest) -> HttpResponse:
    """Answer the builder at each change: count, sentence, a few members, and every problem by its place."""
    viewer = viewer_of(request)
    try:
        definition = read_tree(request.POST.get("tree", ""))
    except ChangkeError as error:
        problems = [{"place": problem.field, "text": say(problem)} for problem in error.problems]
        return render(request, "console/segments/live.html", {"problems": problems}, status=200)
    lake = current_lake()
    count = count_members(viewer, definition=definition) if lake else None
    context = {
        "count": count,
        "as_of": lake.as_of if lake else None,
        "sentence": say_in_words(definition),
        "members": list_sample(viewer, definition=definition, size=SAMPLE_SIZE) if lake and count else [],
        "problems": [],
    }
    return render(request, "console/segments/live.html", context)


def find_choices(request: HttpRequest) -> HttpResponse:
    """Answer ?kind=store&q=...: rows to choose from, as JSON."""
    kind = request.GET.get("kind", "")
    if kind not in MODELS:
        raise Http404
    found = find_options(viewer_of(request), kind=kind, text=request.GET.get("q", "").strip())
    return JsonResponse({"found": [[option.id, local_name(option.named)] for option in found]})


def export_segment(request: HttpRequest, public_id: str, kind: str) -> HttpResponseBase:
    """Hand out the members of a segment as CSV or Excel; the audit says who took it."""
    viewer, row = viewer_of(request), find_or_404(request, public_id)
    if kind not in KINDS:
        raise Http404
    count = count_members(viewer, definition=row.definition)
    if kind == "xlsx" and count > XLSX_ROWS_MAX:
        messages.error(request, _("A workbook of so many members cannot be opened. Take the CSV file."))
        return redirect("segment", public_id=public_id)
    note_segment_export(viewer, segment_id=row.id, members=count, kind=kind, now=utc_now())
    file = write_segment_file(viewer, definition=row.definition, kind=kind, title=row.name)
    return FileResponse(file, as_attachment=True, filename=f"{row.name}.{kind}", content_type=KINDS[kind])


def find_or_404(request: HttpRequest, public_id: str) -> SegmentRow:
    try:
        return load_segment(viewer_of(request), public_id=public_id)
    except ChangkeError:
        raise Http404 from None


def may_change(viewer: Viewer, row: SegmentRow) -> bool:
    """Say whether a viewer may change a segment: own ones, shared ones of head office, those of the own store."""
    if not viewer.may(Permission.EDIT_SEGMENTS):
        return False
    if row.owner_id == viewer.user_id:
        return True
    return row.sharing != "private" and (viewer.store_ids is None or viewer.sees_store(row.store_id))


def _beginning(request: HttpRequest) -> tuple[Definition, dict[str, Any]]:
    """Return what a new segment begins with; a tree that cannot be read begins with everybody."""
    if copied := request.GET.get("copy"):
        row = find_or_404(request, copied)
        return row.definition, {"name": _("%(name)s (copy)") % {"name": row.name}, "note": row.note}
    try:
        return (read_tree(request.GET["tree"]) if "tree" in request.GET else everybody()), {}
    except ChangkeError:
        return everybody(), {}


def _show_builder(
    request: HttpRequest, *, form: SegmentForm, definition: Definition, title: str, back: str
) -> HttpResponse:
    """Show the builder; what was typed stands there again after a refused save."""
    typed = form["tree"].value()
    if typed:
        try:
            definition = read_tree(typed)
        except ChangkeError as error:
            for problem in error.problems:
                form.add_error(None, say(problem))
    form.initial["tree"] = json.dumps(segment_to_json(definition))
    context = {"form": form, "builder": builder_data(definition), "back": back}
    return render_page(
        request, "console/segments/builder.html", context, title=title, crumbs=((_("Segments"), reverse("segments")),)
    )


def _curve(row: SegmentRow, sizes: list[tuple[date, int]]) -> Chart | None:
    """Return the chart of a segment's size, from its second day on."""
    if len(sizes) < 2:
        return None
    change = sizes[-1][1] - sizes[0][1]
    days = (sizes[-1][0] - sizes[0][0]).days
    finding = ngettext("%(change)s in %(days)s day", "%(change)s in %(days)s days", days) % {
        "change": f"{change:+,}",
        "days": days,
    }
    labels = [day.isoformat() for day, _size in sizes]
    return Chart(
        key="sizes",
        subject=_("Size over time"),
        finding=finding,
        columns=(Column(label=_("Day"), kind="day"), Column(label=_("Members"))),
        rows=[(day.isoformat(), size) for day, size in sizes],
        drawing=draw_lines(labels, Series(name=row.name, values=[size for _day, size in sizes])),
    )


urlpatterns = [
    path("segments", show_segments, name="segments"),
    path("segments/new", new_segment, name="segment_new"),
    path("segments/live", count_live, name="segment_live"),
    path("segments/options", find_choices, name="segment_options"),
    path("segments/<str:public_id>", show_segment, name="segment"),
    path("segments/<str:public_id>/edit", edit_segment, name="segment_edit"),
    path("segments/<str:public_id>/members.<str:kind>", export_segment, name="segment_export"),
    path("segments/<str:public_id>/put-away", put_away, name="segment_put_away"),
    path("segments/<str:public_id>/bring-back", bring_back, name="segment_bring_back"),
]
