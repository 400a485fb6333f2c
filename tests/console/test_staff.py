"""Staff in the browser: hiring shows a password once, sign-ins are mended, lists are filtered."""

from collections.abc import Callable

from allauth.mfa.models import Authenticator
from django.test import Client
from django.urls import reverse

from changke.records.models import AuditEntry, Staff, User
from changke.rules.staff import Role
from people import PASSWORD, Chain


def test_hiring_shows_the_initial_password_once(sign_in: Callable[[Role], Client], chain: Chain) -> None:
    client = sign_in(Role.HEAD_OFFICE)
    fields = {
        "code": "C9",
        "name": "小王",
        "role": "cashier",
        "home_store_id": chain.store_ids[0],
        "store_ids": [chain.store_ids[1]],
        "username": "xiaowang",
    }
    answer = client.post(reverse("staff_new"), fields)
    password = answer.context["initial_password"]
    assert answer.status_code == 200 and password in answer.content.decode()
    assert answer["Cache-Control"] == "no-store"
    assert User.objects.get(username="xiaowang").check_password(password)
    person = Staff.objects.get(code="C9")
    assert password not in client.get(reverse("staff_member", args=(person.public_id,))).content.decode()
    assert list(person.stores.values_list("id", flat=True)) == [chain.store_ids[1]]


def test_problems_of_a_new_person_stand_beside_their_fields(sign_in: Callable[[Role], Client]) -> None:
    client = sign_in(Role.HEAD_OFFICE)
    fields = {"code": "C9", "name": "小王", "role": "cashier", "username": ""}
    assert list(client.post(reverse("staff_new"), fields).context["form"].errors) == ["store_ids"]
    fields |= {"role": "auditor", "username": "cashier"}
    assert list(client.post(reverse("staff_new"), fields).context["form"].errors) == ["username"]
    assert not Staff.objects.filter(code="C9").exists()


def test_nobody_raises_their_own_role_by_the_form(sign_in: Callable[[Role], Client], chain: Chain) -> None:
    client, own = sign_in(Role.HEAD_OFFICE), chain.staff[Role.HEAD_OFFICE]
    answer = client.post(
        reverse("staff_edit", args=(own.public_id,)), {"code": own.code, "name": own.name, "role": "auditor"}
    )
    assert list(answer.context["form"].errors) == ["role"]
    own.refresh_from_db()
    assert own.role == "head_office"


def test_a_lock_a_factor_sessions_and_a_password_are_mended(sign_in: Callable[[Role], Client], chain: Chain) -> None:
    head, cashier = sign_in(Role.HEAD_OFFICE), chain.staff[Role.CASHIER]
    page = reverse("staff_member", args=(cashier.public_id,))

    def mend(verb: str) -> int:
        return head.post(reverse("staff_sign_in", args=(cashier.public_id, verb))).status_code

    for _ in range(5):
        Client().post(reverse("account_login"), {"login": "cashier", "password": "wrong-password-1"})
    assert head.get(page).context["is_locked"]
    assert mend("unlock") == 302 and not head.get(page).context["is_locked"]
    theirs = sign_in(Role.CASHIER)
    assert mend("sessions") == 302
    assert theirs.get(reverse("account")).status_code == 302
    Authenticator.objects.create(user_id=cashier.user_id or 0, type="totp", data={"secret": "x"})
    assert mend("factor") == 302 and not Authenticator.objects.exists()
    assert mend("password") == 200 and mend("nonsense") == 404
    answer = Client().post(reverse("account_login"), {"login": "cashier", "password": PASSWORD})
    assert answer.status_code == 200, "the old password no longer works"
    actions = set(AuditEntry.objects.filter(subject_id=cashier.id).values_list("action", flat=True))
    assert {"unlock_sign_in", "end_sessions", "remove_second_factor", "reset_password"} <= actions


def test_who_leaves_loses_the_sign_in_and_comes_back(sign_in: Callable[[Role], Client], chain: Chain) -> None:
    head, cashier = sign_in(Role.HEAD_OFFICE), chain.staff[Role.CASHIER]
    assert head.post(reverse("staff_end", args=(cashier.public_id,)), {"ended_on": "2025-01-01"}).status_code == 302
    assert head.post(reverse("staff_end", args=(cashier.public_id,)), {"ended_on": "soon"}).status_code == 422
    own = chain.staff[Role.HEAD_OFFICE]
    assert head.post(reverse("staff_end", args=(own.public_id,)), {"ended_on": "2025-01-01"}).status_code == 422
    assert Client().post(reverse("account_login"), {"login": "cashier", "password": PASSWORD}).status_code == 200
    head.post(reverse("staff_take_back", args=(cashier.public_id,)))
    assert Client().post(reverse("account_login"), {"login": "cashier", "password": PASSWORD}).status_code == 302


def test_filters_and_search_find_people(sign_in: Callable[[Role], Client], chain: Chain) -> None:
    client = sign_in(Role.HEAD_OFFICE)

    def found(query: str) -> set[str]:
        return {row.card.code for row in client.get(reverse("staff") + query).context["rows"]}

    assert found("?role=cashier&role=auditor") == {"cashier", "auditor"}
    assert found("?q=market") == {"marketing"} and found("?state=left") == set()
    assert found(f"?store={chain.store_ids[0]}") == {"store_manager", "cashier", "service"}
    assert len(found("?page=2")) == 0 and len(found("?sort=-role&page=x")) == 6


def test_a_manager_sees_colleagues_without_buttons(sign_in: Callable[[Role], Client], chain: Chain) -> None:
    client = sign_in(Role.STORE_MANAGER)
    page = client.get(reverse("staff_member", args=(chain.staff[Role.CASHIER].public_id,)))
    assert page.status_code == 200 and b'<form method="post" action="/console/staff/' not in page.content
    assert client.get(reverse("staff_member", args=(chain.staff[Role.HEAD_OFFICE].public_id,))).status_code == 404
