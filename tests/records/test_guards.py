"""History is append-only, whoever asks and by whatever way (P03); the schema is what the models say."""

import io
from collections.abc import Callable
from datetime import datetime

import pytest
from django.core.management import call_command
from django.db import IntegrityError, connection, transaction
from django.db.models import F

from changke.records.models import AuditEntry, Consent, Event, Member

pytestmark = pytest.mark.django_db


@pytest.fixture
def history(now: datetime) -> Member:
    member = Member.objects.create(code="m1", created_at=now, changed_at=now)
    AuditEntry.objects.create(at=now, actor="test", action="test", subject_kind="member", subject_id=member.id)
    Event.objects.create(at=now, kind="test", member_id=member.id)
    Consent.objects.create(
        member=member, channel="sms", purpose="marketing", is_granted=True, at=now, given_through="store"
    )
    return member


def run(sql: str) -> Callable[[], object]:
    def execute() -> None:
        with connection.cursor() as cursor:
            cursor.execute(sql)

    return execute


WAYS: dict[str, Callable[[], object]] = {
    "orm update": lambda: Event.objects.update(kind="forged"),
    "orm update by expression": lambda: AuditEntry.objects.update(subject_id=F("subject_id") + 1),
    "orm save": lambda: AuditEntry.objects.get().save(),
    "orm bulk_update": lambda: Event.objects.bulk_update([Event.objects.get()], ["kind"]),
    "orm delete": lambda: Consent.objects.all().delete(),
    "orm raw delete": lambda: Event.objects.all()._raw_delete("default"),
    "instance delete": lambda: Event.objects.get().delete(),
    "sql update": run("UPDATE consents SET is_granted = false"),
    "sql update of nothing": run("UPDATE events SET kind = kind"),
    "sql delete": run("DELETE FROM audit_entries"),
    "sql delete of nothing": run("DELETE FROM audit_entries WHERE false"),
    "sql delete using": run("DELETE FROM events USING members WHERE members.id = events.member_id"),
    "cte delete": run("WITH gone AS (DELETE FROM events RETURNING id) SELECT * FROM gone"),
    "cte update": run("WITH new AS (UPDATE consents SET at = now() RETURNING id) SELECT * FROM new"),
    "on conflict update": run(
        "INSERT INTO events (id, at, kind, data) SELECT id, at, kind, data FROM events"
        " ON CONFLICT (id) DO UPDATE SET kind = 'forged'"
    ),
    "merge": run(
        "MERGE INTO events e USING members m ON m.id = e.member_id WHEN MATCHED THEN UPDATE SET kind = 'forged'"
    ),
    "in a function": run("DO $$ BEGIN UPDATE audit_entries SET actor = 'nobody'; END $$"),
    "member row with its consents": run("DELETE FROM members"),
}


@pytest.mark.promise(3)
@pytest.mark.parametrize("way", WAYS)
def test_history_cannot_be_changed(history: Member, way: str) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        WAYS[way]()
        connection.check_constraints()
    assert (AuditEntry.objects.get().actor, Event.objects.get().kind) == ("test", "test")
    assert Consent.objects.get().is_granted


def test_models_and_migrations_agree() -> None:
    said = io.StringIO()
    call_command("makemigrations", "--check", "--dry-run", stdout=said)
    assert "No changes" in said.getvalue()


def test_a_changed_sale_carries_its_transaction() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT tgname FROM pg_trigger WHERE tgname = 'sales_stamp'")
        assert cursor.fetchone() == ("sales_stamp",)
