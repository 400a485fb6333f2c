"""Settings, products, jobs, the audit log and one's own account in the browser."""

import csv
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse
from procrastinate.contrib.django.models import ProcrastinateJob

from changke.actions.steps import audit as audit_step
from changke.actions.steps.audit import record_audit
from changke.actions.steps.enqueue import enqueue
from changke.console.audit_words import ACTIONS
from changke.console.background import NAMES
from changke.kernel.job_names import JobName
from changke.queries.settings import load_setting
from changke.records.models import AuditEntry, Brand, Category, Company, Product
from changke.rules.members import StatusMove
from changke.rules.staff import SYSTEM, Role, SecuritySettings
from people import Chain


def test_head_office_changes_the_company(sign_in: Callable[[Role], Client]) -> None:
    client = sign_in(Role.HEAD_OFFICE)
    fields = {"name": "新茶面", "name_en": "New", "time_zone": "Asia/Shanghai", "data_note": ""}
    assert client.post(reverse("settings"), fields).status_code == 302
    company = Company.objects.get()
    assert (company.name, company.currency, company.is_simulated) == ("新茶面", "CNY", True)
    wrong = client.post(reverse("settings"), fields | {"time_zone": "Moon"})
    assert list(wrong.context["form"].errors) == ["time_zone"]


@pytest.mark.parametrize("role", [Role.MARKETING, Role.AUDITOR])
def test_who_may_only_look_cannot_save(sign_in: Callable[[Role], Client], role: Role) -> None:
    client = sign_in(role)
    page = client.get(reverse("settings_security"))
    assert all(field.field.disabled for field in page.context["form"])
    assert client.post(reverse("settings"), {"name": "x"}).status_code == 403
    assert client.post(reverse("settings_security"), {}).status_code == 403
    assert Company.objects.get().name == "山雀茶面"


def test_security_is_saved_and_bounded(sign_in: Callable[[Role], Client]) -> None:
    client = sign_in(Role.HEAD_OFFICE)
    fields = {"second_factor_roles": ["marketing"], "session_idle_minutes": "30", "session_hours_max": "24"}
    client.post(reverse("settings_security"), fields)
    assert load_setting(SecuritySettings) == SecuritySettings(
        second_factor_roles=(Role.MARKETING,), session_idle_minutes=30, session_hours_max=24
    )
    wrong = client.post(reverse("settings_security"), fields | {"session_idle_minutes": "1"})
    assert list(wrong.context["form"].errors) == ["session_idle_minutes"]


def test_products_are_found_and_corrected(sign_in: Callable[[Role], Client]) -> None:
    tea = Category.objects.create(name="茶", path="茶", depth=0)
    green = Category.objects.create(name="绿茶", path="茶\x1f绿茶", depth=1, parent=tea, root=tea)
    other = Category.objects.create(name="茶点", path="茶点", depth=0)
    brand = Brand.objects.create(name="远山")
    Product.objects.create(code="G1", name="龙井", category=green, brand=brand)
    Product.objects.create(code="S1", name="绿豆糕", category=other, is_active=False)
    client = sign_in(Role.HEAD_OFFICE)

    def found(query: str) -> list[str]:
        return [row.code for row in client.get(reverse("products") + query).context["rows"]]

    assert found("") == ["G1", "S1"] and found("?q=龙井") == found(f"?category={tea.id}") == ["G1"]
    assert found(f"?brand={brand.id}") == found("?state=active") == ["G1"] and found(f"?category={other.id}") == ["S1"]
    product = Product.objects.get(code="S1")
    fields = {"name": "绿豆酥", "name_en": "Cake", "category_id": tea.id, "brand": "山雀", "is_active": "on"}
    assert client.post(reverse("product_edit", args=(product.public_id,)), fields).status_code == 302
    product.refresh_from_db()
    assert (product.name, product.category_id, product.is_active) == ("绿豆酥", tea.id, True)
    assert product.brand is not None and product.brand.name == "山雀"
    assert client.get(reverse("product", args=(product.public_id,))).status_code == 200
    assert AuditEntry.objects.get(action="change_product").after["name"] == "绿豆酥"


