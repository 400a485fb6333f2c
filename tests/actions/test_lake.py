"""The lake follows the database: in full first, then by what changed, with the same rows either way."""

from datetime import date, datetime, timedelta
from pathlib import Path

import pytest
from django.utils import timezone

from changke.actions.lake import refresh_lake
from changke.queries.lake import current_lake, need_lake
from changke.records.models import LakeRefresh, Member, Product, Sale, SaleLine, Source, Store

pytestmark = pytest.mark.django_db(transaction=True)  # a refresh reads what other transactions changed


@pytest.fixture
def shop(now: datetime) -> dict[str, int]:
    store = Store.objects.create(code="s1", name="One", time_zone="Asia/Shanghai")
    source = Source.objects.create(code="till", name="Till")
    product = Product.objects.create(code="p1", name="Tea")
    members = [Member.objects.create(code=f"m{n}", created_at=now, changed_at=now) for n in range(12)]
    for number, member in enumerate(members[:10]):
        sell(store.id, source.id, product.id, member.id, number=f"a{number}", at=now - timedelta(days=5 + 9 * number))
    return {"store": store.id, "source": source.id, "product": product.id, "first": members[0].id}


def sell(store: int, source: int, product: int, member: int | None, *, number: str, at: datetime) -> None:
    sale = Sale.objects.create(
        source_id=source, sale_no=number, kind="sale", store_id=store, member_id=member, sold_at=at,
        business_day=timezone.localtime(at).date(), total_minor=1000, quantity_milli=1000, line_count=1, content_hash=1,
    )  # fmt: skip
    SaleLine.objects.create(
        sale=sale, line_no=1, product_id=product, quantity_milli=1000, unit_price="10", total_minor=1000
    )


def rows() -> dict[int, dict[str, object]]:
    lake = need_lake()
    return {row["member_id"]: row for row in lake.reader.rows(lake.reader.table("features"))}


def test_nothing_analysed_yet(home: Path) -> None:
    assert current_lake() is None


def test_full_then_delta(home: Path, shop: dict[str, int], now: datetime) -> None:
    first = refresh_lake(now=now)
    assert (first.is_full, first.as_of, len(rows())) == (True, date(2026, 11, 22), 12)
    assert rows()[shop["first"]]["receipts"] == 1
    sell(shop["store"], shop["source"], shop["product"], shop["first"], number="late", at=now - timedelta(days=3))
    Sale.objects.filter(sale_no="a1").update(total_minor=500)
    before = need_lake()
    second = refresh_lake(now=now + timedelta(minutes=9))
    assert (second.is_full, second.sales_changed) == (False, 2)
    assert rows()[shop["first"]]["receipts"] == 2
    lake = need_lake()
    visits = lake.reader.rows(lake.reader.table("visits"))
    assert sum(visit["gross_minor"] for visit in visits) == 10 * 1000 + 1000 - 500
    assert len(before.reader.rows(before.reader.table("visits"))) == 10  # a page that began earlier reads on


def test_an_error_leaves_the_version_before(home: Path, shop: dict[str, int], now: datetime, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    refresh_lake(now=now)
    before = need_lake().version
    monkeypatch.setattr("changke.actions.lake.fit_value_model", lambda summary: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        refresh_lake(now=now + timedelta(minutes=9))
    assert need_lake().version == before
    assert list(LakeRefresh.objects.order_by("id").values_list("state", flat=True)) == ["done", "failed"]
