"""Insight pages: each opens with data and without, exports what it shows, and leads to the members behind a point."""

import csv
import io
import json
from collections.abc import Callable
from datetime import date, datetime
from urllib.parse import parse_qs, urlsplit

import pytest
from django.test import Client
from django.urls import reverse

from changke.actions.rfm_runs import ask_for_run, score_rfm
from changke.queries.settings import load_setting
from changke.records.models import Member, RfmRun, Segment
from changke.rules.lifecycle import LifecycleSettings
from changke.rules.rfm import RfmSettings
from changke.rules.schedules import RfmSchedule
from changke.rules.staff import SYSTEM, Role

SignIn = Callable[[Role], Client]
PAGES = (
    "insight_rfm", "insight_life", "insight_loyalty", "insight_people", "insight_goods", "insight_stores",
    "insight_forecast",
)  # fmt: skip


def drawing(page: str, key: str) -> dict[str, object]:
    told: dict[str, object] = json.loads(
        page.split(f'id="{key}-data" type="application/json">')[1].split("</script>")[0]
    )
    return told


def export(client: Client, name: str, key: str, **query: str) -> list[list[str]]:
    answer = client.get(reverse(name), {"export": key, "as": "csv", **query})
    assert answer.status_code == 200, answer.content
    return list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))))


@pytest.mark.parametrize("name", PAGES)
def test_every_page_says_what_to_do_before_the_first_import(name: str, home: object, sign_in: SignIn) -> None:
    assert "导入销售" in sign_in(Role.MARKETING).get(reverse(name)).content.decode()


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize("role", [Role.MARKETING, Role.STORE_MANAGER, Role.AUDITOR])
def test_every_page_opens_with_data(name: str, role: Role, small_shop: list[Member], sign_in: SignIn) -> None:
    answer = sign_in(role).get(reverse(name), {"span": "365"})
    assert answer.status_code == 200
    assert 'class="ck-chart' in answer.content.decode()


@pytest.mark.parametrize("name", PAGES)
def test_every_page_reads_little(
    name: str, small_shop: list[Member], sign_in: SignIn, django_assert_max_num_queries: Callable[[int], object]
) -> None:
    client = sign_in(Role.MARKETING)
    with django_assert_max_num_queries(20):  # type: ignore[attr-defined]
        client.get(reverse(name))


def test_the_map_holds_everybody_who_is_scored_and_leads_to_them(small_shop: list[Member], sign_in: SignIn) -> None:
    client = sign_in(Role.MARKETING)
    page = client.get(reverse("insight_rfm")).content.decode()
    cells = drawing(page, "rfm-map")["cells"]
    assert sum(cell[2] for cell in cells) == 10  # type: ignore[attr-defined, misc]
    seen = []
    for _column, _row, members, _value, href in cells:  # type: ignore[attr-defined, misc]
        found = client.get(href).content.decode()
        codes = [member.code for member in small_shop if f">{member.code}<" in found]
        assert len(codes) == members
        seen += codes
    assert sorted(seen) == sorted(member.code for member in small_shop[:10])


def test_one_time_buyers_stand_apart(small_shop: list[Member], sign_in: SignIn) -> None:
    rows = export(sign_in(Role.MARKETING), "insight_rfm", "rfm-map")
    assert next(row for row in rows if row[0].endswith("一次"))[1] == "1"


def test_a_switch_narrows_the_map_to_one_score(small_shop: list[Member], sign_in: SignIn) -> None:
    client = sign_in(Role.MARKETING)
    by_m = [
        sum(int(row[1]) for row in export(client, "insight_rfm", "rfm-map", third=str(score))[1:])
        for score in range(1, 6)
    ]
    assert sum(by_m) == 10 and max(by_m) == 2


def test_who_may_not_export_gets_no_file(small_shop: list[Member], sign_in: SignIn) -> None:
    client = sign_in(Role.AUDITOR)
    assert "export=" not in client.get(reverse("insight_people")).content.decode()
    assert client.get(reverse("insight_people"), {"export": "ages"}).status_code == 403


