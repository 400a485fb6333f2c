"""Members are enrolled once, edited over the version that was seen, frozen and closed; personal values stay masked."""

from dataclasses import replace
from datetime import date, datetime, timedelta
from threading import Barrier, Thread

import pytest
from django.db import connection

from changke.actions.attributes import AttributeForm, define_attribute
from changke.actions.members import (
    AlreadyKnown,
    Enrolled,
    Enrolment,
    change_status,
    edit_member,
    enrol_member,
    reveal_contacts,
    set_validity_in_batch,
)
from changke.actions.steps.birthdays import renew_birthdays
from changke.actions.stores import open_store
from changke.kernel.errors import ChangkeError
from changke.records.models import AuditEntry, Card, Consent, Event, Member, MemberKey, MemberSecret
from changke.rules.attributes import AttributeKind
from changke.rules.members import (
    BirthCalendar,
    ConsentAnswer,
    ConsentChannel,
    ConsentPurpose,
    Gender,
    MemberProfile,
    MemberStatus,
    SourceChannel,
    StatusMove,
)
from changke.rules.staff import SYSTEM, NotAllowedError, Role, Viewer
from changke.rules.stores import StoreCard

WANG = MemberProfile(name="王小明", phone="138 0013 8000", gender=Gender.MALE)
SMS = ConsentAnswer(channel=ConsentChannel.SMS, purpose=ConsentPurpose.MARKETING, is_granted=True)


def joining(profile: MemberProfile = WANG, **changes: object) -> Enrolment:
    return replace(Enrolment(profile=profile, source_channel=SourceChannel.STORE), **changes)  # type: ignore[arg-type]


def enrol(now: datetime, profile: MemberProfile = WANG, **changes: object) -> Enrolled:
    done = enrol_member(SYSTEM, enrolment=joining(profile, **changes), now=now)
    assert isinstance(done, Enrolled)
    return done


def staff_of(role: Role, *store_ids: int) -> Viewer:
    return Viewer(user_id=None, staff_id=None, name=role.value, role=role, store_ids=frozenset(store_ids) or None)


@pytest.fixture
def store(db: None, now: datetime) -> int:
    return open_store(SYSTEM, card=StoreCard(code="HZ01", name="湖滨店"), now=now)


def test_who_joins_gets_code_card_pinyin_and_next_birthday(store: int, now: datetime) -> None:
    profile = replace(WANG, birth_calendar=BirthCalendar.LUNAR, birth_month=8, birth_day=15, email="Wang@Example.com")
    done = enrol(now, replace(profile, home_store_id=store), consents=(SMS,), tags=("奶茶",))
    member = Member.objects.get(id=done.member_id)
    assert (member.phone, member.phone_last4, member.email) == ("+8613800138000", "8000", "wang@example.com")
    assert (member.name_initials, member.next_birthday_on) == ("wxm", date(2027, 9, 15))
    assert (member.status, member.joined_on, member.code) == ("formal", date(2026, 11, 22), f"M{member.id:09d}")
    assert Card.objects.get(member=member).number == done.card_number
    consent = Consent.objects.get(member=member)
    assert (consent.channel, consent.is_granted, consent.store_id) == ("sms", True, store)
    assert list(member.tag_rows.values_list("tag__name", flat=True)) == ["奶茶"]
    entry = AuditEntry.objects.get(action="enrol_member")
    assert entry.after["phone"] == "138****8000" and entry.after["name"] == "王*明"
    assert "example" in entry.after["email"] and "wang" not in str(entry.after)
    event = Event.objects.get(kind="member_enrolled")
    assert event.data == {"source_channel": "store", "status": "formal"}


def test_joining_looks_up_the_phone_first(db: None, now: datetime) -> None:
    first = enrol(now)
    again = enrol_member(SYSTEM, enrolment=joining(replace(WANG, name="小明", phone="+8613800138000")), now=now)
    assert again == AlreadyKnown(member_ids=(first.member_id,))
    assert Member.objects.count() == 1
    family = enrol(now, replace(WANG, name="王太太"), others=frozenset({first.member_id}))
    assert family.member_id != first.member_id


