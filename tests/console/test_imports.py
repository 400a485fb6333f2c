"""Imports in the back office: files brought, columns corrected, rehearsed, imported, reported, stopped, removed."""

from collections.abc import Callable
from datetime import datetime, timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from changke.actions.attributes import AttributeForm, define_attribute
from changke.actions.due_work import do_due_work
from changke.actions.imports import run_import
from changke.cli.messages import read_catalogue
from changke.console.import_plan import BODY_BYTES_MAX
from changke.kernel.clock import utc_now
from changke.records.models import AuditEntry, ImportRun, Member, Sale, Upload
from changke.rules.attributes import AttributeKind
from changke.rules.imports.plan import ImportMode, ImportState
from changke.rules.imports.profiles import PROFILES
from changke.rules.imports.words import REFUSAL_TEXTS, RULE_TEXTS, Stage
from changke.rules.staff import SYSTEM, Role

COMMITS = pytest.mark.django_db(transaction=True)  # an import writes its progress on a second connection
SignIn = Callable[[Role], Client]

SALES = """单号,销售时间,门店,会员号,手机,商品编码,商品名称,数量,单价,备注
A1,2026-10-01 09:30:00,HZ01,M1,13800138000,P1,龙井,2,12.50,好
A2,2026-10-02 18:00:00,HZ02,M2,13800138001,P1,龙井,1,12.50,
A3,2026-10-05 12:00:00,HZ01,M1,13800138000,P2,牛肉面,1,0,
A4,不是日期,HZ01,M1,13800138000,P2,牛肉面,1,28,
"""
HERE = "imports"


def bring(client: Client, *texts: str, names: tuple[str, ...] = ("销售.csv",)) -> str:
    """Bring files and return the id of their load."""
    files = [SimpleUploadedFile(name, text.encode("gb18030")) for name, text in zip(names, texts, strict=True)]
    answer = client.post(reverse("import_new"), {"brought": files})
    assert answer.status_code == 302, answer.content.decode()
    return str(answer["Location"]).rstrip("/").rsplit("/", 1)[-1]


def page(client: Client, name: str, *arguments: str) -> str:
    answer = client.get(reverse(name, args=arguments))
    assert answer.status_code == 200, answer.content.decode()
    return answer.content.decode()


def fill(html: Any, **changes: str) -> dict[str, str]:
    """Return what a browser would post: the form as the page shows it, with changes."""
    values = {"shown_profile": "generic_sales", "profile": "generic_sales", "do": "look"}
    shown = [rule for rule in RULES if f'name="shown:{rule}"' in html]
    values |= {f"shown:{rule}": "1" for rule in shown} | {
        f"rule:{rule}": "on" for rule in shown if rule != "drop_duplicates"
    }
    return values | changes


RULES = (
    "cancellations_are_returns", "negative_quantity_is_return", "link_returns", "anonymous_sales", "drop_duplicates",
    "refuse_zero_price", "refuse_test_products", "leave_out_bad_contacts", "fill_empty_only",
)  # fmt: skip


def go(client: Client, load: str, do: str, **changes: str) -> ImportRun:
    shown = page(client, "import_plan", load)
    answer = client.post(reverse("import_plan", args=[load]), fill(shown, do=do, **changes))
    assert answer.status_code == 302, answer.content.decode()
    return ImportRun.objects.get(public_id=str(answer["Location"]).rsplit("/", 1)[-1])


@COMMITS
def test_from_file_to_report(home: Path, sign_in: SignIn, now: datetime) -> None:
    client = sign_in(Role.MARKETING)
    assert "import_new" not in page(client, HERE) and reverse("import_new") in page(client, HERE)
    load = bring(client, SALES)
    shown = page(client, "import_plan", load)
    assert all(word in shown for word in ("GB18030", "龙井", "A4", "销售.csv"))
    assert 'value="sold_at" selected' in shown.replace("\n", "")
    rehearsal = go(client, load, "rehearse")
    assert rehearsal.mode == ImportMode.REHEARSAL
    run_import(rehearsal.id, now=utc_now())
    assert (Sale.objects.count(), ImportRun.objects.get().state) == (0, ImportState.DONE)
    assert reverse("import_now", args=[rehearsal.public_id]) in page(client, "import", rehearsal.public_id)
    answer = client.post(reverse("import_now", args=[rehearsal.public_id]))
    run = ImportRun.objects.exclude(id=rehearsal.id).get()
    assert answer["Location"] == reverse("import", args=[run.public_id])
    run_import(run.id, now=utc_now())
    assert (Sale.objects.count(), Member.objects.count()) == (2, 2)
    result = page(client, "import", run.public_id)
    assert "不是日期" in result and 'id="report"' in result
    assert run.public_id in page(client, HERE)
    taken = client.get(reverse("import_report", args=[run.public_id]))
    report = b"".join(taken.streaming_content).decode("utf-8-sig").splitlines()  # type: ignore[attr-defined]
    assert len(report) == 3 and "moment_unreadable" in "".join(report)
    assert AuditEntry.objects.filter(action="take_import_report", subject_id=run.id).count() == 1
    assert client.post(reverse("import_refresh", args=[run.public_id])).status_code == 302


