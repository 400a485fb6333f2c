"""Every address x every role: what the table says is what happens; a missing address opens for nobody (P33)."""

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from changke.actions.staff import hire_staff
from changke.lobby.permissions import ADDRESSES, Access
from changke.records.models import Product, Staff, Store
from changke.rules.staff import PERMISSIONS, SYSTEM, Permission, Role, StaffCard
from people import Chain

LOGIN = "/console/account/login/"
UNKNOWN = {"SlugConverter": "0" * 20, "StringConverter": "0" * 20, "IntConverter": 2**31 - 1}
# Addresses that end the session they are called with, or that wait for a step of signing in.
APART = {"account_logout", "mfa_authenticate"}
# Addresses that answer 404 to a bare GET: no second factor to show, no question asked.
NOTHING_THERE = {"insight_waiting", "mfa_deactivate_totp", "mfa_view_recovery_codes", "segment_options"}


def walk(patterns: list[Any]) -> Iterator[URLPattern]:
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            yield from walk(pattern.url_patterns)
        else:
            yield pattern


def every_address() -> list[URLPattern]:
    return list(walk(get_resolver().url_patterns))


def known(chain: Chain) -> dict[str, dict[str, Any]]:
    """Return arguments of real things for the addresses of one store, person, product or region."""
    store = Store.objects.get(id=chain.store_ids[0]).public_id
    person = chain.staff[Role.CASHIER].public_id
    product = Product.objects.get_or_create(code="P1", defaults={"name": "乌龙茶"})[0].public_id
    return {
        "store": {"public_id": store},
        "store_edit": {"public_id": store},
        "staff_member": {"public_id": person},
        "staff_edit": {"public_id": person},
        "product": {"public_id": product},
        "product_edit": {"public_id": product},
    }


def address(pattern: URLPattern, *, things: dict[str, dict[str, Any]]) -> str:
    unknown = {key: UNKNOWN[type(one).__name__] for key, one in pattern.pattern.converters.items()}
    return reverse(str(pattern.name), kwargs=things.get(str(pattern.name)) or unknown)


def test_the_table_names_every_address_and_no_other() -> None:
    names = {str(pattern.name) for pattern in every_address()}
    assert names - ADDRESSES.keys() == set(), "addresses without a row in lobby/permissions.py"
    assert ADDRESSES.keys() - names == set(), "rows without an address"


def test_only_what_must_be_is_public() -> None:
    public = {name for name, needed in ADDRESSES.items() if needed is Access.PUBLIC}
    assert public == {
        "account_inactive", "account_login", "account_logout", "home", "livez", "metrics", "mfa_authenticate",
        "readyz", "set_language",
    }  # fmt: skip


def test_head_office_may_everything_and_nobody_else_edits_staff_or_settings() -> None:
    assert PERMISSIONS[Role.HEAD_OFFICE] == set(Permission)
    for role in set(Role) - {Role.HEAD_OFFICE}:
        assert not PERMISSIONS[role] & {Permission.EDIT_STAFF, Permission.EDIT_SETTINGS, Permission.EDIT_SHOP}


@pytest.mark.promise(33)
@pytest.mark.parametrize("method", ["get", "post"])
def test_nobody_is_led_to_the_sign_in(chain: Chain, method: str) -> None:
    things, open_to_all = known(chain), []
    for pattern in every_address():
        answer = getattr(Client(), method)(address(pattern, things=things))
        is_led = answer.status_code == 302 and answer["Location"].startswith(LOGIN)
        if not is_led:
            open_to_all.append(pattern.name)
    assert {name for name in open_to_all if ADDRESSES[str(name)] is not Access.PUBLIC} == set()


@pytest.mark.promise(33)
@pytest.mark.parametrize("role", list(Role))
def test_each_role_gets_what_the_table_says(sign_in: Callable[[Role], Client], chain: Chain, role: Role) -> None:
    client, things, wrong = sign_in(role), known(chain), []
    for pattern in every_address():
        name = str(pattern.name)
        if name in APART:
            continue
        needed = ADDRESSES[name]
        is_allowed = isinstance(needed, Access) or needed in PERMISSIONS[role]
        is_there = name not in NOTHING_THERE and (not pattern.pattern.converters or name in things)
        expected = {200, 302, 405} if is_there else {200, 302, 404, 405}
        answer = client.get(address(pattern, things=things))
        list(answer.streaming_content) if answer.streaming else None  # some answers are files: read them out
        if answer.status_code not in (expected if is_allowed else {403}):
            wrong.append((name, answer.status_code))
    assert not wrong


@pytest.mark.promise(33)
@pytest.mark.parametrize("role", [role for role in Role if role is not Role.HEAD_OFFICE])
def test_what_a_role_may_not_open_it_may_not_post_to(
    sign_in: Callable[[Role], Client], chain: Chain, role: Role
) -> None:
    client, things = sign_in(role), known(chain)
    closed = [
        pattern
        for pattern in every_address()
        if isinstance(needed := ADDRESSES[str(pattern.name)], Permission) and needed not in PERMISSIONS[role]
    ]
    answers = {str(p.name): client.post(address(p, things=things)).status_code for p in closed}
    assert closed and {name: status for name, status in answers.items() if status != 403} == {}


def test_an_address_missing_from_the_table_opens_for_nobody(
    sign_in: Callable[[Role], Client], monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    client = sign_in(Role.HEAD_OFFICE)
    monkeypatch.delitem(ADDRESSES, "stores")  # type: ignore[arg-type]
    assert client.get(reverse("stores")).status_code == 403


def test_a_form_without_its_token_changes_nothing(chain: Chain) -> None:
    client = Client(enforce_csrf_checks=True)
    assert client.post(LOGIN, {"login": "cashier", "password": "x"}).status_code == 403


@pytest.mark.promise(33)
@pytest.mark.parametrize("role", [Role.STORE_MANAGER, Role.SERVICE])
def test_what_belongs_to_another_store_is_not_there(
    sign_in: Callable[[Role], Client], chain: Chain, role: Role, now: datetime
) -> None:
    client = sign_in(role)
    stores = [Store.objects.get(id=store_id) for store_id in chain.store_ids]
    card = StaffCard(code="HZ02-C1", name="别家店员", role=Role.CASHIER, home_store_id=stores[1].id)
    stranger = Staff.objects.get(id=hire_staff(SYSTEM, card=card, sign_in=None, now=now).staff_id)
    colleague = chain.staff[Role.CASHIER]
    assert [client.get(reverse("store", args=(store.public_id,))).status_code for store in stores] == [200, 404]
    people = [client.get(reverse("staff_member", args=(one.public_id,))).status_code for one in (colleague, stranger)]
    assert people == [200, 404]
    assert b"HZ02" not in client.get(reverse("stores")).content
    assert "别家店员" not in client.get(reverse("staff")).content.decode()
