"""The list: filters, order with unknowns last, counts, facets, reach, batches for exports."""

from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest

from changke.actions.members import Enrolled, Enrolment, enrol_member
from changke.actions.stores import open_store
from changke.queries import member_list
from changke.queries.member_list import (
    Count,
    MemberFilter,
    MemberSort,
    count_facets,
    each_member,
    list_all_ids,
    list_members,
)
from changke.records.models import Member, Sale, Source, Tag
from changke.rules.members import Gender, MemberProfile, MemberStatus, SourceChannel
from changke.rules.staff import SYSTEM, Role, Viewer
from changke.rules.stores import StoreCard

TODAY = date(2026, 11, 22)
ALL = MemberFilter()


def staff_of(role: Role, *store_ids: int) -> Viewer:
    return Viewer(user_id=None, staff_id=None, name=role.value, role=role, store_ids=frozenset(store_ids))


@pytest.fixture
def stores(db: None, now: datetime) -> tuple[int, int]:
    first = open_store(SYSTEM, card=StoreCard(code="HZ01", name="湖滨店"), now=now)
    return first, open_store(SYSTEM, card=StoreCard(code="HZ02", name="钱江店"), now=now)


@pytest.fixture
def people(stores: tuple[int, int], now: datetime) -> list[int]:
    """Six members: stores in turn, two women, one bought, one frozen, one prospect, one tagged."""
    ids = []
    for n in range(6):
        profile = MemberProfile(
            name=f"王小{'明美强丽刚芳'[n]}",
            phone=f"1380013800{n}",
            gender=Gender.FEMALE if n in {1, 3} else Gender.MALE,
            home_store_id=stores[n % 2],
            birth_month=11,
            birth_day=22 + n,
        )
        status = MemberStatus.PROSPECT if n == 5 else MemberStatus.FORMAL
        enrolment = Enrolment(
            profile=profile, source_channel=SourceChannel.QR if n == 2 else SourceChannel.STORE, status=status,
            tags=("奶茶",) if n == 0 else (),
        )  # fmt: skip
        done = enrol_member(SYSTEM, enrolment=enrolment, now=now - timedelta(days=10 * n))
        assert isinstance(done, Enrolled)
        ids.append(done.member_id)
    Member.objects.filter(id=ids[4]).update(status="frozen", last_sale_on=TODAY)
    return ids


def listed(wanted: MemberFilter, viewer: Viewer = SYSTEM, page: int = 1, size: int = 50) -> list[int]:
    return [row.id for row in list_members(viewer, wanted=wanted, today=TODAY, page=page, size=size).rows]


def test_filters(people: list[int], stores: tuple[int, int]) -> None:
    a, b, c, d, e, f = people
    assert set(listed(ALL)) == set(people)
    assert listed(replace(ALL, statuses=(MemberStatus.FROZEN, MemberStatus.PROSPECT))) == [e, f]
    assert listed(replace(ALL, genders=(Gender.FEMALE,))) == [b, d]
    assert listed(replace(ALL, store_ids=(stores[0],))) == [a, c, e]
    assert listed(replace(ALL, sources=(SourceChannel.QR,))) == [c]
    assert listed(replace(ALL, tag_ids=(Tag.objects.get().id,))) == [a]
    assert listed(replace(ALL, joined_from=TODAY - timedelta(days=15))) == [a, b]
    assert listed(replace(ALL, joined_until=TODAY - timedelta(days=15), genders=(Gender.MALE,))) == [c, e]
    assert listed(replace(ALL, birthday_within_days=1)) == [a, b]
    assert listed(replace(ALL, text="8003")) == [d]
    assert listed(replace(ALL, text="nobody")) == []
    assert listed(replace(ALL, region_ids=(1,))) == []


def test_order_with_unknowns_last_over_pages(people: list[int]) -> None:
    a, b, c, d, e, f = people
    assert listed(ALL) == [a, b, c, d, e, f]
    assert listed(replace(ALL, is_descending=False)) == [e, d, c, b, a, f]
    purchase = replace(ALL, sort=MemberSort.LAST_PURCHASE)
    assert listed(purchase)[0] == e
    assert [listed(purchase, page=n, size=2) for n in (1, 2, 3)] == [[e, f], [d, c], [b, a]]
    assert listed(purchase, page=4, size=2) == []
    assert listed(replace(ALL, sort=MemberSort.CODE, is_descending=False)) == people


