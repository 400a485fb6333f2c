"""The one place that asks what time it is; everything below a door is handed its `now`."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo


def utc_now() -> datetime:
    """Return the present moment, aware, in UTC."""
    return datetime.now(UTC)


def business_day(moment: datetime, *, zone: ZoneInfo, day_ends_at: time = time(0)) -> date:
    """Return the trading day a moment belongs to: a day may end at 04:00 of the next calendar day."""
    local = moment.astimezone(zone)
    day = local.date()
    return day - timedelta(days=1) if local.time() < day_ends_at else day


def start_of_day(day: date, *, zone: ZoneInfo, day_ends_at: time = time(0)) -> datetime:
    """Return the moment a trading day begins in a zone, in UTC."""
    return datetime.combine(day, day_ends_at, tzinfo=zone).astimezone(UTC)
