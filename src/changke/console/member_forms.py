"""Joining and editing: the form of a profile, with the fields that users defined; joining offers the known member."""

from typing import Any, Final

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from changke.actions.members import (
    AlreadyKnown,
    Enrolled,
    Enrolment,
    edit_member,
    enrol_member,
    reveal_contacts,
)
from changke.console.forms import DateInput, accept, chosen_ids, enum_choices, posted, region_choices, store_choices
from changke.console.page import render_page
from changke.kernel.clock import utc_now
from changke.lobby.viewer import viewer_of
from changke.queries.attributes import AttributeDefinitionRow, list_attributes
from changke.queries.member_page import MemberHead, find_member, load_profile
from changke.queries.member_search import list_known
from changke.queries.tags import name_tags
from changke.rules.attributes import AttributeKind
from changke.rules.members import (
    BirthCalendar,
    ConsentAnswer,
    ConsentChannel,
    ConsentPurpose,
    Gender,
    MemberProfile,
    MemberStatus,
    SourceChannel,
)
from changke.rules.staff import Permission, Viewer
from changke.ui.templatetags.ui import local_name
from changke.ui.words import label

CONSENTS: Final = (
    (ConsentChannel.TERMS, ConsentPurpose.MEMBERSHIP),
    (ConsentChannel.SMS, ConsentPurpose.MARKETING),
    (ConsentChannel.EMAIL, ConsentPurpose.MARKETING),
    (ConsentChannel.WECHAT, ConsentPurpose.MARKETING),
    (ConsentChannel.PHONE, ConsentPurpose.MARKETING),
    (ConsentChannel.POST, ConsentPurpose.MARKETING),
    (ConsentChannel.PROFILING, ConsentPurpose.MARKETING),
)
REACHING: Final = (
    ConsentChannel.SMS,
    ConsentChannel.WECHAT,
    ConsentChannel.EMAIL,
    ConsentChannel.PHONE,
    ConsentChannel.POST,
)
JOINING: Final = (MemberStatus.FORMAL, MemberStatus.PROVISIONAL, MemberStatus.PROSPECT)
YES_NO: Final = (("", "–"), ("yes", gettext_lazy("Yes")), ("no", gettext_lazy("No")))


class MemberForm(forms.Form):
    """A profile. Fields of users are named attribute_KEY; a sensitive one left empty keeps what is stored."""

    name = forms.CharField(label=gettext_lazy("Full name"), max_length=120, required=False)
    phone = forms.CharField(label=gettext_lazy("Phone"), max_length=30, required=False)
    email = forms.CharField(label=gettext_lazy("E-mail"), max_length=254, required=False)
    gender = forms.TypedChoiceField(
        label=gettext_lazy("Gender"), coerce=Gender, choices=lambda: enum_choices(Gender), required=False
    )
    birth_calendar = forms.TypedChoiceField(
        label=gettext_lazy("Birthday by"), coerce=BirthCalendar, choices=lambda: enum_choices(BirthCalendar)
    )
    birth_year = forms.IntegerField(label=gettext_lazy("Year of birth"), required=False)
    birth_month = forms.IntegerField(label=gettext_lazy("Month of birth"), required=False, min_value=1, max_value=12)
    birth_day = forms.IntegerField(label=gettext_lazy("Day of birth"), required=False, min_value=1, max_value=31)
    birth_in_leap_month = forms.BooleanField(label=gettext_lazy("Born in a leap month (lunar)"), required=False)
    address = forms.CharField(label=gettext_lazy("Address"), max_length=300, required=False)
    region_id = forms.TypedChoiceField(
        label=gettext_lazy("Region"), coerce=int, empty_value=None, required=False, choices=region_choices
    )
    home_store_id = forms.TypedChoiceField(
        label=gettext_lazy("Home store"), coerce=int, empty_value=None, required=False
    )
    preferred_channel = forms.ChoiceField(label=gettext_lazy("Prefers to be reached by"), required=False)
    clerk_class = forms.ChoiceField(
        label=gettext_lazy("Class by the clerk"),
        required=False,
        choices=[("", "–"), ("A", "A"), ("B", "B"), ("C", "C")],
    )
    note = forms.CharField(
        label=gettext_lazy("Remark"), max_length=1000, required=False, widget=forms.Textarea(attrs={"rows": 3})
    )

    def __init__(self, *args: Any, viewer: Viewer, **more: Any) -> None:
        super().__init__(*args, **more)
        blank = [("", "–")] if viewer.store_ids is None else []
        self._choose("home_store_id", [*blank, *store_choices(viewer)])
        self._choose("preferred_channel", [("", "–"), *((c.value, label(c)) for c in REACHING)])
        self.definitions = [
            row for row in list_attributes()
            if not row.is_retired and (not row.is_sensitive or viewer.may(Permission.SEE_SENSITIVE))
        ]  # fmt: skip
        for row in self.definitions:
            self.fields[f"attribute_{row.key}"] = attribute_field(row)

    def profile(self) -> MemberProfile:
        values = dict(self.cleaned_data)
        attributes = {}
        for row in self.definitions:
            text = _spell(values.pop(f"attribute_{row.key}"))
            if text or not row.is_sensitive:
                attributes[row.key] = text
        plain = {name: values[name] for name in MemberForm.base_fields}
        return MemberProfile(**{**plain, "gender": plain["gender"] or Gender.UNKNOWN}, attributes=attributes)

    def _choose(self, name: str, choices: list[tuple[str, Any]]) -> None:
        field = self.fields[name]
        assert isinstance(field, forms.ChoiceField)
        field.choices = choices


