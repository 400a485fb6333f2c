"""The segment language in plain Python: fields, boundary cases, sentences, references."""

from dataclasses import fields
from datetime import date
from types import SimpleNamespace
from typing import Any, get_args, get_type_hints

import pytest
from hypothesis import given
from hypothesis import strategies as st

from changke.rules import groups, lifecycle, members
from changke.rules.features import FeatureRow
from changke.rules.segments import (
    FIELDS,
    MSGIDS,
    AllOf,
    AnyOf,
    Attribute,
    BirthdayMonth,
    BirthdayWithin,
    Bought,
    Choice,
    Consent,
    DateBetween,
    DateWithin,
    FieldKind,
    Flag,
    InSegment,
    Not,
    Number,
    Pick,
    RandomShare,
    Receipt,
    ReceiptLine,
    Segment,
    SegmentInput,
    TagMode,
    Tags,
    Term,
    Tree,
    Unknown,
    catalogue,
    matches,
    pick_members,
    put_in,
    referred_segments,
    refuse_segment,
    refuse_tree,
    say_segment,
    spell,
)
from changke.rules.segments.match import share_limit

TODAY = date(2025, 2, 20)
PYTHON_KIND = {
    FieldKind.NUMBER: int,
    FieldKind.WORD: str,
    FieldKind.REFERENCE: int,
    FieldKind.DATE: date,
    FieldKind.FLAG: bool,
}


def member(receipts: tuple[Receipt, ...] = (), segments: frozenset[int] = frozenset(), **row: Any) -> SegmentInput:
    known = {"member_id": 7, "tags": (), "consents": (), "attributes": ()} | row
    return SegmentInput(row=SimpleNamespace(**known), receipts=receipts, segments=segments)


def receipt(day: date, amount: int = 500, *, store: int = 1, hour: int = 12, product: int = 1) -> Receipt:
    sign = 1 if amount > 0 else -1
    line = ReceiptLine(
        product_id=product,
        category_id=12,
        top_category_id=3,
        brand_id=None,
        quantity_milli=sign * 1000,
        total_minor=amount,
    )
    return Receipt(
        store_id=store,
        day=day,
        hour=hour,
        is_return=amount < 0,
        total_minor=amount,
        quantity_milli=sign * 1000,
        lines=(line,),
    )


def test_every_field_is_one_of_the_wide_row_with_its_type() -> None:
    hints = get_type_hints(FeatureRow)
    for field in FIELDS.values():
        hint = hints[field.name]
        assert next(iter(get_args(hint)), hint) is PYTHON_KIND[field.kind]
    asked_otherwise = {"tags", "consents", "attributes", "birth_day"}
    assert {field.name for field in fields(FeatureRow)} == set(FIELDS) | asked_otherwise


def test_choices_are_the_words_of_their_enums() -> None:
    assert tuple(members.MemberStatus) == catalogue.MEMBER_STATUSES
    assert tuple(members.Gender) == catalogue.GENDERS
    assert tuple(members.SourceChannel) == catalogue.SOURCE_CHANNELS
    assert tuple(lifecycle.LifeClass) == catalogue.LIFE_CLASSES
    assert tuple(lifecycle.Stage) == catalogue.STAGES
    assert tuple(groups.CareClass) == catalogue.CARE_CLASSES
    assert tuple(groups.ValueLayer) == catalogue.VALUE_LAYERS
    assert {groups.age_band(age) for age in (None, *range(120))} == set(catalogue.AGE_BANDS)


@pytest.mark.parametrize(("age", "expected"), [(29, False), (30, True), (40, True), (41, False), (None, False)])
def test_ranges_include_both_ends_and_miss_the_unknown(age: int | None, expected: bool) -> None:
    tree = Number(field="age", low=30, high=40)
    assert matches(tree, member(age=age), on=TODAY) is expected
    assert matches(Not(part=tree), member(age=age), on=TODAY) is not expected
    assert matches(Unknown(field="age"), member(age=age), on=TODAY) is (age is None)


@pytest.mark.parametrize(
    ("on", "days", "birthday", "expected"),
    [
        (date(2025, 2, 28), 0, (2, 29), True),  # a common year: the 28th is the day of the 29th
        (date(2025, 2, 27), 0, (2, 29), False),
        (date(2024, 2, 28), 0, (2, 29), False),  # a leap year has its 29th
        (date(2024, 2, 29), 0, (2, 29), True),
        (date(2025, 12, 30), 3, (1, 2), True),  # over the turn of the year
        (date(2025, 12, 30), 3, (1, 3), False),
        (date(2025, 12, 30), 3, (12, 29), False),
        (date(2025, 6, 1), 366, (5, 31), True),
    ],
)
def test_birthday_within(on: date, days: int, birthday: tuple[int, int], expected: bool) -> None:
    who = member(birth_month=birthday[0], birth_day=birthday[1])
    assert matches(BirthdayWithin(days=days), who, on=on) is expected


