"""Signing in: by password and second factor, with lock-out, duties, ageing sessions and no hint who exists."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value, yield_hotp_counters_from_time
from axes.models import AccessAttempt
from django.test import Client

from changke.actions.settings import save_setting
from changke.actions.sign_ins import end_own_sessions, remove_second_factor, reset_password, unlock_sign_in
from changke.actions.staff import end_staff, hire_staff
from changke.kernel.errors import ChangkeError
from changke.queries.sign_ins import list_own_sessions, load_signed_in
from changke.records.models import AuditEntry, User
from changke.rules.staff import SYSTEM, NewSignIn, Role, SecuritySettings, StaffCard, Viewer
from people import PASSWORD, Chain

LOGIN, HOME, CHANGE = "/console/account/login/", "/console/", "/console/account/password/"
APP, CODE = "/console/account/second-factor/app/", "/console/account/second-factor/code/"


def try_in(client: Client, name: str, password: str, address: str = "10.0.0.1") -> Any:
    return client.post(LOGIN, {"login": name, "password": password}, REMOTE_ADDR=address)


def code_for(secret: str) -> str:
    return format_hotp_value(hotp_value(secret, next(iter(yield_hotp_counters_from_time()))))


def viewer_named(chain: Chain, role: Role) -> Viewer:
    found = load_signed_in(chain.staff[role].user_id or 0, place="")
    assert found is not None
    return found.viewer


def is_in(client: Client) -> bool:
    return client.get("/console/account").status_code == 200


def test_the_right_password_opens_and_the_name_may_be_typed_in_capitals(chain: Chain) -> None:
    client = Client()
    assert try_in(client, " Cashier ", PASSWORD).status_code == 302
    assert is_in(client)


@pytest.mark.parametrize("name", ["cashier", "nobody"])
def test_a_wrong_password_says_the_same_for_known_and_unknown_names(chain: Chain, name: str) -> None:
    answers = [try_in(Client(), name, "wrong-password-1"), try_in(Client(), "somebody-else", "wrong-password-1")]
    texts = [answer.context["form"].non_field_errors() for answer in answers]
    assert texts[0] == texts[1] and len(texts[0]) == 1


def test_five_wrong_tries_lock_the_name_and_head_office_unlocks(chain: Chain, now: datetime) -> None:
    client = Client()
    for _ in range(5):
        try_in(client, "cashier", "wrong-password-1")
    locked = try_in(client, "CASHIER", PASSWORD)
    assert (locked.status_code, locked["Retry-After"]) == (429, "900")
    assert not is_in(client)
    assert try_in(Client(), "marketing", PASSWORD).status_code == 302
    unlock_sign_in(SYSTEM, staff_id=chain.staff[Role.CASHIER].id, now=now)
    assert try_in(client, "cashier", PASSWORD).status_code == 302
    assert AuditEntry.objects.filter(action="unlock_sign_in").count() == 1


def test_the_lock_ends_after_a_quarter_of_an_hour(chain: Chain) -> None:
    client, start = Client(), datetime.now(UTC)
    for _ in range(5):
        try_in(client, "cashier", "wrong-password-1")
    assert AccessAttempt.objects.get().failures_since_start == 5
    with time_machine.travel(start + timedelta(minutes=16), tick=True):
        assert try_in(client, "cashier", PASSWORD).status_code == 302


def test_an_unknown_name_is_locked_like_a_known_one(chain: Chain) -> None:
    answers = [try_in(Client(), "nobody", "wrong-password-1") for _ in range(6)]
    assert [answer.status_code for answer in answers][4:] == [429, 429]


def test_a_member_and_who_has_left_do_not_get_in(chain: Chain, now: datetime) -> None:
    User.objects.create_user(username="guest", password=PASSWORD, kind="member")
    client = Client()
    try_in(client, "marketing", PASSWORD)
    assert is_in(client)
    end_staff(SYSTEM, staff_id=chain.staff[Role.MARKETING].id, ended_on=now.date(), now=now)
    assert not is_in(client)
    for name in ("guest", "marketing"):
        other = Client()
        try_in(other, name, PASSWORD)
        assert not is_in(other)


def test_an_initial_password_opens_nothing_but_its_own_change(chain: Chain, now: datetime) -> None:
    given = reset_password(SYSTEM, staff_id=chain.staff[Role.MARKETING].id, now=now)
    client = Client()
    try_in(client, "marketing", given)
    assert client.get("/console/account")["Location"] == CHANGE
    weak = {"oldpassword": given, "password1": "short", "password2": "short"}
    assert client.post(CHANGE, weak).status_code == 200
    good = {"oldpassword": given, "password1": "my own long words", "password2": "my own long words"}
    assert client.post(CHANGE, good).status_code == 302
    assert is_in(client)
    entry = AuditEntry.objects.get(action="change_own_password")
    assert entry.user_id == chain.staff[Role.MARKETING].user_id and "words" not in str(entry.after)


def test_a_changed_password_ends_the_other_sessions(sign_in: Callable[[Role], Client]) -> None:
    here, there = sign_in(Role.MARKETING), sign_in(Role.MARKETING)
    fields = {"oldpassword": PASSWORD, "password1": "my own long words", "password2": "my own long words"}
    here.post(CHANGE, fields)
    assert is_in(here) and not is_in(there)


def test_signing_out_everywhere_leaves_this_browser(
    sign_in: Callable[[Role], Client], chain: Chain, now: datetime
) -> None:
    here, there = sign_in(Role.MARKETING), sign_in(Role.MARKETING)
    viewer = viewer_named(chain, Role.MARKETING)
    assert len(list_own_sessions(viewer)) == 2
    end_own_sessions(viewer, kept_key=here.session.session_key or "", now=now)
    assert is_in(here) and not is_in(there)
    assert len(list_own_sessions(viewer)) == 1


@pytest.mark.parametrize(
    ("idle", "longest", "away", "stays"),
    [
        (60, 168, timedelta(minutes=59), True),
        (60, 168, timedelta(minutes=61), False),
        (720, 2, timedelta(hours=3), False),
    ],
)
def test_a_session_ages(
    sign_in: Callable[[Role], Client], now: datetime, idle: int, longest: int, away: timedelta, stays: bool
) -> None:
    aged = SecuritySettings(second_factor_roles=(), session_idle_minutes=idle, session_hours_max=longest)
    save_setting(SYSTEM, value=aged, now=now)
    client = sign_in(Role.MARKETING)
    with time_machine.travel(datetime.now(UTC) + away, tick=True):
        assert is_in(client) is stays


def test_a_session_in_use_does_not_grow_idle(sign_in: Callable[[Role], Client], now: datetime) -> None:
    save_setting(SYSTEM, value=SecuritySettings(second_factor_roles=(), session_idle_minutes=60), now=now)
    client, start = sign_in(Role.MARKETING), datetime.now(UTC)
    for minutes in (40, 80, 120):
        with time_machine.travel(start + timedelta(minutes=minutes), tick=True):
            assert is_in(client)


def test_the_second_factor_from_set_up_to_recovery(
    chain: Chain, now: datetime, django_capture_on_commit_callbacks: Any
) -> None:
    save_setting(SYSTEM, value=SecuritySettings(second_factor_roles=(Role.HEAD_OFFICE,)), now=now)
    client = Client()
    try_in(client, "head_office", PASSWORD)
    assert client.get("/console/account")["Location"] == APP
    page = client.get(APP)
    secret = page.context["form"].secret
    assert b"data:image/svg+xml;base64" in page.content and secret.encode() in page.content
    assert client.post(APP, {"code": "000000"}).status_code == 200
    with django_capture_on_commit_callbacks(execute=True):
        assert client.post(APP, {"code": code_for(secret)})["Location"] == "/console/account/recovery-codes/"
    assert b"<code>" in client.get("/console/account/recovery-codes/").content
    assert is_in(client)
    kept = Authenticator.objects.get(type="totp").data["secret"]
    assert secret not in kept

    fresh = Client()
    assert try_in(fresh, "head_office", PASSWORD)["Location"] == CODE
    assert not is_in(fresh)
    assert fresh.post(CODE, {"code": "000000"}).status_code == 200
    spare = RecoveryCodes(Authenticator.objects.get(type="recovery_codes")).get_unused_codes()[0]
    assert fresh.post(CODE, {"code": spare}).status_code == 302
    assert is_in(fresh)

    again = Client()
    try_in(again, "head_office", PASSWORD)
    again.post(CODE, {"code": spare})
    assert not is_in(again), "a recovery code opens once"
    assert AuditEntry.objects.filter(action="totp_activated", user_id=chain.staff[Role.HEAD_OFFICE].user_id).exists()


def test_credentials_change_only_after_the_password(sign_in: Callable[[Role], Client]) -> None:
    client = sign_in(Role.MARKETING)
    with time_machine.travel(datetime.now(UTC) + timedelta(minutes=6), tick=True):
        confirm = client.get(APP)["Location"]
        assert confirm.startswith("/console/account/confirm/?next=")
        assert client.post(confirm, {"password": "wrong-password-1"}).status_code == 200
        assert client.post(confirm, {"password": PASSWORD})["Location"] == APP
        assert client.get(APP).status_code == 200


def test_head_office_takes_a_lost_factor_away_but_not_its_own(chain: Chain, now: datetime) -> None:
    staff = chain.staff[Role.MARKETING]
    Authenticator.objects.create(user_id=staff.user_id or 0, type="totp", data={"secret": "x"})
    head = viewer_named(chain, Role.HEAD_OFFICE)
    remove_second_factor(head, staff_id=staff.id, now=now)
    assert not Authenticator.objects.exists()
    with pytest.raises(ChangkeError, match="your own second factor"):
        remove_second_factor(head, staff_id=chain.staff[Role.HEAD_OFFICE].id, now=now)


def test_sign_up_and_mail_pages_do_not_exist(client: Client, db: None) -> None:
    for page in ("signup", "email", "password/reset", "confirm-email"):
        assert client.get(f"/console/account/{page}/").status_code == 404


def test_the_language_is_kept_with_the_sign_in(sign_in: Callable[[Role], Client]) -> None:
    client = sign_in(Role.MARKETING)
    answer = client.post("/console/account/language/", {"language": "en", "next": "//evil.example/"})
    assert answer["Location"] == "/console/"
    assert User.objects.get(username="marketing").language == "en"
    assert client.post("/console/account/language/", {"language": "xx"}).status_code == 422
    fresh = sign_in(Role.MARKETING)
    assert fresh.get("/console/account")["Content-Language"] == "en"


def test_a_new_person_of_head_office_changes_the_password_first(chain: Chain, now: datetime) -> None:
    save_setting(SYSTEM, value=SecuritySettings(second_factor_roles=(Role.HEAD_OFFICE,)), now=now)
    card = StaffCard(code="HQ09", name="新人", role=Role.HEAD_OFFICE)
    hired = hire_staff(SYSTEM, card=card, sign_in=NewSignIn(username="new.one"), now=now)
    client = Client()
    try_in(client, "new.one", hired.initial_password)
    assert client.get(HOME)["Location"] == CHANGE
    fields = {"oldpassword": hired.initial_password, "password1": "my own long words", "password2": "my own long words"}
    client.post(CHANGE, fields)
    assert client.get(HOME)["Location"] == APP
