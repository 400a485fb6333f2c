"""Birthdays: the solar day on which somebody born by the solar or the lunar calendar celebrates next."""

from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from functools import lru_cache
from typing import Final

from lunar_python import LunarYear

_EPOCH: Final = 2451545 - date(2000, 1, 1).toordinal()  # Julian day number minus ordinal of the same civil day
LONGEST_MONTHS: Final = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
LONGEST_LUNAR_MONTH: Final = 30
EARLIEST_YEAR: Final = 1900


class LeapRule(StrEnum):
    """When somebody born on 29 February celebrates in a common year."""

    FEBRUARY_28 = "february_28"
    MARCH_1 = "march_1"


class BirthdayRefusal(StrEnum):
    INCOMPLETE = "incomplete"  # a month without a day or a day without a month
    NO_SUCH_DAY = "no_such_day"
    NO_SUCH_LEAP_MONTH = "no_such_leap_month"
    YEAR_OUT_OF_RANGE = "year_out_of_range"


@dataclass(frozen=True, slots=True, kw_only=True)
class BirthdaySettings:
    """Settings of birthdays."""

    leap_rule: LeapRule = LeapRule.FEBRUARY_28


@dataclass(frozen=True, slots=True, kw_only=True)
class BirthDate:
    """Month and day of a birth in its own calendar; `year` is that calendar's year, None where unknown."""

    month: int
    day: int
    year: int | None = None
    is_lunar: bool = False
    in_leap_month: bool = False  # lunar only


def next_birthday(born: BirthDate, *, on_or_after: date, leap_rule: LeapRule = LeapRule.FEBRUARY_28) -> date:
    """Return the first solar day on or after a day on which the birthday is celebrated.

    Solar: 29 February falls by the rule in a common year. Lunar: the leap month of birth where the year has it, else
    the plain month of that number; day 30 on the 29th where the month is short. Needs a date that refuse_birth_date
    accepts.
    """
    if born.is_lunar:
        # A lunar year begins between 21 January and 20 February, so the lunar year before may still be running.
        years = range(on_or_after.year - 1, on_or_after.year + 3)
        days = (_lunar_day(born, year=year) for year in years)
    else:
        days = (_solar_day(born, year=year, leap_rule=leap_rule) for year in range(on_or_after.year, 9999))
    return next(day for day in days if day >= on_or_after)


def refuse_birth_date(
    *, month: int | None, day: int | None, year: int | None, is_lunar: bool, in_leap_month: bool, today: date
) -> BirthdayRefusal | None:
    """Return why these parts are no birthday, or None; month and day may both be missing, the year may be missing."""
    if year is not None and not EARLIEST_YEAR <= year <= today.year:
        return BirthdayRefusal.YEAR_OUT_OF_RANGE
    if month is None or day is None:
        return None if month is day else BirthdayRefusal.INCOMPLETE
    if not 1 <= month <= 12 or day < 1:
        return BirthdayRefusal.NO_SUCH_DAY
    if not is_lunar:
        return None if day <= _longest(month, year=year) else BirthdayRefusal.NO_SUCH_DAY
    if year is None:
        return None if day <= LONGEST_LUNAR_MONTH else BirthdayRefusal.NO_SUCH_DAY
    found = _lunar_months(year).get(-month if in_leap_month else month)
    if found is None:
        return BirthdayRefusal.NO_SUCH_LEAP_MONTH
    return None if day <= found[1] else BirthdayRefusal.NO_SUCH_DAY


def _longest(month: int, *, year: int | None) -> int:
    is_common = year is not None and not (year % 4 == 0 and (year % 100 != 0 or year % 400 == 0))
    return 28 if month == 2 and is_common else LONGEST_MONTHS[month - 1]


def _solar_day(born: BirthDate, *, year: int, leap_rule: LeapRule) -> date:
    if (born.month, born.day) == (2, 29) and _longest(2, year=year) == 28:
        return date(year, 2, 28) if leap_rule is LeapRule.FEBRUARY_28 else date(year, 3, 1)
    return date(year, born.month, born.day)


def _lunar_day(born: BirthDate, *, year: int) -> date:
    months = _lunar_months(year)
    first, days = months.get(-born.month if born.in_leap_month else born.month) or months[born.month]
    return first + timedelta(days=min(born.day, days) - 1)


@lru_cache(maxsize=512)
def _lunar_months(year: int) -> dict[int, tuple[date, int]]:
    """Return the months of a lunar year by number, the leap month as a negative one: (first solar day, days)."""
    return {
        month.getMonth(): (date.fromordinal(round(month.getFirstJulianDay()) - _EPOCH), month.getDayCount())
        for month in LunarYear.fromYear(year).getMonthsInYear()
    }