@COMMITS
def test_a_column_is_corrected_ignored_and_refused(home: Path, sign_in: SignIn) -> None:
    client = sign_in(Role.HEAD_OFFICE)
    load = bring(client, SALES.replace("单号", "甲").replace("单价", "乙").replace("商品名称", "丙"))
    shown = page(client, "import_plan", load)
    here = reverse("import_plan", args=[load])
    refused = client.post(here, fill(shown, do="import"))
    assert refused.status_code == 200 and 'role="alert"' in refused.content.decode()
    assert "ck-missing" in refused.content.decode(), "what sales lack stands beside the table"
    twice = client.post(here, fill(shown, do="import") | {"column:甲": "unit_price", "column:乙": "unit_price"})
    assert "甲" in twice.content.decode() and ImportRun.objects.count() == 0
    wishes = {"column:甲": "sale_no", "column:乙": "unit_price", "column:手机": ""}
    run = go(client, load, "import", **wishes)
    assert run.plan["columns"] == {"sale_no": "甲", "unit_price": "乙"}
    assert run.plan["ignored"] == ["手机"]
    run_import(run.id, now=utc_now())
    run.refresh_from_db()
    assert (run.state, Sale.objects.count()) == (ImportState.DONE, 2)
    assert set(Member.objects.values_list("phone", flat=True)) <= {None, ""}
    again = client.get(here, {"like": run.public_id}).content.decode()
    assert 'value="sale_no" selected' in again


@COMMITS
def test_another_profile_and_switches(home: Path, sign_in: SignIn) -> None:
    client = sign_in(Role.HEAD_OFFICE)
    load = bring(client, SALES)
    here = reverse("import_plan", args=[load])
    values = fill(page(client, "import_plan", load))
    other = client.post(here, values | {"profile": "generic_members"}).content.decode()
    assert 'value="generic_members" selected' in other and "rule:refuse_zero_price" not in other
    kept = {name: value for name, value in values.items() if name != "rule:refuse_zero_price"}
    answer = client.post(here, kept | {"do": "import"})
    run = ImportRun.objects.get()
    assert answer.status_code == 302 and run.plan["rules"]["refuse_zero_price"] is False
    run_import(run.id, now=utc_now())
    assert Sale.objects.count() == 3


@COMMITS
def test_progress_and_stop(home: Path, sign_in: SignIn, now: datetime) -> None:
    client = sign_in(Role.MARKETING)
    run = go(client, bring(client, SALES), "import")
    assert "hx-get" in page(client, "import", run.public_id)
    ImportRun.objects.filter(id=run.id).update(
        state=ImportState.RUNNING, stage=Stage.CLEAN, done=5, total=10, started_at=utc_now() - timedelta(seconds=35)
    )
    state = client.get(reverse("import_state", args=[run.public_id]))
    assert "35 %" in state.content.decode() and "HX-Refresh" not in state.headers
    ImportRun.objects.filter(id=run.id).update(state=ImportState.WAITING)
    client.post(reverse("import_cancel", args=[run.public_id]))
    run.refresh_from_db()
    assert run.state == ImportState.CANCELLED
    assert client.get(reverse("import_state", args=[run.public_id])).headers["HX-Refresh"] == "true"
    upload = Upload.objects.get(kind="import")
    path = home / "uploads" / upload.path
    assert path.stat().st_mode & 0o077 == 0
    do_due_work(now=utc_now() + timedelta(hours=2))
    assert not path.parent.exists() and not Upload.objects.filter(id=upload.id).exists()


