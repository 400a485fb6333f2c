"""The components page and the palette: what every page is built from, for everybody who is signed in."""

from collections.abc import Callable
from datetime import datetime

import pytest
from django.test import Client
from django.urls import reverse

from changke.console.site import SIDE_BAR, build_side_bar
from changke.lobby.permissions import ADDRESSES
from changke.records.models import Member
from changke.rules.staff import SYSTEM, Role

SignIn = Callable[[Role], Client]


@pytest.mark.parametrize("role", list(Role))
def test_the_components_open_for_all_staff(role: Role, sign_in: SignIn) -> None:
    page = sign_in(role).get(reverse("components")).content.decode()
    assert page.count('class="ck-chart"') == 6 and "模拟数据" in page


def test_a_wrong_field_is_told_beside_it(sign_in: SignIn) -> None:
    page = sign_in(Role.CASHIER).post(reverse("components"), {"kind": "a"}).content.decode()
    assert 'id="id_name_error"' in page and 'aria-describedby="id_name_helptext id_name_error"' in page


@pytest.mark.parametrize(("language", "word"), [("zh-hans", "组件"), ("en", "Components")])
def test_the_page_speaks_the_language_that_was_chosen(language: str, word: str, sign_in: SignIn) -> None:
    client = sign_in(Role.CASHIER)
    client.post(reverse("set_language"), {"language": language, "next": reverse("components")})
    page = client.get(reverse("components")).content.decode()
    assert f"<h1>{word}</h1>" in page and f'<html lang="{language}">' in page


@pytest.mark.parametrize("role", list(Role))
def test_the_side_bar_leads_only_where_the_viewer_may_go(role: Role, sign_in: SignIn) -> None:
    client = sign_in(role)
    page = client.get(reverse("components")).content.decode()
    side = page.split('<nav aria-label="主菜单">')[1].split("</nav>")[0]
    hrefs = [part.split('"')[0] for part in side.split('href="')[1:]]
    assert hrefs and [href for href in hrefs if client.get(href).status_code not in (200, 302)] == []


def test_every_entry_of_the_side_bar_has_its_right() -> None:
    assert [entry.name for group in SIDE_BAR for entry in group.entries if entry.name not in ADDRESSES] == []


def test_the_entry_of_a_page_below_is_marked(sign_in: SignIn) -> None:
    groups = build_side_bar(SYSTEM, current="insight_run_new")
    marked = [entry["href"] for group in groups for entry in group["entries"] if entry["is_current"]]
    assert marked == [reverse("insight_runs")]


def test_the_palette_finds_pages_members_and_segments(small_shop: list[Member], sign_in: SignIn, now: datetime) -> None:
    client = sign_in(Role.STORE_MANAGER)
    found = client.get(reverse("find"), {"q": "RFM"}).content.decode()
    assert reverse("insight_rfm") in found
    by_phone = client.get(reverse("find"), {"q": "13800000004"}).content.decode()
    assert "王小明4" in by_phone and 'role="option"' in by_phone
    assert "没有找到" in client.get(reverse("find"), {"q": "zzzz"}).content.decode()
