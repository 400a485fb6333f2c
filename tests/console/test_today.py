"""Today: figures against the period before, the to-do list, the day's changes, and what each role and store sees."""

import json
from collections.abc import Callable
from datetime import datetime

import pytest
import time_machine
from django.test import Client
from django.urls import reverse

from changke.actions.insight_figures import ask_for_figures, compute_figures, compute_usual_figures
from changke.kernel.periods import days_ending
from changke.queries import insight_cache
from changke.queries.insight_pages import InsightPage
from changke.queries.lake import need_lake
from changke.records.models import Member, Store
from changke.rules.reports.scope import Scope
from changke.rules.staff import SYSTEM, Role
from people import Chain

SignIn = Callable[[Role], Client]


def test_before_the_first_import_it_says_what_to_do_next(home: object, sign_in: SignIn) -> None:
    page = sign_in(Role.HEAD_OFFICE).get(reverse("today")).content.decode()
    assert "还没有销售数据" in page


def test_figures_todos_and_changes_are_there(small_shop: list[Member], sign_in: SignIn, now: datetime) -> None:
    Member.objects.filter(id=small_shop[0].id).update(next_birthday_on=now.date())
    Member.objects.filter(id=small_shop[1].id).update(status="provisional")
    with time_machine.travel(now):
        text = sign_in(Role.HEAD_OFFICE).get(reverse("today")).content.decode()
    assert "销售占比" in text and "100.0 %" in text
    assert "1 位会员今天生日" in text
    assert "1 位准会员待审核" in text
    assert "的变化" in text and "insight/members?where=" in text


def test_a_store_sees_its_own_sales_only(small_shop: list[Member], chain: Chain, sign_in: SignIn) -> None:
    def sales(client: Client, **query: str) -> str:
        text = client.get(reverse("today"), query).content.decode()
        return text.split("ck-figure-value")[1].split(">")[1].split("<")[0]

    first = Store.objects.get(id=chain.store_ids[0])
    whole, own = sales(sign_in(Role.HEAD_OFFICE)), sales(sign_in(Role.STORE_MANAGER))
    assert whole != own == sales(sign_in(Role.HEAD_OFFICE), store=first.public_id)
    second = Store.objects.get(id=chain.store_ids[1])
    assert sales(sign_in(Role.STORE_MANAGER), store=second.public_id) == own


def test_who_has_no_figures_begins_at_the_member_list(small_shop: list[Member], sign_in: SignIn) -> None:
    client = sign_in(Role.CASHIER)
    assert client.get(reverse("console"))["Location"] == reverse("members")
    assert client.get(reverse("today")).status_code == 403


def test_the_page_asks_the_database_little(
    small_shop: list[Member], sign_in: SignIn, django_assert_max_num_queries: Callable[[int], object]
) -> None:
    client = sign_in(Role.HEAD_OFFICE)
    client.get(reverse("today"))
    with django_assert_max_num_queries(20):  # type: ignore[attr-defined]
        assert client.get(reverse("today")).status_code == 200


def test_a_large_lake_is_read_by_a_job_not_by_the_page(
    small_shop: list[Member], sign_in: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(insight_cache.remember, "__kwdefaults__", {"visits_max": 0})
    client = sign_in(Role.HEAD_OFFICE)
    waiting = client.get(reverse("insight_stores"), {"span": "90"}).content.decode()
    assert "ck-progress" in waiting
    state = client.get(reverse("insight_waiting"), {"page": "stores", "span": "90"})
    assert "HX-Refresh" not in state.headers
    scope = Scope(period=days_ending(need_lake().as_of.replace(day=21), days=90))
    told = json.dumps({"period": {"first": str(scope.period.first), "last": str(scope.period.last)}, "store_ids": None})
    compute_figures("stores", told)
    assert client.get(reverse("insight_waiting"), {"page": "stores", "span": "90"}).headers["HX-Refresh"] == "true"
    assert "ck-progress" not in client.get(reverse("insight_stores"), {"span": "90"}).content.decode()


def test_the_same_figures_are_asked_for_once(small_shop: list[Member]) -> None:
    from procrastinate.contrib.django.models import ProcrastinateJob

    scope = Scope(period=days_ending(need_lake().as_of, days=7), store_ids=frozenset({2, 1}))
    for _again in range(2):
        ask_for_figures(SYSTEM, page=InsightPage.GOODS, scope=scope)
    assert ProcrastinateJob.objects.filter(task_name="compute_figures").count() == 1


def test_the_usual_figures_are_there_before_anybody_asks(
    small_shop: list[Member], sign_in: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    compute_usual_figures()
    monkeypatch.setattr(insight_cache.remember, "__kwdefaults__", {"visits_max": 0})
    monkeypatch.setattr(insight_cache, "TINY_VISITS_MAX", 0)
    client = sign_in(Role.HEAD_OFFICE)
    names = ("today", "insight_rfm", "insight_life", "insight_loyalty", "insight_people", "insight_goods",
             "insight_stores", "insight_forecast")  # fmt: skip
    assert [name for name in names if "ck-progress" in client.get(reverse(name)).content.decode()] == []