def test_a_known_card_or_email_is_offered_too(db: None, now: datetime) -> None:
    held = enrol(now, replace(WANG, email="w@example.com"), card_number="A100")
    by_card = enrol_member(SYSTEM, enrolment=joining(MemberProfile(), card_number="A100"), now=now)
    by_mail = enrol_member(SYSTEM, enrolment=joining(MemberProfile(email="W@example.com")), now=now)
    assert by_card == by_mail == AlreadyKnown(member_ids=(held.member_id,))


@pytest.mark.parametrize(
    ("profile", "field"),
    [
        (MemberProfile(name="没有电话"), "phone"),
        (replace(WANG, phone="12345"), "phone"),
        (replace(WANG, email="nonsense"), "email"),
        (replace(WANG, birth_month=2, birth_day=30), "birth_day"),
        (replace(WANG, birth_month=2), "birth_day"),
        (replace(WANG, birth_year=2030), "birth_year"),
        (replace(WANG, name="长" * 121), "name"),
        (replace(WANG, region_id=999), "region_id"),
        (replace(WANG, home_store_id=999), "home_store_id"),
        (replace(WANG, attributes={"shoe": "42"}), "attributes.shoe"),
        (replace(WANG, clerk_class="D"), "clerk_class"),
        (replace(WANG, preferred_channel="pigeon"), "preferred_channel"),
    ],
)
def test_a_wrong_form_changes_nothing(db: None, now: datetime, profile: MemberProfile, field: str) -> None:
    with pytest.raises(ChangkeError) as caught:
        enrol_member(SYSTEM, enrolment=joining(profile), now=now)
    assert caught.value.problems[0].field == field
    assert not Member.objects.exists() and not AuditEntry.objects.exists()


def test_a_cashier_enrols_for_the_own_store_only(store: int, now: datetime) -> None:
    cashier = staff_of(Role.CASHIER, store)
    own = enrol_member(cashier, enrolment=joining(replace(WANG, home_store_id=store)), now=now)
    assert isinstance(own, Enrolled)
    with pytest.raises(NotAllowedError):
        enrol_member(cashier, enrolment=joining(replace(WANG, phone="13900139000")), now=now)
    with pytest.raises(NotAllowedError):
        enrol_member(staff_of(Role.AUDITOR), enrolment=joining(), now=now)


