"""Files before they are imported: their first rows, how they would be read, and what each column would mean."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from changke.gateways.tables import ReadOptions, TablePreview, preview_tables
from changke.kernel.errors import fail
from changke.kernel.money import EXPONENTS
from changke.queries.company import load_company
from changke.rules.imports.lines import ImportSettings, settle
from changke.rules.imports.mapping import (
    EITHER,
    TableMapping,
    fit_table,
    guess_day_order,
    guess_profile,
    map_table,
    missing_fields,
)
from changke.rules.imports.plan import ImportPlan
from changke.rules.imports.profiles import Part, Profile, SaleKey, find_profile
from changke.rules.imports.words import Field, PartRole
from changke.rules.staff import Permission, Viewer, require

ATTRIBUTE = "attribute:"  # begins what a column means where that is a user-defined attribute


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnPreview:
    """One column. A meaning is a Field's value or "attribute:key"; the first one is what a user may change."""

    name: str
    meanings: tuple[str, ...]
    guess: str  # the first meaning without any choice of the user


@dataclass(frozen=True, slots=True, kw_only=True)
class TableReading:
    """Tables of the same columns.

    `role` is what they are imported as, or would be. `closest` is the role that knows most of the columns, `missing`
    what they lack for it (of alternatives one will do): a file of sales without prices is read as products.
    """

    names: tuple[str, ...]
    role: PartRole
    columns: tuple[ColumnPreview, ...]
    rows: tuple[tuple[str, ...], ...]  # of the first table
    closest: PartRole
    missing: tuple[tuple[Field, ...], ...]
    is_skipped: bool  # lacks something, or is no part of the profile
    encoding: str
    delimiter: str
    header_row: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportPreview:
    """How an import would read its files."""

    profile: Profile
    settings: ImportSettings
    tables: tuple[TableReading, ...]
    currency: str  # of the company; money of another one is refused

    @property
    def roles(self) -> frozenset[PartRole]:
        return frozenset(table.role for table in self.tables if not table.is_skipped)

    @property
    def lacks_numbers(self) -> bool:
        """Say whether every sale would be refused for want of a receipt number."""
        sales = [table for table in self.tables if table.role is PartRole.SALES and not table.is_skipped]
        mapped = {meaning for table in sales for column in table.columns for meaning in column.meanings}
        return bool(sales) and self.settings.sale_key is not SaleKey.ROW and Field.SALE_NO not in mapped


def look_at_tables(viewer: Viewer, *, plan: ImportPlan) -> list[TablePreview]:
    """Return the first 50 rows of every table of a plan's files; errors as preview_tables."""
    require(viewer, permission=Permission.IMPORT_DATA)
    options = ReadOptions(encoding=plan.encoding, delimiter=plan.delimiter, header_row=plan.header_row)
    return preview_tables([Path(path) for path in plan.paths], options=options)


def understand_tables(tables: Sequence[TablePreview], *, plan: ImportPlan) -> ImportPreview:
    """Return what the columns of tables would mean under a plan; what it leaves open is guessed.

    Errors: `company_missing`.
    """
    company = load_company()
    if company is None:
        raise fail("company_missing", "There is no company yet.", cure="Run `changke init` first.")
    profile = find_profile(plan.profile) or guess_profile([table.columns for table in tables])
    alike: dict[tuple[str, ...], list[TablePreview]] = {}
    for table in tables:
        alike.setdefault(table.columns, []).append(table)
    readings = tuple(_read(group, profile=profile, plan=plan) for columns, group in alike.items() if columns)
    day_order = plan.day_order or (None if profile.source else guess_day_order(_days(readings)))
    settings = settle(
        profile,
        company_currency=company.currency,
        exponents=EXPONENTS,
        company_time_zone=company.time_zone,
        source=plan.source,
        switched=plan.rules,
        day_order=day_order,
        sale_key=plan.sale_key,
    )
    return ImportPreview(profile=profile, settings=settings, tables=readings, currency=company.currency)


def _read(group: Sequence[TablePreview], *, profile: Profile, plan: ImportPlan) -> TableReading:
    first = group[0]
    wishes: dict[str, Any] = {"chosen": plan.columns, "attributes": plan.attributes, "ignored": plan.ignored}
    fitting = fit_table(first.columns, profile=profile, rows=first.rows, **wishes)
    parts = {part.role: part for part in profile.parts}
    closest = max(
        (map_table(first.columns, part=part, rows=first.rows, **wishes) for part in profile.parts),
        key=lambda one: len(one.columns) + len(one.attributes),
    )
    mapping = fitting or closest
    guess = _by_column(map_table(first.columns, part=parts[mapping.role], rows=first.rows))
    meanings = _by_column(mapping)
    return TableReading(
        names=tuple(table.name for table in group),
        role=mapping.role,
        columns=tuple(
            ColumnPreview(
                name=column, meanings=tuple(meanings.get(column, ())), guess=next(iter(guess.get(column, ())), "")
            )
            for column in first.columns
        ),
        rows=first.rows,
        closest=closest.role,
        missing=_missing(closest, part=parts[closest.role]),
        is_skipped=fitting is None,
        encoding=first.encoding,
        delimiter=first.delimiter,
        header_row=first.header_row,
    )


def _missing(mapping: TableMapping, *, part: Part) -> tuple[tuple[Field, ...], ...]:
    lacking = sorted(missing_fields(mapping, part=part), key=list(Field).index)
    return tuple(next((either for either in EITHER[part.role] if either[0] is one), (one,)) for one in lacking)


def _by_column(mapping: TableMapping) -> Mapping[str, list[str]]:
    found: dict[str, list[str]] = {}
    for meaning, column in mapping.columns.items():
        found.setdefault(column, []).append(meaning.value)
    for key, column in mapping.attributes.items():
        found.setdefault(column, []).append(ATTRIBUTE + key)
    return found


def _days(readings: Sequence[TableReading]) -> list[str]:
    """Return samples of every column of days, to see how they are written."""
    wanted = {Field.SOLD_AT.value, Field.BIRTHDAY.value, Field.JOINED_ON.value}
    return [
        row[at]
        for table in readings
        for at, column in enumerate(table.columns)
        if wanted & set(column.meanings)
        for row in table.rows
    ]