def test_the_audit_log_is_searched_and_read(sign_in: Callable[[Role], Client], chain: Chain) -> None:
    client = sign_in(Role.AUDITOR)
    now = datetime.now(UTC)
    record_audit(
        SYSTEM, now=now - timedelta(days=40), action="change_store", subject_kind="store",
        subject_id=chain.store_ids[0], before={"ownership": "own"}, after={"ownership": "franchise"},
    )  # fmt: skip

    def found(query: str) -> list[str]:
        return [one["row"].action for one in client.get(reverse("audit") + query).context["rows"]]

    assert found("?action=change_store") == ["change_store"]
    assert len(found(f"?kind=store&subject={chain.store_ids[0]}")) == 2
    assert found("?q=nobody") == [] and len(found("?q=system")) == len(found(""))
    assert found(f"?until={(now - timedelta(days=39)).date()}&since={(now - timedelta(days=41)).date()}") == [
        "change_store"
    ]
    shown = client.get(reverse("audit") + "?action=change_store").context["rows"][0]
    assert shown["name"] == "HZ01" and shown["changes"][0][1] != "own"


def test_the_audit_log_leaves_as_safe_csv(sign_in: Callable[[Role], Client], chain: Chain) -> None:
    client = sign_in(Role.AUDITOR)
    record_audit(
        SYSTEM, now=datetime.now(UTC), action="change_store", subject_kind="store",
        subject_id=chain.store_ids[0], reason="=HYPERLINK(1)", after={"name": "x\ny"},
    )  # fmt: skip
    answer = client.get(reverse("audit_export"))
    rows = list(csv.reader(StringIO(b"".join(answer.streaming_content).decode("utf-8-sig"))))
    assert len(rows) == AuditEntry.objects.count() + 1
    assert rows[1][6] == "'=HYPERLINK(1)"
    assert sign_in(Role.MARKETING).get(reverse("audit_export")).status_code == 403


def test_a_failed_job_is_tried_again_once(sign_in: Callable[[Role], Client]) -> None:
    client, job_id = sign_in(Role.HEAD_OFFICE), enqueue(JobName.REFRESH_LAKE)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE procrastinate_jobs SET status = 'failed', attempts = 1 WHERE id = %s", [job_id])
    page = client.get(reverse("jobs") + "?state=failed")
    assert [row.id for row, *_rest in page.context["rows"]] == [job_id]
    assert reverse("job_retry", args=(job_id,)).encode() in page.content
    assert sign_in(Role.AUDITOR).post(reverse("job_retry", args=(job_id,))).status_code == 403
    assert client.post(reverse("job_retry", args=(job_id,))).status_code == 302
    assert ProcrastinateJob.objects.get(id=job_id).status == "todo"
    assert client.post(reverse("job_retry", args=(job_id,))).status_code == 422
    assert AuditEntry.objects.filter(action="retry_job").count() == 1


def test_every_job_and_every_audited_action_has_words() -> None:
    assert set(NAMES) == set(JobName)
    actions = Path(audit_step.__file__).parents[1]
    used = {found for file in actions.rglob("*.py") for found in re.findall(r'action="(\w+)"', file.read_text())}
    used |= {f"{move}_member" for move in StatusMove}
    assert len(used) > 40 and used - ACTIONS.keys() == set()


def test_the_account_page_shows_what_is_ones_own(sign_in: Callable[[Role], Client], chain: Chain) -> None:
    client, elsewhere = sign_in(Role.STORE_MANAGER), sign_in(Role.STORE_MANAGER)
    page = client.get(reverse("account"))
    assert len(page.context["sessions"]) == 2 and page.context["stores"] == ["HZ01"]
    client.post(reverse("account_sessions_end"))
    assert elsewhere.get(reverse("account")).status_code == 302
    assert len(client.get(reverse("account")).context["sessions"]) == 1


@pytest.mark.parametrize("page", ["stores", "staff", "products", "audit", "jobs", "settings", "account"])
def test_a_page_asks_at_most_twenty_questions(
    sign_in: Callable[[Role], Client], django_assert_max_num_queries: object, page: str
) -> None:
    client = sign_in(Role.HEAD_OFFICE)
    with django_assert_max_num_queries(20):  # type: ignore[operator]
        assert client.get(reverse(page)).status_code == 200
