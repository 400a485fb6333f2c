"""The company, its regions and its settings."""

from datetime import datetime
from threading import Barrier, Thread

import pytest
from django.db import connection

from changke.actions.company import change_company, set_up_company
from changke.actions.regions import add_region, change_region
from changke.actions.settings import read_setting, save_setting
from changke.kernel.errors import ChangkeError
from changke.queries.settings import load_setting
from changke.records.models import AuditEntry, Company, Region, Setting
from changke.rules.company import CompanyCard, RegionCard
from changke.rules.staff import SYSTEM, NotAllowedError, Role, SecuritySettings, Viewer

CARD = CompanyCard(name="山雀茶面", name_en="Shanque")
MARKETING = Viewer(user_id=None, staff_id=None, name="li", role=Role.MARKETING, store_ids=None)


@pytest.mark.django_db
def test_a_company_is_set_up_once(now: datetime) -> None:
    set_up_company(SYSTEM, card=CARD, now=now)
    with pytest.raises(ChangkeError, match="already belongs"):
        set_up_company(SYSTEM, card=CARD, now=now)
    assert Company.objects.get().name == "山雀茶面"
    assert AuditEntry.objects.get().action == "set_up_company"


@pytest.mark.django_db(transaction=True)
def test_of_two_set_ups_at_once_one_wins(now: datetime) -> None:
    start, refused = Barrier(2), []

    def set_up(name: str) -> None:
        start.wait()
        try:
            set_up_company(SYSTEM, card=CompanyCard(name=name), now=now)
        except ChangkeError as error:
            refused.append(error)
        finally:
            connection.close()

    threads = [Thread(target=set_up, args=(name,)) for name in ("A", "B")]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    assert len(refused) == 1
    assert Company.objects.count() == 1


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("card", "field"),
    [
        (CompanyCard(name=" "), "name"),
        (CompanyCard(name="x" * 121), "name"),
        (CompanyCard(name="A", currency="XXX"), "currency"),
        (CompanyCard(name="A", time_zone="Asia/Nowhere"), "time_zone"),
    ],
)
def test_a_wrong_company_is_refused(now: datetime, card: CompanyCard, field: str) -> None:
    with pytest.raises(ChangkeError) as caught:
        set_up_company(SYSTEM, card=card, now=now)
    assert [problem.field for problem in caught.value.problems] == [field]
    assert not Company.objects.exists()


@pytest.mark.django_db
def test_a_change_is_audited_and_the_currency_stays(now: datetime) -> None:
    set_up_company(SYSTEM, card=CARD, now=now)
    change_company(SYSTEM, card=CompanyCard(name="新名", name_en="Shanque"), now=now)
    change_company(SYSTEM, card=CompanyCard(name="新名", name_en="Shanque"), now=now)
    entry = AuditEntry.objects.get(action="change_company")
    assert (entry.before, entry.after) == ({"name": "山雀茶面"}, {"name": "新名"})
    with pytest.raises(ChangkeError, match="cannot change"):
        change_company(SYSTEM, card=CompanyCard(name="新名", currency="USD"), now=now)
    with pytest.raises(NotAllowedError):
        change_company(MARKETING, card=CARD, now=now)
    assert (Company.objects.get().name, Company.objects.get().currency) == ("新名", "CNY")


@pytest.mark.django_db
def test_a_region_has_a_code_of_its_own(now: datetime) -> None:
    first = add_region(SYSTEM, card=RegionCard(code="east", name="东区"), now=now)
    second = add_region(SYSTEM, card=RegionCard(code="west", name="西区"), now=now)
    with pytest.raises(ChangkeError, match="in use"):
        add_region(SYSTEM, card=RegionCard(code="east", name="?"), now=now)
    with pytest.raises(ChangkeError, match="in use"):
        change_region(SYSTEM, region_id=second, card=RegionCard(code="east", name="?"), now=now)
    change_region(SYSTEM, region_id=first, card=RegionCard(code="east", name="华东"), now=now)
    with pytest.raises(NotAllowedError):
        add_region(MARKETING, card=RegionCard(code="north", name="北区"), now=now)
    assert sorted(Region.objects.values_list("code", "name")) == [("east", "华东"), ("west", "西区")]
    assert AuditEntry.objects.filter(subject_kind="region").count() == 3


@pytest.mark.django_db
def test_settings_are_shipped_until_saved(now: datetime) -> None:
    assert load_setting(SecuritySettings) == SecuritySettings()
    mild = SecuritySettings(second_factor_roles=(), session_idle_minutes=60)
    save_setting(SYSTEM, value=mild, now=now)
    save_setting(SYSTEM, value=mild, now=now)
    assert load_setting(SecuritySettings) == mild
    entry = AuditEntry.objects.get()
    assert entry.before == {"second_factor_roles": ["head_office"], "session_idle_minutes": 720}
    assert entry.after == {"second_factor_roles": [], "session_idle_minutes": 60}
    with pytest.raises(NotAllowedError):
        save_setting(MARKETING, value=SecuritySettings(), now=now)
    assert Setting.objects.count() == 1


@pytest.mark.parametrize(
    ("section", "values"),
    [
        ("security", {"session_idle_minutes": 1}),
        ("security", {"session_idle_minutes": "soon"}),
        ("security", {"second_factor_roles": ["nobody"]}),
        ("unknown", {}),
    ],
)
def test_a_setting_that_does_not_fit_is_refused(section: str, values: dict[str, object]) -> None:
    with pytest.raises(ChangkeError):
        read_setting(section, values=values)
