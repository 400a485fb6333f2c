"""Consents: recorded and withdrawn, and the wordings that people agree to."""

import hashlib
from datetime import datetime

from django.db import transaction

from changke.actions.steps.audit import record_audit
from changke.actions.steps.consents import add_consents
from changke.actions.steps.events import record_event
from changke.actions.steps.members import lock_member
from changke.kernel.checks import raise_problems, refuse_blank
from changke.kernel.errors import fail
from changke.records.models import ConsentText
from changke.rules.members import ConsentAnswer, ConsentPurpose, MemberEvent, SourceChannel
from changke.rules.staff import Permission, Viewer, require


@transaction.atomic
def record_consents(
    actor: Viewer,
    *,
    member_id: int,
    answers: tuple[ConsentAnswer, ...],
    given_through: SourceChannel,
    now: datetime,
    store_id: int | None = None,
) -> int:
    """Append answers to the ledger, each in force at once; returns how many changed anything."""
    require(actor, permission=Permission.ENROL_MEMBERS)
    member = lock_member(actor, member_id=member_id)
    rows = add_consents(
        actor, member_id=member_id, answers=answers, given_through=given_through, store_id=store_id, now=now
    )
    for row in rows:
        pair = f"{row.channel}:{row.purpose}"
        record_event(
            MemberEvent.CONSENT_RECORDED,
            now=now,
            member_id=member_id,
            store_id=store_id,
            subject_id=row.id,
            data={"consent": pair, "is_granted": row.is_granted},
        )
    if rows:
        record_audit(
            actor,
            now=now,
            action="record_consents",
            subject_kind="member",
            subject_id=member_id,
            store_id=member.home_store_id,
            after={f"{row.channel}:{row.purpose}": row.is_granted for row in rows},
        )
    return len(rows)


@transaction.atomic
def publish_consent_text(
    actor: Viewer, *, purpose: ConsentPurpose, version: str, language: str, body: str, now: datetime
) -> int:
    """Publish a wording; consents recorded from now on refer to it. A published version never changes."""
    require(actor, permission=Permission.EDIT_SETTINGS)
    raise_problems(
        [*refuse_blank(version, field="version", longest=20), *refuse_blank(body, field="body", longest=20000)]
    )
    digest = hashlib.sha256(body.encode()).hexdigest()
    text, is_new = ConsentText.objects.get_or_create(
        purpose=purpose.value,
        version=version,
        language=language,
        defaults={"body": body, "sha256": digest, "since": now},
    )
    if not is_new:
        raise fail("version_taken", "Version %(version)s is published already.", field="version", version=version)
    record_audit(
        actor,
        now=now,
        action="publish_consent_text",
        subject_kind="consent_text",
        subject_id=text.id,
        after={"purpose": purpose.value, "version": version, "language": language, "sha256": digest},
    )
    return text.id
