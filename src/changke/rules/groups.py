"""Named groups of members: potential, about to leave, one-time, loyal, high value; care classes; layers. Set form:
insight/groups.py.

The sources name the groups and leave most definitions to the user; the shipped ones are ours and are settings, but for
class A's 90 % and ticket of 300, which are theirs.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Final

from changke.kernel.money import Currency


class CareClass(StrEnum):
    A = "A"
    B = "B"
    C = "C"


class ValueLayer(StrEnum):
    VIP = "vip"  # top 5 %
    KEY = "key"  # next 15 %
    ORDINARY = "ordinary"


class ClerkRule(StrEnum):
    """What class A asks of the clerk's own judgement."""

    WHEN_GIVEN = "when_given"  # a judgement of B or C prevents A, none does not
    REQUIRED = "required"


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupSettings:
    """Definitions of the named groups; probabilities in millionths, shares in percent."""

    potential_spending_power_min: int = 4  # of the new and the returning
    leaving_visits_min: int = 3
    leaving_interval_percent: int = 200  # silence of at least this share of the member's own mean interval
    leaving_days_max: int = 180  # longer silent: gone, not about to go
    loyal_visits_min: int = 6
    loyal_days_min: int = 180  # since the first visit
    high_value_m_score_min: int = 5
    care_a_probability_min_ppm: int = 900_000
    care_a_ticket_above_minor: int = 30_000
    care_a_spending_power_min: int = 4
    care_a_clerk: ClerkRule = ClerkRule.WHEN_GIVEN
    care_b_probability_min_ppm: int = 500_000
    vip_percent: int = 5
    key_percent: int = 15


def settings_for(unit: Currency) -> GroupSettings:
    """Return the shipped definitions with the ticket of class A, 300, in a currency's minor units."""
    return GroupSettings(care_a_ticket_above_minor=300 * 10**unit.exponent)


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupFacts:
    """What the definitions look at; the names are those of the wide row."""

    life_class: str
    recency_days: int | None
    first_visit_on: date | None
    visit_days_ever: int
    mean_interval_days: int | None
    mean_ticket_minor: int | None
    m_score: int | None
    spending_power: int | None
    buys_in_30_days_ppm: int | None
    clerk_class: str | None


def is_potential(facts: GroupFacts, *, settings: GroupSettings) -> bool:
    """New or returning, with the ticket of a big spender."""
    return (
        facts.life_class in ("new", "returning")
        and (facts.spending_power or 0) >= settings.potential_spending_power_min
    )


def is_about_to_leave(facts: GroupFacts, *, settings: GroupSettings) -> bool:
    """Silent for twice the member's own rhythm, not yet lost and not yet long gone."""
    if facts.life_class == "lost" or facts.recency_days is None or facts.mean_interval_days is None:
        return False
    return (
        facts.visit_days_ever >= settings.leaving_visits_min
        and facts.recency_days * 100 >= facts.mean_interval_days * settings.leaving_interval_percent
        and facts.recency_days <= settings.leaving_days_max
    )


def is_one_time(facts: GroupFacts) -> bool:
    """Came on one day only, ever."""
    return facts.visit_days_ever == 1


def is_loyal(facts: GroupFacts, *, settings: GroupSettings, on: date) -> bool:
    """Active now, with many visits over a long time."""
    return (
        facts.life_class == "active"
        and facts.visit_days_ever >= settings.loyal_visits_min
        and facts.first_visit_on is not None
        and (on - facts.first_visit_on).days >= settings.loyal_days_min
    )


def is_high_value(facts: GroupFacts, *, settings: GroupSettings) -> bool:
    """In the top fifth by money of the period."""
    return (facts.m_score or 0) >= settings.high_value_m_score_min


def care_class(facts: GroupFacts, *, settings: GroupSettings) -> CareClass | None:
    """Return the call-back class of a buyer; None without a visit or without a forecast.

    A: at least 90 % likely to buy in the next 30 days, mean ticket above 300, strong spending power and the clerk's
    judgement. B: likely to buy (50 %), or judged A or B by the clerk. C: the rest.
    """
    if facts.visit_days_ever == 0 or facts.buys_in_30_days_ppm is None:
        return None
    clerk_agrees = facts.clerk_class == "A" or (
        facts.clerk_class is None and settings.care_a_clerk is ClerkRule.WHEN_GIVEN
    )
    if (
        facts.buys_in_30_days_ppm >= settings.care_a_probability_min_ppm
        and (facts.mean_ticket_minor or 0) > settings.care_a_ticket_above_minor
        and (facts.spending_power or 0) >= settings.care_a_spending_power_min
        and clerk_agrees
    ):
        return CareClass.A
    if facts.buys_in_30_days_ppm >= settings.care_b_probability_min_ppm or facts.clerk_class in ("A", "B"):
        return CareClass.B
    return CareClass.C


def layer_starts(count: int, *, settings: GroupSettings) -> tuple[int, int]:
    """Return the positions (from 0, worst first) at which the layers key and vip begin among so many buyers."""
    vip = -(-count * settings.vip_percent // 100)
    upper = -(-count * (settings.vip_percent + settings.key_percent) // 100)
    return count - upper, count - vip


def layer_members(values: Sequence[tuple[int, int]], *, settings: GroupSettings) -> dict[int, ValueLayer]:
    """Layer buyers, given as (net ever, member id), into the top 5 %, the next 15 % and the rest; equal values by
    member id.
    """
    key_from, vip_from = layer_starts(len(values), settings=settings)
    return {
        member: ValueLayer.VIP if place >= vip_from else ValueLayer.KEY if place >= key_from else ValueLayer.ORDINARY
        for place, (_, member) in enumerate(sorted(values))
    }


def grade_spending_power(tickets: Sequence[tuple[int, int]]) -> dict[int, int]:
    """Grade buyers, given as (mean ticket, member id), 1 to 5 in equal fifths; equal tickets by member id."""
    return {member: 1 + place * 5 // len(tickets) for place, (_, member) in enumerate(sorted(tickets))}


AGE_BANDS: Final = ("<=20", *(f"{low}-{low + 4}" for low in range(21, 70, 5)), ">70", "unknown")


def age_on(day: date, *, year: int | None, month: int | None, day_of_month: int | None) -> int | None:
    """Return the completed years of age; with the year alone, the difference of the years; None where the year is
    unknown.
    """
    if year is None:
        return None
    birthday_ahead = month is not None and (day.month, day.day) < (month, day_of_month or 1)
    return day.year - year - birthday_ahead


def age_band(age: int | None) -> str:
    """Return one of the thirteen AGE_BANDS."""
    if age is None or age < 0:
        return "unknown"
    return AGE_BANDS[min(max((age - 16) // 5, 0), 11)]
