"""The summary cases of cases/rfm.json: repeat visits, first to last, first to the end.

Their money is the mean of the purchases after the first: another convention than ours, the mean of all, and not
compared.
"""

import json
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest
from shop_facts import NOW, ROWS, Shop, batches_of
from test_runs import member

from changke.insight.features import FeatureSettings
from changke.insight.lake import open_draft
from changke.insight.refresh import forecast_inputs, write_full

TESTS = Path(__file__).parents[1]
CASES: dict[str, Any] = {case["id"]: case for case in json.loads((TESTS / "cases/rfm.json").read_text())["cases"]}


def summarise(lake: Path, bought: list[tuple[int, date]], *, as_of: date) -> ROWS:
    sales = [
        {"sale_id": number, "member_id": who, "store_id": 1, "day": day, "hour": 12, "kind": "sale"}
        | {"total_minor": 100, "quantity_milli": 1000}
        for number, (who, day) in enumerate(bought)
    ]
    shop = Shop(members=[member(who) for who in sorted({who for who, _ in bought})], sales=sales)
    with open_draft(lake, now=NOW, threads=1) as draft:
        write_full(draft, batches_of(shop))
        return forecast_inputs(draft, settings=FeatureSettings(), as_of=as_of).sort_by("member_id").to_pylist()


@pytest.mark.parametrize("name", ["rfm-007", "rfm-008"])
def test_summary_of_transactions(tmp_path: Path, name: str) -> None:
    case = CASES[name]
    bought = [(row["customer"], date.fromisoformat(row["date"])) for row in case["input"]["transactions"]]
    rows = summarise(tmp_path, bought, as_of=date.fromisoformat(case["input"]["end"]))
    got = [(row["member_id"], row["visit_days"] - 1, row["span_days"], row["age_days"]) for row in rows]
    assert got == [(row["customer"], row["frequency"], row["recency"], row["T"]) for row in case["expected"]["summary"]]


def test_case_rfm_013_repeat_customers_of_cdnow(tmp_path: Path, shared_data: Path) -> None:
    """CDNOW may not be shipped: it is read from ../shared/data, and the test is skipped aloud where it is missing."""
    case = CASES["rfm-013"]
    before = date.fromisoformat(case["input"]["before"])
    rows = (line.split() for line in (shared_data / "cdnow_sample/CDNOW_sample.txt").read_text().splitlines())
    bought = [(int(row[1]), datetime.strptime(row[2], "%Y%m%d").date()) for row in rows if row]  # noqa: DTZ007
    summary = summarise(tmp_path, [(who, day) for who, day in bought if day < before], as_of=before)
    assert sum(row["visit_days"] > 1 for row in summary) == case["expected"]["repeat_customers"]
