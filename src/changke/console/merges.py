"""Duplicates: the list, two members side by side, merging them, and the way back."""

from typing import Any, Final

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from changke.actions.duplicates import ask_for_duplicates, dismiss_pair
from changke.actions.merges import merge_members, undo_merge
from changke.console.forms import page_number
from changke.console.page import render_page
from changke.kernel.clock import utc_now
from changke.lobby.viewer import viewer_of
from changke.queries.duplicates import (
    PAGE_SIZE,
    MergePreview,
    count_reasons,
    find_merge,
    find_pair,
    list_pairs,
    preview_merge,
)
from changke.rules.duplicates import DuplicateReason
from changke.rules.members import ConsentChannel, ConsentPurpose
from changke.rules.merges import GROUPS, Side
from changke.rules.staff import Permission
from changke.ui.figures import Choice, Facet, Pages
from changke.ui.words import label, word

GROUP_WORDS: Final = {
    "name": gettext_lazy("Full name"),
    "gender": gettext_lazy("Gender"),
    "birthday": gettext_lazy("Birthday"),
    "phone": gettext_lazy("Phone"),
    "email": gettext_lazy("E-mail"),
    "address": gettext_lazy("Address and region"),
    "home_store": gettext_lazy("Home store"),
    "recruiter": gettext_lazy("Source and recruiter"),
    "preferred_channel": gettext_lazy("Prefers to be reached by"),
    "clerk_class": gettext_lazy("Class by the clerk"),
    "note": gettext_lazy("Remark"),
    "validity": gettext_lazy("Validity"),
}
MOVED_WORDS: Final = {
    "sales": gettext_lazy("Sales and returns"),
    "cards": gettext_lazy("Cards"),
    "codes": gettext_lazy("Codes of other systems"),
    "tags": gettext_lazy("Tags added"),
    "opportunities": gettext_lazy("Wake-ups"),
    "consents": gettext_lazy("Consents changed"),
}
WORDS_OF: Final = {"gender": "Gender", "recruiter": "SourceChannel", "preferred_channel": "ConsentChannel"}


def show_duplicates(request: HttpRequest) -> HttpResponse:
    """List the open pairs."""
    viewer = viewer_of(request)
    chosen = tuple(DuplicateReason(value) for value in request.GET.getlist("reason") if value in set(DuplicateReason))
    number = page_number(request)
    rows, total = list_pairs(viewer, reasons=chosen, first=(number - 1) * PAGE_SIZE)
    counts = count_reasons(viewer)
    choices = [
        Choice(value=reason.value, label=label(reason), count=counts.get(reason.value, 0), is_chosen=reason in chosen)
        for reason in DuplicateReason
    ]
    context = {
        "rows": [(row, label(row.reason)) for row in rows],
        "facets": [Facet(name="reason", label=_("Reason"), choices=choices)],
        "pages": Pages(number=number, size=PAGE_SIZE, total=total),
        "is_filtered": bool(chosen),
        "may_merge": viewer.may(Permission.MERGE_MEMBERS),
    }
    lead = _("Pairs of members who may be one person. Nothing is merged by itself.")
    return render_page(request, "console/members/duplicates.html", context, title=_("Duplicates"), lead=lead)


@require_POST
def search_duplicates(request: HttpRequest) -> HttpResponse:
    """Have all members looked through for new pairs."""
    ask_for_duplicates(viewer_of(request))
    messages.success(request, _("All members are being looked through. New pairs appear here in a moment."))
    return redirect("duplicates")


