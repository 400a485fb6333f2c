"""Stores in the browser: list, filters, page, form with problems beside the fields, pictures, closing."""

from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import pytest
from django.test import Client
from django.urls import reverse
from PIL import Image

from changke.records.models import AuditEntry, Region, Store
from changke.rules.staff import Role
from people import Chain

FORM = {
    "code": "XA01",
    "name": "钟楼店",
    "name_en": "Bell Tower",
    "ownership": "own",
    "time_zone": "Asia/Shanghai",
    "day_ends_at": "04:00",
    "opens_mon": "10:00",
    "closes_mon": "02:00",
}


def picture() -> BytesIO:
    raw = BytesIO()
    Image.new("RGB", (20, 10), "teal").save(raw, "PNG")
    raw.seek(0)
    raw.name = "plan.png"
    return raw


def test_a_store_is_opened_changed_closed_and_reopened(sign_in: Callable[[Role], Client]) -> None:
    client = sign_in(Role.HEAD_OFFICE)
    assert client.post(reverse("store_new"), FORM)["Location"] == reverse("stores")
    store = Store.objects.get(code="XA01")
    assert store.hours == {"mon": ["10:00", "02:00"]}
    page = client.get(reverse("store", args=(store.public_id,))).content.decode()
    assert "钟楼店" in page and "10:00–02:00" in page
    client.post(reverse("store_edit", args=(store.public_id,)), FORM | {"name": "鼓楼店"})
    client.post(reverse("store_close", args=(store.public_id,)), {"closed_on": "2026-11-01"})
    store.refresh_from_db()
    assert (store.name, str(store.closed_on)) == ("鼓楼店", "2026-11-01")
    client.post(reverse("store_reopen", args=(store.public_id,)))
    store.refresh_from_db()
    assert store.closed_on is None
    actions = AuditEntry.objects.filter(subject_id=store.id, subject_kind="store").values_list("action", flat=True)
    assert set(actions) == {"open_store", "change_store", "close_store", "reopen_store"}


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"code": "HZ01"}, "code"),
        ({"code": "no spaces"}, "code"),
        ({"name": ""}, "name"),
        ({"phone": "ring me"}, "phone"),
        ({"time_zone": "Mars/North"}, "time_zone"),
        ({"day_ends_at": "00:00"}, "closes_mon"),
        ({"closes_mon": ""}, "opens_mon"),
        ({"region_id": "77"}, "region_id"),
    ],
)
def test_a_problem_stands_beside_its_field(
    sign_in: Callable[[Role], Client], changes: dict[str, str], field: str
) -> None:
    answer = sign_in(Role.HEAD_OFFICE).post(reverse("store_new"), FORM | changes)
    assert answer.status_code == 200
    assert list(answer.context["form"].errors) == [field]
    assert Store.objects.count() == 2


def test_filters_and_search_find_stores(sign_in: Callable[[Role], Client], chain: Chain) -> None:
    client = sign_in(Role.HEAD_OFFICE)
    Store.objects.filter(code="HZ02").update(
        ownership="franchise", region=Region.objects.create(code="hz", name="杭州"), closed_on="2026-01-01"
    )
    region = Region.objects.get().id

    def found(query: str) -> list[str]:
        return [row.card.code for row in client.get(reverse("stores") + query).context["rows"]]

    assert found("") == ["HZ01", "HZ02"] and found("?sort=-code") == ["HZ02", "HZ01"]
    assert found("?q=z02") == found("?ownership=franchise") == found("?state=closed") == ["HZ02"]
    assert found(f"?region={region}") == ["HZ02"] and found("?region=9999") == []
    assert found("?state=open") == ["HZ01"] and found("?state=open&state=closed") == ["HZ01", "HZ02"]
    assert found("?ownership=nonsense&region=x&sort=nonsense") == ["HZ01", "HZ02"]


def test_a_picture_is_hung_served_safely_and_taken_down(
    sign_in: Callable[[Role], Client], chain: Chain, home: Path
) -> None:
    client, store = sign_in(Role.HEAD_OFFICE), Store.objects.get(id=chain.store_ids[0])
    hang = reverse("store_picture", args=(store.public_id, "floor_plan"))
    assert client.post(hang, {"file": picture()}).status_code == 302
    store.refresh_from_db()
    assert store.floor_plan is not None
    served = client.get(reverse("upload", args=(store.floor_plan.public_id,)))
    assert b"".join(served.streaming_content)[8:12] == b"WEBP"
    assert (served["Content-Type"], served["X-Content-Type-Options"]) == ("image/webp", "nosniff")
    assert "sandbox" in served["Content-Security-Policy"] and "private" in served["Cache-Control"]
    assert client.post(hang, {"remove": "1"}).status_code == 302
    assert client.post(hang, {}).status_code == 422
    assert client.post(reverse("store_picture", args=(store.public_id, "roof")), {"remove": "1"}).status_code == 404
    broken = BytesIO(b"<svg/>")
    broken.name = "x.png"
    assert client.post(hang, {"file": broken}).status_code == 422
    store.refresh_from_db()
    assert store.floor_plan_id is None


def test_a_picture_of_another_store_is_not_there(sign_in: Callable[[Role], Client], chain: Chain, home: Path) -> None:
    other = Store.objects.get(id=chain.store_ids[1])
    sign_in(Role.HEAD_OFFICE).post(reverse("store_picture", args=(other.public_id, "picture")), {"file": picture()})
    other.refresh_from_db()
    assert other.picture is not None
    address = reverse("upload", args=(other.picture.public_id,))
    answers = {role: sign_in(role).get(address) for role in (Role.AUDITOR, Role.STORE_MANAGER, Role.CASHIER)}
    assert {role: answer.status_code for role, answer in answers.items()} == {
        Role.AUDITOR: 200,
        Role.STORE_MANAGER: 404,
        Role.CASHIER: 404,
    }
    b"".join(answers[Role.AUDITOR].streaming_content)


def test_regions_are_added_and_renamed(sign_in: Callable[[Role], Client]) -> None:
    client = sign_in(Role.HEAD_OFFICE)
    client.post(reverse("region_new"), {"code": "east", "name": "华东"})
    region = Region.objects.get()
    client.post(reverse("region_edit", args=(region.id,)), {"code": "east", "name": "东区", "name_en": "East"})
    assert Region.objects.get().name == "东区"
    twice = client.post(reverse("region_new"), {"code": "east", "name": "又一个"})
    assert list(twice.context["form"].errors) == ["code"]
    assert "东区" in client.get(reverse("regions")).content.decode()
