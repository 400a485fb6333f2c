"""The wide row: the set form equals the plain-Python definitions, member by member, whatever the settings."""

import tempfile
from datetime import date, timedelta
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from shop_facts import AS_OF, Shop, build, expected_rows, shops

from changke.insight.features import FeatureSettings
from changke.kernel.errors import ChangkeError
from changke.rules.groups import ClerkRule, GroupSettings
from changke.rules.lifecycle import (
    SHIPPED_PRECEDENCE,
    AtExpected,
    Combine,
    LifecycleSettings,
    NewMeans,
    StageStarts,
    VisitCount,
)
from changke.rules.rfm import FrequencyMeasure, MonetaryMeasure, Population, RfmMethod, RfmSettings

FEATURE_SETTINGS = st.builds(
    FeatureSettings,
    rfm=st.builds(
        RfmSettings,
        method=st.sampled_from(RfmMethod),
        frequency=st.sampled_from(FrequencyMeasure),
        monetary=st.sampled_from(MonetaryMeasure),
        population=st.sampled_from(Population),
        period_days=st.none() | st.integers(20, 100),
    ),
    lifecycle=st.builds(
        LifecycleSettings,
        cycle_days=st.integers(2, 30),
        expected_visits=st.integers(2, 4),
        at_expected=st.sampled_from(AtExpected),
        new_means=st.sampled_from(NewMeans),
        precedence=st.permutations(SHIPPED_PRECEDENCE).map(tuple),
        lost_after_sends=st.integers(1, 2),
        lost_after_days=st.integers(0, 40),
        combine=st.sampled_from(Combine),
        lost_without_sends_after_days=st.none() | st.integers(20, 100),
        count=st.sampled_from(VisitCount),
        stage_starts=st.just(StageStarts(growth=10, maturity=30, dormancy=60, loss=90)),
    ),
    groups=st.builds(
        GroupSettings,
        leaving_visits_min=st.integers(2, 3),
        leaving_days_max=st.integers(30, 60),
        loyal_visits_min=st.integers(1, 3),
        loyal_days_min=st.integers(5, 40),
        care_a_ticket_above_minor=st.just(9_999),
        care_a_clerk=st.sampled_from(ClerkRule),
        vip_percent=st.integers(5, 40),
    ),
)


@given(shop=shops(), chosen=FEATURE_SETTINGS, forecast=st.lists(st.integers(0, 10), min_size=8, max_size=8))
@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_set_form_equals_the_definitions(shop: Shop, chosen: FeatureSettings, forecast: list[int]) -> None:
    ids = [member["member_id"] for member in shop.members][:-2]
    likely = [share * 100_000 for share in forecast[: len(ids)]]
    predictions = pa.table(
        {"member_id": ids, "alive_ppm": likely, "buys_in_30_days_ppm": likely, "expected_value_minor": likely}
    )
    with tempfile.TemporaryDirectory() as folder:
        got = build(Path(folder), shop, settings=chosen, predictions=predictions)
    assert got == expected_rows(shop, settings=chosen, predictions=predictions)


def test_forecasts_are_null_without_predictions(tmp_path: Path) -> None:
    shop = Shop(members=[], sales=[])
    assert build(tmp_path, shop, settings=FeatureSettings()) == []


def test_features_look_at_the_whole_house() -> None:
    with pytest.raises(ChangkeError, match="all stores"):
        FeatureSettings(rfm=RfmSettings(store_ids=(1,)))


def test_totals_key_tells_what_totals_depend_on() -> None:
    shipped = FeatureSettings()
    assert shipped.totals_key(AS_OF) == FeatureSettings(rfm=RfmSettings(method=RfmMethod.TIE_SAFE)).totals_key(AS_OF)
    assert shipped.totals_key(AS_OF) != shipped.totals_key(AS_OF + timedelta(days=1))
    assert shipped.totals_key(AS_OF) != FeatureSettings(lifecycle=LifecycleSettings(cycle_days=20)).totals_key(AS_OF)
    assert shipped.totals_key(date(2026, 3, 1)) != FeatureSettings(rfm=RfmSettings(period_days=9)).totals_key(AS_OF)
