"""Staff: the list, one person with role, stores and sign-in, hiring, changing and ending."""

from collections.abc import Callable
from datetime import date, datetime
from typing import Any, Final

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from changke.actions.sign_ins import end_sessions, remove_second_factor, reset_password, unlock_sign_in
from changke.actions.staff import change_staff, end_staff, give_sign_in, hire_staff, take_back_staff
from changke.console.forms import DateInput, accept, chosen_ids, enum_choices, page_number, posted, store_choices
from changke.console.page import render_page
from changke.kernel.clock import utc_now
from changke.kernel.errors import fail
from changke.lobby.viewer import viewer_of
from changke.queries.sign_ins import is_locked_out
from changke.queries.staff import StaffFilter, StaffRow, find_staff, list_staff
from changke.queries.stores import list_stores
from changke.rules.staff import ALL_STORES, NewSignIn, Permission, Role, StaffCard, Viewer
from changke.ui.figures import Choice, Facet, Pages
from changke.ui.templatetags.ui import local_name
from changke.ui.words import label

PAGE_ROWS: Final = 50
STATES: Final = {"working": gettext_lazy("Works here"), "left": gettext_lazy("Has left")}


class StaffForm(forms.Form):
    """Somebody's card; head office, marketing and auditors see every store without naming any."""

    code = forms.CharField(label=gettext_lazy("Staff number"), max_length=40)
    name = forms.CharField(label=gettext_lazy("Name"), max_length=120)
    role = forms.TypedChoiceField(label=gettext_lazy("Role"), coerce=Role, choices=lambda: enum_choices(Role))
    phone = forms.CharField(label=gettext_lazy("Phone"), max_length=20, required=False)
    started_on = forms.DateField(label=gettext_lazy("Works here since"), required=False, widget=DateInput())
    home_store_id = forms.TypedChoiceField(
        label=gettext_lazy("Home store"), coerce=int, empty_value=None, required=False
    )
    store_ids = forms.TypedMultipleChoiceField(
        label=gettext_lazy("Further stores"),
        coerce=int,
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=gettext_lazy("Head office, marketing and auditors see every store."),
    )

    def __init__(self, *args: Any, viewer: Viewer, **more: Any) -> None:
        super().__init__(*args, **more)
        choices: Any = store_choices(viewer)
        self.fields["home_store_id"].choices = [("", "–"), *choices]  # type: ignore[attr-defined]
        self.fields["store_ids"].choices = choices  # type: ignore[attr-defined]

    def card(self) -> StaffCard:
        values = {name: self.cleaned_data[name] for name in StaffForm.base_fields}
        return StaffCard(**values | {"store_ids": frozenset(values["store_ids"])})


class HireForm(StaffForm):
    """A new person, with a sign-in where a user name is filled in."""

    username = forms.CharField(
        label=gettext_lazy("User name"),
        max_length=150,
        required=False,
        help_text=gettext_lazy("Small letters and digits. Leave it empty for somebody who does not sign in."),
    )

    def sign_in(self) -> NewSignIn | None:
        name = self.cleaned_data["username"]
        return NewSignIn(username=name) if name else None


def show_staff(request: HttpRequest) -> HttpResponse:
    """List the staff within reach."""
    viewer, get = viewer_of(request), request.GET
    chosen = StaffFilter(
        text=get.get("q", ""),
        roles=tuple(Role(value) for value in get.getlist("role") if value in set(Role)),
        store_ids=chosen_ids(get.getlist("store")),
        states=tuple(value for value in get.getlist("state") if value in STATES),
        sort=get.get("sort", "code"),
    )
    number = page_number(request)
    rows, total = list_staff(viewer, chosen=chosen, offset=(number - 1) * PAGE_ROWS, limit=PAGE_ROWS)
    context = {
        "rows": rows,
        "pages": Pages(number=number, size=PAGE_ROWS, total=total),
        "is_filtered": bool(get),
        "may_edit": viewer.may(Permission.EDIT_STAFF),
        "search": {"value": chosen.text, "label": _("Name, staff number or user name")},
        "facets": _facets(viewer, chosen=chosen),
    }
    return render_page(request, "console/staff/list.html", context, title=_("Staff"))


def show_person(request: HttpRequest, public_id: str) -> HttpResponse:
    """Show one person."""
    return _show_person(request, row=_find(request, public_id), password="")


def hire(request: HttpRequest) -> HttpResponse:
    """Add somebody; the initial password is shown once, on the answer itself."""
    viewer = viewer_of(request)
    form = HireForm(posted(request), viewer=viewer, initial={"role": Role.CASHIER, "started_on": utc_now().date()})
    found: dict[str, Any] = {}

    def act() -> None:
        found["hired"] = hire_staff(viewer, card=form.card(), sign_in=form.sign_in(), now=utc_now())

    if form.is_valid() and accept(form, act=act):
        messages.success(request, _("Added."))
        hired = found["hired"]
        if not hired.initial_password:
            return redirect("staff_member", public_id=hired.public_id)
        return _show_person(request, row=_find(request, hired.public_id), password=hired.initial_password)
    context = {"form": form, "back": reverse("staff"), "save": _("Add")}
    return render_page(request, "console/form.html", context, title=_("New person"), crumbs=_crumbs())