def compare(request: HttpRequest, pair_id: int) -> HttpResponse:
    """Show a pair side by side with what a merge would leave; merge it when that is confirmed."""
    viewer = viewer_of(request)
    pair = find_pair(viewer, pair_id=pair_id)
    if pair is None:
        raise Http404
    first, second, reason = pair
    data = request.POST if request.method == "POST" else request.GET
    survivor, loser = (second, first) if data.get("survivor") == str(second) else (first, second)
    choices = {group: Side(data[group]) for group in GROUPS if data.get(group) in set(Side)}
    if request.method == "POST":
        public_id = merge_members(
            viewer,
            survivor_id=survivor,
            loser_id=loser,
            choices=choices,
            reason=request.POST.get("reason", ""),
            now=utc_now(),
        )
        messages.success(request, _("Merged. It can be undone."))
        return redirect("merge", public_id=public_id)
    preview = preview_merge(viewer, survivor_id=survivor, loser_id=loser, choices=choices)
    context = {
        "preview": preview,
        "reason": label(reason),
        "pair_id": pair_id,
        "rows": _rows(preview),
        "consents": _consents(preview),
        "swap": f"?survivor={loser}",
    }
    crumbs = ((_("Duplicates"), reverse("duplicates")),)
    return render_page(request, "console/members/compare.html", context, title=_("One person?"), crumbs=crumbs)


@require_POST
def dismiss(request: HttpRequest, pair_id: int) -> HttpResponse:
    """Decide that a pair is two people."""
    dismiss_pair(viewer_of(request), pair_id=pair_id, reason=request.POST.get("reason", ""), now=utc_now())
    messages.success(request, _("Noted: two different people."))
    return redirect("duplicates")


def show_merge(request: HttpRequest, public_id: str) -> HttpResponse:
    """Show what a merge moved."""
    merge = find_merge(viewer_of(request), public_id=public_id)
    if merge is None:
        raise Http404
    context = {"merge": merge, "moved": [(words, merge.moved[key]) for key, words in MOVED_WORDS.items()]}
    crumbs = ((_("Duplicates"), reverse("duplicates")),)
    return render_page(request, "console/members/merge.html", context, title=_("Merge"), crumbs=crumbs)


@require_POST
def undo(request: HttpRequest, public_id: str) -> HttpResponse:
    """Undo a merge."""
    undo_merge(viewer_of(request), public_id=public_id, reason=request.POST.get("reason", ""), now=utc_now())
    messages.success(request, _("Undone: both members are as they were."))
    return redirect("merge", public_id=public_id)


def _rows(preview: MergePreview) -> list[dict[str, Any]]:
    """Return a line for each group of fields that at least one of the two has."""
    rows = []
    for group, title in GROUP_WORDS.items():
        ours, theirs = preview.survivor.shown[group], preview.loser.shown[group]
        if not ours and not theirs:
            continue
        rows.append(
            {
                "group": group,
                "title": title,
                "ours": _spell(group, ours),
                "theirs": _spell(group, theirs),
                "side": preview.decision.sides[group].value,
                "differs": ours != theirs,
            }
        )
    return rows


def _spell(group: str, value: Any) -> Any:
    return word(value, kind=WORDS_OF[group]) if value and group in WORDS_OF else value


def _consents(preview: MergePreview) -> list[dict[str, Any]]:
    """Return a line for each consent that one of the two has answered, with what holds after a merge."""
    ours, theirs = preview.survivor.consents, preview.loser.consents
    return [
        {
            "title": f"{label(ConsentChannel(pair[0]))} · {label(ConsentPurpose(pair[1]))}",
            "ours": ours.get(pair),
            "theirs": theirs.get(pair),
            "after": preview.decision.consents.get(pair, ours.get(pair)),
        }
        for pair in sorted({*ours, *theirs})
    ]


urlpatterns = [
    path("duplicates", show_duplicates, name="duplicates"),
    path("duplicates/search", search_duplicates, name="duplicates_search"),
    path("duplicates/<int:pair_id>", compare, name="duplicate"),
    path("duplicates/<int:pair_id>/dismiss", dismiss, name="duplicate_dismiss"),
    path("merges/<str:public_id>", show_merge, name="merge"),
    path("merges/<str:public_id>/undo", undo, name="merge_undo"),
]
