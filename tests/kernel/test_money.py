"""Money is rounded once and split without losing a cent."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from changke.kernel.money import currency, format_money, split_minor, to_major, to_minor

YUAN, YEN = currency("CNY"), currency("JPY")


@pytest.mark.parametrize(
    ("amount", "minor"), [("0.005", 1), ("0.004", 0), ("-0.005", -1), ("1.015", 102), ("8911407.904", 891140790)]
)
def test_halves_round_away_from_zero(amount: str, minor: int) -> None:
    assert to_minor(Decimal(amount), unit=YUAN) == minor


def test_money_is_written_as_people_read_it() -> None:
    assert format_money(123_450, unit=YUAN) == "¥1,234.50"
    assert format_money(-300, unit=currency("GBP")) == "-£3.00"
    assert format_money(1_234, unit=YEN) == "¥1,234"


@given(st.integers(-(10**15), 10**15))
def test_minor_to_major_and_back(minor: int) -> None:
    assert to_minor(to_major(minor, unit=YUAN), unit=YUAN) == minor


@pytest.mark.promise(13)
@given(st.integers(-(10**12), 10**12), st.lists(st.integers(0, 10**9), min_size=1, max_size=40).filter(any))
def test_a_split_sums_exactly_and_each_part_is_within_one_unit(total: int, weights: list[int]) -> None:
    parts = split_minor(total, weights=weights)
    assert sum(parts) == total
    whole = sum(weights)
    for part, weight in zip(parts, weights, strict=True):
        assert abs(part * whole - total * weight) < whole


def test_a_split_over_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="positive weight"):
        split_minor(100, weights=[0, 0])
