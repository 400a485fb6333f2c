"""Visits: when each member comes, and when guests without a card do."""

from dataclasses import dataclass

import numpy as np

from changke.demo.calendar import Real, TradingDays, Whole
from changke.demo.crowd import Crowd
from changke.demo.parameters import Parameters
from changke.demo.shop import Shop

HOUR = 3600


@dataclass(frozen=True, slots=True, kw_only=True)
class Visits:
    """Visits in no order: who (-1 = no card), the store, the business day and the second after that day's midnight.

    Seconds run past 86,400 where a store's day ends after midnight.
    """

    member: Whole
    store: Whole
    day: Whole
    second: Whole


def draw_visits(
    rng: np.random.Generator, *, parameters: Parameters, shop: Shop, days: TradingDays, crowd: Crowd
) -> Visits:
    """Draw all visits of 18 months; no one comes before joining, before the store opens or on a day off."""
    first = _first_visits(crowd, days=days)
    member, day = _repeat_visits(rng, days=days, crowd=crowd, first=first)
    buyers = np.flatnonzero(first >= 0)
    member, day = np.concatenate([buyers, member]), np.concatenate([first[buyers], day])
    store = _stores_visited(rng, parameters=parameters, shop=shop, days=days, home=crowd.home[member], day=day)
    store[: len(buyers)] = crowd.home[buyers]  # the first visit is where one joined
    strangers = round(len(member) * parameters.anonymous_share / (1 - parameters.anonymous_share))
    weight = _room_for_strangers(parameters=parameters, shop=shop, days=days, store=store, day=day)
    cells = rng.choice(weight.size, size=strangers, p=(weight / weight.sum()).ravel())
    member = np.concatenate([member, np.full(strangers, -1)])
    store = np.concatenate([store, cells // days.count])
    hour = _hours(rng, parameters=parameters, shop=shop, crowd=crowd, member=member, store=store)
    return Visits(
        member=member,
        store=store,
        day=np.concatenate([day, cells % days.count]),
        second=hour * HOUR + rng.integers(HOUR, size=len(member)),
    )


def _first_visits(crowd: Crowd, *, days: TradingDays) -> Whole:
    """Move a first visit that falls on a day off to the next day of trade; -1 = never, or not within the days."""
    first = crowd.buys_from.copy()
    for place in np.flatnonzero(first >= 0):
        open_days = np.flatnonzero(days.traffic[crowd.home[place], first[place] :] > 0)
        first[place] = first[place] + open_days[0] if len(open_days) else -1
    return first


def _repeat_visits(rng: np.random.Generator, *, days: TradingDays, crowd: Crowd, first: Whole) -> tuple[Whole, Whole]:
    """Draw (member, day) of all later visits: Poisson in the home store's traffic, from the next day to life's end."""
    elapsed = days.elapsed
    edges = np.arange(days.count + 1)
    starts = np.minimum(first + 1, days.count)
    ends = np.minimum(starts + crowd.life, days.count)
    begin, finish = np.zeros(len(first)), np.zeros(len(first))
    for store in range(len(elapsed)):
        here = (crowd.home == store) & (first >= 0)
        begin[here], finish[here] = (np.interp(times[here], edges, elapsed[store]) for times in (starts, ends))
    counts = rng.poisson(crowd.rate * (finish - begin))
    member = np.repeat(np.arange(len(first)), counts)
    moment = begin[member] + rng.random(len(member)) * (finish - begin)[member]
    day = np.zeros(len(member), dtype=np.int64)
    for store in range(len(elapsed)):
        here = crowd.home[member] == store
        day[here] = np.searchsorted(elapsed[store], moment[here], side="right") - 1
    return member, day


def _stores_visited(
    rng: np.random.Generator, *, parameters: Parameters, shop: Shop, days: TradingDays, home: Whole, day: Whole
) -> Whole:
    """Send some visits elsewhere, mostly within the city; a store that is closed that day sends them home again."""
    ruling = parameters.visiting
    elsewhere = draw_other_stores(rng, shop=shop, home=home, same_city=ruling.away_same_city)
    away = (rng.random(len(home)) < ruling.away_share) & (days.traffic[elsewhere, day] > 0)
    return np.where(away, elsewhere, home)


def draw_other_stores(rng: np.random.Generator, *, shop: Shop, home: Whole, same_city: float) -> Whole:
    """Draw another store for each home store, of the same city with the given probability."""
    cities = np.array([store.region for store in shop.stores])
    near = (cities[:, None] == cities) & ~np.eye(len(cities), dtype=bool)
    far = cities[:, None] != cities
    odds = same_city * near / near.sum(axis=1, keepdims=True) + (1 - same_city) * far / far.sum(axis=1, keepdims=True)
    return draw_by_row(rng, odds=odds, row=home)


def draw_by_row(rng: np.random.Generator, *, odds: Real, row: Whole) -> Whole:
    """Draw one column for each entry of `row` by that row's odds (relative, at least one above zero in each row)."""
    steps = (odds / odds.sum(axis=1, keepdims=True)).cumsum(axis=1)
    steps[:, -1] = 1
    ladder = (steps + np.arange(len(odds))[:, None]).ravel()
    column: Whole = np.searchsorted(ladder, row + rng.random(len(row)), side="right") - row * odds.shape[1]
    return column


def _room_for_strangers(*, parameters: Parameters, shop: Shop, days: TradingDays, store: Whole, day: Whole) -> Real:
    """Return how many sales without a card each (store, day) has room for: its custom less the members', never nothing.

    The chain had its guests before it had a card, so members' share of sales grows while the whole follows the traffic.
    """
    traffic = days.traffic * np.array([row.size for row in shop.stores])[:, None]
    custom = traffic * (len(day) / (1 - parameters.anonymous_share) / traffic.sum())
    members = np.bincount(store * days.count + day, minlength=traffic.size).reshape(traffic.shape)
    room: Real = np.maximum(custom - members, parameters.anonymous_least * custom)
    return room


def _hours(
    rng: np.random.Generator, *, parameters: Parameters, shop: Shop, crowd: Crowd, member: Whole, store: Whole
) -> Whole:
    """Draw the hour by the kind of store, or the member's usual one at home; 24 and 25 belong to the day before."""
    odds = np.array([parameters.kinds[row.kind].hours for row in shop.stores], dtype=float)
    usual = draw_by_row(rng, odds=odds, row=crowd.home)
    hour = draw_by_row(rng, odds=odds, row=store)
    habit = (crowd.home[member] == store) & (member >= 0) & (rng.random(len(member)) < parameters.visiting.habit_share)
    hour = np.where(habit, usual[member], hour)
    day_ends = np.array([row.day_ends_at.hour for row in shop.stores])
    return np.where(hour < day_ends[store], hour + 24, hour)
