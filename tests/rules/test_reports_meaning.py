"""The meaning of report figures, by small worked examples."""

from datetime import date, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from changke.kernel.periods import Period
from changke.rules.reports.loyalty import (
    INTERVALS,
    CohortBasis,
    GroupBy,
    in_order,
    list_cohorts,
    list_groups,
    list_intervals,
    list_lorenz,
)
from changke.rules.reports.overview import Novelty, count_key_figures, list_days, list_novelty
from changke.rules.reports.scope import LineFact, SaleFact, Scope, mean, ppm
from changke.rules.reports.shop import Goods, list_goods, list_hours, list_staff, list_stores

MARCH = Scope(period=Period(first=date(2024, 3, 1), last=date(2024, 3, 31)))


def member(member_id: int, **known: Any) -> Any:
    row = {"status": "formal", "joined_on": None, "home_store_id": 1, "recruiter_id": None} | known
    return SimpleNamespace(member_id=member_id, **row)


def sale(
    day: date, total: int = 1000, *, member: int | None = 1, store: int = 1, product: int = 7, staff: int = 11
) -> SaleFact:
    line = LineFact(
        product_id=product,
        category_id=None,
        top_category_id=product // 10,
        brand_id=None,
        quantity_milli=1000 if total > 0 else -1000,
        total_minor=total,
    )
    return SaleFact(
        sale_id=id(line),
        member_id=member,
        store_id=store,
        staff_id=staff,
        day=day,
        hour=12,
        is_return=total < 0,
        total_minor=total,
        lines=(line,),
    )


def march(day: int) -> date:
    return date(2024, 3, day)


@pytest.mark.parametrize(
    ("part", "whole", "expected"), [(1, 3, 333_333), (2, 3, 666_667), (0, 5, 0), (1, 0, None), (-1, 3, -333_333)]
)
def test_shares_are_rounded_and_nothing_has_none(part: int, whole: int, expected: int | None) -> None:
    assert ppm(part, whole) == expected


@pytest.mark.parametrize(("total", "count", "expected"), [(5, 2, 3), (-5, 2, -3), (4, 3, 1), (7, 0, None)])
def test_means_are_rounded_half_away_from_zero(total: int, count: int, expected: int | None) -> None:
    assert mean(total, count) == expected


def test_key_figures_and_their_rates() -> None:
    members = [
        member(1, joined_on=march(2)),
        member(2, status="provisional", joined_on=date(2024, 1, 1)),
        member(3, joined_on=date(2024, 4, 1)),
        member(4, status="prospect", joined_on=march(5)),
        member(5),
    ]
    sales = [
        sale(march(2)), sale(march(2)), sale(march(9)), sale(march(10), -400), sale(march(3), 1600, member=None),
        sale(date(2024, 2, 20), member=2), sale(date(2024, 2, 20), member=1), sale(march(20), 800, member=5),
    ]  # fmt: skip
    figures = count_key_figures(members, sales, scope=MARCH)
    assert (figures.members_formal, figures.members_provisional, figures.new_members) == (2, 1, 1)
    assert (figures.buyers, figures.repeat_buyers, figures.kept_members, figures.buyers_before) == (2, 1, 1, 2)
    assert figures.sales_minor == 5000
    assert figures.member_share_ppm == 680_000
    assert figures.mean_ticket_minor == 1000
    assert figures.repurchase_ppm == figures.retention_ppm == 500_000
    assert figures.conversion_ppm == 500_000  # one new buyer beside one anonymous receipt


def test_a_scope_keeps_to_its_stores_and_compares_with_as_many_days() -> None:
    scope = Scope(period=MARCH.period, store_ids=frozenset({2}))
    assert scope.before().period == Period(first=date(2024, 1, 30), last=date(2024, 2, 29))
    figures = count_key_figures(
        [member(1), member(2, home_store_id=2)], [sale(march(1)), sale(march(2), 50, store=2)], scope=scope
    )
    assert (figures.members_formal, figures.sales_minor) == (1, 50)


def test_days_and_novelty() -> None:
    sales = [
        sale(march(1)),
        sale(date(2024, 2, 1), member=2),
        sale(march(1), 500, member=2),
        sale(march(4), 70, member=None),
    ]
    first, last = list_days(sales, scope=MARCH)
    assert (first.receipts, first.buyers, first.sales_minor) == (2, 2, 1500)
    assert (last.buyers, last.sales_minor, last.member_sales_minor) == (0, 70, 0)
    assert [(row.novelty, row.buyers, row.sales_minor) for row in list_novelty(sales, scope=MARCH)] == [
        (Novelty.NEW, 1, 1000), (Novelty.OLD, 1, 500), (Novelty.ANONYMOUS, 0, 70),
    ]  # fmt: skip


