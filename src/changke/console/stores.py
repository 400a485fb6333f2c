"""Stores: the list, one store with its pictures and hours, opening, changing and closing."""

from datetime import date
from typing import Any, Final

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from changke.actions.stores import change_store, close_store, open_store, reopen_store, show_store
from changke.actions.uploads import keep_picture
from changke.console.forms import (
    DateInput,
    TimeInput,
    accept,
    chosen_ids,
    enum_choices,
    posted,
    region_choices,
)
from changke.console.page import render_page
from changke.kernel.clock import utc_now
from changke.kernel.errors import fail
from changke.lobby.viewer import viewer_of
from changke.queries.company import list_regions, load_company
from changke.queries.staff import StaffFilter, list_staff
from changke.queries.stores import StoreFilter, StoreRow, find_store, list_stores
from changke.rules.staff import Permission
from changke.rules.stores import Hours, Ownership, StoreCard, StorePicture, Weekday
from changke.ui.figures import Choice, Facet, Tab
from changke.ui.templatetags.ui import local_name
from changke.ui.words import label

DAYS: Final = {
    Weekday.MON: gettext_lazy("Monday"),
    Weekday.TUE: gettext_lazy("Tuesday"),
    Weekday.WED: gettext_lazy("Wednesday"),
    Weekday.THU: gettext_lazy("Thursday"),
    Weekday.FRI: gettext_lazy("Friday"),
    Weekday.SAT: gettext_lazy("Saturday"),
    Weekday.SUN: gettext_lazy("Sunday"),
}
STATES: Final = {"open": gettext_lazy("Open"), "closed": gettext_lazy("Closed for good")}
PEOPLE_SHOWN: Final = 100


class StoreForm(forms.Form):
    """A store's card; a weekday without both times is closed."""

    code = forms.CharField(label=gettext_lazy("Code"), max_length=40)
    name = forms.CharField(label=gettext_lazy("Name"), max_length=120)
    name_en = forms.CharField(label=gettext_lazy("English name"), max_length=120, required=False)
    region_id = forms.TypedChoiceField(
        label=gettext_lazy("Region"), coerce=int, empty_value=None, required=False, choices=region_choices
    )
    ownership = forms.TypedChoiceField(
        label=gettext_lazy("Run by"), coerce=Ownership, choices=lambda: enum_choices(Ownership)
    )
    opened_on = forms.DateField(label=gettext_lazy("Opened on"), required=False, widget=DateInput())
    address = forms.CharField(label=gettext_lazy("Address"), max_length=300, required=False)
    phone = forms.CharField(label=gettext_lazy("Phone"), max_length=20, required=False)
    time_zone = forms.CharField(label=gettext_lazy("Time zone"), max_length=60)
    day_ends_at = forms.TimeField(
        label=gettext_lazy("The business day ends at"),
        widget=TimeInput(),
        help_text=gettext_lazy("00:00 is midnight; 04:00 counts a late night to the day before."),
    )

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        for day, name in DAYS.items():
            for field, words in ((f"opens_{day}", _("%(day)s, opens")), (f"closes_{day}", _("%(day)s, closes"))):
                self.fields[field] = forms.TimeField(label=words % {"day": name}, required=False, widget=TimeInput())

    def hour_rows(self) -> list[tuple[Any, Any, Any]]:
        """Return (weekday, opening field, closing field) for the table of hours."""
        return [(name, self[f"opens_{day}"], self[f"closes_{day}"]) for day, name in DAYS.items()]

    def plain_fields(self) -> list[Any]:
        return [self[name] for name in self.fields if not name.startswith(("opens_", "closes_"))]

    def clean(self) -> dict[str, Any]:
        values = super().clean() or {}
        for day in Weekday:
            if (values.get(f"opens_{day}") is None) != (values.get(f"closes_{day}") is None):
                self.add_error(f"opens_{day}", _("Fill in both times, or neither where the store is closed."))
        return values

    def card(self) -> StoreCard:
        values = self.cleaned_data
        hours = {
            day: Hours(opens_at=values[f"opens_{day}"], closes_at=values[f"closes_{day}"])
            for day in Weekday
            if values[f"opens_{day}"] is not None
        }
        plain = {name: values[name] for name in values if not name.startswith(("opens_", "closes_"))}
        return StoreCard(**plain, hours=hours)


def show_stores(request: HttpRequest) -> HttpResponse:
    """List the stores within reach."""
    viewer, get = viewer_of(request), request.GET
    chosen = StoreFilter(
        text=get.get("q", ""),
        region_ids=chosen_ids(get.getlist("region")),
        ownerships=tuple(Ownership(value) for value in get.getlist("ownership") if value in set(Ownership)),
        states=tuple(value for value in get.getlist("state") if value in STATES),
        sort=get.get("sort", "code"),
    )
    rows = list_stores(viewer, chosen=chosen)
    context = {
        "rows": rows,
        "is_filtered": bool(get),
        "may_edit": viewer.may(Permission.EDIT_SHOP),
        "tabs": shop_tabs("stores"),
        "search": {"value": chosen.text, "label": _("Code, name or address")},
        "facets": _facets(chosen),
    }
    return render_page(request, "console/stores/list.html", context, title=_("Stores"))


