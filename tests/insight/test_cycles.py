"""The cycle of the data equals its definition, and the backtest prefers the cycle the shoppers keep."""

import tempfile
from datetime import date, timedelta
from fractions import Fraction
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from shop_facts import AS_OF, NOW, Shop, batches_of, shops
from test_runs import member, sale

from changke.insight.cycles import backtest_cycles, measure_cycle, measure_cycles_by_store
from changke.insight.lake import open_draft
from changke.insight.refresh import write_full
from changke.rules.cycles import ClassOutcome, brier_score, cycle_of, intervals_of
from changke.rules.lifecycle import LifecycleSettings


@given(shop=shops())
@settings(max_examples=5, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_the_cycle_of_the_data_equals_its_definition(shop: Shop) -> None:
    days: dict[int, set[date]] = {}
    for row in shop.sales:
        if row["member_id"] is not None and row["kind"] == "sale" and row["day"] < AS_OF:
            days.setdefault(row["member_id"], set()).add(row["day"])
    with tempfile.TemporaryDirectory() as folder, open_draft(Path(folder), now=NOW, threads=1) as draft:
        write_full(draft, batches_of(shop))
        got = measure_cycle(draft.engine, draft.facts(), as_of=AS_OF)
        by_store = measure_cycles_by_store(draft.engine, draft.facts(), as_of=AS_OF)
    assert got == cycle_of([interval for theirs in days.values() for interval in intervals_of(theirs)])
    assert sum(cycle.intervals for cycle in by_store.values()) == (got.intervals if got else 0)


def test_the_backtest_prefers_the_cycle_that_shoppers_keep(tmp_path: Path) -> None:
    """Half come every ten days; half came so until 85 days ago and are gone: C = 10 tells them apart, C = 60 not."""
    regulars = [sale(1000 * n + ago, n, ago=ago) for n in range(1, 11) for ago in range(3, 200, 10)]
    gone = [sale(1000 * n + ago, n, ago=ago) for n in range(11, 21) for ago in range(75 + n, 300, 10)]
    shop = Shop(members=[member(n) for n in range(1, 21)], sales=regulars + gone)
    with open_draft(tmp_path, now=NOW, threads=1) as draft:
        write_full(draft, batches_of(shop))
        test = backtest_cycles(
            draft.engine, draft.facts(), candidates=(60, 10), as_of=AS_OF, settings=LifecycleSettings(cycle_days=20)
        )
    assert test is not None
    assert [score.cycle_days for score in test.scores] == [10, 60]
    assert (test.members, test.held_out_on, test.horizon_days) == (20, AS_OF - timedelta(days=20), 20)
    assert test.scores[0].brier < test.base_brier


def test_without_sales_there_is_nothing_to_test(tmp_path: Path) -> None:
    with open_draft(tmp_path, now=NOW, threads=1) as draft:
        write_full(draft, batches_of(Shop(members=[member(1)], sales=[])))
        facts = draft.facts()
        assert backtest_cycles(draft.engine, facts, candidates=(30,), as_of=AS_OF, settings=LifecycleSettings()) is None
        assert measure_cycle(draft.engine, facts, as_of=AS_OF) is None


def test_brier_score_by_hand() -> None:
    learnt = [ClassOutcome(life_class="new", members=4, came=1), ClassOutcome(life_class="active", members=4, came=4)]
    held_out = [ClassOutcome(life_class="new", members=2, came=1), ClassOutcome(life_class="lost", members=1, came=0)]
    new = Fraction(9, 16) + Fraction(1, 16)  # forecast 1/4: one came, one did not
    lost = Fraction(25, 64)  # unseen: the share of all, 5/8
    assert brier_score(learnt, held_out) == (new + lost) / 3
    assert brier_score(learnt, []) is None
