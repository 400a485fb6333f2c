"""RFM scores: the published table of the R package rfm, and what each method guarantees."""

import csv
import json
from collections import Counter, defaultdict
from datetime import date
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from changke.rules.rfm import (
    SHIPPED_CELL_RULES,
    CellRule,
    MemberTotals,
    RfmMethod,
    RfmScore,
    RfmSettings,
    name_cell,
    score_members,
)

TESTS = Path(__file__).parents[1]
CASES = {case["id"]: case for case in json.loads((TESTS / "cases/rfm.json").read_text())["cases"]}
AS_OF = date(2006, 12, 31)
METHODS = st.sampled_from(RfmMethod)


@pytest.fixture(scope="module")
def orders() -> dict[str, list[tuple[date, int]]]:
    found: dict[str, list[tuple[date, int]]] = defaultdict(list)
    with (TESTS / "data/rfm/rfm_data_orders.csv").open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            found[row["customer_id"]].append((date.fromisoformat(row["order_date"]), int(row["revenue"]) * 100))
    return found


@pytest.fixture(scope="module")
def totals(orders: dict[str, list[tuple[date, int]]]) -> list[MemberTotals]:
    return [
        MemberTotals(
            member_id=number,
            last_on=max(day for day, _ in bought),
            frequency=len(bought),
            monetary_minor=sum(amount for _, amount in bought),
        )
        for number, bought in enumerate(orders.values())
    ]


def test_method_quantile_gives_all_published_scores(orders: dict[str, Any], totals: list[MemberTotals]) -> None:
    outcome = score_members(totals, settings=RfmSettings(method=RfmMethod.QUANTILE), as_of=AS_OF)
    cells = dict(zip(orders, (score.cell for score in outcome.scores), strict=True))
    with (TESTS / "data/rfm/expected_scores_quantile_type7.csv").open(encoding="utf-8") as file:
        published = {row["customer_id"]: int(row["rfm"]) for row in csv.DictReader(file)}
    assert len(published) == 995
    assert cells == published


