"""The simulated chain itself: company, places, people and menu, read from shop.toml and menu.csv."""

import csv
import tomllib
from dataclasses import dataclass
from datetime import date, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import numpy as np

from changke.demo.names import draw_names
from changke.kernel.money import currency, to_minor
from changke.rules.attributes import AttributeKind
from changke.rules.company import CompanyCard, RegionCard
from changke.rules.members import Gender
from changke.rules.staff import Role
from changke.rules.stores import Ownership

PLACES: Final = Path(__file__).with_name("shop.toml")
MENU: Final = Path(__file__).with_name("menu.csv")


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreRow:
    """A store. `opens_on_day` counts from the first simulated day (negative = before it); `size` 1 = an average one."""

    code: str
    name: str
    name_en: str
    region: str
    address: str
    kind: str
    ownership: Ownership
    opens_on_day: int
    opened_on: date
    size: float
    opens_at: time
    closes_at: time
    day_ends_at: time


@dataclass(frozen=True, slots=True, kw_only=True)
class StaffRow:
    code: str
    name: str
    title: str
    title_en: str
    role: Role
    store_code: str | None
    username: str  # "" = no sign-in
    started_on: date | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CategoryRow:
    """A leaf of the category tree; `hours` weighs breakfast to late, `seasons` winter to autumn."""

    code: str
    path: tuple[str, ...]
    path_en: tuple[str, ...]
    brand: str
    hours: tuple[float, ...]
    seasons: tuple[float, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class DishRow:
    """A dish or a thing to take home. Prices in minor units, a piece or (`by_weight`) a kilo; no months = all year."""

    code: str
    name: str
    name_en: str
    category: str
    price_minor: int
    price_then_minor: int
    popularity: float
    by_weight: bool
    months: frozenset[int]


@dataclass(frozen=True, slots=True, kw_only=True)
class AttributeRow:
    key: str
    kind: AttributeKind
    name: str
    name_en: str
    choices: tuple[str, ...]
    shares: tuple[float, ...]
    known: float


@dataclass(frozen=True, slots=True, kw_only=True)
class TagRow:
    name: str
    name_en: str
    share: float
    marks_companies: bool = False  # on every company, and on nobody else


@dataclass(frozen=True, slots=True, kw_only=True)
class Shop:
    """All that stands before the first guest comes."""

    company: CompanyCard
    regions: tuple[RegionCard, ...]
    stores: tuple[StoreRow, ...]
    staff: tuple[StaffRow, ...]
    categories: tuple[CategoryRow, ...]
    dishes: tuple[DishRow, ...]
    attributes: tuple[AttributeRow, ...]
    tags: tuple[TagRow, ...]


def build_shop(rng: np.random.Generator, *, first_day: date) -> Shop:
    """Read the chain and hire its people; names come from `rng`, dates count from the first simulated day."""
    raw = tomllib.loads(PLACES.read_text(encoding="utf-8"))
    stores = tuple(
        StoreRow(
            **{**row, "ownership": Ownership(row["ownership"])},
            opened_on=first_day + timedelta(days=row["opens_on_day"]),
        )
        for row in raw["stores"]
    )
    return Shop(
        company=read_company(),
        regions=tuple(RegionCard(**row) for row in raw["regions"]),
        stores=stores,
        staff=_hire(rng, jobs=raw["jobs"], stores=stores),
        categories=tuple(_read_category(row) for row in raw["categories"]),
        dishes=read_menu(),
        attributes=tuple(
            AttributeRow(
                **{**row, "choices": tuple(row["choices"]), "shares": tuple(row["shares"])}, kind=AttributeKind.CHOICE
            )
            for row in raw["attributes"]
        ),
        tags=tuple(TagRow(**row) for row in raw["tags"]),
    )


def _hire(
    rng: np.random.Generator, *, jobs: list[dict[str, Any]], stores: tuple[StoreRow, ...]
) -> tuple[StaffRow, ...]:
    """Fill every job at head office and in every store; codes are HQ01 there and HZ01-C1 here."""
    posts: list[tuple[dict[str, Any], str, StoreRow | None]] = []
    for job in jobs:
        posts += [(job, f"{job['code']}{number:02}", None) for number in range(1, job.get("count", 0) + 1)]
        posts += [
            (job, f"{store.code}-{job['code']}{number}", store)
            for store in stores
            for number in range(1, job.get("each_store", 0) + 1)
        ]
    first = {next(code for job, code, _ in posts if job is wanted) for wanted in jobs}
    names = draw_names(rng, genders=rng.choice([Gender.FEMALE, Gender.MALE], size=len(posts)))
    eldest = min(store.opened_on for store in stores)
    return tuple(
        StaffRow(
            code=code,
            name=name,
            title=job["title"],
            title_en=job["title_en"],
            role=Role(job["role"]),
            store_code=store.code if store else None,
            username=job["sign_in"] if code in first else "",
            started_on=store.opened_on if store else eldest,
        )
        for (job, code, store), name in zip(posts, names, strict=True)
    )


def _read_category(row: dict[str, Any]) -> CategoryRow:
    lists = {key: tuple(row[key]) for key in ("path", "path_en", "hours", "seasons")}
    return CategoryRow(code=row["code"], brand=row["brand"], **lists)


def read_company() -> CompanyCard:
    """Return the chain's company, marked as simulated."""
    return CompanyCard(**tomllib.loads(PLACES.read_text(encoding="utf-8"))["company"], is_simulated=True)


def read_menu() -> tuple[DishRow, ...]:
    """Return the dishes in the order of the menu."""
    unit = currency(read_company().currency)
    with MENU.open(encoding="utf-8", newline="") as lines:
        return tuple(
            DishRow(
                code=row["code"],
                name=row["name"],
                name_en=row["name_en"],
                category=row["category"],
                price_minor=to_minor(Decimal(row["price"]), unit=unit),
                price_then_minor=to_minor(Decimal(row["price_then"] or row["price"]), unit=unit),
                popularity=float(row["popularity"]),
                by_weight=row["unit"] == "kilo",
                months=frozenset(map(int, row["months"].split())),
            )
            for row in csv.DictReader(lines)
        )
