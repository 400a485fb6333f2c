"""Settings of the company and of security. Who may not change them sees them."""

from typing import Any, Final

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from changke.actions.company import change_company
from changke.actions.settings import read_setting, save_setting
from changke.console.forms import accept, enum_choices, posted
from changke.console.page import render_page
from changke.kernel.clock import utc_now
from changke.lobby.viewer import viewer_of
from changke.queries.company import load_company
from changke.queries.settings import load_setting
from changke.rules.company import CompanyCard
from changke.rules.staff import Permission, Role, SecuritySettings, require
from changke.ui.figures import Tab

TABS: Final = (("settings", gettext_lazy("Company")), ("settings_security", gettext_lazy("Security")))


class CompanyForm(forms.Form):
    name = forms.CharField(label=gettext_lazy("Name"), max_length=120)
    name_en = forms.CharField(label=gettext_lazy("English name"), max_length=120, required=False)
    time_zone = forms.CharField(label=gettext_lazy("Time zone"), max_length=60)
    data_note = forms.CharField(
        label=gettext_lazy("Source of the data"),
        max_length=300,
        required=False,
        help_text=gettext_lazy("Shown on every page where the data is not the company's own."),
    )


class SecurityForm(forms.Form):
    second_factor_roles = forms.MultipleChoiceField(
        label=gettext_lazy("Roles that need a second factor"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        choices=lambda: enum_choices(Role),
        help_text=gettext_lazy("Who has none yet is led to set it up at the next page."),
    )
    session_idle_minutes = forms.IntegerField(
        label=gettext_lazy("Minutes without a page until one must sign in again"), min_value=5, max_value=1440
    )
    session_hours_max = forms.IntegerField(
        label=gettext_lazy("Hours after which one must sign in again in any case"), min_value=1, max_value=720
    )


def show_company(request: HttpRequest) -> HttpResponse:
    """Show and change the company."""
    viewer, company = viewer_of(request), load_company() or CompanyCard(name="")
    form = CompanyForm(posted(request), initial={name: getattr(company, name) for name in CompanyForm.base_fields})
    if request.method == "POST":
        require(viewer, permission=Permission.EDIT_SETTINGS)

    def act() -> None:
        card = CompanyCard(
            **form.cleaned_data,
            currency=company.currency,
            jurisdiction=company.jurisdiction,
            is_simulated=company.is_simulated,
        )
        change_company(viewer, card=card, now=utc_now())

    if form.is_valid() and accept(form, act=act):
        messages.success(request, _("Saved."))
        return redirect("settings")
    return _show(request, form=form, name="settings", more={"currency": company.currency})


def show_security(request: HttpRequest) -> HttpResponse:
    """Show and change how staff sign in."""
    viewer, saved = viewer_of(request), load_setting(SecuritySettings)
    form = SecurityForm(posted(request), initial={name: getattr(saved, name) for name in SecurityForm.base_fields})
    if request.method == "POST":
        require(viewer, permission=Permission.EDIT_SETTINGS)
    if form.is_valid() and accept(
        form,
        act=lambda: save_setting(viewer, value=read_setting("security", values=form.cleaned_data), now=utc_now()),
    ):
        messages.success(request, _("Saved."))
        return redirect("settings_security")
    return _show(request, form=form, name="settings_security", more={})


def _show(request: HttpRequest, *, form: forms.Form, name: str, more: dict[str, Any]) -> HttpResponse:
    may_edit = viewer_of(request).may(Permission.EDIT_SETTINGS)
    if not may_edit:
        for field in form.fields.values():
            field.disabled = True
    tabs = [Tab(label=words, href=reverse(tab), is_current=tab == name) for tab, words in TABS]
    context = {"form": form, "tabs": tabs, "may_edit": may_edit} | more
    return render_page(request, "console/settings/page.html", context, title=_("Settings"))


urlpatterns = [
    path("settings", show_company, name="settings"),
    path("settings/security", show_security, name="settings_security"),
]
