"""Status moves and card numbers."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from changke.rules.members import GONE, MemberStatus, StatusMove, card_number_for, decide_status, moves_from


@given(status=st.sampled_from(list(MemberStatus)), move=st.sampled_from(list(StatusMove)))
def test_moves_shown_are_the_moves_allowed(status: MemberStatus, move: StatusMove) -> None:
    after = decide_status(status, move=move)
    assert (after is not None) == (move in moves_from(status))
    assert after != status
    assert not (status in GONE and after)


@pytest.mark.parametrize(("number", "card"), [(1, "9000000000019"), (7992739871, "9079927398714")])
def test_card_numbers(number: int, card: str) -> None:
    assert card_number_for(number) == card


@given(st.integers(0, 10**11 - 1))
def test_a_card_number_carries_its_check_digit(number: int) -> None:
    card = card_number_for(number)
    doubled = (int(digit) * (1 + place % 2) for place, digit in enumerate(reversed(card)))
    assert len(card) == 13
    assert sum(value // 10 + value % 10 for value in doubled) % 10 == 0
