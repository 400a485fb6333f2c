"""One member: the page with everything that is known, and what can be done from it."""

from collections.abc import Callable
from typing import Any, Final

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from changke.actions.cards import close_card, issue_card, replace_card, report_card_lost
from changke.actions.consents import record_consents
from changke.actions.members import Revealed, change_status, reveal_contacts
from changke.actions.tags import tag_members, untag_members
from changke.console.audit_words import action_words
from changke.console.forms import page_number
from changke.console.member_forms import CONSENTS, find_or_404
from changke.console.page import render_page
from changke.kernel.clock import utc_now
from changke.kernel.errors import fail
from changke.lobby.viewer import viewer_of
from changke.queries.lake import current_lake
from changke.queries.member_features import load_features
from changke.queries.member_page import (
    PURCHASES_MAX,
    MemberHead,
    Moment,
    list_purchases,
    load_consents,
    load_overview,
    load_timeline,
)
from changke.queries.tags import name_tags
from changke.rules.features import FeatureRow
from changke.rules.members import (
    CardStatus,
    ConsentAnswer,
    ConsentChannel,
    ConsentPurpose,
    MemberStatus,
    SourceChannel,
    StatusMove,
    moves_from,
)
from changke.rules.staff import Permission
from changke.ui.figures import Figure, Pages, Tab

LATEST: Final = 8
TABS: Final = {
    "overview": gettext_lazy("Overview"),
    "purchases": gettext_lazy("Purchases"),
    "timeline": gettext_lazy("Time line"),
    "consents": gettext_lazy("Consents"),
}
MOVES: Final = {
    StatusMove.JOIN: (gettext_lazy("Make a member"), "how_to_reg"),
    StatusMove.CONFIRM: (gettext_lazy("Approve"), "how_to_reg"),
    StatusMove.FREEZE: (gettext_lazy("Freeze"), "ac_unit"),
    StatusMove.UNFREEZE: (gettext_lazy("Unfreeze"), "lock_open"),
    StatusMove.CLOSE: (gettext_lazy("Close membership"), "person_off"),
    StatusMove.REOPEN: (gettext_lazy("Reopen"), "restart_alt"),
}
EVENT_WORDS: Final = {
    "member_enrolled": gettext_lazy("Joined"),
    "member_changed": gettext_lazy("Profile changed"),
    "member_status_changed": gettext_lazy("Status changed"),
    "member_validity_set": gettext_lazy("Validity set"),
    "member_tagged": gettext_lazy("Tagged"),
    "member_untagged": gettext_lazy("Tag taken off"),
    "card_issued": gettext_lazy("Card issued"),
    "card_lost": gettext_lazy("Card reported lost"),
    "card_replaced": gettext_lazy("Card replaced"),
    "card_closed": gettext_lazy("Card closed"),
    "consent_recorded": gettext_lazy("Consent recorded"),
    "member_merged": gettext_lazy("Merged"),
    "member_merge_undone": gettext_lazy("Merge undone"),
}
GROUPS: Final = {
    "is_potential": gettext_lazy("Potential"),
    "is_about_to_leave": gettext_lazy("About to leave"),
    "is_one_time": gettext_lazy("One-time buyer"),
    "is_loyal": gettext_lazy("Loyal"),
    "is_high_value": gettext_lazy("High value"),
}
CARD_ACTIONS: Final[dict[str, Callable[..., Any]]] = {
    "lost": report_card_lost,
    "replace": replace_card,
    "close": close_card,
}


def show_member(request: HttpRequest, public_id: str) -> HttpResponse:
    """Show one member."""
    return _show(request, find_or_404(request, public_id))


@require_POST
def reveal(request: HttpRequest, public_id: str) -> HttpResponse:
    """Show the page once with contacts in clear, for a reason that is put on record."""
    head = find_or_404(request, public_id)
    reason = request.POST.get("reason", "")
    shown = reveal_contacts(viewer_of(request), member_id=head.id, reason=reason, now=utc_now())
    answer = _show(request, head, revealed=shown)
    answer["Cache-Control"] = "no-store"
    return answer


