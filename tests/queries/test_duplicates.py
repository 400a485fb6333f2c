"""Pairs and merges within a viewer's reach; what the page previews is what the action does."""

from datetime import datetime

import pytest

from changke.actions.duplicates import find_duplicates
from changke.actions.members import Enrolled, Enrolment, enrol_member
from changke.actions.merges import merge_members
from changke.actions.stores import open_store
from changke.kernel.periods import days_ending
from changke.queries.duplicates import count_reasons, find_merge, find_pair, list_pairs, preview_merge
from changke.queries.member_page import find_member, load_consents, load_overview, load_timeline
from changke.queries.promotion import PromotionBy, list_promotion, load_card_use, load_conversion
from changke.records.models import DuplicatePair, Member
from changke.rules.members import ConsentAnswer, ConsentChannel, ConsentPurpose, MemberProfile, SourceChannel
from changke.rules.merges import Side
from changke.rules.staff import SYSTEM, NotAllowedError, Role, Viewer
from changke.rules.stores import StoreCard

SMS = ConsentAnswer(channel=ConsentChannel.SMS, purpose=ConsentPurpose.MARKETING, is_granted=True)


def staff_of(role: Role, *store_ids: int) -> Viewer:
    return Viewer(user_id=None, staff_id=None, name=role.value, role=role, store_ids=frozenset(store_ids))


@pytest.fixture
def trio(db: None, now: datetime) -> tuple[list[int], tuple[int, int]]:
    """Three members with one phone: two of the first store, one of the second."""
    first = open_store(SYSTEM, card=StoreCard(code="HZ01", name="湖滨店"), now=now)
    second = open_store(SYSTEM, card=StoreCard(code="HZ02", name="钱江店"), now=now)
    ids: list[int] = []
    for name, store in (("王小明", first), ("王晓明", first), ("王大明", second)):
        profile = MemberProfile(name=name, phone="13800138000", home_store_id=store)
        enrolment = Enrolment(
            profile=profile, source_channel=SourceChannel.STORE, others=frozenset(ids), consents=(SMS,) * (not ids)
        )
        done = enrol_member(SYSTEM, enrolment=enrolment, now=now)
        assert isinstance(done, Enrolled)
        ids.append(done.member_id)
    find_duplicates(SYSTEM, now=now)
    return ids, (first, second)


def test_pairs_within_reach(trio: tuple[list[int], tuple[int, int]]) -> None:
    (a, _, c), (first, second) = trio
    rows, total = list_pairs(SYSTEM)
    assert total == 2 and count_reasons(SYSTEM) == {"same_phone": 2}
    assert {(row.first.name, row.second.name) for row in rows} == {("王小明", "王晓明"), ("王小明", "王大明")}
    near, count = list_pairs(staff_of(Role.SERVICE, first))
    assert count == 1 and near[0].second.name == "王晓明"
    assert list_pairs(staff_of(Role.SERVICE, second)) == ((), 0)
    far = DuplicatePair.objects.get(second_id=c)
    assert find_pair(staff_of(Role.SERVICE, first), pair_id=far.id) is None
    assert find_pair(SYSTEM, pair_id=far.id) == (a, c, far.reason)


def test_the_preview_is_what_is_done(trio: tuple[list[int], tuple[int, int]], now: datetime) -> None:
    (a, b, _), (first, _second) = trio
    choices = {"name": Side.LOSER}
    preview = preview_merge(SYSTEM, survivor_id=b, loser_id=a, choices=choices)
    assert preview.decision.consents == {("sms", "marketing"): True}
    public_id = merge_members(SYSTEM, survivor_id=b, loser_id=a, choices=choices, now=now)
    survivor = Member.objects.get(id=b)
    assert {column: getattr(survivor, column) for column in preview.decision.changes} == preview.decision.changes
    seen = find_merge(staff_of(Role.SERVICE, first), public_id=public_id)
    assert seen is not None and seen.moved["cards"] == 1
    assert find_merge(staff_of(Role.SERVICE, _second), public_id=public_id) is None
    with pytest.raises(NotAllowedError):
        find_merge(staff_of(Role.MARKETING), public_id=public_id)


def test_a_survivor_shows_what_the_other_did(trio: tuple[list[int], tuple[int, int]], now: datetime) -> None:
    a, b, _ = trio[0]
    merge_members(SYSTEM, survivor_id=b, loser_id=a, now=now)
    head = find_member(SYSTEM, public_id=Member.objects.get(id=b).public_id)
    assert head is not None
    page = load_overview(SYSTEM, head=head)
    assert [merge.loser.name for merge in page.merges] == ["王小明"]
    assert [card.status for card in page.cards] == ["active", "replaced"]
    ledger = load_consents(head)
    assert len(ledger.history) == 2 and ledger.in_force[ConsentChannel.SMS, ConsentPurpose.MARKETING].is_granted
    assert [moment.kind for moment in load_timeline(head)].count("enrol_member") == 2


def test_a_member_out_of_reach_is_not_found(trio: tuple[list[int], tuple[int, int]]) -> None:
    (_, _, c), (first, _second) = trio
    public_id = Member.objects.get(id=c).public_id
    assert find_member(staff_of(Role.CASHIER, first), public_id=public_id) is None
    found = find_member(staff_of(Role.CASHIER, _second), public_id=public_id)
    assert found is not None and (found.name, found.phone) == ("王*明", "138****8000")


def test_promotion_counts_who_came_again(trio: tuple[list[int], tuple[int, int]], now: datetime) -> None:
    (a, b, c), (first, second) = trio
    day = now.date()
    Member.objects.filter(id=a).update(first_sale_on=day.replace(day=1), last_sale_on=day)
    Member.objects.filter(id=b).update(first_sale_on=day, last_sale_on=day)
    Member.objects.filter(id=c).update(status="prospect")
    period = days_ending(day, days=30)
    rows = {
        row.key: (row.joined, row.bought, row.again)
        for row in list_promotion(SYSTEM, period=period, by=PromotionBy.STORE)
    }
    assert rows == {str(first): (2, 2, 1), str(second): (1, 0, 0)}
    manager = staff_of(Role.STORE_MANAGER, second)
    assert [row.joined for row in list_promotion(manager, period=period, by=PromotionBy.SOURCE)] == [1]
    assert load_conversion(SYSTEM, period=period).prospects == 1
    use = load_card_use(SYSTEM, period=period)
    assert (use.valid, use.used) == (3, 2)
    with pytest.raises(NotAllowedError):
        list_promotion(staff_of(Role.CASHIER, first), period=period, by=PromotionBy.STORE)