class EnrolForm(MemberForm):
    """A profile, the way in, the card and what was agreed to; every box starts unticked."""

    source_channel = forms.TypedChoiceField(
        label=gettext_lazy("Came through"),
        coerce=SourceChannel,
        choices=lambda: [pair for pair in enum_choices(SourceChannel) if pair[0] not in {"import", "unknown"}],
    )
    status = forms.TypedChoiceField(
        label=gettext_lazy("Joins as"),
        coerce=MemberStatus,
        choices=lambda: [(status.value, label(status)) for status in JOINING],
    )
    card_number = forms.CharField(
        label=gettext_lazy("Card number"),
        max_length=40,
        required=False,
        help_text=gettext_lazy("As printed on the card; empty makes a new number."),
    )
    tags = forms.MultipleChoiceField(label=gettext_lazy("Tags"), required=False, widget=forms.CheckboxSelectMultiple)
    consents = forms.MultipleChoiceField(
        label=gettext_lazy("Agrees to"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=gettext_lazy("Tick only what the person said or signed. Nothing of it is needed to join."),
    )

    def __init__(self, *args: Any, viewer: Viewer, **more: Any) -> None:
        super().__init__(*args, viewer=viewer, **more)
        self._choose("tags", [(name, name) for _number, name in name_tags(viewer)])
        self._choose("consents", [(f"{c}:{p}", f"{label(c)} · {label(p)}") for c, p in CONSENTS])

    def enrolment(self, *, recruiter_id: int | None, others: frozenset[int]) -> Enrolment:
        values = self.cleaned_data
        pairs = {f"{channel}:{purpose}": (channel, purpose) for channel, purpose in CONSENTS}
        answers = (pairs[chosen] for chosen in values["consents"])
        return Enrolment(
            profile=self.profile(),
            source_channel=values["source_channel"],
            status=values["status"],
            recruiter_id=recruiter_id,
            card_number=values["card_number"].strip(),
            consents=tuple(ConsentAnswer(channel=c, purpose=p, is_granted=True) for c, p in answers),
            tags=tuple(values["tags"]),
            others=others,
        )


def attribute_field(row: AttributeDefinitionRow) -> forms.Field:
    """Return the form field of a user-defined attribute."""
    words: dict[str, Any] = {"label": local_name(row), "required": row.is_required and not row.is_sensitive}
    if row.is_sensitive:
        words["help_text"] = _("Stored encrypted. Left empty, what is stored stays.")
    match row.kind:
        case AttributeKind.NUMBER:
            return forms.DecimalField(**words)
        case AttributeKind.DATE:
            return forms.DateField(widget=DateInput(), **words)
        case AttributeKind.CHOICE:
            return forms.ChoiceField(choices=[("", "–"), *((c, c) for c in row.choices)], **words)
        case AttributeKind.CHOICES:
            choices = [(c, c) for c in row.choices]
            return forms.MultipleChoiceField(choices=choices, widget=forms.CheckboxSelectMultiple, **words)
        case AttributeKind.YES_NO:
            return forms.ChoiceField(choices=YES_NO, **words)
        case AttributeKind.TEXT:
            return forms.CharField(max_length=500, **words)


def enrol(request: HttpRequest) -> HttpResponse:
    """Enrol somebody; where phone, e-mail or card lead to members, show those instead."""
    viewer = viewer_of(request)
    store = next(iter(viewer.store_ids), None) if viewer.store_ids else None
    initial = {"home_store_id": store, "source_channel": SourceChannel.STORE, "gender": Gender.UNKNOWN}
    form = EnrolForm(posted(request), viewer=viewer, initial=initial)
    others = frozenset(chosen_ids(request.POST.getlist("other")))
    answers: list[Enrolled | AlreadyKnown] = []
    if form.is_valid() and accept(
        form,
        act=lambda: answers.append(
            enrol_member(
                viewer,
                enrolment=form.enrolment(recruiter_id=viewer.staff_id, others=others),
                now=utc_now(),
            )
        ),
        fields=_problem_fields(form),
    ):
        (answer,) = answers
        if isinstance(answer, Enrolled):
            messages.success(request, _("Enrolled. Card %(number)s.") % {"number": answer.card_number})
            return redirect("member", public_id=answer.public_id)
        known = list_known(viewer, member_ids=answer.member_ids)
        return _show_form(request, form=form, title=_("Enrol a member"), back=reverse("members"), known=known)
    return _show_form(request, form=form, title=_("Enrol a member"), back=reverse("members"))


def edit(request: HttpRequest, public_id: str) -> HttpResponse:
    """Edit a profile. Whoever may see contacts sees them in clear here, which is put on record."""
    viewer, head = viewer_of(request), find_or_404(request, public_id)
    stored, version = load_profile(viewer, member_id=head.id)
    if viewer.may(Permission.REVEAL_CONTACTS) and request.method == "GET":
        reveal_contacts(viewer, member_id=head.id, reason=_("Opened for editing"), now=utc_now())
    form = MemberForm(posted(request), viewer=viewer, initial=_initial(viewer, stored=stored))
    if not viewer.may(Permission.REVEAL_CONTACTS):
        for name in ("name", "phone", "email", "address"):
            form.fields[name].help_text = _("%(masked)s is stored; left empty, it stays.") % {
                "masked": getattr(head, name) or "–"
            }
    seen = int(request.POST["version"]) if request.POST.get("version", "").isdecimal() else version
    if form.is_valid() and accept(
        form,
        act=lambda: edit_member(
            viewer,
            member_id=head.id,
            version=seen,
            profile=_merged(viewer, typed=form.profile(), stored=stored),
            now=utc_now(),
        ),
        fields=_problem_fields(form),
    ):
        messages.success(request, _("Saved."))
        return redirect("member", public_id=public_id)
    back = reverse("member", args=(public_id,))
    return _show_form(request, form=form, title=head.name or head.code, back=back, version=seen)


def find_or_404(request: HttpRequest, public_id: str) -> MemberHead:
    """Return the head of a member within reach."""
    head = find_member(viewer_of(request), public_id=public_id)
    if head is None:
        raise Http404
    return head


def _merged(viewer: Viewer, *, typed: MemberProfile, stored: MemberProfile) -> MemberProfile:
    """Return the typed profile; contacts that the editor could not see and left empty stay as they are stored."""
    if viewer.may(Permission.REVEAL_CONTACTS):
        return typed
    kept = {name: getattr(typed, name) or getattr(stored, name) for name in ("name", "phone", "email", "address")}
    others = {name: getattr(typed, name) for name in (*MemberForm.base_fields, "attributes") if name not in kept}
    return MemberProfile(**kept, **others)


def _initial(viewer: Viewer, *, stored: MemberProfile) -> dict[str, Any]:
    initial = {name: getattr(stored, name) for name in MemberForm.base_fields}
    if not viewer.may(Permission.REVEAL_CONTACTS):
        initial |= dict.fromkeys(("name", "phone", "email", "address"), "")
    for row in list_attributes():
        value: Any = stored.attributes.get(row.key, "")
        initial[f"attribute_{row.key}"] = value.split("|") if row.kind is AttributeKind.CHOICES and value else value
    return initial


def _spell(value: Any) -> str:
    if value is None:
        return ""
    return "|".join(value) if isinstance(value, list) else str(value)


def _problem_fields(form: MemberForm) -> dict[str, str]:
    return {f"attributes.{row.key}": f"attribute_{row.key}" for row in form.definitions} | {"number": "card_number"}


def _show_form(request: HttpRequest, *, form: MemberForm, title: str, back: str, **more: Any) -> HttpResponse:
    crumbs = ((_("Members"), reverse("members")),)
    context = {"form": form, "back": back, "groups": _groups(form), **more}
    return render_page(request, "console/members/form.html", context, title=title, crumbs=crumbs)


def _groups(form: MemberForm) -> list[tuple[str, list[Any]]]:
    """Return the fields in the order of a conversation: who, birthday, where, what users added, joining."""
    names = {
        _("Person"): ("name", "phone", "email", "gender"),
        _("Birthday"): ("birth_calendar", "birth_year", "birth_month", "birth_day", "birth_in_leap_month"),
        _("Place and care"): (
            "home_store_id", "region_id", "address", "preferred_channel", "clerk_class", "note",
        ),
        _("More"): tuple(f"attribute_{row.key}" for row in form.definitions),
        _("Joining"): ("source_channel", "status", "card_number", "tags", "consents"),
    }  # fmt: skip
    return [
        (title, [form[name] for name in group if name in form.fields])
        for title, group in names.items()
        if any(name in form.fields for name in group)
    ]


urlpatterns = [
    path("members/new", enrol, name="member_new"),
    path("members/<str:public_id>/edit", edit, name="member_edit"),
]
