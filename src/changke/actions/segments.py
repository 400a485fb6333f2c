"""Segments: saved, changed, shared, put away; and their size noted once a day."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction

from changke.actions.steps.audit import changed_fields, record_audit
from changke.insight.segment_json import segment_from_json, segment_to_json
from changke.kernel.errors import fail
from changke.queries.lake import current_lake
from changke.queries.segments import count_members, find_segment, load_trees, visible_segments
from changke.records.models import Segment, SegmentSize
from changke.rules.segments import Segment as Definition
from changke.rules.segments import put_in
from changke.rules.staff import NotAllowedError, Permission, Viewer, require


@dataclass(frozen=True, slots=True, kw_only=True)
class SegmentCard:
    """What a user writes about a segment. `sharing` is private, store or company; `store_id` goes with store."""

    name: str
    name_en: str = ""
    note: str = ""
    sharing: str = "private"
    store_id: int | None = None
    definition: Definition


@transaction.atomic
def save_new_segment(actor: Viewer, *, card: SegmentCard, now: datetime) -> Segment:
    """Save a segment under a new name; the saver owns it."""
    require(actor, permission=Permission.EDIT_SEGMENTS)
    _check(actor, card=card, segment_id=None)
    segment = Segment.objects.create(**_columns(card), owner_id=actor.user_id, created_at=now, changed_at=now)
    _audit(actor, segment=segment, action="save_segment", now=now, before={}, after=_columns(card))
    return segment


@transaction.atomic
def change_segment(actor: Viewer, *, public_id: str, card: SegmentCard, version: int, now: datetime) -> Segment:
    """Change a segment that the actor may change; `version` is the one the actor saw, another one is refused."""
    require(actor, permission=Permission.EDIT_SEGMENTS)
    segment = _lock(actor, public_id=public_id)
    if segment.version != version:
        raise fail(
            "segment_changed_meanwhile",
            "Somebody else changed this segment meanwhile.",
            cure="Open it again and repeat your change.",
        )
    _check(actor, card=card, segment_id=segment.id)
    before = {key: getattr(segment, key) for key in _columns(card)}
    old, new = changed_fields(before, _columns(card))
    if new:
        for key, value in new.items():
            setattr(segment, key, value)
        segment.version, segment.changed_at = segment.version + 1, now
        segment.save()
        _audit(actor, segment=segment, action="change_segment", now=now, before=old, after=new)
    return segment


@transaction.atomic
def put_away_segment(actor: Viewer, *, public_id: str, now: datetime) -> None:
    """Put a segment away; refused while another live segment builds on it."""
    require(actor, permission=Permission.EDIT_SEGMENTS)
    segment = _lock(actor, public_id=public_id)
    users = [row.name for row in Segment.objects.filter(archived_at=None) if segment.id in _named_by(row.tree)]
    if users:
        raise fail(
            "segment_in_use",
            "Other segments build on this one: %(names)s.",
            cure="Change them first.",
            names=", ".join(users),
        )
    segment.archived_at = segment.changed_at = now
    segment.save()
    _audit(actor, segment=segment, action="put_away_segment", now=now, before={}, after={"archived": True})


@transaction.atomic
def bring_back_segment(actor: Viewer, *, public_id: str, now: datetime) -> None:
    """Bring a segment back that was put away; its name must still be free."""
    require(actor, permission=Permission.EDIT_SEGMENTS)
    segment = _lock(actor, public_id=public_id)
    _refuse_taken_name(segment.name, segment_id=segment.id)
    segment.archived_at, segment.changed_at = None, now
    segment.save()
    _audit(actor, segment=segment, action="bring_back_segment", now=now, before={}, after={"archived": False})


@transaction.atomic
def note_segment_export(actor: Viewer, *, segment_id: int, members: int, kind: str, now: datetime) -> None:
    """Write into the audit that somebody takes a list away: who, which segment, how many, as what."""
    require(actor, permission=Permission.EXPORT_DATA)
    segment = visible_segments(actor).get(id=segment_id)
    _audit(actor, segment=segment, action="export_segment", now=now, before={}, after={"members": members, "as": kind})


def note_segment_sizes(actor: Viewer, *, now: datetime) -> int:
    """Note the size of every live segment on the lake's analysis date, once a date; returns how many were noted."""
    lake = current_lake()
    if lake is None:
        return 0
    noted = 0
    for segment in Segment.objects.filter(archived_at=None).exclude(sizes__as_of=lake.as_of):
        size = count_members(actor, definition=segment_from_json(segment.tree))
        with transaction.atomic():
            _, is_new = SegmentSize.objects.get_or_create(
                segment=segment, as_of=lake.as_of, defaults={"measured_at": now, "size": size}
            )
        noted += is_new
    return noted


