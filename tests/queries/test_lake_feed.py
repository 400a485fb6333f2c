"""The feed of the lake: every fact once, in the lake's types, and nothing passed over by a slow transaction."""

from datetime import date, datetime

import psycopg
import pyarrow as pa
import pytest
from django.db import connection, transaction

from changke.insight.facts import LINES, MEMBERS, SALES
from changke.queries.lake_feed import open_feed
from changke.records.models import (
    Brand,
    Category,
    Consent,
    Member,
    MemberTag,
    Product,
    Sale,
    SaleLine,
    Source,
    Store,
    Tag,
)


@pytest.fixture
def shop(now: datetime) -> dict[str, int]:
    """A store, a member with everything the lake wants, one without, and a sale of one line each."""
    store = Store.objects.create(code="s1", name="Line\nbreak", time_zone="Asia/Shanghai")
    source = Source.objects.create(code="till", name="Till")
    root = Category.objects.create(name="Tea", path="Tea", depth=0)
    leaf = Category.objects.create(name="Green", path="Tea\x1fGreen", depth=1, parent=root, root=root)
    brand = Brand.objects.create(name="Own")
    product = Product.objects.create(code="p1", name="Longjing", category=leaf, brand=brand)
    rich = Member.objects.create(
        code="m1",
        name='王"小",明',
        phone="+8613800001234",
        birth_month=2,
        birth_day=29,
        joined_on=date(2026, 1, 2),
        attributes={"taste": "sweet\nsour", "pet": "cat"},
        home_store=store,
        created_at=now,
        changed_at=now,
    )
    plain = Member.objects.create(code="m2", created_at=now, changed_at=now)
    for name in ("regular", "student"):
        MemberTag.objects.create(member=rich, tag=Tag.objects.create(name=name))
    for channel, granted in (("sms", True), ("email", True), ("email", False)):
        Consent.objects.create(
            member=rich, channel=channel, purpose="marketing", is_granted=granted, at=now, given_through="store"
        )
    for number, member in (("1", rich), ("2", None)):
        sale = Sale.objects.create(
            source=source, sale_no=number, kind="sale", store=store, member=member, sold_at=now,
            business_day=now.date(), total_minor=1250, quantity_milli=2000, line_count=1, content_hash=1,
        )  # fmt: skip
        SaleLine.objects.create(
            sale=sale, line_no=1, product=product, quantity_milli=2000, unit_price="6.25", total_minor=1250
        )
    return {"rich": rich.id, "plain": plain.id, "leaf": leaf.id, "root": root.id}


def read(batches: object, schema: pa.Schema) -> list[dict[str, object]]:
    rows: list[dict[str, object]] = pa.Table.from_batches(batches, schema=schema).to_pylist()
    return rows


@pytest.mark.django_db
def test_members_carry_lists_pairs_and_live_consents(shop: dict[str, int]) -> None:
    with open_feed(since=None) as feed:
        rich, plain = read(feed.members(), MEMBERS)
    assert rich["tags"] == ["regular", "student"]
    assert rich["consents"] == ["sms:marketing"]
    assert rich["attributes"] == [("pet", "cat"), ("taste", "sweet\nsour")]
    assert (rich["joined_on"], rich["birth_month"], rich["has_phone"]) == (date(2026, 1, 2), 2, True)
    assert (plain["tags"], plain["attributes"], plain["joined_on"], plain["clerk_class"]) == ([], [], None, None)


@pytest.mark.django_db
def test_sales_and_lines_have_the_types_of_the_lake(shop: dict[str, int]) -> None:
    with open_feed(since=None) as feed:
        first, second = read(feed.sales(), SALES)
        lines = read(feed.lines(), LINES)
    assert (first["member_id"], first["hour"], first["total_minor"]) == (shop["rich"], 12, 1250)
    assert second["member_id"] is None
    assert {(line["category_id"], line["top_category_id"]) for line in lines} == {(shop["leaf"], shop["root"])}


@pytest.mark.django_db
def test_an_empty_shop_feeds_nothing() -> None:
    with open_feed(since=None) as feed:
        assert (read(feed.members(), MEMBERS), read(feed.sales(), SALES), feed.count_changed_sales()) == ([], [], 0)


@pytest.mark.django_db(transaction=True)
def test_a_slow_transaction_is_read_by_the_next_pass(shop: dict[str, int], now: datetime) -> None:
    parts = connection.get_connection_params()
    slow = psycopg.connect(**{key: parts[key] for key in ("dbname", "user", "host") if key in parts} | {
        key: parts[key] for key in ("password", "port") if parts.get(key)
    })  # fmt: skip
    slow.execute("UPDATE sales SET total_minor = 7 WHERE sale_no = '1'")  # takes its transaction id, stays open
    with transaction.atomic():
        Sale.objects.filter(sale_no="2").update(total_minor=8)
    with open_feed(since=None) as feed:
        horizon = feed.horizon
    slow.commit()
    slow.close()
    with open_feed(since=horizon) as feed:
        late = {row["total_minor"] for row in read(feed.sales(), SALES)}
    assert 7 in late
