"""Segments in set form: equal to the plain definition for any tree and rows, and the restated cases of others."""

import json
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from small_lakes import TODAY, Shopper, make_receipt, make_row, random_shopper, write_lake

from changke.insight.segment_json import segment_from_json, segment_to_json, tree_from_json, tree_to_json
from changke.insight.segments import count_segment, list_segment, sample_segment
from changke.insight.tables import LakeReader
from changke.kernel.errors import ChangkeError
from changke.rules.segments import (
    FIELDS,
    AllOf,
    AnyOf,
    Attribute,
    BirthdayMonth,
    BirthdayWithin,
    Bought,
    Choice,
    Condition,
    Consent,
    DateBetween,
    DateWithin,
    Flag,
    InSegment,
    Not,
    Number,
    Pick,
    RandomShare,
    Segment,
    SegmentInput,
    TagMode,
    Tags,
    Term,
    Tree,
    Unknown,
    matches,
    pick_members,
    refuse_tree,
    say_segment,
    spell,
)

GUIDE = (Path(__file__).parents[2] / "docs/rules/segments.md").read_text()
EXAMPLES = re.findall(r"```json\n(.*?)```\n\n> (.*?)\n", GUIDE, re.DOTALL)
CASES = json.loads((Path(__file__).parents[1] / "cases/segments.json").read_text())["cases"]
LISTS = {1: list(range(1, 40)), 2: [2, 3, 5, 7, 11, 13]}
DAYS = st.dates(TODAY - timedelta(days=45), TODAY + timedelta(days=3))


def ends(low: int, high: int) -> st.SearchStrategy[tuple[int | None, int | None]]:
    """Ends of a range, of which at least one is there."""
    value = st.integers(low, high)
    pair = st.tuples(value, value).map(sorted).map(tuple)
    return pair | st.tuples(st.none(), value) | st.tuples(value, st.none())


def some(*values: Any, least: int = 1) -> st.SearchStrategy[tuple[Any, ...]]:
    return st.lists(st.sampled_from(values), min_size=least, max_size=3, unique=True).map(tuple)


def ranges(field: str, low: int, high: int) -> st.SearchStrategy[Condition]:
    return ends(low, high).map(lambda pair: Number(field=field, low=pair[0], high=pair[1]))


def bought_of(times: Any, quantity: Any, amount: Any, days: Any, **filters: Any) -> Bought:
    first, last = days
    return Bought(
        times_low=times[0],
        times_high=times[1],
        quantity_low_milli=quantity[0],
        quantity_high_milli=quantity[1],
        amount_low_minor=amount[0],
        amount_high_minor=amount[1],
        first=first,
        last=last,
        **filters,
    )


OPEN = st.just((None, None))
CONDITIONS: st.SearchStrategy[Condition] = st.one_of(
    ranges("age", 17, 31),
    ranges("recency_days", 0, 41),
    ranges("net_minor", -300, 1100),
    ranges("alive_ppm", 0, 10**6),
    st.builds(Choice, field=st.just("life_class"), values=some("new", "active", "lost")),
    st.builds(Choice, field=st.just("home_store_id"), values=some(1, 2, 9)),
    st.builds(Choice, field=st.just("rfm_cell"), values=some(111, 555)),
    st.builds(Choice, field=st.just("member_id"), values=some(1, 2, 3, 99)),
    st.tuples(DAYS, DAYS).map(lambda d: DateBetween(field="joined_on", first=min(d), last=max(d))),
    st.builds(DateBetween, field=st.just("last_visit_on"), first=DAYS),
    st.builds(DateWithin, field=st.sampled_from(["joined_on", "last_visit_on"]), days=st.integers(0, 45)),
    st.builds(Flag, field=st.sampled_from(["is_loyal", "has_phone"]), value=st.booleans()),
    st.builds(Unknown, field=st.sampled_from(["age", "region_id", "joined_on"])),
    st.builds(BirthdayWithin, days=st.integers(0, 366)),
    st.builds(BirthdayMonth, months_ahead=st.integers(0, 11)),
    st.builds(Tags, mode=st.sampled_from(TagMode), tags=some("tea", "noodles", "vip's", "none")),
    st.builds(Consent, consent=st.sampled_from(["sms:marketing", "wechat:marketing"]), granted=st.booleans()),
    st.builds(Attribute, name=st.sampled_from(["pet", "job", "x"]), values=some("yes", "no", "100%", least=0)),
    st.builds(InSegment, segment_id=st.sampled_from([1, 2])),
    st.builds(RandomShare, share_ppm=st.integers(0, 10**6), seed=st.integers(0, 5)),
    st.builds(
        bought_of,
        times=ends(0, 4),
        quantity=OPEN | ends(-1000, 4000),
        amount=OPEN | ends(-400, 1500),
        days=OPEN | st.tuples(DAYS, DAYS).map(sorted),
        products=some(1, 2, least=0),
        categories=some(1, 11, 12, least=0),
        brands=some(1, 2, least=0),
        stores=some(1, 2, least=0),
        last_days=st.none() | st.integers(1, 25),
        hours=some(10, 11, 12, least=0),
        weekdays=some(1, 5, 6, 7, least=0),
    ),
)
TREES: st.SearchStrategy[Tree] = st.recursive(
    CONDITIONS,
    lambda parts: (
        st.builds(AllOf, parts=st.lists(parts, max_size=3).map(tuple))
        | st.builds(AnyOf, parts=st.lists(parts, min_size=1, max_size=3).map(tuple))
        | st.builds(Not, part=parts)
    ),
    max_leaves=6,
)


