"""Business days, months and periods: the edges of nights, years and leap days."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from changke.kernel.clock import business_day, start_of_day
from changke.kernel.periods import Period, add_months, days_ending, month_of

SHANGHAI, LONDON = ZoneInfo("Asia/Shanghai"), ZoneInfo("Europe/London")


@pytest.mark.parametrize(
    ("moment", "zone", "ends", "day"),
    [
        (datetime(2026, 11, 21, 16, 0, tzinfo=UTC), SHANGHAI, time(0), date(2026, 11, 22)),
        (datetime(2026, 11, 21, 15, 59, tzinfo=UTC), SHANGHAI, time(0), date(2026, 11, 21)),
        (datetime(2026, 11, 21, 19, 59, tzinfo=UTC), SHANGHAI, time(4), date(2026, 11, 21)),
        (datetime(2026, 11, 21, 20, 0, tzinfo=UTC), SHANGHAI, time(4), date(2026, 11, 22)),
        (datetime(2026, 3, 29, 0, 30, tzinfo=UTC), LONDON, time(0), date(2026, 3, 29)),
    ],
)
def test_a_late_night_belongs_to_the_day_before(moment: datetime, zone: ZoneInfo, ends: time, day: date) -> None:
    assert business_day(moment, zone=zone, day_ends_at=ends) == day


@given(st.dates(date(2000, 1, 1), date(2090, 1, 1)), st.sampled_from([time(0), time(4)]))
def test_a_day_begins_where_the_day_before_ends(day: date, ends: time) -> None:
    start = start_of_day(day, zone=SHANGHAI, day_ends_at=ends)
    assert business_day(start, zone=SHANGHAI, day_ends_at=ends) == day
    assert business_day(start - timedelta(seconds=1), zone=SHANGHAI, day_ends_at=ends) == day - timedelta(days=1)


def test_months_are_clipped_to_their_end() -> None:
    assert add_months(date(2024, 1, 31), months=1) == date(2024, 2, 29)
    assert add_months(date(2023, 12, 31), months=2) == date(2024, 2, 29)
    assert add_months(date(2026, 3, 15), months=-13) == date(2025, 2, 15)
    assert month_of(date(2024, 2, 10)) == Period(first=date(2024, 2, 1), last=date(2024, 2, 29))


def test_a_period_knows_the_one_before() -> None:
    period = days_ending(date(2026, 11, 22), days=30)
    assert (period.days, period.before().days, period.before().last) == (30, 30, date(2026, 10, 23))
    with pytest.raises(ValueError, match="ends on or after"):
        Period(first=date(2026, 1, 2), last=date(2026, 1, 1))
