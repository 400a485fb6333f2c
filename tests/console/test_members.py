"""The members' pages: list, joining, one member, batches, exports, duplicates, boards."""

import csv
import io
from collections.abc import Callable
from datetime import date

import pytest
from django.test import Client
from procrastinate.contrib.django.models import ProcrastinateJob

from changke.jobs import tasks
from changke.queries.settings import load_setting
from changke.records.models import (
    AttributeDefinition,
    AuditEntry,
    Card,
    Consent,
    DuplicatePair,
    Member,
    MemberMerge,
    SavedView,
    Tag,
)
from changke.rules.birthdays import BirthdaySettings, LeapRule
from changke.rules.staff import Role
from people import Chain

SignIn = Callable[[Role], Client]
JOIN = {
    "name": "李雷", "phone": "13900139000", "gender": "male", "birth_calendar": "lunar", "birth_month": "8",
    "birth_day": "15", "source_channel": "store", "status": "formal", "consents": "sms:marketing",
}  # fmt: skip


@pytest.fixture
def boss(sign_in: SignIn) -> Client:
    return sign_in(Role.HEAD_OFFICE)


def text_of(answer: object) -> str:
    return answer.content.decode()  # type: ignore[attr-defined,no-any-return]


def body(client: Client, url: str, **more: object) -> str:
    answer = client.get(url, **more)  # type: ignore[arg-type]
    assert answer.status_code == 200, answer.status_code
    return text_of(answer)


def test_an_empty_list_says_what_to_do(boss: Client) -> None:
    assert "/console/members/new" in body(boss, "/console/members")


def test_the_list_filters_sorts_and_shows_the_analysis(small_shop: list[Member], boss: Client) -> None:
    page = body(boss, "/console/members")
    assert page.count('name="member" value=') == 12
    assert "王小明3" in page and "138****0003" in page and "+86" not in page
    assert body(boss, "/console/members?q=0003").count('name="member" value=') == 1
    classes = body(boss, "/console/members?life=unbought")
    assert classes.count('name="member" value=') == 2
    assert body(boss, "/console/members?life=unbought&gender=female").count('name="member" value=') == 0
    assert 'aria-sort="descending"' in body(boss, "/console/members?sort=-last_purchase")
    assert "m11" in body(boss, "/console/members?column=email&column=region&page=1")
    body(boss, "/console/members?store=x&status=nonsense&page=-1&birthday=3&sort=none&joined_from=no")


def test_the_list_takes_at_most_twenty_statements(
    small_shop: list[Member], boss: Client, django_assert_max_num_queries: Callable[[int], object]
) -> None:
    with django_assert_max_num_queries(20):  # type: ignore[attr-defined]
        body(boss, "/console/members")
    with django_assert_max_num_queries(20):  # type: ignore[attr-defined]
        body(boss, "/console/members?life=active")


def test_a_cashier_sees_masked_names_of_the_own_store(small_shop: list[Member], sign_in: SignIn) -> None:
    page = body(sign_in(Role.CASHIER), "/console/members")
    assert page.count("王*") >= 6 and "王小明" not in page
    assert "m1</td>" not in page and "m2</td>" in page
    assert sign_in(Role.CASHIER).get(f"/console/members/{small_shop[1].public_id}").status_code == 404


def test_joining_shows_the_known_member_first(boss: Client, chain: Chain) -> None:
    answer = boss.post("/console/members/new", JOIN)
    member = Member.objects.get()
    assert answer.status_code == 302 and answer["Location"].endswith(member.public_id)
    assert (member.phone, member.birth_calendar, member.next_birthday_on is not None) == (
        "+8613900139000",
        "lunar",
        True,
    )
    assert member.recruiter_id == chain.staff[Role.HEAD_OFFICE].id
    assert Consent.objects.get().channel == "sms"
    again = boss.post("/console/members/new", JOIN)
    assert again.status_code == 200 and "139****9000" in text_of(again)
    assert Member.objects.count() == 1
    boss.post("/console/members/new", JOIN | {"other": str(member.id)})
    assert Member.objects.count() == 2


def test_a_wrong_form_says_so_beside_the_field(boss: Client) -> None:
    answer = boss.post("/console/members/new", JOIN | {"phone": "123", "birth_day": "31"})
    assert answer.status_code == 200 and text_of(answer).count("ck-errors") >= 2
    assert not Member.objects.exists()


