"""The demo in the database: everything that was simulated, once; resumed, and never beside somebody else's company."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.db.models import Sum

from changke.actions.company import set_up_company
from changke.demo import load
from changke.demo.chain import simulate_chain
from changke.demo.load import load_demo, load_online_retail
from changke.demo.parameters import SHIPPED, load_parameters
from changke.kernel.errors import ChangkeError
from changke.records.models import (
    AttributeDefinition,
    Company,
    Member,
    Opportunity,
    Product,
    Region,
    Sale,
    SaleLine,
    Staff,
    Store,
    Tender,
)
from changke.rules.company import CompanyCard
from changke.rules.staff import SYSTEM, Role

pytestmark = pytest.mark.django_db


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """The shipped parameters with 300 members."""
    file = tmp_path / "small.toml"
    file.write_text(SHIPPED.read_text(encoding="utf-8").replace("members = 20_000", "members = 300"), encoding="utf-8")
    return file


def count_rows() -> dict[str, int]:
    nouns = (AttributeDefinition, Member, Opportunity, Product, Region, Sale, SaleLine, Staff, Store, Tender)
    return {noun.__name__: noun.objects.count() for noun in nouns}


def test_all_that_was_simulated_is_there(small: Path, home: Path, now: datetime) -> None:
    loaded = load_demo(now=now, parameters=small)
    chain = simulate_chain(load_parameters(small), ends_on=datetime(2026, 11, 21, tzinfo=UTC).date())
    tables, shop = chain.tables, chain.shop
    assert count_rows() == {
        "AttributeDefinition": len(shop.attributes),
        "Member": tables.members.num_rows,
        "Opportunity": chain.wake_ups.num_rows,
        "Product": len(shop.dishes),
        "Region": 3,
        "Sale": tables.sales.num_rows,
        "SaleLine": tables.lines.num_rows,
        "Staff": len(shop.staff),
        "Store": 8,
        "Tender": tables.tenders.num_rows,
    }
    assert Sale.objects.aggregate(total=Sum("total_minor"))["total"] == sum(tables.sales["total_minor"].to_pylist())
    assert Company.objects.get().is_simulated
    assert Sale.objects.filter(staff=None).count() == 0
    assert Product.objects.filter(name_en="").count() == 0
    assert loaded.merged.sales_new == tables.sales.num_rows


def test_every_role_can_sign_in(small: Path, home: Path, now: datetime) -> None:
    loaded = load_demo(now=now, parameters=small, password="noodles-and-tea-42")
    assert sorted(sign_in.role for sign_in in loaded.sign_ins) == sorted(Role)
    for sign_in in loaded.sign_ins:
        user = Staff.objects.get(user__username=sign_in.username).user
        assert user is not None
        assert user.check_password("noodles-and-tea-42")
        assert not user.must_change_password


def test_again_on_another_day_changes_nothing(small: Path, home: Path, now: datetime) -> None:
    load_demo(now=now, parameters=small)
    before = count_rows()
    again = load_demo(now=now + timedelta(days=3), parameters=small)
    assert count_rows() == before
    assert not again.merged.has_changed
    assert again.sign_ins == ()


def test_a_load_that_was_stopped_goes_on(
    small: Path, home: Path, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(load, "load_history", stop)
        with pytest.raises(KeyboardInterrupt):
            load_demo(now=now, parameters=small)
    assert Sale.objects.count() == 0
    load_demo(now=now + timedelta(days=1), parameters=small)
    assert Sale.objects.exists()
    assert Opportunity.objects.exists()
    assert Store.objects.count() == 8


def test_somebody_elses_home_is_left_alone(small: Path, home: Path, now: datetime) -> None:
    set_up_company(SYSTEM, card=CompanyCard(name="Real Shop"), now=now)
    with pytest.raises(ChangkeError, match="belongs to Real Shop"):
        load_demo(now=now, parameters=small)
    assert Store.objects.count() == 0


def test_the_real_data_invent_nobody(home: Path, tmp_path: Path, now: datetime) -> None:
    header = "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country"
    rows = ["536365,85123A,HOLDER,6,2010-12-01 08:26:00,2.55,17850,United Kingdom"]
    (tmp_path / "online_retail.csv").write_text("\n".join([header, *rows]), encoding="utf-8")
    loaded = load_online_retail(now=now, folder=tmp_path)
    company = Company.objects.get()
    assert (company.currency, company.time_zone, company.is_simulated) == ("GBP", "Europe/London", False)
    assert "Chen" in company.data_note
    assert loaded.attribution == company.data_note
    assert [(member.codes.get().code, member.name) for member in Member.objects.all()] == [("17850", "")]
    assert Sale.objects.get().total_minor == 1530
    assert [sign_in.username for sign_in in loaded.sign_ins] == ["admin"]


def test_missing_data_are_told(tmp_path: Path, now: datetime) -> None:
    with pytest.raises(ChangkeError, match="not in"):
        load_online_retail(now=now, folder=tmp_path / "nowhere")
    assert not Company.objects.exists()