@pytest.mark.django_db(transaction=True)
def test_two_tills_enrolling_one_phone_at_once_make_one_member(now: datetime) -> None:
    answers: list[Enrolled | AlreadyKnown] = []
    start = Barrier(8)

    def till() -> None:
        try:
            start.wait(timeout=30)
            answers.append(enrol_member(SYSTEM, enrolment=joining(), now=now))
        finally:
            connection.close()

    threads = [Thread(target=till) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert sum(isinstance(answer, Enrolled) for answer in answers) == 1
    assert len(answers) == 8 and Member.objects.count() == 1


def test_an_edit_names_the_version_it_saw(db: None, now: datetime) -> None:
    done = enrol(now)
    edit_member(SYSTEM, member_id=done.member_id, version=1, profile=replace(WANG, address="上海市南京路1号"), now=now)
    with pytest.raises(ChangkeError, match="meanwhile"):
        edit_member(SYSTEM, member_id=done.member_id, version=1, profile=replace(WANG, name="王大明"), now=now)
    member = Member.objects.get(id=done.member_id)
    assert (member.name, member.address, member.version) == ("王小明", "上海市南京路1号", 2)
    entry = AuditEntry.objects.get(action="edit_member")
    assert entry.before == {"address": ""} and entry.after == {"address": "上海市南京路***"}
    assert Event.objects.get(kind="member_changed").data == {"fields": ["address"]}


def test_an_edit_that_changes_nothing_leaves_no_trace(db: None, now: datetime) -> None:
    done = enrol(now)
    edit_member(SYSTEM, member_id=done.member_id, version=1, profile=WANG, now=now)
    assert Member.objects.get().version == 1
    assert not AuditEntry.objects.filter(action="edit_member").exists()


def test_sensitive_attributes_are_encrypted_and_shown_for_a_reason(db: None, now: datetime) -> None:
    for key, is_sensitive in (("allergy", True), ("shoe", False)):
        form = AttributeForm(key=key, name=key, kind=AttributeKind.TEXT, is_sensitive=is_sensitive)
        define_attribute(SYSTEM, form=form, now=now)
    done = enrol(now, replace(WANG, attributes={"allergy": "花生", "shoe": "42"}))
    member = Member.objects.get(id=done.member_id)
    assert member.attributes == {"shoe": "42"}
    sealed = bytes(MemberSecret.objects.get().ciphertext)
    assert "花生".encode() not in sealed
    shown = reveal_contacts(staff_of(Role.SERVICE), member_id=member.id, reason="过敏咨询", now=now)
    assert (shown.phone, shown.secrets) == ("138 0013 8000", {"allergy": "花生"})
    entry = AuditEntry.objects.get(action="reveal_contacts")
    assert entry.reason == "过敏咨询" and "花生" not in str(entry.after)
    manager = reveal_contacts(staff_of(Role.STORE_MANAGER), member_id=member.id, reason="回访", now=now)
    assert manager.secrets == {}
    with pytest.raises(ChangkeError, match="why"):
        reveal_contacts(SYSTEM, member_id=member.id, reason=" ", now=now)
    with pytest.raises(NotAllowedError):
        reveal_contacts(staff_of(Role.CASHIER), member_id=member.id, reason="好奇", now=now)


def test_editing_a_secret_needs_the_right_and_hides_the_value(db: None, now: datetime) -> None:
    define_attribute(SYSTEM, form=AttributeForm(key="allergy", name="过敏", is_sensitive=True), now=now)
    done = enrol(now)
    wish = replace(WANG, attributes={"allergy": "虾"})
    with pytest.raises(NotAllowedError):
        edit_member(staff_of(Role.MARKETING), member_id=done.member_id, version=1, profile=wish, now=now)
    edit_member(SYSTEM, member_id=done.member_id, version=1, profile=wish, now=now)
    entry = AuditEntry.objects.get(action="edit_member")
    assert entry.after == {"attributes.allergy": "***"}
    edit_member(SYSTEM, member_id=done.member_id, version=2, profile=replace(WANG, attributes={"allergy": ""}), now=now)
    assert not MemberSecret.objects.exists()


def test_a_lost_key_makes_secrets_unreadable(db: None, now: datetime) -> None:
    define_attribute(SYSTEM, form=AttributeForm(key="allergy", name="过敏", is_sensitive=True), now=now)
    done = enrol(now, replace(WANG, attributes={"allergy": "虾"}))
    MemberKey.objects.filter(member_id=done.member_id).delete()
    with pytest.raises(ChangkeError, match="cannot be read"):
        reveal_contacts(SYSTEM, member_id=done.member_id, reason="测试", now=now)


def test_a_required_attribute_is_asked_for_at_joining(db: None, now: datetime) -> None:
    form = AttributeForm(
        key="job", name="职业", kind=AttributeKind.CHOICE, choices=("学生", "上班族"), is_required=True
    )
    define_attribute(SYSTEM, form=form, now=now)
    with pytest.raises(ChangkeError) as caught:
        enrol_member(SYSTEM, enrolment=joining(), now=now)
    assert caught.value.problems[0].field == "attributes.job"
    with pytest.raises(ChangkeError):
        enrol_member(SYSTEM, enrolment=joining(replace(WANG, attributes={"job": "神仙"})), now=now)
    assert enrol(now, replace(WANG, attributes={"job": "学生"})).member_id


@pytest.mark.parametrize(
    ("status", "move", "after"),
    [
        ("provisional", StatusMove.CONFIRM, "formal"),
        ("formal", StatusMove.FREEZE, "frozen"),
        ("frozen", StatusMove.UNFREEZE, "formal"),
        ("frozen", StatusMove.CLOSE, "closed"),
        ("closed", StatusMove.REOPEN, "formal"),
        ("prospect", StatusMove.JOIN, "formal"),
        ("provisional", StatusMove.FREEZE, None),
        ("closed", StatusMove.FREEZE, None),
        ("formal", StatusMove.CONFIRM, None),
    ],
)
def test_status_moves(db: None, now: datetime, status: str, move: StatusMove, after: str | None) -> None:
    done = enrol(now)
    Member.objects.filter(id=done.member_id).update(status=status)
    if after is None:
        with pytest.raises(ChangkeError):
            change_status(SYSTEM, member_id=done.member_id, move=move, now=now)
        assert Member.objects.get().status == status
    else:
        assert change_status(SYSTEM, member_id=done.member_id, move=move, now=now, reason="申请") == after
        assert AuditEntry.objects.get(action=f"{move}_member").reason == "申请"


def test_a_prospect_has_no_joining_day_until_joining(db: None, now: datetime) -> None:
    done = enrol(now, status=MemberStatus.PROSPECT)
    assert Member.objects.get().joined_on is None
    change_status(SYSTEM, member_id=done.member_id, move=StatusMove.JOIN, now=now)
    assert Member.objects.get().joined_on == date(2026, 11, 22)


def test_validity_in_batch_touches_those_within_reach_and_who_differ(store: int, now: datetime) -> None:
    ids = [enrol(now, replace(WANG, phone=f"1380013800{n}", home_store_id=store)).member_id for n in range(3)]
    far = enrol(now, replace(WANG, phone="13800138009")).member_id
    batch = frozenset({*ids, far})
    until = date(2027, 12, 31)
    done = set_validity_in_batch(SYSTEM, member_ids=batch, valid_from=None, valid_until=until, now=now, reason="年检")
    again = set_validity_in_batch(SYSTEM, member_ids=batch, valid_from=None, valid_until=until, now=now)
    assert (done, again) == (4, 0)
    assert AuditEntry.objects.filter(action="set_validity", reason="年检").count() == 4
    assert Event.objects.filter(kind="member_validity_set").count() == 4
    assert set(Member.objects.values_list("version", flat=True)) == {2}
    with pytest.raises(NotAllowedError):
        manager = staff_of(Role.STORE_MANAGER, store)
        set_validity_in_batch(manager, member_ids=batch, valid_from=None, valid_until=None, now=now)
    with pytest.raises(ChangkeError):
        set_validity_in_batch(SYSTEM, member_ids=batch, valid_from=until, valid_until=date(2027, 1, 1), now=now)


def test_passed_birthdays_move_on_without_a_trace(db: None, now: datetime) -> None:
    solar = enrol(now, replace(WANG, birth_month=11, birth_day=22)).member_id
    lunar_one = replace(WANG, phone="13900139000", birth_calendar=BirthCalendar.LUNAR, birth_month=10, birth_day=14)
    lunar = enrol(now, lunar_one).member_id
    assert set(Member.objects.values_list("next_birthday_on", flat=True)) == {date(2026, 11, 22)}
    assert renew_birthdays(now=now) == 0
    assert renew_birthdays(now=now + timedelta(days=1)) == 2
    days = dict(Member.objects.values_list("id", "next_birthday_on"))
    assert days == {solar: date(2027, 11, 22), lunar: date(2027, 11, 11)}
    assert set(Member.objects.values_list("version", flat=True)) == {1}


def test_a_member_of_another_store_is_out_of_reach(store: int, now: datetime) -> None:
    done = enrol(now)
    manager = staff_of(Role.STORE_MANAGER, store)
    with pytest.raises(NotAllowedError):
        edit_member(manager, member_id=done.member_id, version=1, profile=WANG, now=now)
    with pytest.raises(NotAllowedError):
        reveal_contacts(manager, member_id=done.member_id, reason="x", now=now)