def test_one_member_shows_everything(small_shop: list[Member], boss: Client) -> None:
    member = small_shop[4]
    page = body(boss, f"/console/members/{member.public_id}")
    assert "王小明4" in page and "138****0004" in page and "+8613800000004" not in page
    assert "龙井" in body(boss, f"/console/members/{member.public_id}?tab=purchases")
    body(boss, f"/console/members/{member.public_id}?tab=timeline")
    body(boss, f"/console/members/{member.public_id}?tab=consents")


def test_one_member_takes_few_statements(
    small_shop: list[Member], boss: Client, django_assert_max_num_queries: Callable[[int], object]
) -> None:
    with django_assert_max_num_queries(20):  # type: ignore[attr-defined]
        body(boss, f"/console/members/{small_shop[4].public_id}")


def test_contacts_are_shown_for_a_reason(small_shop: list[Member], boss: Client, sign_in: SignIn) -> None:
    url = f"/console/members/{small_shop[0].public_id}/reveal"
    answer = boss.post(url, {"reason": "回访"})
    assert "138 0000 0000" in text_of(answer) and answer["Cache-Control"] == "no-store"
    assert AuditEntry.objects.get(action="reveal_contacts").reason == "回访"
    assert boss.post(url, {"reason": ""}).status_code == 422
    assert sign_in(Role.CASHIER).post(url, {"reason": "x"}).status_code == 403


def test_editing_keeps_what_the_editor_may_not_see(small_shop: list[Member], sign_in: SignIn, boss: Client) -> None:
    member = small_shop[0]
    url = f"/console/members/{member.public_id}/edit"
    marketing = sign_in(Role.MARKETING)
    assert "13800000000" not in body(marketing, url).replace(" ", "")
    saved = marketing.post(url, {"birth_calendar": "solar", "gender": "female", "version": "1"})
    assert saved.status_code == 302
    member.refresh_from_db()
    assert (member.gender, member.phone, member.name) == ("female", "+8613800000000", "王小明0")
    late = boss.post(url, {"birth_calendar": "solar", "name": "王", "phone": "13800000000", "version": "1"})
    assert late.status_code == 200
    assert "王小明0" in body(boss, url) and AuditEntry.objects.filter(action="reveal_contacts").exists()


def test_attributes_reach_the_form(boss: Client, small_shop: list[Member]) -> None:
    made = boss.post(
        "/console/attributes/new",
        {"key": "job", "name": "职业", "kind": "choice", "choices": "学生\n上班族", "position": "1"},
    )
    assert made.status_code == 302
    boss.post(
        "/console/attributes/new", {"key": "ill", "name": "病史", "kind": "text", "position": "2", "is_sensitive": "on"}
    )
    url = f"/console/members/{small_shop[0].public_id}"
    base = {"birth_calendar": "solar", "name": "王", "phone": "13800000000", "version": "1"}
    assert boss.post(f"{url}/edit", base | {"attribute_job": "学生", "attribute_ill": "花粉"}).status_code == 302
    page = body(boss, url)
    assert "学生" in page and "花粉" not in page and "•••" in page
    assert "花粉" in text_of(boss.post(f"{url}/reveal", {"reason": "咨询"}))
    assert "job" in body(boss, "/console/attributes")
    edited = {"name": "工作", "choices": "学生\n上班族", "position": "1"}
    assert boss.post("/console/attributes/job", edited).status_code == 302
    boss.post("/console/attributes/job/retire")
    row = AttributeDefinition.objects.get(key="job")
    assert (row.name, row.kind, row.is_retired) == ("工作", "choice", True)
    boss.post("/console/attributes/job/retire", {"back": "1"})
    assert not AttributeDefinition.objects.get(key="job").is_retired
    bad = boss.post("/console/attributes/new", {"key": "Bad Key", "name": "x", "kind": "text", "position": "1"})
    assert bad.status_code == 200


