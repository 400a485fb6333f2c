"""The crowd: who joins, when, where and how; what is known of each; how keen each one is."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from changke.demo.calendar import Real, TradingDays, Whole
from changke.demo.names import draw_names, draw_phones
from changke.demo.parameters import Parameters
from changke.demo.shop import Shop
from changke.rules.members import BirthCalendar, Gender, MemberStatus, SourceChannel
from changke.rules.staff import Role

Truth = npt.NDArray[np.bool_]
Words = npt.NDArray[np.str_]
ONLINE = [SourceChannel.WECHAT, SourceChannel.APP, SourceChannel.WEBSITE, SourceChannel.SOCIAL]
AT_THE_TILL = [SourceChannel.STORE, SourceChannel.QR, SourceChannel.PAPER_FORM]
UNKNOWN = 0  # a birth year, month or day that nobody told


@dataclass(frozen=True, slots=True, kw_only=True)
class Profiles:
    """What is known of the members, one array entry each; "" or 0 = not known."""

    names: Words
    genders: Words
    birth_years: Whole
    birth_months: Whole
    birth_days: Whole
    calendars: Words
    phones: Words
    emails: Words
    addresses: Words
    consents: Truth  # (member, consent of the parameters)
    attributes: Whole  # (member, attribute of the shop): which choice, -1 = not known
    tags: Truth  # (member, tag of the shop)


@dataclass(frozen=True, slots=True, kw_only=True)
class Crowd:
    """Members in the order of their numbers, which is the order of joining."""

    home: Whole  # store
    joined: Whole  # day; for prospects the day they were noted
    statuses: Words
    channels: Words
    recruiters: Whole  # index into the shop's staff, -1 = nobody
    original: Whole  # for a second card the member who holds the first one, else -1
    buys_from: Whole  # day of the first visit, -1 = never
    rate: Real  # visits a day of average traffic, after the first visit
    life: Real  # days after the first visit until the member loses interest
    party_habit: Real
    profiles: Profiles


def gather_crowd(rng: np.random.Generator, *, parameters: Parameters, shop: Shop, days: TradingDays) -> Crowd:
    """Draw every member: joining, profile and temper."""
    count, ruling = parameters.members, parameters.joining
    home, joined = _joining_places(rng, parameters=parameters, shop=shop, days=days)
    weights = np.array(list(parameters.people.channels.values()))
    channels = rng.choice(list(parameters.people.channels), size=count, p=weights / weights.sum())
    original = _second_cards(rng, home=home, share=ruling.duplicate_share)
    channels[original >= 0] = SourceChannel.STORE
    statuses = rng.choice(
        [
            MemberStatus.PROSPECT,
            MemberStatus.PROVISIONAL,
            MemberStatus.FROZEN,
            MemberStatus.CLOSED,
            MemberStatus.FORMAL,
        ],
        size=count,
        p=_with_rest(ruling.prospect_share, ruling.provisional_share, ruling.frozen_share, ruling.closed_share),
    )
    statuses[original >= 0] = MemberStatus.FORMAL
    statuses[original[original >= 0]] = MemberStatus.FORMAL
    wait = np.where(np.isin(channels, ONLINE), rng.exponential(ruling.online_delay_days, size=count), 0).astype(
        np.int64
    )
    first = joined + wait
    never = (statuses == MemberStatus.PROSPECT) | ((rng.random(count) < ruling.never_buyer_share) & (original < 0))
    company = (rng.random(count) < parameters.companies.share) & (original < 0)
    return Crowd(
        home=home,
        joined=joined,
        statuses=statuses,
        channels=channels,
        recruiters=_recruiters(rng, shop=shop, home=home, channels=channels, share=parameters.people.recruited_share),
        original=original,
        buys_from=np.where(never | (first >= days.count), -1, first),
        rate=_rates(rng, parameters=parameters) * np.where(company, parameters.companies.rate, 1),
        life=_lives(rng, parameters=parameters, second_card=original >= 0),
        party_habit=rng.lognormal(0, parameters.basket.party_habit, size=count)
        * np.where(company, parameters.companies.party, 1),
        profiles=_profiles(
            rng, parameters=parameters, shop=shop, days=days, home=home, original=original, company=company
        ),
    )


def _with_rest(*shares: float) -> list[float]:
    return [*shares, 1 - sum(shares)]


def _joining_places(
    rng: np.random.Generator, *, parameters: Parameters, shop: Shop, days: TradingDays
) -> tuple[Whole, Whole]:
    """Draw (store, day) of joining: more at the launch, at openings, in big stores and on busy days; sorted by day."""
    ruling = parameters.joining
    age = np.arange(days.count) - np.array([max(store.opens_on_day, 0) for store in shop.stores])[:, None]
    is_new = np.array([store.opens_on_day > 0 for store in shop.stores])[:, None]
    burst = np.where(is_new, ruling.opening_burst, ruling.launch_burst) - 1
    size = np.array([store.size for store in shop.stores])[:, None]
    zeal = 1 + burst * np.exp(-np.maximum(age, 0) / ruling.burst_days)
    weight = size * zeal * np.where(days.traffic > 0, days.traffic**ruling.traffic_tilt, 0)
    cells = rng.choice(weight.size, size=parameters.members, p=(weight / weight.sum()).ravel())
    home, joined = np.divmod(cells, days.count)
    order = np.argsort(joined, kind="stable")
    return home[order], joined[order]


def _second_cards(rng: np.random.Generator, *, home: Whole, share: float) -> Whole:
    """Choose second cards, and for each an earlier member of the same store who holds the first one."""
    original = np.full(len(home), -1)
    candidates = np.arange(len(home) // 4, len(home))
    for second in np.sort(rng.choice(candidates, size=round(len(home) * share), replace=False)):
        earlier = np.flatnonzero((home[:second] == home[second]) & (original[:second] < 0))
        if len(earlier):
            original[second] = rng.choice(earlier)
    return original


def _rates(rng: np.random.Generator, *, parameters: Parameters) -> Real:
    ruling = parameters.visiting
    return rng.gamma(ruling.rate_shape, ruling.rate_per_day / ruling.rate_shape, size=parameters.members)


def _lives(rng: np.random.Generator, *, parameters: Parameters, second_card: Truth) -> Real:
    """Draw lifetimes: exponential with gamma-distributed death rates; passers-by and second cards end at once."""
    ruling, count = parameters.visiting, parameters.members
    life = rng.exponential(size=count) / rng.gamma(ruling.life_shape, 1 / ruling.life_days, size=count)
    return np.where(second_card | (rng.random(count) < ruling.passer_by_share), 0, life)


def _recruiters(rng: np.random.Generator, *, shop: Shop, home: Whole, channels: Words, share: float) -> Whole:
    """Name the cashier or waiter of the home store who brought a member in at the till."""
    crews = [
        [
            place
            for place, person in enumerate(shop.staff)
            if person.store_code == store.code and person.role in {Role.CASHIER, Role.SERVICE}
        ]
        for store in shop.stores
    ]
    crew = np.array(crews)
    chosen = crew[home, rng.integers(crew.shape[1], size=len(home))]
    return np.where(np.isin(channels, AT_THE_TILL) & (rng.random(len(home)) < share), chosen, -1)


def _profiles(
    rng: np.random.Generator,
    *,
    parameters: Parameters,
    shop: Shop,
    days: TradingDays,
    home: Whole,
    original: Whole,
    company: Truth,
) -> Profiles:
    """Draw what members told. A second card repeats its holder's name, gender and birthday, and often the phone."""
    people, count = parameters.people, parameters.members
    genders = rng.choice(
        [Gender.FEMALE, Gender.MALE, Gender.UNKNOWN], size=count, p=_with_rest(people.female, people.male)
    )
    names = np.array(draw_names(rng, genders=genders))
    names[rng.random(count) < people.name_unknown] = ""
    phones = np.array(draw_phones(rng, count=count))
    phones[rng.random(count) < people.phone_unknown] = ""
    mails = np.array([f"guest{number:06}@example.com" for number in range(1, count + 1)])
    mails[rng.random(count) >= people.email_share] = ""
    years, months, birth_days, calendars = _birthdays(rng, parameters=parameters, year=days.first_day.year)
    second = np.flatnonzero(original >= 0)
    for known in (genders, names, years, months, birth_days, calendars):
        known[second] = known[original[second]]
    same_phone = second[
        (rng.random(len(second)) < parameters.joining.duplicate_same_phone) | (months[second] == UNKNOWN)
    ]
    phones[same_phone] = phones[original[same_phone]]
    cities = np.array([next(row.name for row in shop.regions if row.code == store.region) for store in shop.stores])
    streets = np.array([f"听泉路 {number} 号" for number in range(1, 200)])
    addresses = np.char.add(np.char.add(cities[home], "市"), rng.choice(streets, size=count))
    addresses[rng.random(count) >= people.address_share] = ""
    consents = rng.random((count, len(people.consents))) < np.array(list(people.consents.values()))
    consents[:, [consent.startswith("email:") for consent in people.consents]] &= (mails != "")[:, None]
    attributes = [
        np.where(rng.random(count) < row.known, rng.choice(len(row.choices), size=count, p=row.shares), -1)
        for row in shop.attributes
    ]
    tags = rng.random((count, len(shop.tags))) < np.array([tag.share for tag in shop.tags])
    tags[:, [tag.marks_companies for tag in shop.tags]] = company[:, None]
    return Profiles(
        names=names,
        genders=genders,
        birth_years=years,
        birth_months=months,
        birth_days=birth_days,
        calendars=calendars,
        phones=phones,
        emails=mails,
        addresses=addresses,
        consents=consents,
        attributes=np.column_stack(attributes),
        tags=tags,
    )


