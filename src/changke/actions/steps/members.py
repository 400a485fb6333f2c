"""A member's row: locked within the actor's reach, written with its audit row and event, personal values masked."""

from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Any, Final

from django.db.models import F

from changke.actions.steps.audit import changed_fields, record_audit
from changke.actions.steps.events import record_event
from changke.kernel.errors import fail
from changke.queries.members import members_within
from changke.records.models import AuditEntry, Event, Member
from changke.rules.members import GONE, MemberEvent, MemberStatus
from changke.rules.names import mask_name
from changke.rules.phones import mask_address, mask_email, mask_phone
from changke.rules.staff import NotAllowedError, Viewer

MASKS: Final[dict[str, Callable[[str], str]]] = {
    "name": mask_name,
    "phone": mask_phone,
    "email": mask_email,
    "address": mask_address,
    "note": lambda text: "***" * bool(text),
}
BATCH: Final = 2000
DERIVED: Final = {"name_initials", "next_birthday_on", "changed_at", "version"}  # follow from other columns


def lock_member(actor: Viewer, *, member_id: int) -> Member:
    """Lock and return a member who is alive and within the actor's reach; else NotAllowedError or ChangkeError."""
    member = Member.objects.select_for_update().filter(id=member_id).first()
    if member is None or not members_within(actor).filter(id=member_id).exists():
        raise NotAllowedError(f"member {member_id} is out of reach")
    if MemberStatus(member.status) in GONE:
        raise fail(
            "member_gone", "This member was merged into another one or erased.", cure="Open the member found instead."
        )
    return member


def lock_members(actor: Viewer, *, member_ids: frozenset[int]) -> list[Member]:
    """Lock those of the members who are alive and within reach, by ascending id so that two batches never deadlock."""
    reach = members_within(actor).filter(id__in=member_ids).exclude(status__in=GONE).values("id")
    return list(Member.objects.select_for_update().filter(id__in=reach).order_by("id"))


def write_member(
    actor: Viewer,
    *,
    member: Member,
    columns: Mapping[str, Any],
    now: datetime,
    action: str,
    event: MemberEvent,
    reason: str = "",
    secrets_changed: list[str] | None = None,
) -> bool:
    """Write the columns that differ, raise the version, leave audit row and event; False where nothing differs.

    Call with the member row locked. The event names the columns, never their values.
    """
    before, after = changed_fields({key: getattr(member, key) for key in columns}, columns)
    hidden = [f"attributes.{key}" for key in secrets_changed or ()]
    if not after and not hidden:
        return False
    for key, value in after.items():
        setattr(member, key, value)
    member.version, member.changed_at = member.version + 1, now
    member.save(update_fields=[*after, "version", "changed_at"])
    record_audit(
        actor,
        now=now,
        action=action,
        subject_kind="member",
        subject_id=member.id,
        store_id=member.home_store_id,
        before=mask_values(before) | dict.fromkeys(hidden, "***"),
        after=mask_values(after) | dict.fromkeys(hidden, "***"),
        reason=reason,
    )
    names = sorted({*after, *hidden} - DERIVED)
    record_event(event.value, now=now, member_id=member.id, store_id=member.home_store_id, data={"fields": names})
    return True


def write_members(
    actor: Viewer,
    *,
    members: list[Member],
    columns: Mapping[str, Any],
    now: datetime,
    action: str,
    event: MemberEvent,
    reason: str = "",
) -> int:
    """Write the same columns to many locked members as write_member does to one; returns how many differed."""
    audits, events, changed = [], [], []
    for member in members:
        before, after = changed_fields({key: getattr(member, key) for key in columns}, columns)
        if not after:
            continue
        changed.append(member.id)
        audits.append(
            AuditEntry(
                at=now,
                user_id=actor.user_id,
                actor=actor.name[:150],
                action=action,
                subject_kind="member",
                subject_id=member.id,
                store_id=member.home_store_id,
                place=actor.place[:60],
                reason=reason[:300],
                before=mask_values(before),
                after=mask_values(after),
            )
        )
        events.append(
            Event(
                at=now,
                kind=event,
                member_id=member.id,
                store_id=member.home_store_id,
                data={"fields": sorted(after.keys() - DERIVED)},
            )
        )
    Member.objects.filter(id__in=changed).update(**columns, version=F("version") + 1, changed_at=now)
    AuditEntry.objects.bulk_create(audits, batch_size=BATCH)
    Event.objects.bulk_create(events, batch_size=BATCH)
    return len(changed)


def mask_values(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return values as an audit row may hold them: personal ones masked, days spelled, derived columns left out."""
    return {key: _masked(key, value) for key, value in values.items() if key not in DERIVED}


def _masked(key: str, value: Any) -> Any:
    if isinstance(value, date):
        return value.isoformat()
    return MASKS[key](value) if key in MASKS and value else value