def _check(actor: Viewer, *, card: SegmentCard, segment_id: int | None) -> None:
    if not card.name.strip():
        raise fail("name_missing", "A segment needs a name.", field="name")
    if card.sharing not in {"private", "store", "company"}:
        raise fail("sharing_unknown", "A segment is private, of a store, or shared by the company.", field="sharing")
    if card.sharing == "company" and actor.store_ids is not None:
        raise fail(
            "sharing_refused",
            "Only head office shares with the whole company.",
            cure="Share it with your store.",
            field="sharing",
        )
    if card.sharing == "store" and (card.store_id is None or not actor.sees_store(card.store_id)):
        raise fail("store_missing", "Choose a store that you look after.", field="store_id")
    _refuse_taken_name(card.name, segment_id=segment_id)
    trees = load_trees(actor)
    if segment_id is not None:
        trees[segment_id] = card.definition.where
    unknown = _named_by(segment_to_json(card.definition)) - trees.keys()
    if unknown:
        raise fail("segment_unknown", "This segment builds on one that you cannot see.", field="tree")
    try:
        put_in(card.definition.where, trees)
    except ValueError:
        raise fail("segment_circle", "A segment cannot build on itself.", field="tree") from None


def _refuse_taken_name(name: str, *, segment_id: int | None) -> None:
    if Segment.objects.filter(name=name, archived_at=None).exclude(id=segment_id or 0).exists():
        raise fail("name_taken", "There is already a segment named %(name)s.", field="name", name=name)


def _lock(actor: Viewer, *, public_id: str) -> Segment:
    segment = find_segment(actor, public_id=public_id, rows=visible_segments(actor).select_for_update(of=("self",)))
    may_change = actor.store_ids is None or segment.owner_id == actor.user_id or actor.sees_store(segment.store_id)
    if not may_change or (segment.sharing == "private" and segment.owner_id != actor.user_id):
        raise NotAllowedError("this segment belongs to somebody else")
    return segment


def _columns(card: SegmentCard) -> dict[str, Any]:
    return {
        "name": card.name.strip(),
        "name_en": card.name_en.strip(),
        "note": card.note.strip(),
        "sharing": card.sharing,
        "store_id": card.store_id if card.sharing == "store" else None,
        "tree": segment_to_json(card.definition),
    }


def _named_by(tree: Mapping[str, Any]) -> set[int]:
    """Return the ids of the segments that a stored tree names."""
    if tree.get("kind") == "segment":
        return {int(tree["segment_id"])}
    below = [
        *tree.get("parts", []),
        *([tree["part"]] if "part" in tree else []),
        *([tree["where"]] if "where" in tree else []),
    ]
    return {number for part in below for number in _named_by(part)}


def _audit(
    actor: Viewer, *, segment: Segment, action: str, now: datetime, before: dict[str, Any], after: dict[str, Any]
) -> None:
    record_audit(
        actor,
        now=now,
        action=action,
        subject_kind="segment",
        subject_id=segment.id,
        store_id=segment.store_id,
        before=before,
        after=after,
    )
