"""Tags: the list with its counts, renaming and deleting."""

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from changke.actions.tags import delete_tag, rename_tag
from changke.console.forms import accept, posted
from changke.console.page import render_page
from changke.kernel.clock import utc_now
from changke.lobby.viewer import viewer_of
from changke.queries.tags import list_tags
from changke.rules.staff import Permission


class TagForm(forms.Form):
    name = forms.CharField(label=gettext_lazy("Name"), max_length=60)
    name_en = forms.CharField(label=gettext_lazy("English name"), max_length=60, required=False)


def show_tags(request: HttpRequest) -> HttpResponse:
    """List every tag."""
    viewer = viewer_of(request)
    context = {"rows": list_tags(viewer), "may_edit": viewer.may(Permission.EDIT_MEMBERS_IN_BATCH)}
    lead = _("Tags are made by tagging members: on a member's page, or for many in the list.")
    return render_page(request, "console/members/tags.html", context, title=_("Tags"), lead=lead)


def edit_tag(request: HttpRequest, number: int) -> HttpResponse:
    """Rename a tag."""
    viewer = viewer_of(request)
    row = next((row for row in list_tags(viewer) if row.id == number), None)
    if row is None:
        raise Http404
    form = TagForm(posted(request), initial={"name": row.name, "name_en": row.name_en})
    if form.is_valid() and accept(
        form, act=lambda: rename_tag(viewer, tag_id=number, now=utc_now(), **form.cleaned_data)
    ):
        messages.success(request, _("Saved."))
        return redirect("tags")
    context = {"form": form, "back": reverse("tags")}
    crumbs = ((_("Tags"), reverse("tags")),)
    return render_page(request, "console/form.html", context, title=row.name, crumbs=crumbs)


@require_POST
def remove_tag(request: HttpRequest, number: int) -> HttpResponse:
    """Take a tag off everybody and out of the list."""
    viewer = viewer_of(request)
    if all(row.id != number for row in list_tags(viewer)):
        raise Http404
    delete_tag(viewer, tag_id=number, now=utc_now())
    messages.success(request, _("The tag is deleted."))
    return redirect("tags")


urlpatterns = [
    path("tags", show_tags, name="tags"),
    path("tags/<int:number>", edit_tag, name="tag_edit"),
    path("tags/<int:number>/delete", remove_tag, name="tag_delete"),
]