def _birthdays(rng: np.random.Generator, *, parameters: Parameters, year: int) -> tuple[Whole, Whole, Whole, Words]:
    """Draw birth years, months, days and calendars: some unknown, some lunar, some on 29 February."""
    people, count = parameters.people, parameters.members
    edges = np.array([age for age, _ in people.ages] + [people.ages[-1][0] + 10])
    weights = np.array([weight for _, weight in people.ages])
    band = rng.choice(len(weights), size=count, p=weights / weights.sum())
    years = year - (edges[band] + (rng.random(count) * (edges[band + 1] - edges[band])).astype(np.int64))
    months = rng.integers(1, 13, size=count)
    lengths = np.array([31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31])[months - 1]
    lunar = rng.random(count) < people.lunar_share
    days = 1 + (rng.random(count) * np.where(lunar, 29, lengths)).astype(np.int64)  # every lunar month has a 29th
    leap = ~lunar & (rng.random(count) < people.leap_day_share)
    years[leap] -= years[leap] % 4  # 1900 and 2100 are out of reach
    months[leap], days[leap] = 2, 29
    silent = rng.random(count) < people.birthday_unknown
    years[silent | (rng.random(count) < people.birth_year_unknown)] = UNKNOWN
    months[silent], days[silent] = UNKNOWN, UNKNOWN
    calendars = np.where(lunar & ~silent, BirthCalendar.LUNAR, BirthCalendar.SOLAR)
    return years, months, days, calendars