def test_a_row_masks_and_carries_tags(people: list[int]) -> None:
    row = list_members(staff_of(Role.MARKETING), wanted=ALL, today=TODAY, page=1)
    assert row.rows == ()
    marketing = replace(staff_of(Role.MARKETING), store_ids=None)
    first = list_members(marketing, wanted=ALL, today=TODAY, page=1).rows[0]
    assert (first.name, first.phone, first.tags) == ("王*明", "138****8000", ("奶茶",))
    assert first.features is None


def test_reach(people: list[int], stores: tuple[int, int], now: datetime) -> None:
    clerk = staff_of(Role.STORE_MANAGER, stores[0])
    assert set(listed(ALL, viewer=clerk)) == {people[0], people[2], people[4]}
    source = Source.objects.create(code="pos", name="POS")
    Sale.objects.create(
        source=source, sale_no="1", kind="sale", store_id=stores[0], member_id=people[1], sold_at=now,
        business_day=TODAY, total_minor=100, quantity_milli=1000, line_count=1, content_hash=1,
    )  # fmt: skip
    assert people[1] in listed(ALL, viewer=clerk)


def test_few_of_many_stores_list_the_same(
    people: list[int], stores: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    clerk = staff_of(Role.STORE_MANAGER, stores[0])
    expected = listed(ALL, viewer=clerk)
    monkeypatch.setattr(member_list, "FEW_STORES", 1)
    assert listed(ALL, viewer=clerk) == expected


def test_counts_are_exact_up_to_the_limit(people: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    assert list_members(SYSTEM, wanted=ALL, today=TODAY, page=1).total == Count(number=6, is_exact=True)
    monkeypatch.setattr(member_list, "EXACT_MAX", 4)
    estimate = list_members(SYSTEM, wanted=ALL, today=TODAY, page=1, size=2).total
    assert not estimate.is_exact and estimate.number >= 5


def test_facets(people: list[int], stores: tuple[int, int]) -> None:
    total = Count(number=6, is_exact=True)
    found = count_facets(SYSTEM, wanted=ALL, today=TODAY, total=total)
    assert found.is_exact
    assert found.counts["status"] == {"formal": 4, "frozen": 1, "prospect": 1}
    assert found.counts["gender"] == {"female": 2, "male": 4}
    assert found.counts["home_store_id"] == {stores[0]: 3, stores[1]: 3}
    assert found.counts["source_channel"] == {"store": 5, "qr": 1}
    assert found.counts["region_id"] == {None: 6}
    women = count_facets(SYSTEM, wanted=replace(ALL, genders=(Gender.FEMALE,)), today=TODAY, total=total)
    assert women.counts["status"] == {"formal": 2}
    nobody = count_facets(SYSTEM, wanted=ALL, today=TODAY, total=Count(number=0, is_exact=True))
    assert nobody.counts == {}


def test_facets_of_a_sample_are_scaled(people: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(member_list, "SAMPLED_FROM", 1)
    monkeypatch.setattr(member_list, "SAMPLE", 6)
    found = count_facets(SYSTEM, wanted=ALL, today=TODAY, total=Count(number=6, is_exact=False))
    assert not found.is_exact
    assert sum(found.counts["gender"].values()) == 6


def test_ids_and_batches_for_exports(people: list[int], stores: tuple[int, int]) -> None:
    ids = list_all_ids(SYSTEM, wanted=ALL, today=TODAY)
    assert ids == sorted(people)
    assert [row.id for row in each_member(SYSTEM, member_ids=ids, batch=4)] == sorted(people)
    clerk = staff_of(Role.STORE_MANAGER, stores[0])
    assert [row.id for row in each_member(clerk, member_ids=ids)] == [people[0], people[2], people[4]]


def test_few_statements(people: list[int], django_assert_max_num_queries: object) -> None:
    with django_assert_max_num_queries(4):  # type: ignore[operator]
        list_members(SYSTEM, wanted=ALL, today=TODAY, page=1)
