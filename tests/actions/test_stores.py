"""Stores are opened, changed, shown and closed."""

from datetime import date, datetime, time

import pytest

from changke.actions.regions import add_region
from changke.actions.stores import change_store, close_store, open_store, reopen_store, show_store
from changke.kernel.errors import ChangkeError
from changke.records.models import AuditEntry, Store, Upload
from changke.rules.company import RegionCard
from changke.rules.staff import SYSTEM, NotAllowedError, Role, Viewer
from changke.rules.stores import Hours, Ownership, StoreCard, StorePicture, every_day

MANAGER = Viewer(user_id=None, staff_id=None, name="zhao", role=Role.STORE_MANAGER, store_ids=frozenset({1}))
LATE = every_day(Hours(opens_at=time(10), closes_at=time(2)))

pytestmark = pytest.mark.django_db


def card(**changes: object) -> StoreCard:
    values: dict[str, object] = {"code": "HZ01", "name": "湖滨店", "opened_on": date(2024, 1, 1)}
    return StoreCard(**(values | changes))  # type: ignore[arg-type]


def test_a_store_opens_with_its_hours(now: datetime) -> None:
    region = add_region(SYSTEM, card=RegionCard(code="east", name="东区"), now=now)
    store_id = open_store(SYSTEM, card=card(region_id=region, hours=LATE, day_ends_at=time(4)), now=now)
    store = Store.objects.get(id=store_id)
    assert store.hours["mon"] == ["10:00", "02:00"]
    assert (store.region_id, store.day_ends_at) == (region, time(4))
    assert AuditEntry.objects.get(action="open_store").store_id == store_id


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"code": ""}, "code"),
        ({"code": "HZ 01"}, "code"),
        ({"name": ""}, "name"),
        ({"phone": "call me"}, "phone"),
        ({"time_zone": "Mars"}, "time_zone"),
        ({"region_id": 999}, "region_id"),
        ({"hours": LATE}, "hours_mon"),
    ],
)
def test_a_wrong_store_is_refused(now: datetime, changes: dict[str, object], field: str) -> None:
    with pytest.raises(ChangkeError) as caught:
        open_store(SYSTEM, card=card(**changes), now=now)
    assert caught.value.problems[0].field == field
    assert not Store.objects.exists() and not AuditEntry.objects.exists()


def test_a_code_is_used_once(now: datetime) -> None:
    open_store(SYSTEM, card=card(), now=now)
    other = open_store(SYSTEM, card=card(code="HZ02"), now=now)
    with pytest.raises(ChangkeError, match="in use"):
        open_store(SYSTEM, card=card(), now=now)
    with pytest.raises(ChangkeError, match="in use"):
        change_store(SYSTEM, store_id=other, card=card(), now=now)
    assert Store.objects.get(id=other).code == "HZ02"


def test_a_change_writes_what_differs(now: datetime) -> None:
    store_id = open_store(SYSTEM, card=card(), now=now)
    change_store(SYSTEM, store_id=store_id, card=card(ownership=Ownership.FRANCHISE), now=now)
    change_store(SYSTEM, store_id=store_id, card=card(ownership=Ownership.FRANCHISE), now=now)
    entry = AuditEntry.objects.get(action="change_store")
    assert (entry.before, entry.after) == ({"ownership": "own"}, {"ownership": "franchise"})
    with pytest.raises(NotAllowedError):
        change_store(MANAGER, store_id=store_id, card=card(), now=now)


def test_a_store_closes_and_opens_again(now: datetime) -> None:
    store_id = open_store(SYSTEM, card=card(), now=now)
    with pytest.raises(ChangkeError, match="before it opened"):
        close_store(SYSTEM, store_id=store_id, closed_on=date(2023, 1, 1), now=now)
    close_store(SYSTEM, store_id=store_id, closed_on=date(2026, 11, 1), now=now)
    assert Store.objects.get().closed_on == date(2026, 11, 1)
    reopen_store(SYSTEM, store_id=store_id, now=now)
    assert Store.objects.get().closed_on is None
    assert AuditEntry.objects.get(action="close_store").after == {"closed_on": "2026-11-01"}


def test_only_a_picture_is_hung_up(now: datetime) -> None:
    store_id = open_store(SYSTEM, card=card(), now=now)
    rows = [
        Upload.objects.create(kind=kind, name="x", path="x", content_type="x", size_bytes=1, sha256="", created_at=now)
        for kind in ("picture", "export")
    ]
    show_store(SYSTEM, store_id=store_id, place=StorePicture.FLOOR_PLAN, upload_id=rows[0].id, now=now)
    with pytest.raises(ChangkeError, match="not a picture"):
        show_store(SYSTEM, store_id=store_id, place=StorePicture.PICTURE, upload_id=rows[1].id, now=now)
    store = Store.objects.get()
    assert (store.floor_plan_id, store.picture_id) == (rows[0].id, None)
    show_store(SYSTEM, store_id=store_id, place=StorePicture.FLOOR_PLAN, upload_id=None, now=now)
    assert Store.objects.get().floor_plan_id is None
