"""RFM runs: filtered by store and category, summarised, compared; classes from month to month."""

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from ibis.backends.duckdb import Backend
from shop_facts import AS_OF, NOW, ROWS, Shop, batches_of

from changke.insight.engine import Facts, open_engine
from changke.insight.lake import facts_of, hold_current, open_draft
from changke.insight.movement import count_flows, list_flow, months_back, write_classes
from changke.insight.refresh import write_full
from changke.insight.runs import RfmRun, StoreWarning, compare_runs, list_movers, path_of_member, run_rfm
from changke.rules.lifecycle import LifeClass, LifecycleSettings
from changke.rules.rfm import FrequencyMeasure, RfmMethod, RfmSettings

SHIPPED = LifecycleSettings()


def member(member_id: int, *, joined: int | None = None, store: int | None = None) -> dict[str, object]:
    names = ("birth_year", "birth_month", "birth_day", "region_id", "recruiter_id", "clerk_class")
    return dict.fromkeys(names) | {
        "member_id": member_id,
        "joined_on": None if joined is None else AS_OF - timedelta(days=joined),
        "status": "formal",
        "gender": "unknown",
        "home_store_id": store,
        "source_channel": "store",
        "has_phone": False,
        "has_email": False,
        "tags": [],
        "consents": [],
        "attributes": [],
    }


def sale(sale_id: int, member_id: int, *, ago: int, amount: int = 100, store: int = 1) -> dict[str, object]:
    return {
        "sale_id": sale_id,
        "member_id": member_id,
        "store_id": store,
        "day": AS_OF - timedelta(days=ago),
        "hour": 12,
        "kind": "sale" if amount >= 0 else "return",
        "total_minor": amount,
        "quantity_milli": 1000,
    }


# Member n bought n times, last n days ago, each time for 100 n; even n in store 2 (category 20), odd n in 1.
SALES: ROWS = [
    sale(100 * n + at, n, ago=n + 20 * at, amount=100 * n, store=1 + (n % 2 == 0))
    for n in range(1, 11)
    for at in range(n)
]
SHOP = Shop(members=[member(n) for n in range(1, 12)], sales=SALES)


@pytest.fixture(scope="module")
def facts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Backend, Facts]]:
    lake = tmp_path_factory.mktemp("lake")
    with open_draft(lake, now=NOW, threads=1) as draft:
        write_full(draft, batches_of(SHOP))
    with hold_current(lake) as version, open_engine(threads=1, spill=lake) as engine:
        yield engine, facts_of(engine, version)


def run(facts: tuple[Backend, Facts], path: Path, **settings: object) -> RfmRun:
    engine, tables = facts
    rfm = RfmSettings(**settings)  # type: ignore[arg-type]
    return run_rfm(engine, tables, rfm=rfm, lifecycle=SHIPPED, as_of=AS_OF, path=path)


def test_a_run_keeps_its_figures(facts: tuple[Backend, Facts], tmp_path: Path) -> None:
    got = run(facts, tmp_path / "run.parquet")
    assert (got.members, got.bought_once, got.in_f1, got.bought_once_in_f1) == (10, 1, 2, 1)
    assert [(cell.cell, cell.members) for cell in got.cells] == [(511, 2), (422, 2), (333, 2), (244, 2), (155, 2)]
    assert got.cells[0].monetary_minor == 100 + 2 * 200
    assert got.split_by_ties == (0, 0, 0)
    assert [cut.value for cut in got.cuts.frequency] == [2, 4, 6, 8]
    rows = pq.read_table(tmp_path / "run.parquet").to_pylist()
    assert {row["member_id"]: row["life_class"] for row in rows}[1] == "new"
    assert {row["member_id"]: row["life_class"] for row in rows}[9] == "active"


def test_stores_and_categories_narrow_a_run(facts: tuple[Backend, Facts], tmp_path: Path) -> None:
    by_store = run(facts, tmp_path / "store.parquet", store_ids=(2,))
    by_category = run(facts, tmp_path / "category.parquet", category_ids=(20,))
    assert by_store.members == 5
    assert by_category.cells == by_store.cells
    assert pq.read_table(tmp_path / "store.parquet")["member_id"].to_pylist() == [2, 4, 6, 8, 10]
    both = run(facts, tmp_path / "both.parquet", category_ids=(20,), store_ids=(1,))
    assert (both.members, both.cells, both.cuts.recency) == (0, (), ())


