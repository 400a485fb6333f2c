"""Baskets: what stands on each receipt, what comes back, and how it is paid."""

from dataclasses import dataclass

import numpy as np

from changke.demo.calendar import Real, TradingDays, Whole
from changke.demo.crowd import Crowd, Truth
from changke.demo.parameters import Parameters
from changke.demo.shop import Shop
from changke.demo.visits import HOUR, Visits, draw_by_row, draw_other_stores

PIECE = 1000  # a piece in thousandths
GRAMS = (100, 150, 200, 250, 500)  # what is weighed out of the tin, in thousandths of a kilo
DAYPARTS = np.repeat(
    [4, 0, 1, 2, 3, 4], [4, 6, 4, 3, 4, 5]
)  # hour 0-25: late to 4, breakfast to 10, lunch, tea, dinner, late
FAVOURITES = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Lines:
    """Lines of receipts; `sale` counts the receipts from 0, quantities in thousandths, money in minor units."""

    sale: Whole
    dish: Whole
    quantity_milli: Whole
    price_minor: Whole
    total_minor: Whole
    original: Whole  # of a line that comes back: the index of the line sold; else -1


@dataclass(frozen=True, slots=True, kw_only=True)
class Tenders:
    sale: Whole
    kind: Whole  # index into the parameters' tenders
    amount_minor: Whole


