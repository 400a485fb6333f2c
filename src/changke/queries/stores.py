"""Stores as a viewer may see them."""

from dataclasses import dataclass
from datetime import date, time

from django.db.models import Q, QuerySet

from changke.kernel.texts import Named
from changke.records.models import Store
from changke.rules.staff import Viewer
from changke.rules.stores import Hours, Ownership, StoreCard, Weekday


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreRow:
    """A store with the public ids of its pictures; `closed_on` is set once it has closed for good."""

    id: int
    public_id: str
    card: StoreCard
    region: Named | None
    picture: str
    floor_plan: str
    closed_on: date | None


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreFilter:
    text: str = ""
    region_ids: tuple[int, ...] = ()
    ownerships: tuple[Ownership, ...] = ()
    states: tuple[str, ...] = ()  # "open", "closed"
    sort: str = "code"


SORTS = {"code": "code", "name": "name", "region": "region__name", "opened": "opened_on"}


def list_stores(viewer: Viewer, *, chosen: StoreFilter | None = None) -> tuple[StoreRow, ...]:
    """Return the stores within the viewer's reach that fit; one query."""
    chosen = chosen or StoreFilter()
    stores = stores_within(viewer)
    if text := chosen.text.strip():
        stores = stores.filter(
            Q(code__icontains=text) | Q(name__icontains=text) | Q(name_en__icontains=text) | Q(address__icontains=text)
        )
    if chosen.region_ids:
        stores = stores.filter(region_id__in=chosen.region_ids)
    if chosen.ownerships:
        stores = stores.filter(ownership__in=chosen.ownerships)
    if len(set(chosen.states)) == 1:
        stores = stores.filter(closed_on__isnull="open" in chosen.states)
    key = SORTS.get(chosen.sort.removeprefix("-"), "code")
    return tuple(_row(store) for store in stores.order_by("-" * chosen.sort.startswith("-") + key, "id"))


def find_store(viewer: Viewer, *, public_id: str) -> StoreRow | None:
    """Return one store, or None where it does not exist or lies out of reach."""
    store = stores_within(viewer).filter(public_id=public_id).first()
    return _row(store) if store else None


def stores_within(viewer: Viewer) -> QuerySet[Store]:
    """Return the stores that a viewer may see."""
    stores = Store.objects.select_related("region", "picture", "floor_plan")
    return stores if viewer.store_ids is None else stores.filter(id__in=viewer.store_ids)


def _row(store: Store) -> StoreRow:
    hours = {
        Weekday(day): Hours(opens_at=time.fromisoformat(opens), closes_at=time.fromisoformat(closes))
        for day, (opens, closes) in store.hours.items()
    }
    card = StoreCard(
        code=store.code,
        name=store.name,
        name_en=store.name_en,
        region_id=store.region_id,
        ownership=Ownership(store.ownership),
        time_zone=store.time_zone,
        day_ends_at=store.day_ends_at,
        hours={day: hours[day] for day in Weekday if day in hours},
        address=store.address,
        phone=store.phone,
        opened_on=store.opened_on,
    )
    return StoreRow(
        id=store.id,
        public_id=store.public_id,
        card=card,
        region=Named(name=store.region.name, name_en=store.region.name_en) if store.region else None,
        picture=store.picture.public_id if store.picture else "",
        floor_plan=store.floor_plan.public_id if store.floor_plan else "",
        closed_on=store.closed_on,
    )