def inputs(shoppers: list[Shopper]) -> list[SegmentInput]:
    return [
        SegmentInput(
            row=shopper.row,
            receipts=shopper.receipts,
            segments=frozenset(number for number, ids in LISTS.items() if shopper.row.member_id in ids),
        )
        for shopper in shoppers
    ]


class Lake:
    """A reader with the members behind it; a class for its short repr."""

    def __init__(self, members: list[SegmentInput], reader: LakeReader) -> None:
        self.members, self.reader = members, reader


@pytest.fixture(scope="module")
def lakes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Lake]]:
    made = []
    for seed in range(3):
        shoppers = [random_shopper(number, Random(f"{seed}:{number}")) for number in range(1, 81)]
        tables = write_lake(tmp_path_factory.mktemp("lake"), shoppers, anonymous=[make_receipt(day=TODAY)])
        made.append(Lake(inputs(shoppers), LakeReader(tables)))
    yield made
    for lake in made:
        lake.reader.close()


def ids_of(members: list[SegmentInput], tree: Tree, on: date) -> list[int]:
    return [member.row.member_id for member in members if matches(tree, member, on=on)]  # type: ignore[attr-defined]


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(tree=TREES, seed=st.integers(0, 2), on=st.sampled_from([TODAY, TODAY - timedelta(days=4), date(2023, 2, 25)]))
def test_set_form_equals_plain_definition(lakes: list[Lake], tree: Tree, seed: int, on: date) -> None:
    members, lake = lakes[seed].members, lakes[seed].reader
    segment = Segment(where=tree)
    expected = ids_of(members, tree, on)
    assert list_segment(segment, lake=lake, on=on, lists=LISTS).column("member_id").to_pylist() == expected
    assert count_segment(segment, lake=lake, on=on, lists=LISTS) == len(expected)


@settings(deadline=None)
@given(tree=TREES)
def test_json_reads_back_the_same_tree(tree: Tree) -> None:
    written = json.loads(json.dumps(tree_to_json(tree)))
    problems = refuse_tree(tree)
    if problems:
        with pytest.raises(ChangkeError) as refusal:
            tree_from_json(written)
        assert refusal.value.problems == problems
    else:
        assert tree_from_json(written) == tree


def test_pick_takes_the_same_members_as_the_plain_definition(lakes: list[Lake]) -> None:
    members, lake = lakes[0].members, lakes[0].reader
    segment = Segment(where=AllOf(), pick=Pick(members_max=7, seed=3))
    found = list_segment(segment, lake=lake, on=TODAY).column("member_id").to_pylist()
    assert found == pick_members([member.row.member_id for member in members], Pick(members_max=7, seed=3))
    assert count_segment(segment, lake=lake, on=TODAY) == 7
    assert segment_from_json(segment_to_json(segment)) == segment


def test_sample_shows_the_first_wide_rows(lakes: list[Lake]) -> None:
    members, lake = lakes[0].members, lakes[0].reader
    tree = Choice(field="life_class", values=("new",))
    found = sample_segment(Segment(where=tree), size=3, lake=lake, on=TODAY)
    assert found.column("member_id").to_pylist() == ids_of(members, tree, TODAY)[:3]
    assert set(found.column("life_class").to_pylist()) == {"new"}
    nobody = Number(field="age", low=200)
    assert sample_segment(Segment(where=nobody), size=3, lake=lake, on=TODAY).num_rows == 0


@pytest.mark.parametrize(
    ("data", "code", "place"),
    [
        ({"kind": "all", "parts": [{"kind": "flag", "field": "is_loyal"}, {"kind": "zebra"}]}, "segment_json", "2"),
        (
            {"kind": "any", "parts": [{"kind": "not", "part": {"kind": "number", "field": "age"}}]},
            "segment_open_range",
            "1.1",
        ),
        ({"kind": "number", "field": "shoe_size", "low": 1}, "segment_field", "1"),
        ({"kind": "number", "field": "age", "low": "7"}, "segment_json", "1"),
        ({"kind": "number", "field": "age", "low": 9, "high": 7}, "segment_range", "1"),
        ({"kind": "number", "field": "age", "low": 1, "hi": 3}, "segment_json", "1"),
        ({"kind": "choice", "field": "gender", "values": ["robot"]}, "segment_choice", "1"),
        ({"kind": "choice", "field": "gender", "values": ["male\u0000"]}, "segment_entry", "1"),
        ({"kind": "tags", "mode": "any", "tags": []}, "segment_empty_list", "1"),
        ({"kind": "any", "parts": []}, "segment_empty_group", "1"),
        (["not", "a", "tree"], "segment_json", "1"),
    ],
)
def test_bad_json_names_its_condition(data: Any, code: str, place: str) -> None:
    with pytest.raises(ChangkeError) as refusal:
        tree_from_json(data)
    assert (code, place) in {(problem.code, problem.field) for problem in refusal.value.problems}
    assert str(refusal.value)


