"""Settings of the members: leap birthdays, the country of plain phone numbers, the wordings people agree to."""

from typing import Any

from django import forms
from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from changke.actions.consents import publish_consent_text
from changke.actions.settings import save_setting
from changke.console.forms import accept, enum_choices, posted
from changke.console.page import render_page
from changke.kernel.clock import utc_now
from changke.lobby.viewer import viewer_of
from changke.queries.consent_texts import list_consent_texts
from changke.queries.settings import load_setting
from changke.rules.birthdays import BirthdaySettings, LeapRule
from changke.rules.members import ConsentPurpose, MemberSettings
from changke.rules.staff import Permission, require
from changke.ui.figures import Tab


class MemberSettingsForm(forms.Form):
    leap_rule = forms.TypedChoiceField(
        label=gettext_lazy("Born on 29 February, celebrates in a common year"),
        coerce=LeapRule,
        choices=lambda: enum_choices(LeapRule),
    )
    home_country = forms.RegexField(
        label=gettext_lazy("Country of phone numbers without prefix"),
        regex=r"^[A-Z]{2}$",
        help_text=gettext_lazy("Two letters, for example CN."),
    )


class ConsentTextForm(forms.Form):
    purpose = forms.TypedChoiceField(
        label=gettext_lazy("Purpose"), coerce=ConsentPurpose, choices=lambda: enum_choices(ConsentPurpose)
    )
    version = forms.CharField(label=gettext_lazy("Version"), max_length=20)
    language = forms.ChoiceField(label=gettext_lazy("Language"), choices=settings.LANGUAGES)
    body = forms.CharField(label=gettext_lazy("Wording"), widget=forms.Textarea(attrs={"rows": 12}))


def show_member_settings(request: HttpRequest) -> HttpResponse:
    """Show and change the settings of members."""
    viewer = viewer_of(request)
    birthdays, members = load_setting(BirthdaySettings), load_setting(MemberSettings)
    initial = {"leap_rule": birthdays.leap_rule, "home_country": members.home_country}
    form = MemberSettingsForm(posted(request), initial=initial)
    if request.method == "POST":
        require(viewer, permission=Permission.EDIT_SETTINGS)

    def act() -> None:
        values = form.cleaned_data
        save_setting(viewer, value=BirthdaySettings(leap_rule=values["leap_rule"]), now=utc_now())
        save_setting(viewer, value=MemberSettings(home_country=values["home_country"]), now=utc_now())

    if form.is_valid() and accept(form, act=act):
        messages.success(request, _("Saved."))
        return redirect("settings_members")
    may_edit = viewer.may(Permission.EDIT_SETTINGS)
    if not may_edit:
        for field in form.fields.values():
            field.disabled = True
    context: dict[str, Any] = {"form": form, "may_edit": may_edit, "tabs": _tabs("settings_members")}
    return render_page(request, "console/settings/page.html", context, title=_("Member settings"))


def show_consent_texts(request: HttpRequest) -> HttpResponse:
    """List the wordings that people agree to."""
    context = {
        "rows": list_consent_texts(),
        "may_edit": viewer_of(request).may(Permission.EDIT_SETTINGS),
        "tabs": _tabs("consent_texts"),
    }
    return render_page(request, "console/members/consent_texts.html", context, title=_("Member settings"))


def new_consent_text(request: HttpRequest) -> HttpResponse:
    """Publish a wording."""
    form = ConsentTextForm(posted(request))
    if form.is_valid() and accept(
        form, act=lambda: publish_consent_text(viewer_of(request), now=utc_now(), **form.cleaned_data)
    ):
        messages.success(request, _("Published. Consents refer to it from now on."))
        return redirect("consent_texts")
    crumbs = ((_("Wordings of consent"), reverse("consent_texts")),)
    context = {"form": form, "back": reverse("consent_texts"), "save": _("Publish")}
    return render_page(request, "console/form.html", context, title=_("New wording"), crumbs=crumbs)


def _tabs(current: str) -> list[Tab]:
    names = (("settings_members", _("Birthdays and phones")), ("consent_texts", _("Wordings of consent")))
    return [Tab(label=words, href=reverse(name), is_current=name == current) for name, words in names]


urlpatterns = [
    path("settings/members", show_member_settings, name="settings_members"),
    path("settings/consents", show_consent_texts, name="consent_texts"),
    path("settings/consents/new", new_consent_text, name="consent_text_new"),
]
