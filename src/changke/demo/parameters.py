"""The parameters of the simulated chain, read from parameters.toml."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Final

SHIPPED: Final = Path(__file__).with_name("parameters.toml")


@dataclass(frozen=True, slots=True, kw_only=True)
class Joining:
    """Who joins, where and when; shares are of the member file's rows."""

    launch_burst: float
    opening_burst: float
    burst_days: float
    traffic_tilt: float
    duplicate_share: float
    duplicate_same_phone: float
    prospect_share: float
    provisional_share: float
    frozen_share: float
    closed_share: float
    never_buyer_share: float
    online_delay_days: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Visiting:
    """Pareto/NBD: gamma-distributed visit rates, gamma-distributed death rates."""

    rate_shape: float
    rate_per_day: float
    life_shape: float
    life_days: float
    passer_by_share: float
    away_share: float
    away_same_city: float
    habit_share: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Companies:
    """Members that are companies: their share of the file, how much more often and how many more they come."""

    share: float
    rate: float
    party: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Traffic:
    """What makes one day busier than another; 1 = an average day."""

    months: tuple[float, ...]
    weather: float
    ramp_share: float
    ramp_days: float
    festival_closed_days: int
    holiday: float


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreKind:
    """A kind of store: weights of Monday to Sunday and of the hours from midnight."""

    weekdays: tuple[float, ...]
    hours: tuple[float, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Basket:
    """What stands on one receipt and how it is paid."""

    party_mean: float
    party_habit: float
    party_most: int
    dishes_beyond_one: float
    favourite_share: float
    split_tender_share: float
    tenders: Mapping[str, float]
    price_rise_after_days: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Returns:
    """How often something comes back, how much of it, where and when."""

    share: float
    whole_share: float
    other_store_share: float
    linked_share: float
    same_day_share: float
    most_days: int


@dataclass(frozen=True, slots=True, kw_only=True)
class People:
    """What is known of members."""

    female: float
    male: float
    birthday_unknown: float
    birth_year_unknown: float
    lunar_share: float
    leap_day_share: float
    ages: tuple[tuple[int, float], ...]
    name_unknown: float
    phone_unknown: float
    email_share: float
    address_share: float
    recruited_share: float
    channels: Mapping[str, float]
    consents: Mapping[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class WakeUps:
    """When a sleeping member's wake-up is due and why one is withheld."""

    asleep_after_days: int
    first_after_days: int
    new_every_days: int
    returning_every_days: int
    active_every_days: int
    offer_days: int
    most_in_a_row: int
    control_share: float
    cap_share: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameters:
    """Everything that decides the size and the behaviour of the simulated chain."""

    seed: int
    days: int
    members: int
    ends_on: date | None
    anonymous_share: float
    anonymous_least: float
    joining: Joining
    visiting: Visiting
    companies: Companies
    traffic: Traffic
    kinds: Mapping[str, StoreKind]
    basket: Basket
    returns: Returns
    people: People
    wake_ups: WakeUps

    def sized(self, *, members: int) -> "Parameters":
        """Return the same chain with another number of members; everything else scales with them."""
        return replace(self, members=members)


def load_parameters(path: Path = SHIPPED) -> Parameters:
    """Read a parameters file; TypeError names a key that is missing or unknown."""
    raw = tomllib.loads(path.read_text(encoding="utf-8"))
    people = raw["people"]
    return Parameters(
        seed=raw["seed"],
        days=raw["days"],
        members=raw["members"],
        ends_on=raw.get("ends_on"),
        anonymous_share=raw["anonymous"]["share"],
        anonymous_least=raw["anonymous"]["least"],
        joining=Joining(**raw["joining"]),
        visiting=Visiting(**raw["visiting"]),
        companies=Companies(**raw["companies"]),
        traffic=Traffic(**{**raw["traffic"], "months": tuple(raw["traffic"]["months"])}),
        kinds={
            kind: StoreKind(weekdays=tuple(row["weekdays"]), hours=tuple(row["hours"]))
            for kind, row in raw["kinds"].items()
        },
        basket=Basket(**raw["basket"]),
        returns=Returns(**raw["returns"]),
        people=People(**{**people, "ages": tuple((age, share) for age, share in people["ages"])}),
        wake_ups=WakeUps(**raw["wake_ups"]),
    )
