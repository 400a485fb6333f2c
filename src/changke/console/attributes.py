"""Member attributes: fields of the profile that users define without code."""

from typing import Any

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from changke.actions.attributes import (
    AttributeForm,
    bring_back_attribute,
    change_attribute,
    define_attribute,
    retire_attribute,
)
from changke.console.forms import accept, enum_choices, posted
from changke.console.page import render_page
from changke.kernel.clock import utc_now
from changke.lobby.viewer import viewer_of
from changke.queries.attributes import find_attribute, list_attributes
from changke.rules.attributes import AttributeKind
from changke.rules.staff import Permission


class AttributeDefinitionForm(forms.Form):
    """An attribute; key, kind and secrecy are fixed once it exists."""

    key = forms.CharField(
        label=gettext_lazy("Key"),
        max_length=40,
        help_text=gettext_lazy("Small letters, digits and underscores; it is for ever."),
    )
    name = forms.CharField(label=gettext_lazy("Name"), max_length=80)
    name_en = forms.CharField(label=gettext_lazy("English name"), max_length=80, required=False)
    kind = forms.TypedChoiceField(
        label=gettext_lazy("Kind"), coerce=AttributeKind, choices=lambda: enum_choices(AttributeKind)
    )
    choices = forms.CharField(
        label=gettext_lazy("Choices"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text=gettext_lazy("One a line; only for one choice or several choices."),
    )
    position = forms.IntegerField(label=gettext_lazy("Place on the form"), min_value=0, max_value=999)
    is_required = forms.BooleanField(label=gettext_lazy("Must be filled in at joining"), required=False)
    is_visible_to_member = forms.BooleanField(label=gettext_lazy("Visible to the member"), required=False)
    is_sensitive = forms.BooleanField(
        label=gettext_lazy("Sensitive: stored encrypted, shown only with a right and a reason"), required=False
    )

    def __init__(self, *args: Any, is_new: bool, **more: Any) -> None:
        super().__init__(*args, **more)
        if not is_new:
            for name in ("key", "kind", "is_sensitive"):
                self.fields[name].disabled = True

    def form(self) -> AttributeForm:
        values = dict(self.cleaned_data)
        lines = tuple(line.strip() for line in values.pop("choices").splitlines() if line.strip())
        return AttributeForm(**values, choices=lines)


def show_attributes(request: HttpRequest) -> HttpResponse:
    """List every attribute."""
    viewer = viewer_of(request)
    context = {"rows": list_attributes(), "may_edit": viewer.may(Permission.EDIT_SETTINGS)}
    lead = _("Fields that you add to the members' profiles.")
    return render_page(request, "console/members/attributes.html", context, title=_("Member attributes"), lead=lead)


def new_attribute(request: HttpRequest) -> HttpResponse:
    """Define an attribute."""
    initial = {"kind": AttributeKind.TEXT, "position": 10 * (len(list_attributes()) + 1)}
    form = AttributeDefinitionForm(posted(request), is_new=True, initial=initial)
    if form.is_valid() and accept(
        form, act=lambda: define_attribute(viewer_of(request), form=form.form(), now=utc_now())
    ):
        messages.success(request, _("Saved."))
        return redirect("attributes")
    return _show_form(request, form=form, title=_("New attribute"))


def edit_attribute(request: HttpRequest, key: str) -> HttpResponse:
    """Change an attribute."""
    row = find_attribute(key)
    if row is None:
        raise Http404
    initial = {name: getattr(row, name) for name in AttributeDefinitionForm.base_fields}
    initial["choices"] = "\n".join(row.choices)
    form = AttributeDefinitionForm(posted(request), is_new=False, initial=initial)
    if form.is_valid() and accept(
        form, act=lambda: change_attribute(viewer_of(request), form=form.form(), now=utc_now())
    ):
        messages.success(request, _("Saved."))
        return redirect("attributes")
    return _show_form(request, form=form, title=row.name)


@require_POST
def retire(request: HttpRequest, key: str) -> HttpResponse:
    """Take an attribute off the forms, or put it back."""
    act = bring_back_attribute if "back" in request.POST else retire_attribute
    act(viewer_of(request), key=key, now=utc_now())
    messages.success(request, _("Saved."))
    return redirect("attributes")


def _show_form(request: HttpRequest, *, form: AttributeDefinitionForm, title: str) -> HttpResponse:
    crumbs = ((_("Member attributes"), reverse("attributes")),)
    context = {"form": form, "back": reverse("attributes")}
    return render_page(request, "console/form.html", context, title=title, crumbs=crumbs)


urlpatterns = [
    path("attributes", show_attributes, name="attributes"),
    path("attributes/new", new_attribute, name="attribute_new"),
    path("attributes/<slug:key>", edit_attribute, name="attribute_edit"),
    path("attributes/<slug:key>/retire", retire, name="attribute_retire"),
]