def test_cohorts_are_a_triangle_with_empty_cells() -> None:
    scope = Scope(period=Period(first=date(2024, 1, 1), last=date(2024, 3, 31)))
    sales = [sale(date(2024, 1, 5)), sale(march(5)), sale(date(2024, 1, 9), member=2), sale(march(1), member=3)]
    cells = list_cohorts([], sales, scope=scope, basis=CohortBasis.FIRST_PURCHASE)
    assert [(c.cohort.month, c.months, c.members, c.buyers) for c in cells] == [
        (1, 0, 2, 2), (1, 1, 2, 0), (1, 2, 2, 1), (3, 0, 1, 1),
    ]  # fmt: skip
    assert cells[2].retention_ppm == 500_000
    joined = list_cohorts([member(1, joined_on=date(2024, 2, 1))], sales, scope=scope, basis=CohortBasis.JOINED)
    assert [(c.months, c.buyers) for c in joined] == [(0, 0), (1, 1)]


def test_the_best_fifth_brings_its_share() -> None:
    sales = [sale(march(1), 8000 if number <= 2 else 500, member=number) for number in range(1, 11)]
    points = {point.percent: point for point in list_lorenz(sales, scope=MARCH)}
    assert (points[20].members, points[20].share_ppm) == (2, 800_000)
    assert (points[5].members, points[100].members, points[100].share_ppm) == (1, 10, 1_000_000)
    assert list_lorenz([], scope=MARCH) == ()


def test_intervals_end_in_the_period() -> None:
    days = [date(2024, 1, 1), date(2024, 2, 1), march(1), march(8), march(8)]
    rows = list_intervals([sale(day) for day in days], scope=MARCH)
    assert {(row.days_from, row.days_to): row.intervals for row in rows if row.intervals} == {(15, 30): 1, (1, 7): 1}
    assert len(rows) == len(INTERVALS)


def test_groups_and_their_order() -> None:
    members = [member(1, gender="male"), member(2, gender="female"), member(3, gender="female")]
    sales = [sale(march(1)), sale(march(1), member=2), sale(march(2), 500, member=2), sale(march(2), member=99)]
    found = list_groups(members, sales, scope=MARCH, by=GroupBy.GENDER)
    assert [(row.key, row.members, row.buyers, row.mean_ticket_minor) for row in found] == [
        ("female", 2, 1, 750), ("male", 1, 1, 1000),
    ]  # fmt: skip
    assert in_order([None, 10, 9]) == [9, 10, None]


def test_goods_are_ranked_with_their_share_of_everything() -> None:
    sales = [
        sale(march(1), product=10),
        sale(march(1), 3000, product=20, member=None),
        sale(march(2), -500, product=10),
    ]
    best, second = list_goods(sales, scope=MARCH, by=Goods.PRODUCT, rows_max=6)
    assert (best.key, best.buyers, best.share_ppm) == (20, 0, 857_143)
    assert (second.receipts, second.quantity_milli, second.sales_minor) == (1, 0, 500)
    assert len(list_goods(sales, scope=MARCH, by=Goods.TOP_CATEGORY, rows_max=1)) == 1


def test_stores_and_staff() -> None:
    joined = {"joined_on": march(1), "recruiter_id": 12}
    members = [member(1, **joined), member(2, **joined, home_store_id=2), member(3)]
    sales = [
        sale(march(1)), sale(march(9)), sale(march(9), 300, member=3), sale(march(2), 5000, store=2, member=None),
        sale(date(2024, 2, 9), 100, member=None),
    ]  # fmt: skip
    second, first = list_stores(members, sales, scope=MARCH)
    assert (second.store_id, second.buyers, second.new_members, second.repurchase_ppm) == (2, 0, 1, None)
    assert (first.repurchase_ppm, first.once_ppm, first.sales_before_minor) == (500_000, 500_000, 100)
    seller, recruiter = list_staff(members, sales, scope=MARCH)
    assert (seller.staff_id, seller.receipts, seller.member_receipts) == (11, 4, 3)
    assert (recruiter.staff_id, recruiter.recruited, recruiter.recruited_repeat) == (12, 2, 1)


def test_hours() -> None:
    monday = date(2024, 3, 4)
    (row,) = list_hours([sale(monday), sale(monday + timedelta(days=7), -200)], scope=MARCH)
    assert (row.weekday, row.hour, row.receipts, row.sales_minor) == (1, 12, 1, 800)
