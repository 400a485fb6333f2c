"""The ledger of consents: appended, proven, in force at once; tags and attributes in batch."""

from datetime import datetime, timedelta

import pytest
from django.db import IntegrityError, transaction

from changke.actions.attributes import (
    AttributeForm,
    bring_back_attribute,
    change_attribute,
    define_attribute,
    retire_attribute,
)
from changke.actions.consents import publish_consent_text, record_consents
from changke.actions.members import Enrolled, Enrolment, enrol_member
from changke.actions.steps.consents import newest_consents
from changke.actions.tags import delete_tag, rename_tag, tag_members, untag_members
from changke.kernel.errors import ChangkeError
from changke.records.models import AttributeDefinition, AuditEntry, Consent, Event, MemberTag, Tag
from changke.rules.attributes import AttributeKind
from changke.rules.members import ConsentAnswer, ConsentChannel, ConsentPurpose, MemberProfile, SourceChannel
from changke.rules.staff import SYSTEM, NotAllowedError, Role, Viewer

MARKETING = Viewer(user_id=None, staff_id=None, name="li", role=Role.MARKETING, store_ids=None)
SERVICE = Viewer(user_id=None, staff_id=None, name="he", role=Role.SERVICE, store_ids=None)


def member(now: datetime, phone: str = "13800138000") -> int:
    enrolment = Enrolment(profile=MemberProfile(phone=phone), source_channel=SourceChannel.STORE)
    done = enrol_member(SYSTEM, enrolment=enrolment, now=now)
    assert isinstance(done, Enrolled)
    return done.member_id


def sms(is_granted: bool) -> ConsentAnswer:
    return ConsentAnswer(channel=ConsentChannel.SMS, purpose=ConsentPurpose.MARKETING, is_granted=is_granted)


def test_the_newest_answer_is_in_force_and_all_are_kept(db: None, now: datetime) -> None:
    someone = member(now)
    text = publish_consent_text(
        SYSTEM, purpose=ConsentPurpose.MARKETING, version="1", language="zh-hans", body="同意接收短信", now=now
    )
    channel = SourceChannel.WEBSITE
    assert record_consents(SYSTEM, member_id=someone, answers=(sms(True),), given_through=channel, now=now) == 1
    assert record_consents(SYSTEM, member_id=someone, answers=(sms(True),), given_through=channel, now=now) == 0
    later = now + timedelta(hours=1)
    assert record_consents(SYSTEM, member_id=someone, answers=(sms(False),), given_through=channel, now=later) == 1
    rows = list(Consent.objects.order_by("id").values_list("is_granted", "text_id", "given_through"))
    assert rows == [(True, text, "website"), (False, text, "website")]
    assert not newest_consents(someone)["sms", "marketing"].is_granted
    assert Event.objects.filter(kind="consent_recorded").count() == 2
    with pytest.raises(IntegrityError), transaction.atomic():
        Consent.objects.update(is_granted=True)


def test_a_published_wording_stays(db: None, now: datetime) -> None:
    wording = {"purpose": ConsentPurpose.SERVICE, "version": "1", "language": "en", "now": now}
    publish_consent_text(SYSTEM, body="one", **wording)  # type: ignore[arg-type]
    with pytest.raises(ChangkeError, match="published already"):
        publish_consent_text(SYSTEM, body="two", **wording)  # type: ignore[arg-type]


def test_tags_in_batch(db: None, now: datetime) -> None:
    both = frozenset({member(now), member(now, "13900139000")})
    assert tag_members(MARKETING, member_ids=both, names=("奶茶", " 面 "), now=now) == 2
    assert tag_members(MARKETING, member_ids=both, names=("奶茶",), now=now) == 0
    assert MemberTag.objects.count() == 4
    assert untag_members(MARKETING, member_ids=both, names=("面",), now=now) == 2
    assert Event.objects.filter(kind="member_tagged").count() == 2
    assert AuditEntry.objects.filter(action="member_untagged").count() == 2
    with pytest.raises(NotAllowedError):
        tag_members(SERVICE, member_ids=both, names=("x",), now=now)
    one = frozenset(list(both)[:1])
    assert tag_members(SERVICE, member_ids=one, names=("x",), now=now) == 1


def test_a_tag_is_renamed_and_deleted(db: None, now: datetime) -> None:
    someone = member(now)
    tag_members(SYSTEM, member_ids=frozenset({someone}), names=("奶茶", "面"), now=now)
    tea = Tag.objects.get(name="奶茶")
    with pytest.raises(ChangkeError, match="already"):
        rename_tag(SYSTEM, tag_id=tea.id, name="面", name_en="", now=now)
    rename_tag(SYSTEM, tag_id=tea.id, name="茶饮", name_en="Tea", now=now)
    delete_tag(SYSTEM, tag_id=Tag.objects.get(name="面").id, now=now)
    assert list(Tag.objects.values_list("name", flat=True)) == ["茶饮"]
    assert MemberTag.objects.count() == 1
    assert AuditEntry.objects.get(action="delete_tag").before == {"name": "面", "members": 1}


def test_an_attribute_keeps_its_key_and_kind(db: None, now: datetime) -> None:
    form = AttributeForm(key="job", name="职业", kind=AttributeKind.CHOICE, choices=("学生", "上班族"))
    define_attribute(SYSTEM, form=form, now=now)
    with pytest.raises(ChangkeError, match="in use"):
        define_attribute(SYSTEM, form=form, now=now)
    with pytest.raises(ChangkeError, match="stay as they are"):
        change_attribute(SYSTEM, form=AttributeForm(key="job", name="职业"), now=now)
    wider = AttributeForm(key="job", name="职业", kind=AttributeKind.CHOICE, choices=("学生", "上班族", "主妇"))
    change_attribute(SYSTEM, form=wider, now=now)
    retire_attribute(SYSTEM, key="job", now=now)
    row = AttributeDefinition.objects.get()
    assert row.is_retired and row.choices == ["学生", "上班族", "主妇"]
    bring_back_attribute(SYSTEM, key="job", now=now)
    assert not AttributeDefinition.objects.get().is_retired


@pytest.mark.parametrize(
    "form",
    [
        AttributeForm(key="Job", name="职业"),
        AttributeForm(key="job", name=" "),
        AttributeForm(key="job", name="职业", kind=AttributeKind.CHOICE),
        AttributeForm(key="job", name="职业", choices=("a",)),
        AttributeForm(key="job", name="职业", kind=AttributeKind.CHOICES, choices=("a|b",)),
    ],
)
def test_a_wrong_attribute_is_refused(db: None, now: datetime, form: AttributeForm) -> None:
    with pytest.raises(ChangkeError):
        define_attribute(SYSTEM, form=form, now=now)
    assert not AttributeDefinition.objects.exists()
