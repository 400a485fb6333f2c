"""Tags: put on members and taken off in batch, renamed, deleted."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from django.db import transaction

from changke.actions.steps.audit import record_audit
from changke.actions.steps.members import BATCH, lock_members
from changke.actions.steps.tags import LONGEST_NAME, attach_tags, detach_tags
from changke.kernel.checks import raise_problems, refuse_blank
from changke.kernel.errors import fail
from changke.records.models import AuditEntry, Event, Tag
from changke.rules.members import MemberEvent
from changke.rules.staff import Permission, Viewer, require


@transaction.atomic
def tag_members(actor: Viewer, *, member_ids: frozenset[int], names: tuple[str, ...], now: datetime) -> int:
    """Put tags on members within reach; new names become tags. Returns how many members gained one."""
    _require_batch(actor, count=len(member_ids))
    members = [member.id for member in lock_members(actor, member_ids=member_ids)]
    changed = attach_tags(members, names=names)
    _record(actor, member_ids=changed, names=names, event=MemberEvent.TAGGED, now=now)
    return len(changed)


@transaction.atomic
def untag_members(actor: Viewer, *, member_ids: frozenset[int], names: tuple[str, ...], now: datetime) -> int:
    """Take tags off members within reach; returns how many members lost one."""
    _require_batch(actor, count=len(member_ids))
    members = [member.id for member in lock_members(actor, member_ids=member_ids)]
    changed = detach_tags(members, names=names)
    _record(actor, member_ids=changed, names=names, event=MemberEvent.UNTAGGED, now=now)
    return len(changed)


@transaction.atomic
def rename_tag(actor: Viewer, *, tag_id: int, name: str, name_en: str, now: datetime) -> None:
    """Give a tag another name; members keep it."""
    require(actor, permission=Permission.EDIT_MEMBERS_IN_BATCH)
    name = " ".join(name.split())
    raise_problems(refuse_blank(name, field="name", longest=LONGEST_NAME))
    if Tag.objects.filter(name=name).exclude(id=tag_id).exists():
        raise fail("name_taken", "There is a tag %(name)s already.", field="name", name=name)
    tag = Tag.objects.select_for_update().get(id=tag_id)
    before = {"name": tag.name, "name_en": tag.name_en}
    Tag.objects.filter(id=tag_id).update(name=name, name_en=name_en[:LONGEST_NAME])
    _audit_tag(
        actor, tag_id=tag_id, action="rename_tag", before=before, after={"name": name, "name_en": name_en}, now=now
    )


@transaction.atomic
def delete_tag(actor: Viewer, *, tag_id: int, now: datetime) -> None:
    """Take a tag off everybody and out of the list."""
    require(actor, permission=Permission.EDIT_MEMBERS_IN_BATCH)
    tag = Tag.objects.select_for_update().get(id=tag_id)
    before = {"name": tag.name, "members": tag.member_rows.count()}
    tag.delete()
    _audit_tag(actor, tag_id=tag_id, action="delete_tag", before=before, after={}, now=now)


def _require_batch(actor: Viewer, *, count: int) -> None:
    """One member may be tagged by whoever edits members, many by whoever edits in batch."""
    require(actor, permission=Permission.EDIT_MEMBERS if count == 1 else Permission.EDIT_MEMBERS_IN_BATCH)


def _record(
    actor: Viewer, *, member_ids: Sequence[int], names: tuple[str, ...], event: MemberEvent, now: datetime
) -> None:
    tags = {"tags": sorted(names)}
    before, after = ({}, tags) if event is MemberEvent.TAGGED else (tags, {})
    AuditEntry.objects.bulk_create(
        (
            AuditEntry(
                at=now,
                user_id=actor.user_id,
                actor=actor.name[:150],
                action=event.value,
                subject_kind="member",
                subject_id=member_id,
                place=actor.place[:60],
                before=before,
                after=after,
            )
            for member_id in member_ids
        ),
        batch_size=BATCH,
    )
    Event.objects.bulk_create(
        (Event(at=now, kind=event.value, member_id=member_id, data=tags) for member_id in member_ids), batch_size=BATCH
    )


def _audit_tag(
    actor: Viewer, *, tag_id: int, action: str, before: Mapping[str, object], after: Mapping[str, object], now: datetime
) -> None:
    record_audit(actor, now=now, action=action, subject_kind="tag", subject_id=tag_id, before=before, after=after)
