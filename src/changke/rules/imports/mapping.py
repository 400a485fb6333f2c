"""Guesses for a new file: which profile it fits, which part of it each table is, and what its columns mean."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from changke.rules.imports.headers import normal_header
from changke.rules.imports.profiles import PROFILES, DayOrder, Part, Profile
from changke.rules.imports.values import EMAIL, parse_moment, trim
from changke.rules.imports.words import FIELDS_OF, Field, PartRole

EITHER: Final = {
    PartRole.SALES: ((Field.UNIT_PRICE, Field.LINE_TOTAL),),
    PartRole.MEMBERS: ((Field.MEMBER_CODE, Field.PHONE),),
    PartRole.PRODUCTS: (),
}
GENERIC: Final = ("generic_sales", "generic_members")
_MOBILE: Final = re.compile(r"(\+?86[- ]?)?1[3-9]\d{9}")
_MONTH_FIRST: Final = re.compile(r"(\d{1,2})[-/.](\d{1,2})[-/.]\d{4}\b.*")


@dataclass(frozen=True, slots=True, kw_only=True)
class TableMapping:
    """What the columns of one table mean: field -> column, and user-defined attribute -> column."""

    role: PartRole
    columns: Mapping[Field, str]
    attributes: Mapping[str, str] = field(default_factory=dict)


def guess_profile(tables: Sequence[Sequence[str]]) -> Profile:
    """Return the profile that fits the columns of the tables best: one of a known source, else generic."""
    for profile in PROFILES.values():
        if profile.name not in GENERIC and any(fit_table(columns, profile=profile) for columns in tables):
            return profile
    sales, members = PROFILES["generic_sales"], PROFILES["generic_members"]
    fits = [fit for columns in tables if (fit := fit_table(columns, profile=sales))]
    if any(fit.role is PartRole.SALES for fit in fits):
        return sales
    known = max((len(map_part(columns, part=members.parts[0]).columns) for columns in tables), default=0)
    return members if known > max([1, *map(_known, fits)]) else sales


def fit_table(
    columns: Sequence[str],
    *,
    profile: Profile,
    rows: Sequence[Sequence[str]] = (),
    chosen: Mapping[str, str] | None = None,
    attributes: Mapping[str, str] | None = None,
    ignored: Sequence[str] = (),
) -> TableMapping | None:
    """Return what the columns of a table mean under a profile, or None where it is no part of it.

    A table is the part that lacks nothing required and knows most of the columns. For the user's wishes see map_table.
    """
    best: TableMapping | None = None
    for part in profile.parts:
        mapping = map_table(columns, part=part, rows=rows, chosen=chosen, attributes=attributes, ignored=ignored)
        has_attributes = bool(mapping.attributes) or not part.attributes
        fits_width = not part.is_headless or (columns[0] == "column_1" and len(columns) == 5)
        if not missing_fields(mapping, part=part) and has_attributes and fits_width:
            best = max((best, mapping), key=_known) if best else mapping
    return best


def map_table(
    columns: Sequence[str],
    *,
    part: Part,
    rows: Sequence[Sequence[str]] = (),
    chosen: Mapping[str, str] | None = None,
    attributes: Mapping[str, str] | None = None,
    ignored: Sequence[str] = (),
) -> TableMapping:
    """Return what the columns of a table mean as a part, whole or not.

    `chosen` (field -> column), `attributes` (key -> column) and `ignored` columns are the user's and win over every
    guess.
    """
    guessed = guess_mapping(columns, rows=rows, part=part)
    wanted = {Field(name): column for name, column in (chosen or {}).items() if column in columns}
    described = {key: column for key, column in (attributes or {}).items() if column in columns}
    taken = {*wanted.values(), *described.values(), *ignored}
    return TableMapping(
        role=part.role,
        columns={meaning: column for meaning, column in guessed.columns.items() if column not in taken}
        | {meaning: column for meaning, column in wanted.items() if meaning in FIELDS_OF[part.role]},
        attributes={key: column for key, column in guessed.attributes.items() if column not in taken} | described,
    )


def missing_fields(mapping: TableMapping, *, part: Part) -> frozenset[Field]:
    """Return what a table lacks to be a part; of price and total, of member code and phone, one is enough."""
    missing = part.required - mapping.columns.keys()
    for either in EITHER[part.role]:
        if not mapping.columns.keys() & set(either):
            missing |= {either[0]}
    return missing


def _known(mapping: TableMapping) -> int:
    return len(mapping.columns) + len(mapping.attributes)


def map_part(columns: Sequence[str], *, part: Part) -> TableMapping:
    """Return what the columns of a table mean by their headers alone; the surest name of a field wins."""
    by_name: dict[str, str] = {}
    for column in columns:
        by_name.setdefault(normal_header(column), column)
    found = {
        meaning: by_name[name]
        for meaning, headers in part.columns.items()
        for name in [next((n for n in map(normal_header, headers) if n in by_name), None)]
        if name is not None
    }
    attributes = {key: by_name[n] for key, header in part.attributes.items() if (n := normal_header(header)) in by_name}
    return TableMapping(role=part.role, columns=found, attributes=attributes)


def guess_mapping(columns: Sequence[str], *, rows: Sequence[Sequence[str]], part: Part) -> TableMapping:
    """Return what the columns of a table mean: by headers, and for moment, phone and e-mail by what they hold."""
    mapped = map_part(columns, part=part)
    found = dict(mapped.columns)
    taken = set(found.values())
    moment = Field.SOLD_AT if part.role is PartRole.SALES else Field.JOINED_ON
    sniffed: tuple[tuple[Field, Callable[[str], object]], ...] = (
        (moment, lambda text: not _MOBILE.fullmatch(text) and parse_moment(text, order=DayOrder.DAY_FIRST)),
        (Field.PHONE, _MOBILE.fullmatch),
        (Field.EMAIL, re.compile(EMAIL).fullmatch),
    )
    if part.role is not PartRole.PRODUCTS and not part.is_headless:
        for meaning, holds in sniffed:
            unread = [c for at, c in enumerate(columns) if c not in taken and _all_hold(rows, at=at, holds=holds)]
            if meaning not in found and meaning in part.columns and unread:
                found[meaning] = unread[0]
                taken.add(unread[0])
    return TableMapping(role=part.role, columns=found, attributes=mapped.attributes)


def guess_day_order(texts: Sequence[str]) -> DayOrder:
    """Return how dates such as 03/04/2024 are written, judged by samples of a column: month first only on proof."""
    firsts_and_seconds = [(int(m[1]), int(m[2])) for text in texts if (m := _MONTH_FIRST.fullmatch(trim(text)))]
    proves_month_first = any(second > 12 >= first for first, second in firsts_and_seconds)
    proves_day_first = any(first > 12 for first, _ in firsts_and_seconds)
    return DayOrder.MONTH_FIRST if proves_month_first and not proves_day_first else DayOrder.DAY_FIRST


def _all_hold(rows: Sequence[Sequence[str]], *, at: int, holds: Callable[[str], object]) -> bool:
    cells = [text for row in rows if at < len(row) and (text := trim(row[at]))]
    return len(cells) > 0 and all(holds(text) for text in cells)