@require_POST
def move_status(request: HttpRequest, public_id: str) -> HttpResponse:
    """Freeze, approve, close ... a member."""
    head = find_or_404(request, public_id)
    if request.POST.get("move") not in set(StatusMove):
        raise fail("move_unknown", "This cannot be done to a member.", field="move")
    move = StatusMove(request.POST["move"])
    change_status(
        viewer_of(request), member_id=head.id, move=move, reason=request.POST.get("reason", ""), now=utc_now()
    )
    messages.success(request, _("Saved."))
    if request.POST.get("next") == "approvals":
        return redirect("approvals")
    return redirect("member", public_id=public_id)


@require_POST
def change_tags(request: HttpRequest, public_id: str) -> HttpResponse:
    """Put a tag on a member or take one off."""
    viewer, head = viewer_of(request), find_or_404(request, public_id)
    one = frozenset({head.id})
    if added := request.POST.get("add", "").strip():
        tag_members(viewer, member_ids=one, names=(added,), now=utc_now())
    if taken := request.POST.get("take", ""):
        untag_members(viewer, member_ids=one, names=(taken,), now=utc_now())
    return redirect("member", public_id=public_id)


@require_POST
def change_card(request: HttpRequest, public_id: str) -> HttpResponse:
    """Issue a card, report one lost, replace or close it."""
    viewer, post = viewer_of(request), request.POST
    head = find_or_404(request, public_id)
    kind = post.get("kind", "")
    store_id = next(iter(viewer.store_ids), None) if viewer.store_ids else None
    if kind == "issue":
        issue_card(viewer, member_id=head.id, number=post.get("number", ""), store_id=store_id, now=utc_now())
    elif kind in CARD_ACTIONS and post.get("card", "").isdecimal():
        more = {"number": post.get("number", ""), "store_id": store_id} if kind == "replace" else {}
        CARD_ACTIONS[kind](viewer, card_id=int(post["card"]), reason=post.get("reason", ""), now=utc_now(), **more)
    else:
        raise fail("card_unknown", "Choose a card and what to do with it.", field="kind")
    messages.success(request, _("Saved."))
    return redirect("member", public_id=public_id)


@require_POST
def answer_consents(request: HttpRequest, public_id: str) -> HttpResponse:
    """Record what a member agreed to or refused; what is left open stays as it is."""
    viewer, post = viewer_of(request), request.POST
    head = find_or_404(request, public_id)
    answers = tuple(
        ConsentAnswer(channel=channel, purpose=purpose, is_granted=post[f"{channel}:{purpose}"] == "yes")
        for channel in ConsentChannel
        for purpose in ConsentPurpose
        if post.get(f"{channel}:{purpose}") in {"yes", "no"}
    )
    through = post.get("given_through", "")
    given_through = SourceChannel(through) if through in set(SourceChannel) else SourceChannel.STORE
    store_id = next(iter(viewer.store_ids), None) if viewer.store_ids else None
    record_consents(
        viewer, member_id=head.id, answers=answers, given_through=given_through, store_id=store_id, now=utc_now()
    )
    messages.success(request, _("Saved."))
    return redirect(f"{reverse('member', args=(public_id,))}?tab=consents")


def _show(request: HttpRequest, head: MemberHead, *, revealed: Revealed | None = None) -> HttpResponse:
    viewer = viewer_of(request)
    if head.merged_into:
        messages.info(request, _("%(code)s lives on in this member.") % {"code": head.code})
        return redirect("member", public_id=head.merged_into)
    tab = request.GET.get("tab", "")
    tab = tab if tab in TABS and revealed is None else "overview"
    lake = current_lake()
    context = {
        "head": head,
        "revealed": revealed,
        "contacts": revealed or head,
        "tab": tab,
        "tabs": _tabs(head, current=tab),
        "as_of": lake.as_of if lake else None,
        "moves": [(move.value, *MOVES[move]) for move in moves_from(head.status)],
        "may": {
            "edit": viewer.may(Permission.EDIT_MEMBERS),
            "reveal": viewer.may(Permission.REVEAL_CONTACTS),
            "enrol": viewer.may(Permission.ENROL_MEMBERS),
            "merge": viewer.may(Permission.MERGE_MEMBERS),
        },
        **PARTS[tab](request, head),
    }
    if "features" not in context:
        context["features"] = load_features([head.id]).get(head.id)
    if tab == "overview":
        context["attributes"] = [
            (row, revealed.secrets.get(row.key, "") if revealed and row.is_sensitive else row.value)
            for row in context["data"].attributes
        ]
    crumbs = ((_("Members"), reverse("members")),)
    name = revealed.name if revealed else head.name
    return render_page(request, f"console/members/{tab}.html", context, title=name or head.code, crumbs=crumbs)


