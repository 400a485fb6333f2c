"""A small shop with an analysed lake: twelve members in two stores, ten of whom have bought."""

from datetime import datetime, timedelta
from pathlib import Path

import pytest

from changke.actions.lake import refresh_lake
from changke.records.models import Category, Member, Product, Sale, SaleLine, Source
from people import Chain


@pytest.fixture
def small_shop(home: Path, chain: Chain, now: datetime) -> list[Member]:
    """Return the members in order; member n bought n + 1 times in store n % 2, the last two never."""
    source = Source.objects.create(code="till", name="Till")
    tea = Category.objects.create(name="茶饮", name_en="Tea", path="茶饮", depth=0)
    product = Product.objects.create(code="p1", name="龙井", name_en="Longjing", category=tea)
    members = [
        Member.objects.create(
            code=f"m{n}",
            name=f"王小明{n}",
            phone=f"+861380000{n:04d}",
            home_store_id=chain.store_ids[n % 2],
            created_at=now,
            changed_at=now,
        )
        for n in range(12)
    ]
    for n, member in enumerate(members[:10]):
        for visit in range(n + 1):
            at = now - timedelta(days=3 + 9 * visit)
            sale = Sale.objects.create(
                source=source, sale_no=f"{n}-{visit}", kind="sale", store_id=chain.store_ids[n % 2], member=member,
                sold_at=at, business_day=at.date(), total_minor=1000 * (n + 1), quantity_milli=1000, line_count=1,
                content_hash=1,
            )  # fmt: skip
            SaleLine.objects.create(
                sale=sale, line_no=1, product=product, quantity_milli=1000, unit_price="10", total_minor=1000 * (n + 1)
            )
    refresh_lake(now=now)
    return members