def test_the_excel_file_is_a_workbook_and_an_unknown_chart_is_none(small_shop: list[Member], sign_in: SignIn) -> None:
    client = sign_in(Role.MARKETING)
    assert client.get(reverse("insight_goods"), {"export": "products", "as": "xlsx"}).content[:2] == b"PK"
    assert client.get(reverse("insight_goods"), {"export": "nonsense"}).status_code == 404


def test_money_in_a_file_is_in_major_units(small_shop: list[Member], sign_in: SignIn) -> None:
    rows = export(sign_in(Role.MARKETING), "insight_goods", "categories", span="365")
    assert rows[1][0] == "茶饮" and rows[1][1] == "3850.00"  # 10 + 20 x 2 + ... + 100 x 10 yuan


def test_a_list_behind_a_figure_becomes_a_segment(small_shop: list[Member], sign_in: SignIn) -> None:
    where = json.dumps({"kind": "flag", "field": "bought_once", "value": True})
    page = sign_in(Role.MARKETING).get(reverse("insight_members"), {"where": where}).content.decode()
    href = page.split('class="ck-button ck-primary" href="')[1].split('"')[0].replace("&amp;", "&")
    assert json.loads(parse_qs(urlsplit(href).query)["tree"][0])["where"]["field"] == "bought_once"
    assert ">m0<" in page and ">m1<" not in page


@pytest.mark.parametrize("where", ["", "nonsense", '{"kind": "number", "field": "nonsense", "low": 1}', "[]"])
def test_a_tree_that_cannot_be_read_is_not_found(where: str, small_shop: list[Member], sign_in: SignIn) -> None:
    assert sign_in(Role.MARKETING).get(reverse("insight_members"), {"where": where}).status_code == 404


def test_a_store_manager_lists_members_within_reach_only(small_shop: list[Member], sign_in: SignIn) -> None:
    where = json.dumps({"kind": "number", "field": "receipts_ever", "low": 1})
    page = sign_in(Role.STORE_MANAGER).get(reverse("insight_members"), {"where": where}).content.decode()
    assert [n for n in range(12) if f">m{n}<" in page] == [0, 2, 4, 6, 8]


def run_of(as_of: date, now: datetime) -> RfmRun:
    run = ask_for_run(SYSTEM, rfm=RfmSettings(), as_of=as_of, now=now)
    score_rfm(run.id, now=now)
    run.refresh_from_db()
    assert run.state == "done", run.error
    return run


def test_a_run_is_asked_for_scored_shown_and_deleted(small_shop: list[Member], sign_in: SignIn, now: datetime) -> None:
    client = sign_in(Role.MARKETING)
    form = {
        "name": "月度",
        "as_of": "2026-11-22",
        "method": "tie_safe",
        "frequency": "receipts",
        "monetary": "net",
        "population": "ever",
        "period_days": "365",
    }
    answer = client.post(reverse("insight_run_new"), form)
    run = RfmRun.objects.get(name="月度")
    assert answer["Location"] == reverse("insight_run", args=[run.public_id])
    assert "ck-progress" in client.get(answer["Location"]).content.decode()
    score_rfm(run.id, now=now)
    assert client.get(reverse("insight_run_state", args=[run.public_id])).headers["HX-Refresh"] == "true"
    page = client.get(answer["Location"]).content.decode()
    assert sum(cell[2] for cell in drawing(page, "rfm-map")["cells"]) == 10  # type: ignore[attr-defined, misc]
    assert "月度" in client.get(reverse("insight_runs")).content.decode()
    assert client.post(reverse("insight_run_delete", args=[run.public_id])).status_code == 302
    assert not RfmRun.objects.filter(id=run.id).exists()
    assert client.get(answer["Location"]).status_code == 404


def test_a_run_without_a_date_is_refused_beside_its_field(small_shop: list[Member], sign_in: SignIn) -> None:
    page = sign_in(Role.MARKETING).post(reverse("insight_run_new"), {"method": "strict"}).content.decode()
    assert 'id="id_as_of_error"' in page and not RfmRun.objects.exists()


