"""The company and its regions, read."""

from dataclasses import dataclass

from changke.records.models import Company, Region
from changke.rules.company import CompanyCard, RegionCard


@dataclass(frozen=True, slots=True, kw_only=True)
class RegionRow:
    id: int
    card: RegionCard


def load_company() -> CompanyCard | None:
    """Return the company, or None before `changke init`."""
    row = Company.objects.filter(id=1).first()
    if row is None:
        return None
    return CompanyCard(
        name=row.name,
        name_en=row.name_en,
        currency=row.currency,
        time_zone=row.time_zone,
        jurisdiction=row.jurisdiction,
        data_note=row.data_note,
        is_simulated=row.is_simulated,
    )


def list_regions() -> tuple[RegionRow, ...]:
    """Return every region by code."""
    return tuple(
        RegionRow(id=row.id, card=RegionCard(code=row.code, name=row.name, name_en=row.name_en))
        for row in Region.objects.all()
    )
