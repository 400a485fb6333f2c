"""A number leads to one member for ever; a member holds one valid card."""

from datetime import datetime

import pytest

from changke.actions.cards import close_card, issue_card, replace_card, report_card_lost
from changke.actions.members import Enrolled, Enrolment, enrol_member
from changke.kernel.errors import ChangkeError
from changke.records.models import AuditEntry, Card, Event
from changke.rules.members import MemberProfile, SourceChannel
from changke.rules.staff import SYSTEM


@pytest.fixture
def card(db: None, now: datetime) -> Card:
    enrolment = Enrolment(profile=MemberProfile(phone="13800138000"), source_channel=SourceChannel.STORE)
    done = enrol_member(SYSTEM, enrolment=enrolment, now=now)
    assert isinstance(done, Enrolled)
    return Card.objects.get(number=done.card_number)


def test_a_lost_card_stops_and_is_replaced(card: Card, now: datetime) -> None:
    report_card_lost(SYSTEM, card_id=card.id, now=now, reason="丢失")
    new = replace_card(SYSTEM, card_id=card.id, now=now, number="B-200")
    card.refresh_from_db()
    assert (new, card.status, card.replaced_by and card.replaced_by.number) == ("B-200", "lost", "B-200")
    assert Card.objects.get(number="B-200").member_id == card.member_id
    assert list(Event.objects.order_by("id").values_list("kind", flat=True))[1:] == ["card_lost", "card_replaced"]
    assert AuditEntry.objects.get(action="card_lost").reason == "丢失"


def test_a_valid_card_is_replaced_at_once(card: Card, now: datetime) -> None:
    number = replace_card(SYSTEM, card_id=card.id, now=now)
    card.refresh_from_db()
    assert card.status == "replaced" and card.ended_on is not None
    assert number != card.number and len(number) == 13


def test_one_valid_card_a_member_and_one_member_a_number(card: Card, now: datetime) -> None:
    with pytest.raises(ChangkeError, match="holds the valid card"):
        issue_card(SYSTEM, member_id=card.member_id, now=now)
    report_card_lost(SYSTEM, card_id=card.id, now=now)
    with pytest.raises(ChangkeError, match="in use"):
        issue_card(SYSTEM, member_id=card.member_id, number=card.number, now=now)
    with pytest.raises(ChangkeError):
        issue_card(SYSTEM, member_id=card.member_id, number="x y", now=now)
    assert issue_card(SYSTEM, member_id=card.member_id, now=now)


def test_an_ended_card_cannot_end_again(card: Card, now: datetime) -> None:
    close_card(SYSTEM, card_id=card.id, now=now)
    for action in (report_card_lost, close_card, replace_card):
        with pytest.raises(ChangkeError):
            action(SYSTEM, card_id=card.id, now=now)
    assert Card.objects.count() == 1
