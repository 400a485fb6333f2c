"""Stores: opened, changed, given pictures and closed by head office."""

from datetime import date, datetime
from typing import Any

from django.db import transaction

from changke.actions.steps.audit import changed_fields, record_audit
from changke.kernel.checks import raise_problems
from changke.kernel.errors import fail
from changke.records.models import Region, Store, Upload
from changke.rules.staff import Permission, Viewer, require
from changke.rules.stores import StoreCard, StorePicture, refuse_store


@transaction.atomic
def open_store(actor: Viewer, *, card: StoreCard, now: datetime) -> int:
    """Open a store and return its id; its code must be new."""
    require(actor, permission=Permission.EDIT_SHOP)
    _check(card)
    store, is_new = Store.objects.get_or_create(code=card.code, defaults=_columns(card))
    if not is_new:
        raise fail("code_taken", "The code %(code)s is in use.", field="code", code=card.code)
    _audit(actor, store_id=store.id, action="open_store", now=now, after=_columns(card))
    return store.id


@transaction.atomic
def change_store(actor: Viewer, *, store_id: int, card: StoreCard, now: datetime) -> None:
    """Change what is written about a store; unchanged data writes nothing."""
    require(actor, permission=Permission.EDIT_SHOP)
    _check(card)
    store = _lock(store_id)
    if Store.objects.filter(code=card.code).exclude(id=store_id).exists():
        raise fail("code_taken", "The code %(code)s is in use.", field="code", code=card.code)
    _write(actor, store=store, action="change_store", now=now, columns=_columns(card))


@transaction.atomic
def show_store(actor: Viewer, *, store_id: int, place: StorePicture, upload_id: int | None, now: datetime) -> None:
    """Hang a picture or the floor plan, or take it down (None); the upload must be a picture."""
    require(actor, permission=Permission.EDIT_SHOP)
    store = _lock(store_id)
    if upload_id is not None and not Upload.objects.filter(id=upload_id, kind="picture").exists():
        raise fail("picture_unknown", "This is not a picture that was uploaded here.", field=place.value)
    _write(actor, store=store, action="show_store", now=now, columns={f"{place}_id": upload_id})


@transaction.atomic
def close_store(actor: Viewer, *, store_id: int, closed_on: date, now: datetime) -> None:
    """Close a store for good on a day; closing it again on another day corrects the day."""
    require(actor, permission=Permission.EDIT_SHOP)
    store = _lock(store_id)
    if store.opened_on and closed_on < store.opened_on:
        raise fail("closed_before_opened", "A store cannot close before it opened.", field="closed_on")
    _write(actor, store=store, action="close_store", now=now, columns={"closed_on": closed_on})


@transaction.atomic
def reopen_store(actor: Viewer, *, store_id: int, now: datetime) -> None:
    """Open a closed store again."""
    require(actor, permission=Permission.EDIT_SHOP)
    _write(actor, store=_lock(store_id), action="reopen_store", now=now, columns={"closed_on": None})


def _check(card: StoreCard) -> None:
    raise_problems(refuse_store(card))
    if card.region_id is not None and not Region.objects.filter(id=card.region_id).exists():
        raise fail("region_unknown", "There is no such region.", field="region_id")


def _columns(card: StoreCard) -> dict[str, Any]:
    return {
        "code": card.code,
        "name": card.name,
        "name_en": card.name_en,
        "region_id": card.region_id,
        "ownership": card.ownership.value,
        "time_zone": card.time_zone,
        "day_ends_at": card.day_ends_at,
        "hours": {
            day.value: [f"{hours.opens_at:%H:%M}", f"{hours.closes_at:%H:%M}"] for day, hours in card.hours.items()
        },
        "address": card.address,
        "phone": card.phone,
        "opened_on": card.opened_on,
    }


def _lock(store_id: int) -> Store:
    return Store.objects.select_for_update().get(id=store_id)


def _write(actor: Viewer, *, store: Store, action: str, now: datetime, columns: dict[str, Any]) -> None:
    """Write the columns that differ and their audit row; nothing where none does."""
    before, after = changed_fields({key: getattr(store, key) for key in columns}, columns)
    if after:
        Store.objects.filter(id=store.id).update(**after)
        _audit(actor, store_id=store.id, action=action, now=now, before=before, after=after)


def _audit(
    actor: Viewer,
    *,
    store_id: int,
    action: str,
    now: datetime,
    after: dict[str, Any],
    before: dict[str, Any] | None = None,
) -> None:
    record_audit(
        actor,
        now=now,
        action=action,
        subject_kind="store",
        subject_id=store_id,
        store_id=store_id,
        before=before,
        after=after,
    )
