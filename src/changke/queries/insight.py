"""What insight pages need beside figures: the members behind a point; names of stores, categories, products."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from changke.insight.maps import best_sql
from changke.queries.lake import CurrentLake
from changke.queries.segments import within_reach
from changke.records.models import Category, Member, Product, Region, Staff, Store
from changke.rules.names import mask_name
from changke.rules.segments import Segment
from changke.rules.staff import Permission, Viewer, require


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """A row's key and its names."""

    id: int
    name: str
    name_en: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreName:
    id: int
    public_id: str
    name: str
    name_en: str
    region_id: int | None
    ownership: str


def list_store_names(viewer: Viewer) -> tuple[StoreName, ...]:
    """Return the stores within reach, by code."""
    stores = Store.objects.all() if viewer.store_ids is None else Store.objects.filter(id__in=viewer.store_ids)
    fields = ("id", "public_id", "name", "name_en", "region_id", "ownership")
    return tuple(StoreName(**row) for row in stores.order_by("code").values(*fields))


def name_categories(ids: Iterable[int | None]) -> dict[int, Named]:
    """Return the names of categories by id."""
    rows = Category.objects.filter(id__in={number for number in ids if number is not None})
    return {row["id"]: Named(**row) for row in rows.values("id", "name", "name_en")}


def name_products(ids: Iterable[int]) -> dict[int, Named]:
    """Return the names of products by id."""
    return {row["id"]: Named(**row) for row in Product.objects.filter(id__in=set(ids)).values("id", "name", "name_en")}


def name_regions() -> dict[int, Named]:
    """Return the names of all regions by id."""
    return {row["id"]: Named(**row) for row in Region.objects.values("id", "name", "name_en")}


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundMember:
    """A line of the list behind a figure; the name is masked unless the viewer may see contacts."""

    public_id: str
    code: str
    name: str
    life_class: str
    rfm_cell: int | None
    last_visit_on: date | None
    receipts_ever: int
    net_ever_minor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundMembers:
    total: int
    rows: tuple[FoundMember, ...]


def list_found_members(
    viewer: Viewer, *, lake: CurrentLake, definition: Segment, first: int, size: int
) -> FoundMembers:
    """Return one page of the members of a definition within the viewer's reach, who spent most first."""
    require(viewer, permission=Permission.SEE_MEMBERS)
    scoped = within_reach(viewer, definition=definition)
    wide = lake.reader.run_sql(best_sql(scoped.where, on=lake.as_of, first=first, size=size)).to_pylist()
    names = {
        row["id"]: row
        for row in Member.objects.filter(id__in=[row["member_id"] for row in wide]).values(
            "id", "public_id", "code", "name"
        )
    }
    may_see = viewer.may(Permission.REVEAL_CONTACTS)
    total, rows = 0, []
    for row in wide:
        total = row.pop("total")
        known = names.get(row.pop("member_id"))
        if known is None:
            continue  # erased since the lake was made
        name = known["name"] if may_see else mask_name(known["name"])
        rows.append(FoundMember(public_id=known["public_id"], code=known["code"], name=name, **row))
    return FoundMembers(total=total, rows=tuple(rows))


def name_staff(ids: Iterable[int]) -> dict[int, str]:
    """Return the names of staff by id."""
    return dict(Staff.objects.filter(id__in=set(ids)).values_list("id", "name"))
