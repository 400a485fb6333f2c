"""One box: every key leads to the member; names stay within reach; merged members lead to the one they live on in."""

from dataclasses import replace
from datetime import date, datetime

import pytest

from changke.actions.members import Enrolled, Enrolment, enrol_member
from changke.actions.stores import open_store
from changke.queries.member_search import FoundBy, find_members
from changke.records.models import Member, MemberCode, Sale, Source
from changke.rules.members import MemberProfile, SourceChannel
from changke.rules.staff import SYSTEM, Role, Viewer
from changke.rules.stores import StoreCard

WANG = MemberProfile(name="王小明", phone="13800138000", email="wang@example.com")


def staff_of(role: Role, *store_ids: int) -> Viewer:
    return Viewer(user_id=None, staff_id=None, name=role.value, role=role, store_ids=frozenset(store_ids))


def enrol(now: datetime, profile: MemberProfile, card_number: str = "") -> Enrolled:
    enrolment = Enrolment(profile=profile, source_channel=SourceChannel.STORE, card_number=card_number)
    done = enrol_member(SYSTEM, enrolment=enrolment, now=now)
    assert isinstance(done, Enrolled)
    return done


def found(viewer: Viewer, text: str) -> list[tuple[int, FoundBy]]:
    return [(hit.member_id, hit.found_by) for hit in find_members(viewer, text=text)]


@pytest.fixture
def stores(db: None, now: datetime) -> tuple[int, int]:
    first = open_store(SYSTEM, card=StoreCard(code="HZ01", name="湖滨店"), now=now)
    return first, open_store(SYSTEM, card=StoreCard(code="HZ02", name="钱江店"), now=now)


@pytest.mark.parametrize(
    ("text", "found_by"),
    [
        ("138 0013 8000", FoundBy.PHONE),
        ("+8613800138000", FoundBy.PHONE),
        ("8000", FoundBy.LAST_FOUR),
        ("A-100", FoundBy.CARD),
        ("WANG@example.com", FoundBy.EMAIL),
        ("王小明", FoundBy.NAME),
        (" 王小 ", FoundBy.NAME),
        ("wxm", FoundBy.INITIALS),
        ("WX", FoundBy.INITIALS),
        ("wxm 8000", FoundBy.LAST_FOUR),
        ("王 8000", FoundBy.LAST_FOUR),
    ],
)
def test_every_key_leads_to_the_member(db: None, now: datetime, text: str, found_by: FoundBy) -> None:
    wang = enrol(now, WANG, card_number="A-100").member_id
    enrol(now, MemberProfile(name="李雷", phone="13900139001"))
    assert found(SYSTEM, text) == [(wang, found_by)]


def test_own_and_foreign_codes_lead_there_too(db: None, now: datetime) -> None:
    wang = enrol(now, WANG)
    source = Source.objects.create(code="erp", name="ERP")
    MemberCode.objects.create(source=source, code="4711", member_id=wang.member_id)
    assert found(SYSTEM, wang.code) == [(wang.member_id, FoundBy.CODE)]
    assert found(SYSTEM, "4711") == [(wang.member_id, FoundBy.CODE)]


@pytest.mark.parametrize("text", ["", "  ", "nobody", "0000", "%", "_", "王\\", "x@y.z", "wxm 0000", "99999999"])
def test_what_fits_nobody_finds_nobody(db: None, now: datetime, text: str) -> None:
    enrol(now, WANG)
    assert find_members(SYSTEM, text=text) == []


def test_a_latin_name_is_found_however_it_is_typed(db: None, now: datetime) -> None:
    anna = enrol(now, MemberProfile(name="Anna Lee", phone="13800138000")).member_id
    for text in ("anna", "Anna L", "ANNA LEE", "al"):
        assert [member for member, _ in found(SYSTEM, text)] in ([anna], []), text
    assert found(SYSTEM, "anna") == [(anna, FoundBy.NAME)]


def test_a_merged_member_leads_to_the_survivor(db: None, now: datetime) -> None:
    old, new = enrol(now, WANG), enrol(now, MemberProfile(name="王小明", phone="13900139000"))
    Member.objects.filter(id=old.member_id).update(status="merged", merged_into=new.member_id)
    assert found(SYSTEM, old.code) == [(new.member_id, FoundBy.CODE)]
    assert found(SYSTEM, "13800138000") == [(new.member_id, FoundBy.PHONE)]
    assert [member for member, _ in found(SYSTEM, "wxm")] == [new.member_id]


def test_a_name_finds_only_within_reach_and_a_stated_key_everywhere(stores: tuple[int, int], now: datetime) -> None:
    home, other = stores
    near = enrol(now, replace(WANG, home_store_id=home)).member_id
    far = enrol(now, MemberProfile(name="王小美", phone="13900139000", home_store_id=other)).member_id
    clerk = staff_of(Role.CASHIER, home)
    assert [member for member, _ in found(clerk, "wx")] == [near]
    hits = find_members(clerk, text="13900139000")
    assert [(hit.member_id, hit.is_within) for hit in hits] == [(far, False)]
    assert find_members(clerk, text="9000")[0].is_within is False
    source = Source.objects.create(code="pos", name="POS")
    Sale.objects.create(
        source=source, sale_no="1", kind="sale", store_id=home, member_id=far, sold_at=now,
        business_day=date(2026, 11, 20), total_minor=100, quantity_milli=1000, line_count=1, content_hash=1,
    )  # fmt: skip
    assert {member for member, _ in found(clerk, "wx")} == {near, far}
    assert find_members(clerk, text="13900139000")[0].is_within is True


def test_who_bought_last_comes_first_and_masks_hold(db: None, now: datetime) -> None:
    ids = [enrol(now, MemberProfile(name="王小明", phone=f"1380013{n}000")).member_id for n in range(3, 6)]
    Member.objects.filter(id=ids[1]).update(last_sale_on=date(2026, 11, 1))
    hits = find_members(staff_of(Role.CASHIER), text="x")
    assert hits == []
    hits = find_members(SYSTEM, text="wxm")
    assert [hit.member_id for hit in hits] == [ids[1], ids[2], ids[0]]
    assert (hits[0].name, hits[0].phone) == ("王小明", "138****4000")
    masked = find_members(staff_of(Role.CASHIER), text="13800134000")[0]
    assert (masked.name, masked.is_within) == ("王*明", False)
    assert len(find_members(SYSTEM, text="wxm", limit=2)) == 2


def test_one_statement_beside_the_setting(db: None, now: datetime, django_assert_max_num_queries: object) -> None:
    enrol(now, WANG)
    with django_assert_max_num_queries(2):  # type: ignore[operator]
        find_members(SYSTEM, text="wxm 8000")
