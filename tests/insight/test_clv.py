"""BG/NBD and Gamma-Gamma: the published figures, the guards, the forecasts in bulk and their calibration."""

import csv
import json
import re
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from scipy.integrate import quad
from small_lakes import Shopper, make_receipt, make_row, write_lake

from changke.insight.calibration import calibrate, load_summary, wilson
from changke.insight.clv import (
    SUMMARY,
    BgNbd,
    GammaGamma,
    ValueModel,
    discounted_sum,
    discounted_values,
    fit_bg_nbd,
    fit_gamma_gamma,
    fit_value_model,
    predict,
)
from changke.insight.tables import LakeReader
from changke.kernel.errors import ChangkeError

ROOT = Path(__file__).parents[2]
CASES = json.loads((ROOT / "tests/cases/clv.json").read_text())["cases"]
ASKED = {case["id"]: case for case in CASES if "not_asked_yet" not in case}
CDNOW = ROOT / "../shared/data/cdnow_sample"
PUBLISHED = BgNbd(r=0.243, alpha=4.414, a=0.793, b=2.426)
needs_cdnow = pytest.mark.skipif(not CDNOW.exists(), reason="CDNOW is not shipped: ../shared/data is missing")


def columns(name: str, *names: str) -> list[np.ndarray]:
    with (CDNOW / name).open(newline="") as file:
        rows = list(csv.DictReader(file))
    return [np.array([float(row[column]) for row in rows]) for column in names]


@pytest.fixture(scope="module")
def cdnow() -> BgNbd:
    return fit_bg_nbd(*columns("cdnow_customers_summary.csv", "frequency", "recency", "T"))


def near(found: Any, case: dict[str, Any]) -> bool:
    expected = list(case["expected"].values())
    return bool(np.allclose(found, np.ravel(expected), rtol=0, atol=case["tolerance"]))


def test_every_asked_case_has_a_test() -> None:
    assert set(ASKED) == {f"clv-{n:03}" for n in (1, 3, 4, 5, 8, 10, 19, 20)}


@needs_cdnow
def test_clv_001_bg_nbd_on_cdnow(cdnow: BgNbd) -> None:
    assert near([cdnow.r, cdnow.alpha, cdnow.a, cdnow.b], ASKED["clv-001"])
    assert cdnow.fit is not None
    assert cdnow.fit.converged
    assert not cdnow.fit.at_bounds
    assert cdnow.fit.penalty == 0
    assert cdnow.fit.log_likelihood == pytest.approx(-9582.43, abs=0.01)


@needs_cdnow
def test_clv_003_gamma_gamma_on_cdnow() -> None:
    x, mean = columns("cdnow_customers_summary_with_transactions.csv", "x", "zbar")
    model = fit_gamma_gamma(x[x > 0], mean[x > 0])
    assert near([model.p, model.q, model.v], ASKED["clv-003"])


@needs_cdnow
def test_clv_004_expected_average_value() -> None:
    x, mean = columns("cdnow_customers_summary_with_transactions.csv", "x", "zbar")
    model = GammaGamma(**ASKED["clv-004"]["input"]["parameters"])
    assert near(model.expected_value(x[:10], mean[:10]), ASKED["clv-004"])


@needs_cdnow
def test_clv_005_expected_visits(cdnow: BgNbd) -> None:
    assert near(cdnow.expected_visits(39, 2, 30.43, 38.86), ASKED["clv-005"])


def test_clv_008_probability_of_n_visits() -> None:
    assert near(BgNbd(**ASKED["clv-008"]["input"]["parameters"]).probability_of_visits(10, 2), ASKED["clv-008"])


def test_clv_010_alive_without_repeat_visit() -> None:
    assert PUBLISHED.alive(0, 0, 1)[0] == ASKED["clv-010"]["expected"]["probability_alive"]
    assert PUBLISHED.alive(0, 1, 1)[0] == 1.0


def test_clv_019_discounted_value() -> None:
    v, expected = 100.0, ASKED["clv-019"]["expected"]
    found = {f"horizon_{h}_d_{d}": discounted_sum([v] * h, rate=d) for h in (1, 2) for d in (0, 1)}
    words = {"v": v, "v/2": v / 2, "about 2v": 2 * v, "v/2 + v/4": v / 2 + v / 4}
    assert found == {name: words[word] for name, word in expected.items()}


@pytest.mark.parametrize(
    ("x", "t_x", "age", "mean"),
    [(1, 3, 2, 5), (0, 1, 2, 5), (1.5, 1, 2, 5), (-1, 0, 2, 5), (1, float("nan"), 2, 5), (1, 1, 2, 0), (1, 1, 2, -3)],
)
def test_clv_020_bad_input_is_refused(x: float, t_x: float, age: float, mean: float) -> None:
    assert ASKED["clv-020"]["expected"] == {"refused": True}
    with pytest.raises(ChangkeError) as refusal:
        fit_bg_nbd([1, x], [1, t_x], [5, age])
        fit_gamma_gamma([1, x], [5, mean])
    assert refusal.value.problems[0].row == 2


