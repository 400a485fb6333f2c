"""When scored runs are due: on the first day of a month, of a quarter. A missed slot is worked later, once."""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum


class RunOrigin(StrEnum):
    MANUAL = "manual"
    MONTHLY = "monthly"
    QUARTERLY = "quarterly"


@dataclass(frozen=True, slots=True, kw_only=True)
class RfmSchedule:
    """Which runs are made by themselves; each is kept, with its settings, as of the first day of its slot."""

    monthly: bool = True
    quarterly: bool = False


def due_slots(schedule: RfmSchedule, *, as_of: date) -> tuple[tuple[RunOrigin, date], ...]:
    """Return the newest slot of each schedule on an analysis date: (origin, first day of the month or quarter)."""
    month = as_of.replace(day=1)
    quarter = month.replace(month=3 * ((month.month - 1) // 3) + 1)
    return tuple(
        slot
        for wanted, slot in (
            (schedule.monthly, (RunOrigin.MONTHLY, month)),
            (schedule.quarterly, (RunOrigin.QUARTERLY, quarter)),
        )
        if wanted
    )
