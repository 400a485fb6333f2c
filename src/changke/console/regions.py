"""Regions: parts of the country that group stores."""

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from changke.actions.regions import add_region, change_region
from changke.console.forms import accept, posted
from changke.console.page import render_page
from changke.console.stores import shop_tabs
from changke.kernel.clock import utc_now
from changke.lobby.viewer import viewer_of
from changke.queries.company import list_regions
from changke.rules.company import RegionCard
from changke.rules.staff import Permission


class RegionForm(forms.Form):
    code = forms.CharField(label=gettext_lazy("Code"), max_length=40)
    name = forms.CharField(label=gettext_lazy("Name"), max_length=80)
    name_en = forms.CharField(label=gettext_lazy("English name"), max_length=80, required=False)


def show_regions(request: HttpRequest) -> HttpResponse:
    """List the regions."""
    context = {
        "rows": list_regions(),
        "tabs": shop_tabs("regions"),
        "may_edit": viewer_of(request).may(Permission.EDIT_SHOP),
    }
    return render_page(request, "console/stores/regions.html", context, title=_("Regions"))


def new_region(request: HttpRequest) -> HttpResponse:
    """Add a region."""
    form = RegionForm(posted(request))
    if form.is_valid() and accept(
        form, act=lambda: add_region(viewer_of(request), card=RegionCard(**form.cleaned_data), now=utc_now())
    ):
        messages.success(request, _("Saved."))
        return redirect("regions")
    return _show_form(request, form=form, title=_("New region"))


def edit_region(request: HttpRequest, region_id: int) -> HttpResponse:
    """Change a region."""
    row = next((row for row in list_regions() if row.id == region_id), None)
    if row is None:
        raise Http404
    card = row.card
    form = RegionForm(posted(request), initial={"code": card.code, "name": card.name, "name_en": card.name_en})
    if form.is_valid() and accept(
        form,
        act=lambda: change_region(
            viewer_of(request), region_id=region_id, card=RegionCard(**form.cleaned_data), now=utc_now()
        ),
    ):
        messages.success(request, _("Saved."))
        return redirect("regions")
    return _show_form(request, form=form, title=card.name)


def _show_form(request: HttpRequest, *, form: RegionForm, title: str) -> HttpResponse:
    back = reverse("regions")
    crumbs = ((_("Stores"), reverse("stores")), (_("Regions"), back))
    return render_page(request, "console/form.html", {"form": form, "back": back}, title=title, crumbs=crumbs)


urlpatterns = [
    path("regions", show_regions, name="regions"),
    path("regions/new", new_region, name="region_new"),
    path("regions/<int:region_id>/edit", edit_region, name="region_edit"),
]