def test_probabilities_of_counts_sum_to_one_and_to_the_expected_number() -> None:
    chances = [PUBLISHED.probability_of_visits(n, 5) for n in range(200)]
    assert sum(chances) == pytest.approx(1)
    mean = sum(n * chance for n, chance in enumerate(chances))
    assert PUBLISHED.expected_visits(5, 0, 0, 0)[0] == pytest.approx(mean, rel=1e-6)


@pytest.mark.parametrize(("x", "t_x", "age"), [(0, 0, 30), (3, 20, 38), (12, 36, 38), (400, 380, 390)])
@pytest.mark.parametrize("a", [0.793, 1.0, 2.5])
def test_expected_visits_equal_their_integral(x: int, t_x: float, age: float, a: float) -> None:
    """Given alive, the rate is Gamma(r + x, alpha + T) and the drop-out Beta(a, b + x): integrate over the drop-out."""
    model = BgNbd(r=0.243, alpha=4.414, a=a, b=2.426)

    def visits(p: float) -> float:
        """Expected visits given the chance of dropping out: (1 - e^(-p rate t)) / p, averaged over the rate."""
        left = -np.expm1(-(model.r + x) * np.log1p(p * 39 / (model.alpha + age)))
        return float(left / p * p ** (a - 1) * (1 - p) ** (model.b + x - 1))

    whole = quad(lambda p: p ** (a - 1) * (1 - p) ** (model.b + x - 1), 0, 1, limit=200)[0]
    mean = quad(visits, 0, 1, limit=200)[0] / whole
    expected = float(model.alive(x, t_x, age)[0]) * mean
    assert model.expected_visits(39, x, t_x, age)[0] == pytest.approx(expected, rel=1e-5)


def test_a_visit_soon_is_less_likely_than_being_alive_and_grows_with_time() -> None:
    soon = [float(PUBLISHED.visits_within(days, 3, 20, 38)[0]) for days in (0, 1, 30, 1e9)]
    assert soon[0] == 0
    assert soon == sorted(soon)
    assert soon[-1] == pytest.approx(float(PUBLISHED.alive(3, 20, 38)[0]), abs=0.05)


def test_a_run_away_likelihood_is_drawn_back_and_says_so() -> None:
    """Everybody the same: the best rate has no spread at all, so r and alpha would rise for ever."""
    model = fit_bg_nbd([5] * 200, [50] * 200, [60] * 200)
    assert model.fit is not None
    assert model.fit.penalty > 0
    assert not model.fit.at_bounds
    assert np.isfinite(model.expected_visits(30, 5, 50, 60)).all()


def simulated(members: int, *, seed: int = 7) -> tuple[pa.Table, dict[str, float]]:
    """Draw members from a known BG/NBD process observed for 1 to 400 days."""
    rng, truth = np.random.default_rng(seed), {"r": 0.8, "alpha": 30.0, "a": 0.8, "b": 3.0}
    rate, drop = rng.gamma(truth["r"], 1 / truth["alpha"], members), rng.beta(truth["a"], truth["b"], members)
    age = rng.integers(1, 400, members)
    visits, last, time, alive = np.ones(members, int), np.zeros(members), np.zeros(members), np.ones(members, bool)
    while alive.any():
        time = time + rng.exponential(1 / rate)
        alive &= time < age
        visits, last = visits + alive, np.where(alive, time, last)
        alive &= rng.random(members) > drop
    columns = [
        np.arange(members),
        visits,
        np.floor(last).astype(int),
        age,
        (visits * rng.gamma(3, 500, members)).astype(int),
    ]
    columns[2] = np.where(visits > 1, np.maximum(columns[2], 1), 0)
    columns[3] = np.maximum(age, columns[2])
    return pa.table(columns, schema=SUMMARY), truth


def test_a_known_process_is_found_again() -> None:
    summary, truth = simulated(6_000)
    model = fit_value_model(summary)
    assert model is not None
    for name, value in truth.items():
        assert getattr(model.visits, name) == pytest.approx(value, rel=0.2)
    one, many = model.values.expected_value([1, 50], 5000)
    assert 1500 < one < many < 5000


def test_predictions_are_bounded_and_in_order() -> None:
    summary, _ = simulated(3_000)
    model = fit_value_model(summary)
    assert model is not None
    found = predict(summary, model=model)
    assert found.column("member_id").equals(summary.column("member_id"))
    alive, soon = found.column("alive_ppm").to_numpy(), found.column("buys_in_30_days_ppm").to_numpy()
    assert ((soon >= 0) & (soon <= alive) & (alive <= 1_000_000)).all()
    half = predict(summary, model=model, horizon_days=182).column("expected_value_minor").to_numpy()
    assert (half <= found.column("expected_value_minor").to_numpy()).all()