def test_cards_tags_consents_and_status(small_shop: list[Member], boss: Client) -> None:
    url = f"/console/members/{small_shop[0].public_id}"
    boss.post(f"{url}/card", {"kind": "issue", "number": "C-1"})
    card = Card.objects.get()
    boss.post(f"{url}/card", {"kind": "replace", "card": card.id, "number": "C-2"})
    assert set(Card.objects.values_list("number", "status")) == {("C-1", "replaced"), ("C-2", "active")}
    boss.post(f"{url}/card", {"kind": "lost", "card": Card.objects.get(number="C-2").id})
    assert boss.post(f"{url}/card", {"kind": "eat", "card": card.id}).status_code == 422
    boss.post(f"{url}/tags", {"add": "奶茶"})
    assert "奶茶" in body(boss, url)
    boss.post(f"{url}/tags", {"take": "奶茶"})
    assert not small_shop[0].tag_rows.exists()
    boss.post(f"{url}/consents", {"sms:marketing": "yes", "email:marketing": "no", "given_through": "store"})
    assert set(Consent.objects.values_list("channel", "is_granted")) == {("sms", True), ("email", False)}
    boss.post(f"{url}/status", {"move": "freeze", "reason": "申请"})
    assert Member.objects.get(id=small_shop[0].id).status == "frozen"
    assert boss.post(f"{url}/status", {"move": "confirm"}).status_code == 422
    assert boss.post(f"{url}/status", {"move": "fly"}).status_code == 422


def test_a_batch_is_previewed_then_done(small_shop: list[Member], boss: Client) -> None:
    ids = [str(member.id) for member in small_shop[:3]]
    ask = {"kind": "tag", "scope": "chosen", "member": ids, "tags": "奶茶，面", "query": "q=x"}
    page = text_of(boss.post("/console/members/batch", ask))
    assert 'name="confirmed"' in page and not Tag.objects.exists()
    done = boss.post("/console/members/batch", ask | {"confirmed": "1"})
    assert done["Location"] == "/console/members?q=x"
    assert Tag.objects.count() == 2 and small_shop[2].tag_rows.count() == 2
    whole = {"kind": "validity", "scope": "list", "query": "", "valid_until": "2027-12-31", "confirmed": "1"}
    boss.post("/console/members/batch", whole)
    assert Member.objects.filter(valid_until=date(2027, 12, 31)).count() == 12
    boss.post("/console/members/batch", {"kind": "untag", "scope": "list", "query": "", "tags": "面", "confirmed": "1"})
    assert small_shop[2].tag_rows.count() == 1
    for wrong in (
        {"kind": "tag", "scope": "chosen", "tags": "x"},
        {"kind": "fly", "member": ids},
        {"kind": "tag", "member": ids, "tags": " "},
        {"kind": "validity", "member": ids, "valid_until": "soon"},
    ):
        assert boss.post("/console/members/batch", wrong).status_code == 422


def test_an_export_is_masked_unless_somebody_answers_for_it(
    small_shop: list[Member], boss: Client, sign_in: SignIn
) -> None:
    Member.objects.filter(id=small_shop[0].id).update(name="=HYPERLINK(1)")
    answer = boss.post("/console/members/export", {"as": "csv", "query": "column=phone&column=life"})
    rows = list(csv.reader(io.StringIO(b"".join(answer).decode("utf-8-sig"))))  # type: ignore[arg-type]
    assert len(rows) == 13 and rows[1][1:3] == ["'=HYPERLINK(1)", "138****0000"]
    assert AuditEntry.objects.get(action="export_members").after["rows"] == 12
    clear = {"as": "csv", "contacts": "1", "query": "q=0003", "reason": "邮寄"}
    rows = list(csv.reader(io.StringIO(b"".join(boss.post("/console/members/export", clear)).decode("utf-8-sig"))))  # type: ignore[arg-type]
    assert rows[1][2] == "138 0000 0003"
    assert boss.post("/console/members/export", clear | {"reason": ""}).status_code == 422
    assert sign_in(Role.MARKETING).post("/console/members/export", clear).status_code == 403
    sheet = boss.post("/console/members/export", {"as": "xlsx", "query": ""})
    assert b"".join(sheet).startswith(b"PK")  # type: ignore[arg-type]
    assert sign_in(Role.CASHIER).post("/console/members/export", {"as": "csv"}).status_code == 403


