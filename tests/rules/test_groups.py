"""Named groups, care classes, layers, spending power, age bands: the definitions at their edges."""

from dataclasses import replace
from datetime import date

import pytest

from changke.kernel.money import currency
from changke.rules.groups import (
    AGE_BANDS,
    ClerkRule,
    GroupFacts,
    GroupSettings,
    age_band,
    age_on,
    care_class,
    grade_spending_power,
    is_about_to_leave,
    is_high_value,
    is_loyal,
    is_one_time,
    is_potential,
    layer_members,
    settings_for,
)

SHIPPED = GroupSettings()
DAY = date(2026, 6, 30)
REGULAR = GroupFacts(
    life_class="active",
    recency_days=20,
    first_visit_on=date(2025, 12, 1),
    visit_days_ever=8,
    mean_interval_days=10,
    mean_ticket_minor=30_001,
    m_score=5,
    spending_power=4,
    buys_in_30_days_ppm=900_000,
    clerk_class=None,
)


def test_groups_of_a_regular() -> None:
    assert is_about_to_leave(REGULAR, settings=SHIPPED)
    assert is_loyal(REGULAR, settings=SHIPPED, on=DAY)
    assert is_high_value(REGULAR, settings=SHIPPED)
    assert not is_one_time(REGULAR)
    assert not is_potential(REGULAR, settings=SHIPPED)


@pytest.mark.parametrize(
    "change",
    [
        {"recency_days": 19},
        {"recency_days": 181},
        {"visit_days_ever": 2},
        {"life_class": "lost"},
        {"mean_interval_days": None},
    ],
)
def test_not_about_to_leave(change: dict[str, object]) -> None:
    assert not is_about_to_leave(replace(REGULAR, **change), settings=SHIPPED)  # type: ignore[arg-type]


def test_edges_of_the_other_groups() -> None:
    assert is_potential(replace(REGULAR, life_class="new"), settings=SHIPPED)
    assert not is_potential(replace(REGULAR, life_class="new", spending_power=3), settings=SHIPPED)
    assert is_one_time(replace(REGULAR, visit_days_ever=1))
    assert not is_loyal(replace(REGULAR, first_visit_on=date(2026, 1, 2)), settings=SHIPPED, on=DAY)
    assert is_loyal(replace(REGULAR, first_visit_on=date(2026, 1, 1)), settings=SHIPPED, on=DAY)
    assert not is_high_value(replace(REGULAR, m_score=None), settings=SHIPPED)


@pytest.mark.parametrize(
    ("change", "care"),
    [
        ({}, "A"),
        ({"clerk_class": "A"}, "A"),
        ({"clerk_class": "B"}, "B"),
        ({"clerk_class": "C"}, "B"),  # still likely to buy
        ({"mean_ticket_minor": 30_000}, "B"),
        ({"spending_power": 3}, "B"),
        ({"buys_in_30_days_ppm": 899_999}, "B"),
        ({"buys_in_30_days_ppm": 499_999}, "C"),
        ({"buys_in_30_days_ppm": 100, "clerk_class": "A"}, "B"),
        ({"buys_in_30_days_ppm": None}, None),
        ({"visit_days_ever": 0}, None),
    ],
)
def test_care_classes(change: dict[str, object], care: str | None) -> None:
    assert care_class(replace(REGULAR, **change), settings=SHIPPED) == care  # type: ignore[arg-type]


def test_class_a_may_require_the_clerk() -> None:
    strict = GroupSettings(care_a_clerk=ClerkRule.REQUIRED)
    assert care_class(REGULAR, settings=strict) == "B"
    assert care_class(replace(REGULAR, clerk_class="A"), settings=strict) == "A"


def test_ticket_of_class_a_follows_the_currency() -> None:
    assert settings_for(currency("CNY")).care_a_ticket_above_minor == 30_000
    assert settings_for(currency("JPY")).care_a_ticket_above_minor == 300


def test_layers_are_5_15_and_80_percent() -> None:
    layers = layer_members([(member * 10, member) for member in range(100)], settings=SHIPPED)
    assert [sum(layer == name for layer in layers.values()) for name in ("vip", "key", "ordinary")] == [5, 15, 80]
    assert layers[99] == "vip"
    assert layer_members([], settings=SHIPPED) == {}
    assert layer_members([(5, 1)], settings=SHIPPED) == {1: "vip"}


def test_spending_power_by_fifths_and_member() -> None:
    assert grade_spending_power([(7, member) for member in range(10)]) == {m: 1 + m // 2 for m in range(10)}


def test_thirteen_age_bands() -> None:
    assert len(AGE_BANDS) == 13
    assert [age_band(age) for age in (0, 20, 21, 25, 26, 70, 71, 104, None)] == [
        "<=20", "<=20", "21-25", "21-25", "26-30", "66-70", ">70", ">70", "unknown",
    ]  # fmt: skip


def test_age_in_completed_years() -> None:
    assert age_on(DAY, year=1990, month=6, day_of_month=30) == 36
    assert age_on(DAY, year=1990, month=7, day_of_month=1) == 35
    assert age_on(DAY, year=1990, month=7, day_of_month=None) == 35
    assert age_on(DAY, year=1990, month=None, day_of_month=None) == 36
    assert age_on(DAY, year=None, month=1, day_of_month=1) is None