def test_discounted_values_fall_with_the_rate_and_equal_the_horizon_without() -> None:
    summary, _ = simulated(500)
    model = fit_value_model(summary)
    assert model is not None
    plain = discounted_values(summary, model=model, periods=12)
    whole = predict(summary, model=model, horizon_days=360).column("expected_value_minor").to_numpy()
    assert np.allclose(plain, whole, atol=0.51)
    assert (discounted_values(summary, model=model, periods=12, rate=0.01) < plain).all()


def test_too_few_repeat_visits_give_no_model() -> None:
    summary, _ = simulated(20)
    assert fit_value_model(summary) is None
    unpaid = simulated(500)[0].set_column(4, SUMMARY.field("net_minor"), pa.array([0] * 500, pa.int64()))
    assert fit_value_model(unpaid) is None


def test_summary_counts_days_of_purchase_only(tmp_path: Path) -> None:
    first = date(2024, 1, 1)
    shoppers = [
        Shopper(
            row=make_row(1),
            receipts=(
                make_receipt(day=first, amounts=[500]),
                make_receipt(day=first, store_id=2, amounts=[300]),
                make_receipt(day=first + timedelta(days=10), amounts=[200]),
                make_receipt(day=first + timedelta(days=20), amounts=[-300]),
                make_receipt(day=first + timedelta(days=30), amounts=[999]),
            ),
        ),
        Shopper(row=make_row(2), receipts=(make_receipt(day=first, amounts=[-100]),)),
    ]
    with LakeReader(write_lake(tmp_path, shoppers)) as lake:
        found = load_summary(lake, on=first + timedelta(days=30))
    assert found.to_pylist() == [{"member_id": 1, "visit_days": 2, "span_days": 10, "age_days": 30, "net_minor": 700}]


def test_calibration_sees_the_truth_of_a_known_process(tmp_path: Path) -> None:
    rng, start, split = np.random.default_rng(3), date(2023, 1, 1), date(2023, 7, 1)
    shoppers = []
    for number in range(1, 501):
        rate, drop = rng.gamma(1.0, 1 / 20), rng.beta(0.8, 3.0)
        day, receipts = float(rng.integers(0, 150)), []
        while day < 365:
            receipts.append(make_receipt(day=start + timedelta(days=int(day)), amounts=[1000]))
            if rng.random() < drop:
                break
            day += rng.exponential(1 / rate)
        shoppers.append(Shopper(row=make_row(number), receipts=tuple(receipts)))
    with LakeReader(write_lake(tmp_path, shoppers)) as lake:
        found = calibrate(lake, split_on=split, ends_on=date(2024, 1, 1))
        assert calibrate(lake, split_on=split, ends_on=split + timedelta(days=29)) is None
        assert calibrate(lake, split_on=start, ends_on=split) is None
    assert found is not None
    assert (
        found.members
        == sum(row.members for row in found.deciles)
        == sum(row.members for row in found.reliability)
        == 500
    )
    assert found.expected_visits == pytest.approx(found.actual_visits, rel=0.15)
    assert [row.expected_visits for row in found.deciles] == sorted(row.expected_visits for row in found.deciles)
    assert found.deciles[-1].actual_visits > 5 * found.deciles[0].actual_visits
    for row in found.reliability:
        assert row.band_from_percent <= 100 * row.expected_share <= row.band_from_percent + 10
        assert row.low <= row.actual_share <= row.high


def test_wilson_interval() -> None:
    assert wilson(0.5, 100) == pytest.approx((0.4038, 0.5962), abs=1e-4)
    assert wilson(0.0, 10)[0] == pytest.approx(0, abs=1e-12)


def test_models_are_plain_values() -> None:
    model = ValueModel(visits=PUBLISHED, values=GammaGamma(p=6.25, q=3.74, v=15.44))
    assert model == ValueModel(visits=PUBLISHED, values=GammaGamma(p=6.25, q=3.74, v=15.44))


def test_worked_example_of_the_guide() -> None:
    guide = (ROOT / "docs/rules/clv.md").read_text()
    lines = re.findall(
        r"^\| (\d+) \| ([\d.]+) \| ([\d.]+) \| ([\d.]+) \| ([\d.]+) \| ([\d.]+) \|$", guide, re.MULTILINE
    )
    assert len(lines) == 4
    for line in lines:
        x, t_x, age, *expected = map(float, line)
        found = [PUBLISHED.alive(x, t_x, age), PUBLISHED.visits_within(30 / 7, x, t_x, age)]
        found.append(PUBLISHED.expected_visits(52, x, t_x, age))
        assert [round(float(value[0]), 4) for value in found] == expected
    values = GammaGamma(p=6.25, q=3.74, v=15.44).expected_value([0, 1, 5, 50], 20)
    assert [f"{value:.2f}" in guide for value in values] == [True] * 4