def test_views_are_kept_and_dropped(boss: Client, small_shop: list[Member]) -> None:
    boss.post("/console/members/views", {"name": "女生", "query": "gender=female"})
    view = SavedView.objects.get()
    assert (view.page, view.query) == ("members", "gender=female")
    assert "?gender=female" in body(boss, "/console/members")
    boss.post(f"/console/members/views/{view.public_id}/delete")
    assert not SavedView.objects.exists()


def test_two_members_are_merged_and_parted(small_shop: list[Member], boss: Client) -> None:
    Member.objects.filter(id=small_shop[1].id).update(phone=small_shop[0].phone)
    assert boss.post("/console/duplicates/search").status_code == 302
    job = ProcrastinateJob.objects.get(task_name="find_duplicates")
    assert job.args["asker"] and not DuplicatePair.objects.exists()
    tasks.search_duplicates(**job.args)
    pair = DuplicatePair.objects.get()
    assert small_shop[1].public_id in body(boss, "/console/duplicates")
    body(boss, f"/console/duplicates/{pair.id}?survivor={small_shop[1].id}&name=loser")
    done = boss.post(f"/console/duplicates/{pair.id}", {"survivor": str(small_shop[1].id), "name": "loser"})
    merge = MemberMerge.objects.get()
    assert done["Location"].endswith(merge.public_id)
    assert (merge.survivor_id, merge.loser_id) == (small_shop[1].id, small_shop[0].id)
    assert Member.objects.get(id=small_shop[1].id).name == "王小明0"
    assert boss.get(f"/console/members/{small_shop[0].public_id}")["Location"].endswith(small_shop[1].public_id)
    body(boss, f"/console/merges/{merge.public_id}")
    boss.post(f"/console/merges/{merge.public_id}/undo", {"reason": "看错"})
    assert Member.objects.get(id=small_shop[0].id).status == "formal"
    boss.post(f"/console/duplicates/{pair.id}/dismiss")
    assert DuplicatePair.objects.get().state == "dismissed"
    assert boss.get(f"/console/duplicates/{pair.id}").status_code == 404


def test_the_boards(small_shop: list[Member], boss: Client) -> None:
    Member.objects.filter(id=small_shop[0].id).update(status="provisional")
    assert small_shop[0].public_id in body(boss, "/console/approvals")
    answer = boss.post(f"/console/members/{small_shop[0].public_id}/status", {"move": "confirm", "next": "approvals"})
    assert answer["Location"] == "/console/approvals"
    for url in ("/console/birthdays", "/console/birthdays?days=30", "/console/promotion?by=recruiter&days=365",
                "/console/promotion?by=source", "/console/promotion", "/console/tags"):  # fmt: skip
        body(boss, url)


def test_member_settings_and_wordings(boss: Client, small_shop: list[Member]) -> None:
    body(boss, "/console/settings/members")
    saved = boss.post("/console/settings/members", {"leap_rule": "march_1", "home_country": "CN"})
    assert saved.status_code == 302 and load_setting(BirthdaySettings).leap_rule is LeapRule.MARCH_1
    assert boss.post("/console/settings/members", {"leap_rule": "march_1", "home_country": "x"}).status_code == 200
    wording = {"purpose": "marketing", "version": "1", "language": "zh-hans", "body": "同意接收优惠短信"}
    assert boss.post("/console/settings/consents/new", wording).status_code == 302
    assert "同意接收优惠短信" in body(boss, "/console/settings/consents")
    assert boss.post("/console/settings/consents/new", wording).status_code == 200
    boss.post(f"/console/members/{small_shop[0].public_id}/consents", {"sms:marketing": "yes"})
    assert Consent.objects.get().text_id is not None


def test_tags_are_renamed_and_deleted(boss: Client, small_shop: list[Member]) -> None:
    boss.post(f"/console/members/{small_shop[0].public_id}/tags", {"add": "奶茶"})
    tag = Tag.objects.get()
    assert "奶茶" in body(boss, "/console/tags")
    boss.post(f"/console/tags/{tag.id}", {"name": "茶饮", "name_en": "Tea"})
    assert Tag.objects.get().name == "茶饮"
    assert boss.get("/console/tags/999999").status_code == 404
    boss.post(f"/console/tags/{tag.id}/delete")
    assert not Tag.objects.exists()
