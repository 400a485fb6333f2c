"""The next birthday of members whose last one has passed, worked out once for each day of birth."""

from datetime import datetime

from django.utils.timezone import localdate

from changke.queries.settings import load_setting
from changke.records.models import Member
from changke.rules.birthdays import BirthDate, BirthdaySettings, next_birthday
from changke.rules.members import BirthCalendar

PARTS = ("birth_calendar", "birth_month", "birth_day", "birth_in_leap_month")


def renew_birthdays(*, now: datetime) -> int:
    """Move the next birthday of everybody whose day has passed to the coming one; returns how many moved.

    One look in the index where nothing has passed. The day is derived: no audit row, no new version.
    """
    today, rule = localdate(now), load_setting(BirthdaySettings).leap_rule
    passed = Member.objects.filter(next_birthday_on__lt=today)
    moved = 0
    for calendar, month, day, in_leap_month in list(passed.values_list(*PARTS).distinct()):
        born = BirthDate(month=month, day=day, is_lunar=calendar == BirthCalendar.LUNAR, in_leap_month=in_leap_month)
        same = passed.filter(
            birth_calendar=calendar, birth_month=month, birth_day=day, birth_in_leap_month=in_leap_month
        )
        moved += same.update(next_birthday_on=next_birthday(born, on_or_after=today, leap_rule=rule))
    return moved
