"""Two members become one with everything they have, and one becomes two again exactly."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from changke.actions.attributes import AttributeForm, define_attribute
from changke.actions.cards import report_card_lost
from changke.actions.consents import record_consents
from changke.actions.duplicates import dismiss_pair, find_duplicates
from changke.actions.members import Enrolled, Enrolment, change_status, edit_member, enrol_member
from changke.actions.merges import merge_members, undo_merge
from changke.actions.steps.consents import newest_consents
from changke.actions.steps.secrets import read_secrets
from changke.actions.tags import tag_members
from changke.kernel.errors import ChangkeError
from changke.queries.member_search import find_members
from changke.records.models import (
    AuditEntry,
    Card,
    DuplicatePair,
    Event,
    Member,
    MemberCode,
    MemberMerge,
    MemberTag,
    Opportunity,
    Sale,
    Source,
    Store,
)
from changke.rules.members import (
    ConsentAnswer,
    ConsentChannel,
    ConsentPurpose,
    Gender,
    MemberProfile,
    SourceChannel,
    StatusMove,
)
from changke.rules.merges import Side
from changke.rules.staff import SYSTEM, NotAllowedError, Role, Viewer

NOW = datetime(2026, 11, 22, 4, 0, tzinfo=UTC)
WANG = MemberProfile(name="王小明", phone="13800138000", gender=Gender.MALE)
OLD = MemberProfile(name="王晓明", phone="13900139000", email="wang@example.com", birth_month=5, birth_day=1)
MARKETING = Viewer(user_id=None, staff_id=None, name="li", role=Role.MARKETING, store_ids=None)


def enrol(profile: MemberProfile, **changes: Any) -> int:
    enrolment = replace(Enrolment(profile=profile, source_channel=SourceChannel.STORE), **changes)
    done = enrol_member(SYSTEM, enrolment=enrolment, now=NOW)
    assert isinstance(done, Enrolled)
    return done.member_id


def sell(member_id: int, number: str, day: date) -> int:
    store, _ = Store.objects.get_or_create(code="S1", defaults={"name": "湖滨店", "time_zone": "Asia/Shanghai"})
    source, _ = Source.objects.get_or_create(code="pos", defaults={"name": "POS"})
    sale = Sale.objects.create(
        source=source, sale_no=number, kind="sale", store=store, member_id=member_id, sold_at=NOW,
        business_day=day, total_minor=100, quantity_milli=1000, line_count=1, content_hash=1,
    )  # fmt: skip
    Member.objects.filter(id=member_id).update(first_sale_on=day, last_sale_on=day)
    return sale.id


def answer(member_id: int, channel: ConsentChannel, is_granted: bool) -> None:
    one = ConsentAnswer(channel=channel, purpose=ConsentPurpose.MARKETING, is_granted=is_granted)
    record_consents(SYSTEM, member_id=member_id, answers=(one,), given_through=SourceChannel.STORE, now=NOW)


def granted(member_id: int) -> set[tuple[str, str]]:
    return {pair for pair, row in newest_consents(member_id).items() if row.is_granted}


def snapshot(*member_ids: int) -> dict[str, Any]:
    """Everything a merge may touch, but for versions, times and the ledgers that only grow."""
    members = [
        {k: v for k, v in row.items() if k not in {"version", "changed_at"}}
        for row in Member.objects.filter(id__in=member_ids).order_by("id").values()
    ]
    return {
        "members": members,
        "sales": list(Sale.objects.order_by("id").values_list("id", "member_id")),
        "cards": list(Card.objects.order_by("id").values()),
        "codes": list(MemberCode.objects.order_by("id").values_list("id", "member_id")),
        "opportunities": list(Opportunity.objects.order_by("id").values_list("id", "member_id")),
        "tags": sorted(MemberTag.objects.values_list("member_id", "tag_id")),
        "secrets": {id_: read_secrets(id_) for id_ in member_ids},
        "pairs": list(DuplicatePair.objects.order_by("id").values_list("id", "state")),
        "granted": {id_: granted(id_) for id_ in member_ids},
    }


def merge(survivor: int, loser: int, **more: Any) -> str:
    return merge_members(SYSTEM, survivor_id=survivor, loser_id=loser, now=NOW, **more)


def test_everything_moves(db: None) -> None:
    a, b = enrol(WANG), enrol(OLD, tags=("奶茶",))
    sale = sell(b, "1", date(2026, 1, 5))
    MemberCode.objects.create(source=Source.objects.get(), code="X1", member_id=b)
    Opportunity.objects.create(member_id=b, due_on=date(2026, 2, 1), offer_ends_on=date(2026, 2, 8))
    merge(a, b, reason="同一人")
    survivor, loser = Member.objects.get(id=a), Member.objects.get(id=b)
    assert (survivor.name, survivor.phone) == ("王小明", "+8613800138000")  # the survivor's win
    assert (survivor.email, survivor.birth_month) == ("wang@example.com", 5)  # empty ones are filled
    assert (survivor.first_sale_on, survivor.last_sale_on) == (date(2026, 1, 5), date(2026, 1, 5))
    assert (loser.status, loser.merged_into_id) == ("merged", a)
    assert Sale.objects.get(id=sale).member_id == a
    assert set(Card.objects.values_list("member_id", flat=True)) == {a}
    assert sorted(Card.objects.values_list("status", flat=True)) == ["active", "replaced"]
    assert MemberCode.objects.get().member_id == Opportunity.objects.get().member_id == a
    assert list(MemberTag.objects.filter(member_id=a).values_list("tag__name", flat=True)) == ["奶茶"]
    assert [hit.member_id for hit in find_members(SYSTEM, text="13900139000")] == [a]
    assert Event.objects.filter(kind="member_merged").count() == 2
    entry = AuditEntry.objects.get(action="merge_members", subject_id=a)
    assert entry.reason == "同一人" and entry.after["email"] == "w***@example.com"


def test_a_choice_wins_over_the_survivor(db: None) -> None:
    a, b = enrol(WANG), enrol(OLD)
    merge(a, b, choices={"phone": Side.LOSER, "birthday": Side.SURVIVOR})
    survivor = Member.objects.get(id=a)
    assert (survivor.phone, survivor.birth_month) == ("+8613900139000", None)


def test_a_refusal_on_either_side_wins(db: None) -> None:
    a, b = enrol(WANG), enrol(OLD)
    answer(a, ConsentChannel.SMS, True)
    answer(b, ConsentChannel.SMS, False)
    answer(b, ConsentChannel.EMAIL, True)
    merge(a, b)
    assert granted(a) == {("email", "marketing")}


def test_secrets_are_sealed_anew(db: None) -> None:
    define_attribute(SYSTEM, form=AttributeForm(key="allergy", name="过敏", is_sensitive=True), now=NOW)
    a, b = enrol(WANG), enrol(replace(OLD, attributes={"allergy": "虾"}))
    public_id = merge(a, b)
    assert read_secrets(a) == {"allergy": "虾"}
    undo_merge(SYSTEM, public_id=public_id, now=NOW)
    assert (read_secrets(a), read_secrets(b)) == ({}, {"allergy": "虾"})


def test_what_cannot_be_merged(db: None) -> None:
    a, b, c = enrol(WANG), enrol(OLD), enrol(replace(OLD, phone="13700137000", email=""))
    with pytest.raises(ChangkeError, match="one and the same"):
        merge(a, a)
    change_status(SYSTEM, member_id=b, move=StatusMove.FREEZE, now=NOW)
    with pytest.raises(ChangkeError, match="frozen"):
        merge(a, b)
    change_status(SYSTEM, member_id=b, move=StatusMove.CLOSE, now=NOW)
    with pytest.raises(ChangkeError, match="closed"):
        merge(a, b)
    merge(a, c)
    with pytest.raises(ChangkeError, match="merged into another"):
        merge(c, a)
    with pytest.raises(NotAllowedError):
        merge_members(MARKETING, survivor_id=a, loser_id=b, now=NOW)
    assert MemberMerge.objects.count() == 1


def test_undo_keeps_what_came_later(db: None) -> None:
    a, b = enrol(WANG), enrol(OLD)
    old_sale = sell(b, "1", date(2026, 1, 5))
    public_id = merge(a, b)
    new_sale = sell(a, "2", date(2026, 11, 1))
    survivor = Member.objects.get(id=a)
    wish = replace(WANG, name="王小明", email="new@example.com", birth_month=5, birth_day=1)
    edit_member(SYSTEM, member_id=a, version=survivor.version, profile=wish, now=NOW)
    undo_merge(SYSTEM, public_id=public_id, now=NOW)
    survivor = Member.objects.get(id=a)
    assert survivor.email == "new@example.com"  # changed since: stays
    assert survivor.birth_month is None  # put by the merge: goes back
    assert (survivor.first_sale_on, survivor.last_sale_on) == (date(2026, 11, 1), date(2026, 11, 1))
    assert Sale.objects.get(id=old_sale).member_id == b
    assert Sale.objects.get(id=new_sale).member_id == a


def test_a_card_lost_since_stays_lost(db: None) -> None:
    a, b = enrol(WANG), enrol(OLD)
    report_card_lost(SYSTEM, card_id=Card.objects.get(member_id=a).id, now=NOW)
    public_id = merge(a, b)
    card = Card.objects.get(member_id=a, status="active")
    report_card_lost(SYSTEM, card_id=card.id, now=NOW)
    undo_merge(SYSTEM, public_id=public_id, now=NOW)
    card.refresh_from_db()
    assert (card.member_id, card.status) == (b, "lost")


def test_the_newest_merge_is_undone_first(db: None) -> None:
    a, b, c = enrol(WANG), enrol(OLD), enrol(replace(OLD, phone="13700137000", email=""))
    first, second = merge(a, b), merge(a, c)
    with pytest.raises(ChangkeError, match="later merge"):
        undo_merge(SYSTEM, public_id=first, now=NOW)
    undo_merge(SYSTEM, public_id=second, now=NOW)
    undo_merge(SYSTEM, public_id=first, now=NOW)
    with pytest.raises(ChangkeError, match="undone already"):
        undo_merge(SYSTEM, public_id=first, now=NOW)
    assert not Member.objects.filter(status="merged").exists()


def test_a_survivor_that_was_merged_itself_is_undone_first(db: None) -> None:
    a, b, c = enrol(WANG), enrol(OLD), enrol(replace(OLD, phone="13700137000", email=""))
    first = merge(a, b)
    merge(c, a)
    with pytest.raises(ChangkeError):
        undo_merge(SYSTEM, public_id=first, now=NOW)
    assert [hit.member_id for hit in find_members(SYSTEM, text="13900139000")] == [c]


people = st.fixed_dictionaries(
    {
        "name": st.sampled_from(["", "王小明", "Anna Lee"]),
        "email": st.sampled_from([False, True]),
        "gender": st.sampled_from(list(Gender)),
        "birthday": st.sampled_from([None, (2, 29), (12, 30)]),
        "attributes": st.dictionaries(st.sampled_from(["shoe", "allergy"]), st.sampled_from(["1", "2"])),
        "tags": st.sets(st.sampled_from(["a", "b", "c"])),
        "sales": st.lists(st.integers(0, 300), max_size=3),
        "opportunities": st.sets(st.integers(0, 3)),
        "consents": st.dictionaries(st.sampled_from(list(ConsentChannel)), st.booleans(), max_size=4),
        "has_card": st.booleans(),
        "has_code": st.booleans(),
    }
)
sides = st.dictionaries(st.sampled_from(["name", "phone", "email", "birthday", "gender"]), st.sampled_from(list(Side)))


def build(number: int, wish: dict[str, Any]) -> int:
    month, day = wish["birthday"] or (None, None)
    profile = MemberProfile(
        name=wish["name"], phone=f"1380013800{number}", gender=wish["gender"], birth_month=month, birth_day=day,
        email=f"m{number}@example.com" if wish["email"] else "", attributes=wish["attributes"],
    )  # fmt: skip
    member_id = enrol(profile, tags=tuple(sorted(wish["tags"])))
    for place, days in enumerate(wish["sales"]):
        sell(member_id, f"{number}-{place}", date(2026, 1, 1) + timedelta(days=days))
    for days in sorted(wish["opportunities"]):
        due = date(2026, 3, 1) + timedelta(days=days)
        Opportunity.objects.create(member_id=member_id, due_on=due, offer_ends_on=due)
    for channel, is_granted in wish["consents"].items():
        answer(member_id, channel, is_granted)
    if not wish["has_card"]:
        report_card_lost(SYSTEM, card_id=Card.objects.get(member_id=member_id).id, now=NOW)
    if wish["has_code"]:
        source, _ = Source.objects.get_or_create(code="erp", defaults={"name": "ERP"})
        MemberCode.objects.create(source=source, code=f"X{number}", member_id=member_id)
    return member_id


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(first=people, second=people, choices=sides, is_swapped=st.booleans())
def test_merge_and_undo_leave_everything_as_it_was(
    db: None, first: dict[str, Any], second: dict[str, Any], choices: dict[str, Side], is_swapped: bool
) -> None:
    with transaction.atomic():
        for key, is_sensitive in (("shoe", False), ("allergy", True)):
            define_attribute(SYSTEM, form=AttributeForm(key=key, name=key, is_sensitive=is_sensitive), now=NOW)
        ids = [build(1, first), build(2, second)]
        survivor, loser = reversed(ids) if is_swapped else ids
        DuplicatePair.objects.create(first_id=ids[0], second_id=ids[1], reason="same_phone", found_at=NOW)
        before = snapshot(*ids)
        sales = Sale.objects.count()
        public_id = merge(survivor, loser, choices=choices)
        merged = snapshot(*ids)
        assert merged["members"] != before["members"]
        assert Sale.objects.filter(member_id=survivor).count() == sales
        assert Card.objects.filter(member_id=survivor, status="active").count() <= 1
        refused = {p for id_ in ids for p, row in newest_consents(id_).items() if not row.is_granted}
        assert not granted(survivor) & {p for p in refused if p in before["granted"][survivor]}
        undo_merge(SYSTEM, public_id=public_id, now=NOW)
        assert snapshot(*ids) == before
        transaction.set_rollback(True)


def test_duplicates_are_found_once_with_the_strongest_reason(db: None) -> None:
    a = enrol(replace(WANG, birth_year=1990, birth_month=5, birth_day=1))
    b = enrol(replace(WANG, birth_year=1990, birth_month=5, birth_day=1), others=frozenset({a}))
    c = enrol(replace(WANG, phone="13900139000", birth_year=1990, birth_month=5, birth_day=1, email="w@example.com"))
    d = enrol(MemberProfile(name="李雷", phone="13600136000", email="w@example.com"), others=frozenset({c}))
    e = enrol(MemberProfile(name="王晓明", phone="15500158000"))
    enrol(MemberProfile(name="张伟", phone="15600158001"))
    assert find_duplicates(SYSTEM, now=NOW) == 5
    found = {(row.first_id, row.second_id): row.reason for row in DuplicatePair.objects.all()}
    assert found == {
        (a, b): "same_phone",
        (c, d): "same_email",
        (a, c): "same_name_birthday",
        (a, e): "similar_name_last4",
        (b, e): "similar_name_last4",
    }
    assert find_duplicates(SYSTEM, now=NOW) == 0
    pair = DuplicatePair.objects.get(first_id=a, second_id=e)
    dismiss_pair(SYSTEM, pair_id=pair.id, now=NOW, reason="兄弟")
    with pytest.raises(ChangkeError, match="decided already"):
        dismiss_pair(SYSTEM, pair_id=pair.id, now=NOW)
    assert find_duplicates(SYSTEM, now=NOW) == 0
    with pytest.raises(NotAllowedError):
        find_duplicates(MARKETING, now=NOW)


def test_a_merge_decides_the_pair_and_undo_opens_it(db: None) -> None:
    a = enrol(WANG)
    b = enrol(WANG, others=frozenset({a}))
    find_duplicates(SYSTEM, now=NOW)
    public_id = merge(a, b)
    assert DuplicatePair.objects.get().state == "merged"
    undo_merge(SYSTEM, public_id=public_id, now=NOW)
    assert DuplicatePair.objects.get().state == "open"


def test_tags_given_since_stay(db: None) -> None:
    a, b = enrol(WANG), enrol(OLD, tags=("x",))
    public_id = merge(a, b)
    tag_members(SYSTEM, member_ids=frozenset({a}), names=("y",), now=NOW)
    undo_merge(SYSTEM, public_id=public_id, now=NOW)
    assert set(MemberTag.objects.filter(member_id=a).values_list("tag__name", flat=True)) == {"y"}
    assert set(MemberTag.objects.filter(member_id=b).values_list("tag__name", flat=True)) == {"x"}