def test_who_may_only_look_cannot_make_a_run(small_shop: list[Member], sign_in: SignIn) -> None:
    client = sign_in(Role.AUDITOR)
    assert client.get(reverse("insight_run_new")).status_code == 403
    assert client.post(reverse("insight_schedule"), {"quarterly": "on"}).status_code == 403


def test_the_schedule_is_saved_by_head_office(small_shop: list[Member], sign_in: SignIn) -> None:
    sign_in(Role.HEAD_OFFICE).post(reverse("insight_schedule"), {"quarterly": "on"})
    assert load_setting(RfmSchedule) == RfmSchedule(monthly=False, quarterly=True)


def test_two_runs_are_compared_and_a_move_becomes_a_list(
    small_shop: list[Member], sign_in: SignIn, now: datetime
) -> None:
    early, late = run_of(date(2026, 9, 1), now), run_of(date(2026, 11, 22), now)
    client = sign_in(Role.MARKETING)
    asked = {"before": late.public_id, "after": early.public_id}  # any order: the earlier one comes first
    page = client.get(reverse("insight_run_compare"), asked).content.decode()
    moves = drawing(page, "movement")["cells"]
    href = next(move[3] for move in moves if move[3])  # type: ignore[attr-defined]
    assert client.get(href).status_code == 200
    assert client.post(href, {"name": "变动名单"}).status_code == 302
    saved = Segment.objects.get(name="变动名单")
    assert saved.tree["where"]["field"] == "member_id"
    rows = export(client, "insight_run_compare", "movement", **asked, by="r_score")
    assert sum(int(row[2]) for row in rows[1:]) == 10


@pytest.mark.parametrize("query", [{}, {"before": "x", "after": "y"}])
def test_runs_that_are_not_there_are_not_found(
    query: dict[str, str], small_shop: list[Member], sign_in: SignIn
) -> None:
    assert sign_in(Role.MARKETING).get(reverse("insight_run_compare"), query).status_code == 404


def test_the_life_cycle_says_why_nobody_is_lost_and_lists_a_stream(small_shop: list[Member], sign_in: SignIn) -> None:
    client = sign_in(Role.MARKETING)
    page = client.get(reverse("insight_life")).content.decode()
    assert "没有流失会员" in page
    links = drawing(page, "flow")["links"]
    assert sum(link[2] for link in links) > 0  # type: ignore[attr-defined, misc]
    listed = client.get(links[0][3]).content.decode()  # type: ignore[index]
    assert listed.count('<th scope="row">') == links[0][2]  # type: ignore[index]


def test_settings_of_the_classes_are_shown_checked_and_saved(small_shop: list[Member], sign_in: SignIn) -> None:
    client = sign_in(Role.HEAD_OFFICE)
    page = client.get(reverse("insight_life_settings")).content.decode()
    assert "出厂值：30" in page
    form = {
        "cycle_days": 45, "expected_visits": 2, "count": "receipts", "at_expected": "returning",
        "new_means": "first_ever", "lost_after_sends": 3, "lost_after_days": 90, "combine": "or",
        "lost_without_sends_after_days": 365, "growth": 10, "maturity": 20, "dormancy": 30, "loss": 40,
    }  # fmt: skip
    wrong = client.post(reverse("insight_life_settings"), form | {"maturity": 5})
    assert wrong.status_code == 200 and 'id="id_maturity_error"' in wrong.content.decode()
    assert client.post(reverse("insight_life_settings"), form).status_code == 302
    saved = load_setting(LifecycleSettings)
    assert (saved.window_days, saved.sleeping_from_days, saved.stage_starts.loss) == (90, 90, 40)
    denied = sign_in(Role.MARKETING).post(reverse("insight_life_settings"), form | {"cycle_days": 7})
    assert denied.status_code == 403 and load_setting(LifecycleSettings).cycle_days == 45
