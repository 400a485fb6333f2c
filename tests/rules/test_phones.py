"""Phones: every way of writing a number leads to one form; masks never show the middle."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from changke.rules.phones import format_phone, mask_address, mask_email, mask_phone, parse_phone


@pytest.mark.parametrize(
    "typed",
    [
        "13800138000",
        "138 0013 8000",
        "138-0013-8000",
        "+86 138 0013 8000",
        "008613800138000",
        "86 13800138000",
        "１３８００１３８０００",
    ],
)
def test_all_spellings_lead_to_one_form(typed: str) -> None:
    assert parse_phone(typed) == "+8613800138000"


@pytest.mark.parametrize("typed", ["", "abc", "123", "23800138000", "1380013800", "138001380001", "13800138000 ext 5"])
def test_what_is_no_phone_is_refused(typed: str) -> None:
    assert parse_phone(typed) is None


@pytest.mark.parametrize(
    ("phone", "written", "masked"),
    [
        ("+8613800138000", "138 0013 8000", "138****8000"),
        ("+442079460958", "+44 20 7946 0958", "+44****0958"),
        ("", "", ""),
    ],
)
def test_how_a_phone_is_shown(phone: str, written: str, masked: str) -> None:
    assert format_phone(phone) == written
    assert mask_phone(phone) == masked


def test_other_masks() -> None:
    assert mask_email("anna.lee@example.com") == "a***@example.com"
    assert mask_email("") == ""
    assert mask_email("nonsense") == "***"
    assert mask_address("上海市浦东新区世纪大道100号") == "上海市浦东新***"
    assert mask_address("") == ""


@given(st.integers(min_value=13000000000, max_value=19999999999))
def test_every_chinese_mobile_is_known(number: int) -> None:
    phone = parse_phone(str(number))
    assert phone == f"+86{number}"
    assert str(number)[3:7] not in mask_phone(phone).replace("****", "")[:-4]
