"""The lake: a merged delta equals everything written anew; readers see whole versions; old ones go when unread."""

import tempfile
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from shop_facts import NOW, Shop, batches_of, build, carry_on, later_shops, read_features, shops

from changke.insight import refresh
from changke.insight.engine import open_engine, rows_of
from changke.insight.features import FeatureSettings
from changke.insight.lake import facts_of, hold_current, open_draft, read_current
from changke.insight.refresh import Delta, merge_delta, refresh_features, write_full
from changke.insight.tables import LakeReader, LakeTables
from changke.kernel.errors import ChangkeError

SHIPPED = FeatureSettings()


def facts_in(lake: Path) -> dict[str, list[dict[str, object]]]:
    """Return every fact of the current version, sorted."""
    version = read_current(lake)
    assert version is not None
    with open_engine(threads=1) as engine:
        facts = facts_of(engine, version)
        return {
            name: sorted(rows_of(engine, getattr(facts, name)).to_pylist(), key=repr)
            for name in ("members", "sales", "lines", "opportunities", "visits")
        }


@given(data=st.data(), shop=shops(), anew_percent_max=st.sampled_from([10, 50, 1000]))
@settings(max_examples=4, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_deltas_equal_a_full_recompute(data: st.DataObject, shop: Shop, anew_percent_max: int) -> None:
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr(refresh, "ANEW_PERCENT_MAX", anew_percent_max)
        merged, anew = Path(folder) / "merged", Path(folder) / "anew"
        build(merged, shop, settings=SHIPPED)
        for _ in range(2):
            later = data.draw(later_shops(shop))
            rows = carry_on(merged, shop, later, settings=SHIPPED)
            shop = later
        assert rows == build(anew, shop, settings=SHIPPED)
        assert facts_in(merged) == facts_in(anew)


@pytest.fixture
def shop() -> Shop:
    member = {
        "member_id": 1, "joined_on": None, "status": "formal", "gender": "female", "birth_year": None,
        "birth_month": None, "birth_day": None, "region_id": None, "home_store_id": None, "recruiter_id": None,
        "source_channel": "store", "has_phone": True, "has_email": False, "tags": [], "consents": [],
        "attributes": [], "clerk_class": None,
    }  # fmt: skip
    sale = {
        "sale_id": 1, "member_id": 1, "store_id": 1, "staff_id": None, "day": NOW.date().replace(month=2), "hour": 9,
        "kind": "sale", "total_minor": 500, "quantity_milli": 1000,
    }  # fmt: skip
    return Shop(members=[member], sales=[sale])


def test_an_error_leaves_everything_as_before(tmp_path: Path, shop: Shop) -> None:
    before = build(tmp_path, shop, settings=SHIPPED)
    with pytest.raises(RuntimeError), open_draft(tmp_path, now=NOW) as draft:
        write_full(draft, batches_of(Shop(members=[], sales=[])))
        raise RuntimeError
    assert read_features(tmp_path) == before
    assert [folder.name for folder in tmp_path.glob("v*")] == ["v000001"]


def test_a_killed_writer_leaves_nothing_behind(tmp_path: Path, shop: Shop) -> None:
    build(tmp_path, shop, settings=SHIPPED)
    (tmp_path / "v000002").mkdir()
    (tmp_path / "v000002" / "half.parquet").write_bytes(b"PAR1")
    rows = carry_on(tmp_path, shop, shop, settings=SHIPPED)
    assert rows == read_features(tmp_path)
    assert not (tmp_path / "v000002" / "half.parquet").exists()


def test_a_reader_keeps_its_version(tmp_path: Path, shop: Shop) -> None:
    build(tmp_path, shop, settings=SHIPPED)
    with hold_current(tmp_path) as version:
        for _ in range(3):
            carry_on(tmp_path, shop, shop, settings=SHIPPED)
        assert pq.read_table(version.folder / "features").num_rows == 1
        assert (tmp_path / "v000001").exists()
        assert not (tmp_path / "v000002").exists()
    carry_on(tmp_path, shop, shop, settings=SHIPPED)
    assert sorted(folder.name for folder in tmp_path.glob("v*")) == ["v000004", "v000005"]


def test_files_that_do_not_change_are_shared(tmp_path: Path, shop: Shop) -> None:
    build(tmp_path, shop, settings=SHIPPED)
    with open_draft(tmp_path, now=NOW) as draft:
        merge_delta(draft, Delta())
        refresh_features(draft, settings=SHIPPED, as_of=NOW.date())
    first, second = (
        {path.stat().st_ino for path in (tmp_path / name / "visits").iterdir()} for name in ("v000001", "v000002")
    )
    assert first == second


def test_pages_read_what_was_merged(tmp_path: Path, shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """Sales stand beside the base after a delta: the reader of the pages takes them for those in it."""
    monkeypatch.setattr(refresh, "ANEW_PERCENT_MAX", 1000)
    build(tmp_path, shop, settings=SHIPPED)
    corrected = [shop.sales[0] | {"total_minor": 700}, shop.sales[0] | {"sale_id": 2, "store_id": 2}]
    carry_on(tmp_path, shop, Shop(members=shop.members, sales=corrected), settings=SHIPPED)
    version = read_current(tmp_path)
    assert version is not None
    assert version.has("sales_anew")
    names = ("members", "sales", "lines", "visits", "features")
    with LakeReader(LakeTables(**{name: version.files(name) for name in names})) as reader:
        assert sorted(row["total_minor"] for row in reader.rows(reader.table("sales"))) == [500, 700]
        assert sorted(row["gross_minor"] for row in reader.rows(reader.table("visits"))) == [500, 700]
        assert [row["net_ever_minor"] for row in reader.rows(reader.table("features"))] == [1200]


def test_an_empty_lake_says_so(tmp_path: Path) -> None:
    assert read_current(tmp_path) is None
    with pytest.raises(ChangkeError, match="Import sales"), hold_current(tmp_path):
        pass


def test_the_manifest_tells_date_and_cuts(tmp_path: Path, shop: Shop) -> None:
    build(tmp_path, shop, settings=SHIPPED)
    version = read_current(tmp_path)
    assert version is not None
    assert (version.manifest.number, version.manifest.as_of, version.manifest.made_at) == (1, NOW.date(), NOW)
    assert version.manifest.cuts is not None
    assert version.manifest.cuts["frequency"] == [["1", 1]] * 4
