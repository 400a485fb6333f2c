"""People to sign in with: a company with two stores and one person of every role."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

import pytest
from django.test import Client

from changke.actions.company import set_up_company
from changke.actions.settings import save_setting
from changke.actions.staff import hire_staff
from changke.actions.stores import open_store
from changke.records.models import Staff
from changke.rules.company import CompanyCard
from changke.rules.staff import ALL_STORES, SYSTEM, NewSignIn, Role, SecuritySettings, StaffCard
from changke.rules.stores import StoreCard

PASSWORD = "tea-and-noodles-88"


@dataclass(frozen=True, slots=True, kw_only=True)
class Chain:
    """A company with two stores and one person of every role, the store people in the first store."""

    store_ids: tuple[int, int]
    staff: dict[Role, Staff]


@pytest.fixture
def chain(db: None, settings: object, now: datetime) -> Chain:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # type: ignore[attr-defined]
    set_up_company(SYSTEM, card=CompanyCard(name="山雀茶面", is_simulated=True), now=now)
    save_setting(SYSTEM, value=SecuritySettings(second_factor_roles=()), now=now)
    stores = tuple(open_store(SYSTEM, card=StoreCard(code=code, name=code), now=now) for code in ("HZ01", "HZ02"))
    staff = {}
    for role in Role:
        card = StaffCard(
            code=role.value, name=f"员工 {role}", role=role, home_store_id=None if role in ALL_STORES else stores[0]
        )
        sign_in = NewSignIn(username=role.value, password=PASSWORD, must_change_password=False)
        staff[role] = Staff.objects.get(id=hire_staff(SYSTEM, card=card, sign_in=sign_in, now=now).staff_id)
    return Chain(store_ids=(stores[0], stores[1]), staff=staff)


@pytest.fixture
def sign_in(chain: Chain) -> Callable[[Role], Client]:
    """Return a browser in which somebody of the role is signed in."""

    def open_browser(role: Role) -> Client:
        client = Client(raise_request_exception=False)
        answer = client.post("/console/account/login/", {"login": role.value, "password": PASSWORD})
        assert answer.status_code == 302, answer.content
        return client

    return open_browser
