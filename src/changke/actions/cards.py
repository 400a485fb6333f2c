"""Cards: issued, reported lost, replaced, closed."""

from datetime import datetime

from django.db import transaction
from django.utils.timezone import localdate

from changke.actions.steps.audit import record_audit
from changke.actions.steps.cards import add_card
from changke.actions.steps.events import record_event
from changke.actions.steps.members import lock_member
from changke.kernel.errors import fail
from changke.records.models import Card, Member
from changke.rules.members import CardStatus, MemberEvent
from changke.rules.staff import NotAllowedError, Permission, Viewer, require


@transaction.atomic
def issue_card(actor: Viewer, *, member_id: int, now: datetime, number: str = "", store_id: int | None = None) -> str:
    """Give a member who holds no valid card a card, by the number on the plastic or a new one; returns the number."""
    require(actor, permission=Permission.ENROL_MEMBERS)
    if store_id is not None and not actor.sees_store(store_id):
        raise NotAllowedError(f"store {store_id} is out of reach")
    member = lock_member(actor, member_id=member_id)
    card = add_card(member_id, number=number, store_id=store_id, today=localdate(now))
    _record(actor, member=member, card=card, event=MemberEvent.CARD_ISSUED, now=now, before={})
    return card.number


@transaction.atomic
def report_card_lost(actor: Viewer, *, card_id: int, now: datetime, reason: str = "") -> None:
    """Stop a valid card at once; its number still leads to the member, so that a finder gains nothing unnoticed."""
    require(actor, permission=Permission.ENROL_MEMBERS)
    member, card = _lock_valid(actor, card_id=card_id)
    _end(card, status=CardStatus.LOST, reason=reason, now=now)
    _record(actor, member=member, card=card, event=MemberEvent.CARD_LOST, now=now, reason=reason)


@transaction.atomic
def replace_card(
    actor: Viewer, *, card_id: int, now: datetime, number: str = "", store_id: int | None = None, reason: str = ""
) -> str:
    """Replace a valid or lost card by a new one of the same member; returns the new number."""
    require(actor, permission=Permission.ENROL_MEMBERS)
    member, card = _lock(actor, card_id=card_id)
    if card.status not in {CardStatus.ACTIVE, CardStatus.LOST} or card.replaced_by_id is not None:
        raise fail("card_ended", "The card %(number)s was replaced or closed already.", number=card.number)
    if store_id is not None and not actor.sees_store(store_id):
        raise NotAllowedError(f"store {store_id} is out of reach")
    before = {"status": card.status}
    if card.status == CardStatus.ACTIVE:
        _end(card, status=CardStatus.REPLACED, reason=reason, now=now)
    new = add_card(member.id, number=number, store_id=store_id or card.issued_store_id, today=localdate(now))
    card.replaced_by = new
    card.save(update_fields=["replaced_by"])
    _record(actor, member=member, card=card, event=MemberEvent.CARD_REPLACED, now=now, before=before, reason=reason)
    return new.number


@transaction.atomic
def close_card(actor: Viewer, *, card_id: int, now: datetime, reason: str = "") -> None:
    """Close a valid card for good without a new one."""
    require(actor, permission=Permission.EDIT_MEMBERS)
    member, card = _lock_valid(actor, card_id=card_id)
    _end(card, status=CardStatus.CLOSED, reason=reason, now=now)
    _record(actor, member=member, card=card, event=MemberEvent.CARD_CLOSED, now=now, reason=reason)


def _lock(actor: Viewer, *, card_id: int) -> tuple[Member, Card]:
    """Lock the member first, then the card: the order of every writer of cards."""
    holder = Card.objects.filter(id=card_id).values_list("member_id", flat=True).first()
    if holder is None:
        raise NotAllowedError(f"card {card_id} is out of reach")
    member = lock_member(actor, member_id=holder)
    return member, Card.objects.select_for_update().get(id=card_id)


def _lock_valid(actor: Viewer, *, card_id: int) -> tuple[Member, Card]:
    member, card = _lock(actor, card_id=card_id)
    if card.status != CardStatus.ACTIVE:
        raise fail("card_not_valid", "The card %(number)s is not valid any more.", number=card.number)
    return member, card


def _end(card: Card, *, status: CardStatus, reason: str, now: datetime) -> None:
    card.status, card.ended_on, card.ended_reason = status.value, localdate(now), reason[:200]
    card.save(update_fields=["status", "ended_on", "ended_reason"])


def _record(
    actor: Viewer,
    *,
    member: Member,
    card: Card,
    event: MemberEvent,
    now: datetime,
    reason: str = "",
    before: dict[str, str] | None = None,
) -> None:
    record_audit(
        actor,
        now=now,
        action=event.value,
        subject_kind="member",
        subject_id=member.id,
        store_id=member.home_store_id,
        before={"status": CardStatus.ACTIVE.value} if before is None else before,
        after={"card": card.number, "status": card.status},
        reason=reason,
    )
    record_event(event.value, now=now, member_id=member.id, store_id=card.issued_store_id, subject_id=card.id)