def test_birthday_month_turns_the_year_and_needs_a_birthday() -> None:
    who = member(birth_month=1, birth_day=31)
    assert matches(BirthdayMonth(months_ahead=1), who, on=date(2025, 12, 31))
    assert not matches(BirthdayMonth(), who, on=date(2025, 12, 31))
    assert not matches(BirthdayMonth(), member(birth_month=None, birth_day=None), on=TODAY)


def test_purchases_of_the_analysis_date_and_later_do_not_count() -> None:
    who = member((receipt(date(2025, 2, 20)), receipt(date(2025, 2, 13))))
    assert matches(Bought(last_days=7), who, on=TODAY)
    assert not matches(Bought(last_days=6), who, on=TODAY)
    assert not matches(Bought(times_low=2), who, on=TODAY)


def test_never_bought_is_at_most_no_time() -> None:
    never = Bought(products=(1,), times_low=None, times_high=0)
    assert matches(never, member(), on=TODAY)
    assert matches(never, member((receipt(date(2025, 1, 1), product=2),)), on=TODAY)
    assert not matches(never, member((receipt(date(2025, 1, 1)),)), on=TODAY)


def test_amounts_are_net_of_returns_and_times_are_sales() -> None:
    who = member((receipt(date(2025, 1, 1), 500), receipt(date(2025, 1, 2), -200)))
    assert matches(Bought(times_high=1, amount_low_minor=300, amount_high_minor=300), who, on=TODAY)
    assert not matches(Bought(amount_low_minor=301), who, on=TODAY)
    assert matches(Bought(times_low=None, quantity_high_milli=0), who, on=TODAY)


def test_lines_fit_by_leaf_or_top_category_store_hour_and_weekday() -> None:
    who = member((receipt(date(2025, 2, 17), store=4, hour=9),))  # a Monday
    fits = [
        Bought(categories=(12,)),
        Bought(categories=(3,)),
        Bought(stores=(4,)),
        Bought(hours=(9,)),
        Bought(weekdays=(1,)),
    ]
    misses = [
        Bought(categories=(13,)),
        Bought(brands=(1,)),
        Bought(stores=(1,)),
        Bought(hours=(8,)),
        Bought(weekdays=(2,)),
    ]
    assert all(matches(tree, who, on=TODAY) for tree in fits)
    assert not any(matches(tree, who, on=TODAY) for tree in misses)


def test_tags_consents_attributes_and_segments() -> None:
    who = member(
        segments=frozenset({3}),
        tags=("tea", "vip"),
        consents=("sms:marketing",),
        attributes=(("pet", "cat"), ("job", "")),
    )
    met: list[Tree] = [
        Tags(mode=TagMode.ANY, tags=("tea", "x")), Tags(mode=TagMode.ALL, tags=("tea", "vip")), Attribute(name="job"),
        Tags(mode=TagMode.NONE, tags=("x",)), Consent(consent="sms:marketing"), Attribute(name="pet", values=("cat",)),
        Consent(consent="email:marketing", granted=False), InSegment(segment_id=3), Not(part=InSegment(segment_id=4)),
    ]  # fmt: skip
    assert [tree for tree in met if not matches(tree, who, on=TODAY)] == []
    assert not matches(Attribute(name="pet", values=("dog",)), who, on=TODAY)
    assert not matches(Tags(mode=TagMode.ALL, tags=("tea", "x")), who, on=TODAY)


def test_a_random_share_is_stable_and_about_its_size() -> None:
    def drawn(share_ppm: int, seed: int) -> set[int]:
        tree = RandomShare(share_ppm=share_ppm, seed=seed)
        return {number for number in range(4000) if matches(tree, member(member_id=number), on=TODAY)}

    assert drawn(0, 1) == set()
    assert len(drawn(1_000_000, 1)) == 4000
    assert 850 < len(drawn(250_000, 1)) < 1150
    assert drawn(250_000, 1) < drawn(500_000, 1)
    assert drawn(250_000, 1) != drawn(250_000, 2)
    assert share_limit(500_000) == "8000000000"


@given(ids=st.lists(st.integers(1, 10**9), unique=True, max_size=50), size=st.integers(1, 60))
def test_a_pick_is_a_subset_of_its_size_in_any_order(ids: list[int], size: int) -> None:
    picked = pick_members(ids, Pick(members_max=size, seed=1))
    assert set(picked) <= set(ids)
    assert len(picked) == min(size, len(ids))
    assert picked == pick_members(reversed(ids), Pick(members_max=size, seed=1))


def test_set_operations_are_groups_of_segments() -> None:
    except_2 = AllOf(parts=(InSegment(segment_id=1), Not(part=InSegment(segment_id=2))))
    assert matches(except_2, member(segments=frozenset({1})), on=TODAY)
    assert not matches(except_2, member(segments=frozenset({1, 2})), on=TODAY)
    assert referred_segments(except_2) == {1, 2}


