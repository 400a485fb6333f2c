"""Wake-ups that were due for sleeping members, sent or withheld: what decides who is lost."""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from changke.demo.calendar import TradingDays, Whole
from changke.demo.crowd import Crowd, Words
from changke.demo.parameters import Parameters
from changke.demo.visits import Visits

WINDOW_DAYS = 90  # W of the class table, with F = 3
SENT = ""
CONSENTS = ("wechat:marketing", "sms:marketing")  # one of them lets a wake-up go out


class Withheld(StrEnum):
    """Why a wake-up that was due did not go out."""

    CONTROL_GROUP = "control_group"
    NO_CONSENT = "no_consent"
    CAP = "cap"


@dataclass(frozen=True, slots=True, kw_only=True)
class WakeUpsDue:
    """One wake-up each: the member, the day it was due, and why it was withheld ("" = sent)."""

    member: Whole
    due: Whole
    withheld: Words


def draw_wake_ups(
    rng: np.random.Generator, *, parameters: Parameters, days: TradingDays, crowd: Crowd, visits: Visits
) -> WakeUpsDue:
    """Give each pause its wake-ups: the first on falling asleep, then by class of origin, until the next visit."""
    ruling = parameters.wake_ups
    known = visits.member >= 0
    member, day = np.divmod(np.unique(visits.member[known] * days.count + visits.day[known]), days.count)
    every = _days_between(parameters, member=member, day=day, span=days.count)
    until = np.append(day[1:], days.count)
    until[np.append(member[1:] != member[:-1], True)] = days.count
    steps = np.arange(ruling.most_in_a_row)
    due = day[:, None] + ruling.asleep_after_days + every[:, None] * steps
    pause, _ = is_due = np.nonzero((due < until[:, None]) & (due >= ruling.first_after_days))
    place = member[pause]
    columns = [list(parameters.people.consents).index(consent) for consent in CONSENTS]
    silent = ~np.any(crowd.profiles.consents[:, columns], axis=1)
    control = rng.random(len(crowd.home)) < ruling.control_share
    withheld = np.where(rng.random(len(place)) < ruling.cap_share, Withheld.CAP, SENT)
    withheld[control[place]] = Withheld.CONTROL_GROUP
    withheld[silent[place]] = Withheld.NO_CONSENT
    return WakeUpsDue(member=place, due=due[is_due], withheld=withheld)


def _days_between(parameters: Parameters, *, member: Whole, day: Whole, span: int) -> Whole:
    """Return the cadence after each visit, by the class its member had that day: one, two, or three visits and more."""
    key = member * (span + WINDOW_DAYS) + day  # members lie further apart than the window
    in_window = np.arange(len(key)) - np.searchsorted(key, key - WINDOW_DAYS + 1) + 1
    ruling = parameters.wake_ups
    every = np.array([ruling.new_every_days, ruling.returning_every_days, ruling.active_every_days])
    cadence: Whole = every[np.minimum(in_window, 3) - 1]
    return cadence