def _overview(request: HttpRequest, head: MemberHead) -> dict[str, Any]:
    viewer = viewer_of(request)
    data = load_overview(viewer, head=head)
    return {
        "data": data,
        "features": data.features,
        "figures": _figures(data.features),
        "groups": [words for name, words in GROUPS.items() if data.features and getattr(data.features, name)],
        "moments": [(moment, words_of(moment)) for moment in data.timeline[:LATEST]],
        "active_card": next((card for card in data.cards if card.status is CardStatus.ACTIVE), None),
        "known_tags": [name for _number, name in name_tags(viewer) if name not in data.tags],
        "is_usable": head.status in {MemberStatus.FORMAL, MemberStatus.PROVISIONAL, MemberStatus.PROSPECT},
    }


def _purchases(request: HttpRequest, head: MemberHead) -> dict[str, Any]:
    number = page_number(request)
    rows, total = list_purchases(head, first=(number - 1) * PURCHASES_MAX)
    return {"purchases": rows, "pages": Pages(number=number, size=PURCHASES_MAX, total=total)}


def _timeline(_request: HttpRequest, head: MemberHead) -> dict[str, Any]:
    return {"moments": [(moment, words_of(moment)) for moment in load_timeline(head)]}


def _consents(_request: HttpRequest, head: MemberHead) -> dict[str, Any]:
    ledger = load_consents(head)
    pairs = [*CONSENTS, *sorted(ledger.in_force.keys() - {*CONSENTS})]
    return {"consents": [(c, p, ledger.in_force.get((c, p))) for c, p in pairs], "history": ledger.history}


PARTS: Final[dict[str, Callable[[HttpRequest, MemberHead], dict[str, Any]]]] = {
    "overview": _overview,
    "purchases": _purchases,
    "timeline": _timeline,
    "consents": _consents,
}


def words_of(moment: Moment) -> Any:
    """Return the words for an entry of the time line."""
    if moment.source == "sale":
        return _("Purchase") if moment.kind == "sale" else _("Return")
    return EVENT_WORDS.get(moment.kind) or action_words(moment.kind)


def _tabs(head: MemberHead, *, current: str) -> list[Tab]:
    here = reverse("member", args=(head.public_id,))
    return [
        Tab(label=words, href=here if name == "overview" else f"{here}?tab={name}", is_current=name == current)
        for name, words in TABS.items()
    ]


def _figures(row: FeatureRow | None) -> list[Figure]:
    """Return the key figures of the analysis; none before the first one."""
    if row is None:
        return []
    return [
        Figure(label=_("Spent ever"), value=row.net_ever_minor, kind="money"),
        Figure(label=_("Receipts"), value=row.receipts_ever),
        Figure(label=_("Average ticket"), value=row.mean_ticket_minor, kind="money"),
        Figure(label=_("Days since the last visit"), value=row.recency_days),
        Figure(label=_("Buys within 30 days"), value=row.buys_in_30_days_ppm, kind="share", hint=_("Forecast")),
        Figure(label=_("Expected spend in a year"), value=row.expected_value_minor, kind="money", hint=_("Forecast")),
    ]


urlpatterns = [
    path("members/<str:public_id>", show_member, name="member"),
    path("members/<str:public_id>/reveal", reveal, name="member_reveal"),
    path("members/<str:public_id>/status", move_status, name="member_status"),
    path("members/<str:public_id>/tags", change_tags, name="member_tags"),
    path("members/<str:public_id>/card", change_card, name="member_card"),
    path("members/<str:public_id>/consents", answer_consents, name="member_consents"),
]