def test_put_in_replaces_names_and_refuses_a_circle() -> None:
    young, loyal = Number(field="age", high=30), Flag(field="is_loyal")
    trees: dict[int, Tree] = {1: AnyOf(parts=(young, InSegment(segment_id=2))), 2: loyal}
    assert put_in(InSegment(segment_id=1), trees) == AnyOf(parts=(young, loyal))
    assert put_in(Not(part=InSegment(segment_id=9)), trees) == Not(part=InSegment(segment_id=9))
    with pytest.raises(ValueError, match="contains itself"):
        put_in(InSegment(segment_id=1), trees | {2: InSegment(segment_id=1)})


@pytest.mark.parametrize(
    ("tree", "code"),
    [
        (Number(field="gender", low=1), "segment_kind"),
        (Choice(field="home_store_id", values=("one",)), "segment_choice"),
        (Choice(field="age", values=(True,)), "segment_choice"),
        (DateBetween(field="joined_on"), "segment_open_range"),
        (DateBetween(field="joined_on", first=date(2025, 1, 2), last=date(2025, 1, 1)), "segment_range"),
        (DateWithin(field="joined_on", days=-1), "segment_number"),
        (Bought(times_low=None), "segment_open_purchase"),
        (Bought(hours=(24,)), "segment_number"),
        (Bought(times_low=2, times_high=1), "segment_range"),
        (Tags(mode=TagMode.ANY, tags=("x" * 201,)), "segment_entry"),
        (Choice(field="member_id", values=tuple(range(10_001))), "segment_long_list"),
        (RandomShare(share_ppm=1_000_001, seed=0), "segment_number"),
        (InSegment(segment_id=0), "segment_number"),
        (BirthdayMonth(months_ahead=12), "segment_number"),
    ],
)
def test_unacceptable_conditions(tree: Tree, code: str) -> None:
    assert code in {problem.code for problem in refuse_tree(AllOf(parts=(Flag(field="is_loyal"), tree)))}
    assert {problem.field for problem in refuse_tree(AllOf(parts=(Flag(field="is_loyal"), tree)))} == {"2"}


def test_an_acceptable_segment_has_no_problem_and_a_bad_pick_has_one() -> None:
    assert refuse_segment(Segment(where=AllOf(), pick=Pick(members_max=1, seed=0))) == ()
    assert [p.code for p in refuse_segment(Segment(where=AllOf(), pick=Pick(members_max=0, seed=0)))] == [
        "segment_pick"
    ]


def in_english(segment: Segment) -> str:
    said = say_segment(segment)
    return spell(said, translate=check_msgid, show=lambda term: ", ".join(shown(term)))


def check_msgid(msgid: str) -> str:
    assert msgid in MSGIDS
    return msgid


def shown(term: Term) -> list[str]:
    return [FIELDS[str(value)].label if term.kind == "field" else str(value) for value in term.values]


@pytest.mark.parametrize(
    ("tree", "sentence"),
    [
        (AllOf(), "everybody"),
        (Number(field="recency_days", low=30, high=60), "Days since the last visit: from 30 to 60"),
        (Number(field="receipts", high=3), "Receipts in the period: at most 3"),
        (Choice(field="life_class", values=("new", "active")), "Life-cycle class: new, active"),
        (DateBetween(field="joined_on", first=date(2025, 1, 1)), "Joined on: since 2025-01-01"),
        (DateWithin(field="last_visit_on", days=30), "Last visit: in the last 30 days"),
        (Flag(field="is_loyal", value=False), "Loyal: no"),
        (Unknown(field="age"), "Age: unknown"),
        (BirthdayWithin(days=0), "birthday today"),
        (BirthdayMonth(), "birthday this month"),
        (Consent(consent="sms:marketing", granted=False), "has not consented to sms:marketing"),
        (Attribute(name="pet"), "attribute pet is filled in"),
        (Bought(products=(5,), last_days=90), "has bought, products: 5, in the last 90 days"),
        (Bought(brands=(2,), times_low=None, times_high=0), "has not bought, brands: 2"),
        (Bought(amount_low_minor=9900), "purchases, at least 1 times, amount at least 9900"),
        (RandomShare(share_ppm=100_000, seed=1), "a random share of 100000 of all members"),
        (
            AllOf(
                parts=(
                    Flag(field="is_loyal"),
                    AnyOf(parts=(InSegment(segment_id=3), Tags(mode=TagMode.ALL, tags=("a", "b")))),
                )
            ),
            "all of: Loyal: yes; (any of: is in the segment 3; has all of the tags a, b)",
        ),
        (Not(part=AllOf(parts=(Flag(field="is_loyal"),))), "not: Loyal: yes"),
    ],
)
def test_sentence(tree: Tree, sentence: str) -> None:
    assert in_english(Segment(where=tree)) == sentence


def test_sentence_of_a_pick() -> None:
    segment = Segment(where=Flag(field="is_loyal"), pick=Pick(members_max=50, seed=1))
    assert in_english(segment) == "all of: Loyal: yes; of these, at most 50 chosen at random"
