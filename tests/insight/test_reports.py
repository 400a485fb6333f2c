"""Reports in set form give the same figures as their plain definitions, for any days and stores."""

from collections.abc import Iterator
from datetime import timedelta
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from small_lakes import TODAY, Shopper, make_receipt, random_shopper, write_lake

from changke.insight.reports import loyalty, overview, shop
from changke.insight.tables import LakeReader
from changke.kernel.periods import Period
from changke.rules.features import FeatureRow
from changke.rules.reports import loyalty as plain_loyalty
from changke.rules.reports import overview as plain_overview
from changke.rules.reports import shop as plain_shop
from changke.rules.reports.loyalty import CohortBasis, GroupBy
from changke.rules.reports.scope import LineFact, SaleFact, Scope
from changke.rules.reports.shop import Goods
from changke.rules.segments import Receipt

SPAN = 200
PERIODS = st.tuples(st.integers(0, SPAN + 20), st.integers(0, SPAN)).map(
    lambda pair: Period(first=TODAY - timedelta(days=sum(pair)), last=TODAY - timedelta(days=pair[0] - 5))
)
STORES = st.none() | st.frozensets(st.integers(1, 4), max_size=3)
SCOPES = st.builds(Scope, period=PERIODS, store_ids=STORES)


class Lake:
    """A reader with the facts behind it; a class for its short repr."""

    def __init__(self, members: list[FeatureRow], sales: list[SaleFact], reader: LakeReader) -> None:
        self.members, self.sales, self.reader = members, sales, reader


def sale_facts(shoppers: list[Shopper], anonymous: list[Receipt]) -> list[SaleFact]:
    """Return the sales as write_lake numbers them."""
    receipts = [(s.row.member_id, r) for s in shoppers for r in s.receipts] + [(None, r) for r in anonymous]
    return [
        SaleFact(
            sale_id=number,
            member_id=member_id,
            store_id=receipt.store_id,
            staff_id=receipt.store_id + 100,
            day=receipt.day,
            hour=receipt.hour,
            is_return=receipt.is_return,
            total_minor=receipt.total_minor,
            lines=tuple(
                LineFact(**{name: getattr(line, name) for name in LineFact.__slots__}) for line in receipt.lines
            ),
        )
        for number, (member_id, receipt) in enumerate(receipts, start=1)
    ]


@pytest.fixture(scope="module")
def lakes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Lake]]:
    made = []
    for seed, members in enumerate((60, 7, 0)):
        rng = Random(seed)
        shoppers = [random_shopper(number, rng, span_days=SPAN) for number in range(1, members + 1)]
        strangers = [receipt for shopper in shoppers[:20] for receipt in shopper.receipts] or [make_receipt(day=TODAY)]
        reader = LakeReader(write_lake(tmp_path_factory.mktemp("lake"), shoppers, anonymous=strangers))
        made.append(Lake([shopper.row for shopper in shoppers], sale_facts(shoppers, strangers), reader))
    yield made
    for lake in made:
        lake.reader.close()


def compared(**more: Any) -> Any:
    """Run a test over random scopes of the three lakes: many members, few, only strangers."""
    given_all = given(scope=SCOPES, number=st.integers(0, 2), **more)
    return lambda test: settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])(
        given_all(test)
    )


@compared()
def test_key_figures(lakes: list[Lake], scope: Scope, number: int) -> None:
    lake = lakes[number]
    expected = plain_overview.count_key_figures(lake.members, lake.sales, scope=scope)
    assert overview.load_key_figures(lake.reader, scope=scope) == expected


@compared()
def test_days(lakes: list[Lake], scope: Scope, number: int) -> None:
    lake = lakes[number]
    assert overview.list_days(lake.reader, scope=scope) == plain_overview.list_days(lake.sales, scope=scope)


@compared()
def test_novelty(lakes: list[Lake], scope: Scope, number: int) -> None:
    lake = lakes[number]
    assert overview.list_novelty(lake.reader, scope=scope) == plain_overview.list_novelty(lake.sales, scope=scope)


@compared(basis=st.sampled_from(CohortBasis))
def test_cohorts(lakes: list[Lake], scope: Scope, number: int, basis: CohortBasis) -> None:
    lake = lakes[number]
    expected = plain_loyalty.list_cohorts(lake.members, lake.sales, scope=scope, basis=basis)
    assert loyalty.list_cohorts(lake.reader, scope=scope, basis=basis) == expected


@compared()
def test_lorenz(lakes: list[Lake], scope: Scope, number: int) -> None:
    lake = lakes[number]
    assert loyalty.list_lorenz(lake.reader, scope=scope) == plain_loyalty.list_lorenz(lake.sales, scope=scope)


@compared()
def test_intervals(lakes: list[Lake], scope: Scope, number: int) -> None:
    lake = lakes[number]
    assert loyalty.list_intervals(lake.reader, scope=scope) == plain_loyalty.list_intervals(lake.sales, scope=scope)


@compared(by=st.sampled_from(GroupBy))
def test_groups(lakes: list[Lake], scope: Scope, number: int, by: GroupBy) -> None:
    lake = lakes[number]
    expected = plain_loyalty.list_groups(lake.members, lake.sales, scope=scope, by=by)
    assert loyalty.list_groups(lake.reader, scope=scope, by=by) == expected


@compared(by=st.sampled_from(Goods), rows_max=st.integers(1, 6))
def test_goods(lakes: list[Lake], scope: Scope, number: int, by: Goods, rows_max: int) -> None:
    lake = lakes[number]
    expected = plain_shop.list_goods(lake.sales, scope=scope, by=by, rows_max=rows_max)
    assert shop.list_goods(lake.reader, scope=scope, by=by, rows_max=rows_max) == expected


@compared()
def test_stores(lakes: list[Lake], scope: Scope, number: int) -> None:
    lake = lakes[number]
    assert shop.list_stores(lake.reader, scope=scope) == plain_shop.list_stores(lake.members, lake.sales, scope=scope)


@compared()
def test_staff(lakes: list[Lake], scope: Scope, number: int) -> None:
    lake = lakes[number]
    assert shop.list_staff(lake.reader, scope=scope) == plain_shop.list_staff(lake.members, lake.sales, scope=scope)


@compared()
def test_hours(lakes: list[Lake], scope: Scope, number: int) -> None:
    lake = lakes[number]
    assert shop.list_hours(lake.reader, scope=scope) == plain_shop.list_hours(lake.sales, scope=scope)
