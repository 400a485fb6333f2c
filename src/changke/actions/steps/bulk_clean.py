"""From files to staged tables: read, understood, cleaned; touches no table of the shop."""

from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from changke.gateways.tables import RawTable, ReadOptions, first_rows, read_tables
from changke.insight.cleaning.run import Cleaned, clean
from changke.insight.cleaning.workbench import MappedTable
from changke.kernel.errors import fail
from changke.kernel.money import EXPONENTS
from changke.queries.company import load_company
from changke.queries.settings import load_setting
from changke.rules.imports.lines import ImportSettings, settle
from changke.rules.imports.mapping import (
    TableMapping,
    fit_table,
    guess_day_order,
    guess_profile,
    map_part,
    missing_fields,
)
from changke.rules.imports.plan import ImportPlan
from changke.rules.imports.profiles import Profile, find_profile
from changke.rules.imports.words import Field, Progress, ProgressSink, Stage
from changke.rules.members import MemberSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class TableReading:
    """How a table was read and understood, for the record."""

    name: str
    role: str
    rows: int
    encoding: str
    delimiter: str
    header_row: int
    columns: dict[str, str]
    attributes: dict[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """Files read and cleaned, ready for the merge."""

    settings: ImportSettings
    source_name: str
    tables: tuple[TableReading, ...]
    skipped: tuple[str, ...]
    cleaned: Cleaned


def prepare(plan: ImportPlan, *, folder: Path, now: datetime, sink: ProgressSink) -> Prepared:
    """Read and clean the files of a plan below `folder`.

    Errors: those of read_tables; `profile_unknown`, `company_missing`, `currency_differs`, `column_missing`,
    `columns_unknown`.
    """
    raws = read_tables(
        [Path(path) for path in plan.paths],
        into=folder,
        options=ReadOptions(encoding=plan.encoding, delimiter=plan.delimiter, header_row=plan.header_row),
        watch=lambda done, total: sink(Progress(stage=Stage.READ, done=done, total=total)),
    )
    profile = find_chosen_profile(plan.profile) or guess_profile([raw.columns for raw in raws])
    settings = settle_plan(plan, profile=profile)
    mapped, skipped = _map_tables(raws, profile=profile, plan=plan)
    if plan.day_order is None and not profile.source:
        settings = replace(settings, day_order=guess_day_order(_days(mapped)))
    tables = [
        MappedTable(
            name=raw.name,
            path=raw.path,
            role=mapping.role,
            headers=raw.columns,
            padded=raw.padded,
            columns=mapping.columns,
            attributes=mapping.attributes,
            malformed=tuple((row.row_no, row.text) for row in raw.malformed),
        )
        for raw, mapping in mapped
    ]
    return Prepared(
        settings=settings,
        source_name=profile.title if profile.source else settings.source,
        tables=tuple(_reading(raw, mapping=mapping) for raw, mapping in mapped),
        skipped=skipped,
        cleaned=clean(tables, settings=settings, now=now, folder=folder, sink=sink),
    )


def find_chosen_profile(name: str) -> Profile | None:
    """Return the profile of a name, None for an empty one; `profile_unknown` for a wrong one."""
    if not name:
        return None
    profile = find_profile(name)
    if profile is None:
        raise fail("profile_unknown", "There is no profile %(name)s.", cure="See `changke import --help`.", name=name)
    return profile


def settle_plan(plan: ImportPlan, *, profile: Profile) -> ImportSettings:
    """Return the settings of an import in this company; money of another currency is refused."""
    company = load_company()
    if company is None:
        raise fail("company_missing", "There is no company yet.", cure="Run `changke init` first.")
    settings = settle(
        profile,
        company_currency=company.currency,
        exponents=EXPONENTS,
        company_time_zone=company.time_zone,
        source=plan.source,
        switched=plan.rules,
        day_order=plan.day_order,
        sale_key=plan.sale_key,
    )
    if settings.currency != company.currency:
        raise fail(
            "currency_differs",
            "These sales are in %(theirs)s, the company's money is %(ours)s.",
            cure="Import them into a home of their own (CHANGKE_HOME).",
            theirs=settings.currency,
            ours=company.currency,
        )
    return replace(settings, phone_country=load_setting(MemberSettings).home_country)


def _map_tables(
    raws: list[RawTable], *, profile: Profile, plan: ImportPlan
) -> tuple[list[tuple[RawTable, TableMapping]], tuple[str, ...]]:
    headers = {column for raw in raws for column in raw.columns}
    for meaning, column in {**plan.columns, **plan.attributes}.items():
        if column not in headers:
            raise fail("column_missing", "There is no column %(column)s.", field=meaning, column=column)
    mapped, skipped = [], []
    for raw in raws:
        rows = first_rows(raw) if raw.rows else ()
        mapping = fit_table(
            raw.columns,
            profile=profile,
            rows=rows,
            chosen=plan.columns,
            attributes=plan.attributes,
            ignored=plan.ignored,
        )
        if mapping is None:
            skipped.append(raw.name)
        else:
            mapped.append((raw, mapping))
    if not mapped:
        part = profile.parts[0]
        lacking = missing_fields(map_part(raws[0].columns, part=part), part=part)
        raise fail(
            "columns_unknown",
            "The columns of %(name)s are not understood: %(missing)s is missing.",
            cure="Say which column it is, or choose another profile.",
            name=raws[0].name,
            missing=", ".join(sorted(lacking)) or "-",
        )
    return mapped, tuple(skipped)


def _days(mapped: list[tuple[RawTable, TableMapping]]) -> list[str]:
    """Return samples of every column of days, to see how they are written."""
    days = (Field.SOLD_AT, Field.BIRTHDAY, Field.JOINED_ON)
    return [
        row[raw.columns.index(mapping.columns[day])]
        for raw, mapping in mapped
        for day in days
        if day in mapping.columns and raw.rows
        for row in first_rows(raw, count=5000)
    ]


def _reading(raw: RawTable, *, mapping: TableMapping) -> TableReading:
    return TableReading(
        name=raw.name,
        role=mapping.role.value,
        rows=raw.rows,
        encoding=raw.encoding,
        delimiter=raw.delimiter,
        header_row=raw.header_row,
        columns={meaning.value: column for meaning, column in mapping.columns.items()},
        attributes=dict(mapping.attributes),
    )
