"""Calendar spans: whole days, both ends included."""

from dataclasses import dataclass
from datetime import date, timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """Days from `first` to `last`, both included."""

    first: date
    last: date

    def __post_init__(self) -> None:
        if self.last < self.first:
            raise ValueError(f"a period ends on or after its first day: {self.first} .. {self.last}")

    @property
    def days(self) -> int:
        return (self.last - self.first).days + 1

    def before(self) -> "Period":
        """Return the period of the same length that ends the day before this one: what figures are compared with."""
        return Period(first=self.first - timedelta(days=self.days), last=self.first - timedelta(days=1))


def days_ending(last: date, *, days: int) -> Period:
    """Return the period of so many days that ends on `last`."""
    return Period(first=last - timedelta(days=days - 1), last=last)


def month_of(day: date) -> Period:
    """Return the calendar month a day lies in."""
    first = day.replace(day=1)
    return Period(first=first, last=add_months(first, months=1) - timedelta(days=1))


def add_months(day: date, *, months: int) -> date:
    """Return the same day so many months on, clipped to the end of a shorter month."""
    index = day.year * 12 + day.month - 1 + months
    year, month = divmod(index, 12)
    for last in (31, 30, 29, 28):
        try:
            return date(year, month + 1, min(day.day, last))
        except ValueError:
            continue
    raise AssertionError("every month has a 28th")