@COMMITS
def test_a_failure_is_told_in_words(home: Path, sign_in: SignIn) -> None:
    client = sign_in(Role.MARKETING)
    run = go(client, bring(client, SALES), "import")
    Path(run.files[0]["path"]).write_bytes("单号,销售时间\n1,2026-01-01\n".encode())
    run_import(run.id, now=utc_now())
    shown = page(client, "import", run.public_id)
    assert 'role="alert"' in shown and "%(" not in shown


@COMMITS
def test_what_cannot_be_read_is_not_kept(home: Path, sign_in: SignIn) -> None:
    client = sign_in(Role.MARKETING)
    for file in (SimpleUploadedFile("photo.jpg", b"x"), SimpleUploadedFile("broken.zip", b"PK no")):
        answer = client.post(reverse("import_new"), {"brought": [file]})
        assert answer.status_code == 200 and "ck-errors" in answer.content.decode()
    assert client.post(reverse("import_new"), {}).status_code == 200
    assert Upload.objects.count() == 0 and not list((home / "uploads").rglob("*.*"))
    broken = bring(client, "x", names=("leer.xlsx",))
    assert 'role="alert"' in page(client, "import_plan", broken)
    assert client.post(reverse("import_drop", args=[broken])).status_code == 302
    assert client.get(reverse("import_plan", args=[broken])).status_code == 404


@COMMITS
def test_files_belong_to_who_brought_them(home: Path, sign_in: SignIn) -> None:
    owner = sign_in(Role.MARKETING)
    load = bring(owner, SALES)
    run = go(owner, load, "rehearse")
    run_import(run.id, now=utc_now())
    head = sign_in(Role.HEAD_OFFICE)
    assert head.get(reverse("import_plan", args=[load])).status_code == 404
    assert head.post(reverse("import_now", args=[run.public_id])).status_code == 404
    assert "不是日期" in page(head, "import", run.public_id), "head office may see contacts"
    ImportRun.objects.update(asked_by=None)
    assert "不是日期" not in page(owner, "import", run.public_id)
    assert owner.get(reverse("import_report", args=[run.public_id])).status_code == 404


@COMMITS
def test_members_with_an_attribute_of_our_own(home: Path, sign_in: SignIn, now: datetime) -> None:
    define_attribute(SYSTEM, form=AttributeForm(key="taste", name="口味", kind=AttributeKind.TEXT), now=now)
    client = sign_in(Role.HEAD_OFFICE)
    load = bring(client, "会员号,姓名,手机号,喜好\nM1,王小明,13800138000,辣\n", names=("会员.csv",))
    shown = page(client, "import_plan", load)
    assert 'value="attribute:taste"' in shown and 'value="generic_members" selected' in shown
    profile = {"profile": "generic_members", "shown_profile": "generic_members"}
    run = go(client, load, "import", **profile, **{"column:喜好": "attribute:taste"})
    assert run.plan["attributes"] == {"taste": "喜好"}
    run_import(run.id, now=utc_now())
    assert Member.objects.get(code="M1").attributes == {"taste": "辣"}


def test_every_rule_and_reason_has_its_chinese() -> None:
    known = {entry.msgid for entry in read_catalogue() if entry.msgstr}
    texts = {text for pair in (*RULE_TEXTS.values(), *REFUSAL_TEXTS.values()) for text in pair}
    assert texts | {profile.title for profile in PROFILES.values()} <= known


def test_too_large_a_body_is_refused_unread(sign_in: SignIn) -> None:
    answer = sign_in(Role.MARKETING).generic(
        "POST",
        reverse("import_new"),
        BytesIO(b"--x--").read(),
        content_type="multipart/form-data; boundary=x",
        CONTENT_LENGTH=str(BODY_BYTES_MAX + 1),
    )
    assert answer.status_code == 400


def test_a_list_of_many_is_found_by_state_and_file(sign_in: SignIn, now: datetime) -> None:
    for n, state in enumerate(ImportState):
        ImportRun.objects.create(
            mode="merge", profile="cdnow", files=[{"name": f"月{n}.csv", "path": "/x", "sha256": ""}], plan={},
            state=state, asked_at=now, actor="cli",
        )  # fmt: skip
    client = sign_in(Role.HEAD_OFFICE)
    assert page(client, HERE).count("<tr>") == 1 + len(ImportState)
    done = client.get(reverse(HERE), {"state": "done", "q": "月"}).content.decode()
    assert done.count("<tr>") == 2
    assert client.get(reverse(HERE), {"q": "没有"}).content.decode().count("<tr>") == 0