def fill_baskets(
    rng: np.random.Generator, *, parameters: Parameters, shop: Shop, days: TradingDays, crowd: Crowd, visits: Visits
) -> Lines:
    """Put dishes on the receipt of every visit; lines come in the order of visits and dishes, one line a dish."""
    ruling = parameters.basket
    count = len(visits.member)
    stranger = visits.member < 0
    habit = np.where(stranger, rng.lognormal(0, ruling.party_habit, size=count), crowd.party_habit[visits.member])
    party = np.minimum(1 + rng.poisson(ruling.party_mean * habit), ruling.party_most)
    sale = np.repeat(np.arange(count), party + rng.poisson(ruling.dishes_beyond_one * party))
    menu = _menu_by_time(shop)
    month = days.months[visits.day[sale]] - 1
    dish = draw_by_row(
        rng, odds=menu.reshape(-1, len(shop.dishes)), row=DAYPARTS[visits.second[sale] // HOUR] * 12 + month
    )
    favourites = rng.choice(len(shop.dishes), size=(len(crowd.home), FAVOURITES), p=_popularity(shop))
    loved = favourites[visits.member[sale], rng.integers(FAVOURITES, size=len(sale))]
    chosen = ~stranger[sale] & (menu[0, month, loved] > 0) & (rng.random(len(sale)) < ruling.favourite_share)
    dish = np.where(chosen, loved, dish)
    weighed = np.array([row.by_weight for row in shop.dishes])[dish]
    quantity = np.where(weighed, rng.choice(GRAMS, size=len(sale)), PIECE)
    return _merge_dishes(parameters=parameters, shop=shop, visits=visits, sale=sale, dish=dish, quantity=quantity)


def _merge_dishes(
    *, parameters: Parameters, shop: Shop, visits: Visits, sale: Whole, dish: Whole, quantity: Whole
) -> Lines:
    """Make one line of the same dish on the same receipt, priced by the menu of the day."""
    keys, place = np.unique(sale * len(shop.dishes) + dish, return_inverse=True)
    sale, dish = np.divmod(keys, len(shop.dishes))
    quantity_milli = np.bincount(place, weights=quantity).astype(np.int64)
    then, now = (
        np.array([getattr(row, name) for row in shop.dishes])[dish] for name in ("price_then_minor", "price_minor")
    )
    price = np.where(visits.day[sale] < parameters.basket.price_rise_after_days, then, now)
    return Lines(
        sale=sale,
        dish=dish,
        quantity_milli=quantity_milli,
        price_minor=price,
        total_minor=(price * quantity_milli + PIECE // 2) // PIECE,
        original=np.full(len(sale), -1),
    )


def _popularity(shop: Shop) -> Real:
    weights = np.array([dish.popularity for dish in shop.dishes])
    shares: Real = weights / weights.sum()
    return shares


def _menu_by_time(shop: Shop) -> Real:
    """Return how each dish sells, as (part of the day, month, dish); 0 = not on the menu that month."""
    categories = {row.code: row for row in shop.categories}
    season = np.arange(1, 13) % 12 // 3  # December to February = 0
    menu = np.zeros((5, 12, len(shop.dishes)))
    for place, dish in enumerate(shop.dishes):
        category = categories[dish.category]
        on_menu = np.array([not dish.months or month in dish.months for month in range(1, 13)])
        by_month = np.array(category.seasons)[season] * on_menu
        menu[:, :, place] = dish.popularity * np.array(category.hours)[:, None] * by_month
    return menu


def bring_back(
    rng: np.random.Generator, *, parameters: Parameters, shop: Shop, days: TradingDays, visits: Visits, lines: Lines
) -> tuple[Visits, Lines, Whole]:
    """Choose what comes back: its visits, its lines (negative) and the sale each return belongs to (-1 = no receipt).

    A sale comes back once at most, so no return exceeds what was sold. `sale` of the lines counts the returns from 0.
    """
    ruling = parameters.returns
    sold = np.flatnonzero(rng.random(len(visits.member)) < ruling.share)
    wait = np.where(
        rng.random(len(sold)) < ruling.same_day_share, 0, rng.integers(1, ruling.most_days + 1, size=len(sold))
    )
    home = visits.store[sold]
    other = draw_other_stores(rng, shop=shop, home=home, same_city=parameters.visiting.away_same_city)
    store = np.where(rng.random(len(sold)) < ruling.other_store_share, other, home)
    day = visits.day[sold] + wait
    hours = np.array([parameters.kinds[row.kind].hours for row in shop.stores], dtype=float)
    hours *= np.array([[hour >= row.day_ends_at.hour for hour in range(24)] for row in shop.stores])
    later = draw_by_row(rng, odds=hours, row=store) * HOUR + rng.integers(HOUR, size=len(sold))
    soon = visits.second[sold] + rng.integers(5 * 60, 40 * 60, size=len(sold))
    store = np.where(wait == 0, home, store)  # the same day means at once, where it was bought
    open_then = (day < days.count) & (days.traffic[store, np.minimum(day, days.count - 1)] > 0)
    sold, store, day, second = (part[open_then] for part in (sold, store, day, np.where(wait == 0, soon, later)))
    back = Visits(member=visits.member[sold], store=store, day=day, second=second)
    linked = rng.random(len(sold)) < ruling.linked_share
    return (
        back,
        _lines_back(rng, lines=lines, sold=sold, linked=linked, whole_share=ruling.whole_share),
        np.where(linked, sold, -1),
    )


def _lines_back(rng: np.random.Generator, *, lines: Lines, sold: Whole, linked: Truth, whole_share: float) -> Lines:
    """Take all lines of a sale, or some: at least one, and of pieces at least one."""
    first = np.searchsorted(lines.sale, sold)
    counts = np.searchsorted(lines.sale, sold, side="right") - first
    sale = np.repeat(np.arange(len(sold)), counts)
    line = np.arange(len(sale)) - np.repeat(counts.cumsum() - counts, counts) + first[sale]
    whole = (rng.random(len(sold)) < whole_share)[sale]
    least = (first + (rng.random(len(sold)) * counts).astype(np.int64))[sale]
    taken = whole | (line == least) | (rng.random(len(sale)) < 0.3)
    sale, line, whole = sale[taken], line[taken], whole[taken]
    pieces = lines.quantity_milli[line] // PIECE
    some = 1 + (rng.random(len(line)) * pieces).astype(np.int64)
    partial = ~whole & (lines.quantity_milli[line] == pieces * PIECE)
    quantity = np.where(partial, some * PIECE, lines.quantity_milli[line])
    return Lines(
        sale=sale,
        dish=lines.dish[line],
        quantity_milli=-quantity,
        price_minor=lines.price_minor[line],
        total_minor=-((lines.price_minor[line] * quantity + PIECE // 2) // PIECE),
        original=np.where(linked[sale], line, -1),
    )


def settle(rng: np.random.Generator, *, parameters: Parameters, totals: Whole) -> Tenders:
    """Pay every receipt in one tender, a few in two, exactly; a return is paid out (negative)."""
    ruling = parameters.basket
    weights = np.array(list(ruling.tenders.values()))
    count = len(totals)
    kind = rng.choice(len(weights), size=count, p=weights / weights.sum())
    split = np.flatnonzero((rng.random(count) < ruling.split_tender_share) & (totals > 1))
    second = 1 + (rng.random(len(split)) * (totals[split] - 1)).astype(np.int64)
    amount = totals.copy()
    amount[split] -= second
    other = (kind[split] + rng.integers(1, len(weights), size=len(split))) % len(weights)
    return Tenders(
        sale=np.concatenate([np.arange(count), split]),
        kind=np.concatenate([kind, other]),
        amount_minor=np.concatenate([amount, second]),
    )