def test_ties_are_counted(tmp_path: Path) -> None:
    again = Shop(members=SHOP.members, sales=[sale(n, n, ago=5) for n in range(1, 11)])
    lake = tmp_path / "lake"
    with open_draft(lake, now=NOW, threads=1) as draft:
        write_full(draft, batches_of(again))
        for method, split in ((RfmMethod.STRICT, (10, 10, 10)), (RfmMethod.TIE_SAFE, (0, 0, 0))):
            got = run_rfm(
                draft.engine,
                draft.facts(),
                rfm=RfmSettings(method=method),
                lifecycle=SHIPPED,
                as_of=AS_OF,
                path=tmp_path / f"{method}.parquet",
            )
            assert got.split_by_ties == split


def test_two_runs_are_compared(facts: tuple[Backend, Facts], tmp_path: Path) -> None:
    engine, _ = facts
    before, after = tmp_path / "before.parquet", tmp_path / "after.parquet"
    run(facts, before)
    run(facts, after, store_ids=(1,), frequency=FrequencyMeasure.ITEMS)
    moves = compare_runs(engine, before=before, after=after, score="f_score").to_pylist()
    counted = Counter({(move["before"], move["after"]): move["members"] for move in moves})
    assert counted.total() == 10
    assert counted[1, 1] == 1  # member 1; member 2 buys in the other store
    assert counted[1, None] == 1
    movers = list_movers(engine, before=before, after=after, from_values=[1], to_values=[1, 2], score="f_score")
    assert movers["member_id"].to_pylist() == [1]
    assert path_of_member(engine, runs=[before, after], member_id=2) == [511, None]


def test_a_store_with_many_new_cards_and_few_in_f1_is_named(tmp_path: Path) -> None:
    """Store 7: 30 new cards, all bought three times. Store 8: 30 new cards, all bought once."""
    members = [member(n, joined=10, store=7 if n <= 30 else 8) for n in range(1, 61)]
    sales = [sale(10 * n + at, n, ago=9 - at) for n in range(1, 61) for at in range(3 if n <= 30 else 1)]
    with open_draft(tmp_path / "lake", now=NOW, threads=1) as draft:
        write_full(draft, batches_of(Shop(members=members, sales=sales)))
        got = run_rfm(
            draft.engine,
            draft.facts(),
            rfm=RfmSettings(),
            lifecycle=SHIPPED,
            as_of=AS_OF,
            path=tmp_path / "run.parquet",
        )
    assert got.store_warnings == (StoreWarning(store_id=7, members=30, new_cards=30, in_f1=0),)


def test_classes_move_from_month_to_month(tmp_path: Path) -> None:
    members = [member(1), member(2, joined=100), member(3, joined=10)]
    sales = [sale(1, 1, ago=80), sale(2, 1, ago=10), sale(3, 2, ago=40)]
    days = months_back(AS_OF, months=2)
    path = tmp_path / "classes.parquet"
    with open_draft(tmp_path / "lake", now=NOW, threads=1) as draft:
        write_full(draft, batches_of(Shop(members=members, sales=sales)))
        write_classes(draft.engine, draft.facts(), days=days, settings=SHIPPED, path=path)
        flows = [tuple(flow.values()) for flow in count_flows(draft.engine, path).to_pylist()]
        first, second, third = days
        assert flows == [
            (first, second, "new", "new", 1),
            (first, second, "unbought", "new", 1),
            (second, third, "new", "new", 1),
            (second, third, "new", "returning", 1),
            (second, third, None, "unbought", 1),
        ]
        assert list_flow(
            draft.engine, path, from_day=second, to_day=third, before=LifeClass.NEW, after=LifeClass.RETURNING
        ) == [1]
        assert list_flow(draft.engine, path, from_day=second, to_day=third, before=None, after=LifeClass.UNBOUGHT) == [
            3
        ]
