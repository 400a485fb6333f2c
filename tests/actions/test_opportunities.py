"""Opportunities taken over in bulk: by the source's codes, once, and only by whoever may import."""

from datetime import date, datetime, timedelta

import pyarrow as pa
import pytest

from changke.actions.opportunities import load_opportunities
from changke.insight.staging import OPPORTUNITIES
from changke.records.models import AuditEntry, Member, MemberCode, Opportunity, Source
from changke.rules.staff import SYSTEM, NotAllowedError, Role, Viewer

pytestmark = pytest.mark.django_db
DUE = date(2026, 9, 1)


@pytest.fixture
def member(now: datetime) -> Member:
    source = Source.objects.create(code="old_erp", name="Old ERP")
    member = Member.objects.create(code="A1", created_at=now, changed_at=now)
    MemberCode.objects.create(source=source, code="77", member=member)
    return member


def rows(*codes: str, withheld: str | None = None) -> pa.Table:
    return pa.table(
        {
            "member_code": list(codes),
            "due_on": [DUE] * len(codes),
            "offer_ends_on": [DUE + timedelta(days=29)] * len(codes),
            "withheld": [withheld] * len(codes),
        },
        schema=OPPORTUNITIES,
    )


def test_wake_ups_are_kept_once(member: Member, now: datetime) -> None:
    assert load_opportunities(rows("77"), source="old_erp", now=now, actor=SYSTEM) == 1
    assert load_opportunities(rows("77", withheld="cap"), source="old_erp", now=now, actor=SYSTEM) == 0
    kept = Opportunity.objects.get()
    assert (kept.member, kept.due_on, kept.offer_ends_on, kept.withheld) == (member, DUE, date(2026, 9, 30), "")
    assert AuditEntry.objects.get().after == {"source": "old_erp", "opportunities": 1}


@pytest.mark.parametrize(("code", "source"), [("78", "old_erp"), ("77", "elsewhere")])
def test_unknown_members_are_left_out(member: Member, now: datetime, code: str, source: str) -> None:
    assert load_opportunities(rows(code), source=source, now=now, actor=SYSTEM) == 0
    assert not Opportunity.objects.exists()


def test_a_cashier_may_not(member: Member, now: datetime) -> None:
    cashier = Viewer(user_id=None, staff_id=None, name="li", role=Role.CASHIER, store_ids=frozenset())
    with pytest.raises(NotAllowedError):
        load_opportunities(rows("77"), source="old_erp", now=now, actor=cashier)
    assert not Opportunity.objects.exists()
