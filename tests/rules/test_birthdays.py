"""Birthdays: known festivals of the lunar calendar, leap rules, and the properties every next birthday has."""

import re
from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from changke.rules.birthdays import BirthDate, BirthdayRefusal, LeapRule, next_birthday, refuse_birth_date

NEW_YEARS = [
    "1985-02-20",
    "2000-02-05",
    "2024-02-10",
    "2025-01-29",
    "2026-02-17",
    "2027-02-06",
    "2033-01-31",
    "2034-02-19",
]
MID_AUTUMNS = ["2023-09-29", "2024-09-17", "2025-10-06", "2026-09-25", "2027-09-15", "2033-09-08"]


def lunar(month: int, day: int, *, leap: bool = False) -> BirthDate:
    return BirthDate(month=month, day=day, is_lunar=True, in_leap_month=leap)


@pytest.mark.parametrize("day", NEW_YEARS)
def test_first_of_first_lunar_month_is_chinese_new_year(day: str) -> None:
    expected = date.fromisoformat(day)
    assert next_birthday(lunar(1, 1), on_or_after=date(expected.year, 1, 1)) == expected


@pytest.mark.parametrize("day", MID_AUTUMNS)
def test_fifteenth_of_eighth_lunar_month_is_mid_autumn(day: str) -> None:
    expected = date.fromisoformat(day)
    assert next_birthday(lunar(8, 15), on_or_after=date(expected.year, 1, 1)) == expected


@pytest.mark.parametrize(
    ("born", "since", "expected"),
    [
        (lunar(6, 1, leap=True), date(2025, 7, 1), date(2025, 7, 25)),  # 2025 has a leap sixth month
        (lunar(6, 1), date(2025, 6, 20), date(2025, 6, 25)),  # the plain one comes first and is the birthday
        (lunar(6, 1), date(2025, 7, 1), date(2026, 7, 14)),  # the leap month is no second birthday
        (lunar(6, 1, leap=True), date(2026, 1, 1), date(2026, 7, 14)),  # no leap sixth month: the plain one
        (lunar(12, 30), date(2026, 1, 1), date(2026, 2, 16)),  # twelfth month of lunar 2025 has 29 days
        (lunar(12, 15), date(2026, 1, 1), date(2026, 2, 2)),  # belongs to the lunar year before
    ],
)
def test_leap_months_and_short_months(born: BirthDate, since: date, expected: date) -> None:
    assert next_birthday(born, on_or_after=since) == expected


@pytest.mark.parametrize(
    ("rule", "since", "expected"),
    [
        (LeapRule.FEBRUARY_28, date(2026, 1, 1), date(2026, 2, 28)),
        (LeapRule.MARCH_1, date(2026, 1, 1), date(2026, 3, 1)),
        (LeapRule.FEBRUARY_28, date(2028, 2, 28), date(2028, 2, 29)),
        (LeapRule.MARCH_1, date(2026, 3, 2), date(2027, 3, 1)),
        (LeapRule.FEBRUARY_28, date(2100, 1, 1), date(2100, 2, 28)),  # a century that is no leap year
    ],
)
def test_29_february(rule: LeapRule, since: date, expected: date) -> None:
    assert next_birthday(BirthDate(month=2, day=29), on_or_after=since, leap_rule=rule) == expected


def test_the_day_itself_is_the_next_birthday() -> None:
    assert next_birthday(BirthDate(month=5, day=1), on_or_after=date(2026, 5, 1)) == date(2026, 5, 1)


@given(
    month=st.integers(1, 12),
    day=st.integers(1, 30),
    is_lunar=st.booleans(),
    leap=st.booleans(),
    since=st.dates(date(1950, 1, 1), date(2059, 12, 31)),
)
def test_next_birthday_comes_within_thirteen_months_and_is_stable(
    month: int, day: int, is_lunar: bool, leap: bool, since: date
) -> None:
    born = BirthDate(month=month, day=min(day, 28) if not is_lunar else day, is_lunar=is_lunar, in_leap_month=leap)
    found = next_birthday(born, on_or_after=since)
    assert since <= found <= since + timedelta(days=385)
    assert next_birthday(born, on_or_after=found) == found
    after = next_birthday(born, on_or_after=found + timedelta(days=1))
    assert after >= found + timedelta(days=353 if is_lunar else 365)


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        ((2, 29, None, False, False), None),
        ((2, 29, 1999, False, False), BirthdayRefusal.NO_SUCH_DAY),
        ((2, 30, None, False, False), BirthdayRefusal.NO_SUCH_DAY),
        ((4, 31, 1990, False, False), BirthdayRefusal.NO_SUCH_DAY),
        ((13, 1, None, False, False), BirthdayRefusal.NO_SUCH_DAY),
        ((None, None, 1990, False, False), None),
        ((3, None, 1990, False, False), BirthdayRefusal.INCOMPLETE),
        ((1, 1, 1899, False, False), BirthdayRefusal.YEAR_OUT_OF_RANGE),
        ((1, 1, 2027, False, False), BirthdayRefusal.YEAR_OUT_OF_RANGE),
        ((1, 30, None, True, False), None),
        ((1, 31, None, True, False), BirthdayRefusal.NO_SUCH_DAY),
        ((6, 1, 2025, True, True), None),
        ((5, 1, 2025, True, True), BirthdayRefusal.NO_SUCH_LEAP_MONTH),
        ((12, 30, 2025, True, False), BirthdayRefusal.NO_SUCH_DAY),
    ],
)
def test_impossible_birthdays_are_refused(
    parts: tuple[int | None, int | None, int | None, bool, bool], expected: BirthdayRefusal | None
) -> None:
    month, day, year, is_lunar, leap = parts
    found = refuse_birth_date(
        month=month, day=day, year=year, is_lunar=is_lunar, in_leap_month=leap, today=date(2026, 11, 22)
    )
    assert found == expected


def test_examples_of_the_guide() -> None:
    guide = (Path(__file__).parents[2] / "docs/rules/birthdays.md").read_text()
    rows = re.findall(r"\| (solar|lunar)( leap)? (\d\d)-(\d\d) \| (\S+) \| (\S+) \|", guide)
    assert len(rows) == 7
    for calendar, leap, month, day, since, expected in rows:
        born = BirthDate(month=int(month), day=int(day), is_lunar=calendar == "lunar", in_leap_month=bool(leap))
        assert next_birthday(born, on_or_after=date.fromisoformat(since)) == date.fromisoformat(expected)