def test_deep_and_wide_trees_are_refused() -> None:
    deep: Any = {"kind": "flag", "field": "is_loyal"}
    for _ in range(500):
        deep = {"kind": "not", "part": deep}
    wide = {"kind": "any", "parts": [{"kind": "flag", "field": "is_loyal"}] * 61}
    for data, code in ((deep, "segment_depth"), (wide, "segment_size")):
        with pytest.raises(ChangkeError) as refusal:
            tree_from_json(data)
        assert code in {problem.code for problem in refusal.value.problems}


def case_tree(asked: dict[str, Any]) -> Tree:
    """Read the restated segment of a case; amounts are whole units, ours minor ones."""
    ((name, value),) = asked.items()
    match name:
        case "bought_in_store":
            return Bought(stores=(int(value[1:]),))
        case "transaction_count":
            return Number(field="receipts_ever", low=value[0], high=value[1])
        case "average_amount":
            return Number(field="mean_ticket_minor", low=value[0] * 100, high=value[1] * 100)
        case "any":
            return AnyOf(parts=tuple(case_tree(part) for part in value))
    assert name == "all"
    return AllOf(parts=tuple(case_tree(part) for part in value))


@pytest.mark.parametrize("case", CASES, ids=[case["id"] for case in CASES])
def test_case(case: dict[str, Any], tmp_path: Path) -> None:
    baskets: dict[int, list[tuple[int, int]]] = {}
    for sale in case["input"]["transactions"]:
        baskets.setdefault(int(sale["customer"][1:]), []).append((int(sale["store"][1:]), sale["amount"] * 100))
    shoppers = [
        Shopper(
            row=make_row(number, receipts_ever=len(sales), mean_ticket_minor=sum(a for _, a in sales) // len(sales)),
            receipts=tuple(make_receipt(day=date(2024, 1, 1), store_id=store, amounts=[a]) for store, a in sales),
        )
        for number, sales in baskets.items()
    ]
    tree = case_tree(case["input"]["segment"])
    expected = [int(customer[1:]) for customer in case["expected"]["customers"]]
    with LakeReader(write_lake(tmp_path, shoppers)) as lake:
        found = list_segment(Segment(where=tree), lake=lake, on=TODAY)
    assert found.column("member_id").to_pylist() == expected
    assert ids_of(inputs(shoppers), tree, TODAY) == expected


@pytest.mark.parametrize(("written", "sentence"), EXAMPLES)
def test_examples_of_the_guide(written: str, sentence: str) -> None:
    segment = segment_from_json(json.loads(written))

    def show(term: Term) -> str:
        named = [FIELDS[str(value)].label if term.kind == "field" else str(value) for value in term.values]
        return ", ".join(named)

    assert spell(say_segment(segment), translate=str, show=show) == sentence
    assert segment_from_json(segment_to_json(segment)) == segment


def test_the_guide_has_examples() -> None:
    assert len(EXAMPLES) == 3


def test_one_reader_answers_many_threads(lakes: list[Lake]) -> None:
    members, lake = lakes[0].members, lakes[0].reader
    trees: list[Tree] = [Number(field="age", low=low, high=low + 3) for low in range(17, 29)] * 8
    trees += [Bought(times_low=times, stores=(1, 2)) for times in (1, 2, 3)] * 8
    with ThreadPoolExecutor(16) as pool:
        found = list(pool.map(lambda tree: count_segment(Segment(where=tree), lake=lake, on=TODAY), trees))
    assert found == [len(ids_of(members, tree, TODAY)) for tree in trees]


@pytest.mark.parametrize("text", ["o'brien", 'a"b', "back\\slash", "%(x)s", "--", "茶; DROP", "{0}", "$1"])
def test_any_text_is_taken_as_text(text: str, tmp_path: Path) -> None:
    rows = [make_row(1, tags=(text,), attributes=((text, text),)), make_row(2, tags=("x",), attributes=(("x", text),))]
    trees: list[Tree] = [
        Tags(mode=TagMode.ANY, tags=(text,)),
        Attribute(name=text, values=(text,)),
        Attribute(name=text),
    ]
    with LakeReader(write_lake(tmp_path, [Shopper(row=row) for row in rows])) as lake:
        for tree in trees:
            found = list_segment(Segment(where=tree), lake=lake, on=TODAY)
            assert found.column("member_id").to_pylist() == [1]