def test_case_rfm_001_cut_points_and_counts(orders: dict[str, Any], totals: list[MemberTotals]) -> None:
    expected = CASES["rfm-001"]["expected"]
    outcome = score_members(totals, settings=RfmSettings(method=RfmMethod.QUANTILE), as_of=AS_OF)
    assert len(totals) == expected["customers"]
    assert sum(len(bought) for bought in orders.values()) == expected["orders"]
    assert [float(cut.value) for cut in outcome.cuts.recency] == expected["cut_points"]["recency"]
    assert [float(cut.value) for cut in outcome.cuts.frequency] == expected["cut_points"]["frequency"]
    assert [float(cut.value / 100) for cut in outcome.cuts.monetary] == expected["cut_points"]["monetary"]
    got = {
        (row.recency(AS_OF), row.frequency, row.monetary_minor // 100, score.cell)
        for row, score in zip(totals, outcome.scores, strict=True)
    }
    assert {tuple(example.values()) for example in expected["examples"]} <= got


def test_case_rfm_002_first_matching_rule_names_the_cell(totals: list[MemberTotals]) -> None:
    case = CASES["rfm-002"]
    rules = [
        CellRule(name=row["segment"], r=tuple(row["R"]), f=tuple(row["F"]), m=tuple(row["M"]))
        for row in case["input"]["segments_first_match_wins"]
    ]
    outcome = score_members(totals, settings=RfmSettings(method=RfmMethod.QUANTILE), as_of=AS_OF)
    names = Counter(name_cell(score, rules=rules) for score in outcome.scores)
    names.pop(None, None)
    assert names == case["expected"]["customers_per_segment"]


def test_case_rfm_004_customers_by_number_of_orders(totals: list[MemberTotals]) -> None:
    by_orders = Counter(str(row.frequency) for row in totals)
    assert by_orders == CASES["rfm-004"]["expected"]["customers_by_number_of_orders"]


def test_shipped_rules_name_every_cell() -> None:
    cells = [RfmScore(member_id=1, r=r, f=f, m=m) for r in range(1, 6) for f in range(1, 6) for m in range(1, 6)]
    assert {name_cell(cell) for cell in cells} == {rule.name for rule in SHIPPED_CELL_RULES}


def test_worked_example_of_the_docs() -> None:
    """Ten members, seven of whom bought once: strict splits the tie over four scores, tie_safe keeps it whole."""
    rows = [
        MemberTotals(member_id=member, last_on=AS_OF, frequency=bought, monetary_minor=member)
        for member, bought in enumerate([1, 1, 1, 1, 1, 1, 1, 2, 3, 9], start=1)
    ]
    strict = score_members(rows, settings=RfmSettings(), as_of=AS_OF)
    assert [score.f for score in strict.scores] == [1, 1, 2, 2, 3, 3, 4, 4, 5, 5]
    assert strict.split_by_ties[1] == 7
    assert [(cut.value, cut.member_id) for cut in strict.cuts.frequency] == [(1, 2), (1, 4), (1, 6), (2, 8)]
    safe = score_members(rows, settings=RfmSettings(method=RfmMethod.TIE_SAFE), as_of=AS_OF)
    assert [score.f for score in safe.scores] == [1, 1, 1, 1, 1, 1, 1, 4, 5, 5]
    assert safe.split_by_ties == (0, 0, 0)
    quantile = score_members(rows, settings=RfmSettings(method=RfmMethod.QUANTILE), as_of=AS_OF)
    assert [cut.value for cut in quantile.cuts.frequency] == [2, 2, 2, Fraction(16, 5)]
    assert [score.f for score in quantile.scores] == [1, 1, 1, 1, 1, 1, 1, 4, 4, 5]


@st.composite
def populations(draw: st.DrawFn) -> list[MemberTotals]:
    days = st.none() | st.dates(date(2005, 1, 1), date(2006, 12, 30))
    rows = draw(st.lists(st.tuples(days, st.integers(0, 6), st.integers(-500, 5000)), max_size=60))
    return [
        MemberTotals(member_id=member * 7, last_on=last, frequency=frequency, monetary_minor=money)
        for member, (last, frequency, money) in enumerate(rows)
    ]


@given(rows=populations(), method=METHODS)
def test_better_never_scores_lower(rows: list[MemberTotals], method: RfmMethod) -> None:
    outcome = score_members(rows, settings=RfmSettings(method=method), as_of=AS_OF)
    pairs = list(zip(rows, outcome.scores, strict=True))
    for (a, score_a), (b, score_b) in pairwise(pairs):
        if a.monetary_minor < b.monetary_minor:
            assert score_a.m <= score_b.m
        if a.recency(AS_OF) > b.recency(AS_OF):
            assert score_a.r <= score_b.r
    assert all(1 <= part <= 5 for score in outcome.scores for part in (score.r, score.f, score.m))


@given(rows=populations())
def test_strict_parts_differ_by_one_member_at_most(rows: list[MemberTotals]) -> None:
    outcome = score_members(rows, settings=RfmSettings(), as_of=AS_OF)
    for part in ("r", "f", "m"):
        sizes = Counter(getattr(score, part) for score in outcome.scores)
        counts = [sizes[score] for score in range(1, 6)]
        assert max(counts) - min(counts) <= 1


@given(rows=populations())
def test_tie_safe_gives_equal_values_one_score(rows: list[MemberTotals]) -> None:
    outcome = score_members(rows, settings=RfmSettings(method=RfmMethod.TIE_SAFE), as_of=AS_OF)
    seen: dict[int, int] = {}
    for row, score in zip(rows, outcome.scores, strict=True):
        assert seen.setdefault(row.frequency, score.f) == score.f


def test_a_period_begins_one_way_only() -> None:
    with pytest.raises(ValueError, match="period"):
        RfmSettings(period_days=30, period_first=date(2006, 1, 1))
    assert RfmSettings(period_days=30).first_day(date(2006, 1, 31)) == date(2006, 1, 1)
    assert RfmSettings().first_day(date(2006, 1, 31)) is None