def edit(request: HttpRequest, public_id: str) -> HttpResponse:
    """Change somebody's card."""
    viewer, row = viewer_of(request), _find(request, public_id)
    initial = {name: getattr(row.card, name) for name in StaffForm.base_fields}
    form = StaffForm(posted(request), viewer=viewer, initial=initial)
    if form.is_valid() and accept(
        form, act=lambda: change_staff(viewer, staff_id=row.id, card=form.card(), now=utc_now())
    ):
        messages.success(request, _("Saved."))
        return redirect("staff_member", public_id=public_id)
    back = reverse("staff_member", args=(public_id,))
    crumbs = (*_crumbs(), (row.card.name, back))
    return render_page(request, "console/form.html", {"form": form, "back": back}, title=_("Edit"), crumbs=crumbs)


@require_POST
def end(request: HttpRequest, public_id: str) -> HttpResponse:
    """End somebody's work; the sign-in stops at once."""
    row = _find(request, public_id)
    try:
        ended_on = date.fromisoformat(request.POST.get("ended_on", ""))
    except ValueError:
        raise fail("not_a_date", "This is not a date.", field="ended_on") from None
    end_staff(viewer_of(request), staff_id=row.id, ended_on=ended_on, now=utc_now())
    messages.success(request, _("%(name)s cannot sign in any more.") % {"name": row.card.name})
    return redirect("staff_member", public_id=public_id)


@require_POST
def take_back(request: HttpRequest, public_id: str) -> HttpResponse:
    """Take somebody back who had left."""
    row = _find(request, public_id)
    take_back_staff(viewer_of(request), staff_id=row.id, now=utc_now())
    messages.success(request, _("Saved."))
    return redirect("staff_member", public_id=public_id)


@require_POST
def change_sign_in(request: HttpRequest, public_id: str, verb: str) -> HttpResponse:
    """Give a sign-in or a new password (shown once), lift a lock, take a factor away, sign out everywhere."""
    viewer, row = viewer_of(request), _find(request, public_id)
    now = utc_now()
    if verb == "give":
        sign_in = NewSignIn(username=request.POST.get("username", "").strip())
        password = give_sign_in(viewer, staff_id=row.id, sign_in=sign_in, now=now)
        return _show_person(request, row=_find(request, public_id), password=password)
    if verb == "password":
        password = reset_password(viewer, staff_id=row.id, now=now)
        return _show_person(request, row=_find(request, public_id), password=password)
    if verb not in VERBS:
        raise Http404
    act, done = VERBS[verb]
    act(viewer, staff_id=row.id, now=now)
    messages.success(request, str(done))
    return redirect("staff_member", public_id=public_id)


VERBS: Final[dict[str, tuple[Callable[..., None], Any]]] = {
    "unlock": (unlock_sign_in, gettext_lazy("The lock is lifted.")),
    "factor": (remove_second_factor, gettext_lazy("The second factor is gone; it can be set up anew.")),
    "sessions": (end_sessions, gettext_lazy("Signed out everywhere.")),
}


def _show_person(request: HttpRequest, *, row: StaffRow, password: str) -> HttpResponse:
    viewer = viewer_of(request)
    now: datetime = utc_now()
    stores = list_stores(viewer)
    context = {
        "row": row,
        "initial_password": password,
        "sees_everything": row.card.role in ALL_STORES,
        "stores": [local_name(store.card) for store in stores if store.id in (row.card.scope or ())],
        "is_locked": bool(row.username) and is_locked_out(row.username, now=now),
        "is_self": row.id == viewer.staff_id,
        "may_edit": viewer.may(Permission.EDIT_STAFF),
        "may_audit": viewer.may(Permission.SEE_AUDIT),
        "today": now.date(),
    }
    return render_page(request, "console/staff/page.html", context, title=row.card.name, crumbs=_crumbs())


def _crumbs() -> tuple[tuple[str, str], ...]:
    return ((_("Staff"), reverse("staff")),)


def _find(request: HttpRequest, public_id: str) -> StaffRow:
    row = find_staff(viewer_of(request), public_id=public_id)
    if row is None:
        raise Http404
    return row


def _facets(viewer: Viewer, *, chosen: StaffFilter) -> list[Facet]:
    roles = [Choice(value=role.value, label=label(role), is_chosen=role in chosen.roles) for role in Role]
    stores = [
        Choice(value=value, label=words, is_chosen=int(value) in chosen.store_ids)
        for value, words in store_choices(viewer)
    ]
    states = [Choice(value=value, label=words, is_chosen=value in chosen.states) for value, words in STATES.items()]
    return [
        Facet(name="role", label=_("Role"), choices=roles),
        Facet(name="store", label=_("Store"), choices=stores),
        Facet(name="state", label=_("State"), choices=states),
    ]


urlpatterns = [
    path("staff", show_staff, name="staff"),
    path("staff/new", hire, name="staff_new"),
    path("staff/<slug:public_id>", show_person, name="staff_member"),
    path("staff/<slug:public_id>/edit", edit, name="staff_edit"),
    path("staff/<slug:public_id>/end", end, name="staff_end"),
    path("staff/<slug:public_id>/back", take_back, name="staff_take_back"),
    path("staff/<slug:public_id>/sign-in/<slug:verb>", change_sign_in, name="staff_sign_in"),
]
