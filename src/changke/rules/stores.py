"""What a store is: its ownership, its card and its opening hours."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, time
from enum import StrEnum

from changke.kernel.checks import refuse_blank, refuse_code, refuse_long, refuse_phone, refuse_zone
from changke.kernel.errors import Problem


class Ownership(StrEnum):
    OWN = "own"
    FRANCHISE = "franchise"


class StorePicture(StrEnum):
    PICTURE = "picture"
    FLOOR_PLAN = "floor_plan"


class Weekday(StrEnum):
    MON = "mon"
    TUE = "tue"
    WED = "wed"
    THU = "thu"
    FRI = "fri"
    SAT = "sat"
    SUN = "sun"


@dataclass(frozen=True, slots=True, kw_only=True)
class Hours:
    """From opening to closing; closing at or before opening means on the next calendar day."""

    opens_at: time
    closes_at: time

    @property
    def is_over_midnight(self) -> bool:
        return self.closes_at <= self.opens_at


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreCard:
    """What head office writes about a store; a weekday without hours is closed."""

    code: str
    name: str
    name_en: str = ""
    region_id: int | None = None
    ownership: Ownership = Ownership.OWN
    time_zone: str = "Asia/Shanghai"
    day_ends_at: time = time(0)
    hours: Mapping[Weekday, Hours] = field(default_factory=dict)
    address: str = ""
    phone: str = ""
    opened_on: date | None = None


def every_day(hours: Hours) -> dict[Weekday, Hours]:
    """Return the same hours for all seven days."""
    return dict.fromkeys(Weekday, hours)


def refuse_store(card: StoreCard) -> Iterator[Problem]:
    """Yield what is wrong with the data of a store; its day must not end while it is still open."""
    yield from refuse_code(card.code)
    yield from refuse_blank(card.name, field="name", longest=120)
    yield from refuse_long(card.name_en, field="name_en", longest=120)
    yield from refuse_long(card.address, field="address", longest=300)
    yield from refuse_phone(card.phone)
    yield from refuse_zone(card.time_zone)
    for day, hours in card.hours.items():
        if hours.is_over_midnight and hours.closes_at > card.day_ends_at:
            yield Problem(
                code="day_ends_while_open",
                field=f"hours_{day}",
                message="The store closes at %(closes_at)s, after its day has ended at %(ends_at)s.",
                cure="Close earlier, or let the day end later.",
                values=(
                    ("closes_at", f"{hours.closes_at:%H:%M}"),
                    ("ends_at", f"{card.day_ends_at:%H:%M}"),
                ),
            )