def show_store_page(request: HttpRequest, public_id: str) -> HttpResponse:
    """Show one store."""
    viewer, row = viewer_of(request), _find(request, public_id)
    people, _total = list_staff(
        viewer, chosen=StaffFilter(store_ids=(row.id,), states=("working",)), limit=PEOPLE_SHOWN
    )
    context = {
        "row": row,
        "people": people,
        "hours": [(name, row.card.hours.get(day)) for day, name in DAYS.items()],
        "may_edit": viewer.may(Permission.EDIT_SHOP),
        "may_audit": viewer.may(Permission.SEE_AUDIT),
        "today": utc_now().date(),
        "pictures": [
            (StorePicture.PICTURE, _("Picture"), row.picture),
            (StorePicture.FLOOR_PLAN, _("Floor plan"), row.floor_plan),
        ],
    }
    crumbs = ((_("Stores"), reverse("stores")),)
    return render_page(request, "console/stores/page.html", context, title=local_name(row.card), crumbs=crumbs)


def new_store(request: HttpRequest) -> HttpResponse:
    """Open a store."""
    company = load_company()
    form = StoreForm(
        posted(request),
        initial={"time_zone": company.time_zone if company else "", "day_ends_at": "00:00", "ownership": Ownership.OWN},
    )
    if form.is_valid() and _accept(form, act=lambda: open_store(viewer_of(request), card=form.card(), now=utc_now())):
        messages.success(request, _("The store is open."))
        return redirect("stores")
    return _show_form(request, form=form, title=_("New store"), back=reverse("stores"))


def edit_store(request: HttpRequest, public_id: str) -> HttpResponse:
    """Change a store."""
    row = _find(request, public_id)
    card = row.card
    initial = {name: getattr(card, name) for name in StoreForm.base_fields}
    for day, hours in card.hours.items():
        initial |= {f"opens_{day}": hours.opens_at, f"closes_{day}": hours.closes_at}
    form = StoreForm(posted(request), initial=initial)
    if form.is_valid() and _accept(
        form, act=lambda: change_store(viewer_of(request), store_id=row.id, card=form.card(), now=utc_now())
    ):
        messages.success(request, _("Saved."))
        return redirect("store", public_id=public_id)
    return _show_form(request, form=form, title=local_name(card), back=reverse("store", args=(public_id,)))


@require_POST
def hang_picture(request: HttpRequest, public_id: str, place: str) -> HttpResponse:
    """Take a picture or a floor plan for a store, or take it down where no file comes."""
    viewer, row = viewer_of(request), _find(request, public_id)
    if place not in set(StorePicture):
        raise Http404
    file, upload_id = request.FILES.get("file"), None
    if file is not None:
        upload_id = keep_picture(viewer, name=file.name or "", raw=file, now=utc_now())
    elif "remove" not in request.POST:
        raise fail("picture_missing", "No picture was chosen.", field="file")
    show_store(viewer, store_id=row.id, place=StorePicture(place), upload_id=upload_id, now=utc_now())
    messages.success(request, _("Saved."))
    return redirect("store", public_id=public_id)


@require_POST
def close(request: HttpRequest, public_id: str) -> HttpResponse:
    """Close a store for good."""
    row = _find(request, public_id)
    try:
        closed_on = date.fromisoformat(request.POST.get("closed_on", ""))
    except ValueError:
        raise fail("not_a_date", "This is not a date.", field="closed_on") from None
    close_store(viewer_of(request), store_id=row.id, closed_on=closed_on, now=utc_now())
    messages.success(request, _("The store is closed."))
    return redirect("store", public_id=public_id)


@require_POST
def reopen(request: HttpRequest, public_id: str) -> HttpResponse:
    """Open a closed store again."""
    reopen_store(viewer_of(request), store_id=_find(request, public_id).id, now=utc_now())
    messages.success(request, _("The store is open."))
    return redirect("store", public_id=public_id)


def shop_tabs(current: str) -> list[Tab]:
    """Return the tabs of stores and regions."""
    names = (("stores", _("Stores")), ("regions", _("Regions")))
    return [Tab(label=words, href=reverse(name), is_current=name == current) for name, words in names]


def _find(request: HttpRequest, public_id: str) -> StoreRow:
    row = find_store(viewer_of(request), public_id=public_id)
    if row is None:
        raise Http404
    return row


def _accept(form: StoreForm, *, act: Any) -> bool:
    fields = {f"hours_{day}": f"closes_{day}" for day in Weekday}
    return accept(form, act=act, fields=fields)


def _show_form(request: HttpRequest, *, form: StoreForm, title: str, back: str) -> HttpResponse:
    crumbs = ((_("Stores"), reverse("stores")),)
    return render_page(request, "console/stores/form.html", {"form": form, "back": back}, title=title, crumbs=crumbs)


def _facets(chosen: StoreFilter) -> list[Facet]:
    regions = [
        Choice(value=str(row.id), label=local_name(row.card), is_chosen=row.id in chosen.region_ids)
        for row in list_regions()
    ]
    owners = [Choice(value=kind.value, label=label(kind), is_chosen=kind in chosen.ownerships) for kind in Ownership]
    states = [Choice(value=value, label=words, is_chosen=value in chosen.states) for value, words in STATES.items()]
    return [
        Facet(name="region", label=_("Region"), choices=regions),
        Facet(name="ownership", label=_("Run by"), choices=owners),
        Facet(name="state", label=_("State"), choices=states),
    ]


urlpatterns = [
    path("stores", show_stores, name="stores"),
    path("stores/new", new_store, name="store_new"),
    path("stores/<slug:public_id>", show_store_page, name="store"),
    path("stores/<slug:public_id>/edit", edit_store, name="store_edit"),
    path("stores/<slug:public_id>/close", close, name="store_close"),
    path("stores/<slug:public_id>/reopen", reopen, name="store_reopen"),
    path("stores/<slug:public_id>/<slug:place>", hang_picture, name="store_picture"),
]
