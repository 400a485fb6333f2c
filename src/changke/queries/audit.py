"""The audit log, read."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Q, QuerySet

from changke.records.models import AuditEntry, Member, Product, Segment, Staff, Store
from changke.rules.staff import Permission, Viewer, require

CHUNK = 2000
SUBJECTS: dict[str, tuple[Any, str]] = {
    "member": (Member, "code"),
    "product": (Product, "name"),
    "segment": (Segment, "name"),
    "staff": (Staff, "name"),
    "store": (Store, "name"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditRow:
    """Who did what to which row; `before` and `after` hold only what changed."""

    id: int
    at: datetime
    actor: str
    action: str
    subject_kind: str
    subject_id: int | None
    place: str
    reason: str
    before: dict[str, Any]
    after: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditFilter:
    """From `since` (included) to `until` (excluded); an empty word means all."""

    text: str = ""  # part of who, or a whole subject id
    actions: tuple[str, ...] = ()
    subject_kinds: tuple[str, ...] = ()
    subject_id: int | None = None
    since: datetime | None = None
    until: datetime | None = None


def list_audit(
    viewer: Viewer, *, chosen: AuditFilter, offset: int = 0, limit: int = 50
) -> tuple[tuple[AuditRow, ...], int]:
    """Return one page of the log, the newest first, and how many entries fit; two queries."""
    entries = _fitting(viewer, chosen=chosen)
    return tuple(_row(entry) for entry in entries[offset : offset + limit]), entries.count()


def each_audit(viewer: Viewer, *, chosen: AuditFilter) -> Iterator[AuditRow]:
    """Yield every entry that fits, the newest first, in bounded memory."""
    return (_row(entry) for entry in _fitting(viewer, chosen=chosen).iterator(chunk_size=CHUNK))


def list_audit_words(viewer: Viewer) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the actions and the kinds of subjects that occur in the log."""
    require(viewer, permission=Permission.SEE_AUDIT)
    entries = AuditEntry.objects.order_by()
    actions = entries.values_list("action", flat=True).distinct()
    kinds = entries.values_list("subject_kind", flat=True).distinct()
    return tuple(sorted(actions)), tuple(sorted(kinds))


def name_subjects(viewer: Viewer, *, rows: Iterable[AuditRow]) -> dict[tuple[str, int], tuple[str, str]]:
    """Return (public id, name) of the subjects that have a page, by (kind, id); at most one query a kind.

    A member is named by the member code only.
    """
    require(viewer, permission=Permission.SEE_AUDIT)
    wanted: dict[str, set[int]] = {}
    for row in rows:
        if row.subject_id is not None:
            wanted.setdefault(row.subject_kind, set()).add(row.subject_id)
    found = {}
    for kind, (model, name) in SUBJECTS.items():
        if ids := wanted.get(kind):
            for key, public_id, words in model.objects.filter(id__in=ids).values_list("id", "public_id", name):
                found[kind, key] = (public_id, words)
    return found


def _fitting(viewer: Viewer, *, chosen: AuditFilter) -> QuerySet[AuditEntry]:
    require(viewer, permission=Permission.SEE_AUDIT)
    entries = AuditEntry.objects.order_by("-at", "-id")
    if text := chosen.text.strip():
        by_id = Q(subject_id=int(text)) if text.isdecimal() and len(text) < 19 else Q()
        entries = entries.filter(Q(actor__icontains=text) | by_id if by_id else Q(actor__icontains=text))
    if chosen.actions:
        entries = entries.filter(action__in=chosen.actions)
    if chosen.subject_kinds:
        entries = entries.filter(subject_kind__in=chosen.subject_kinds)
    if chosen.subject_id is not None:
        entries = entries.filter(subject_id=chosen.subject_id)
    if chosen.since:
        entries = entries.filter(at__gte=chosen.since)
    if chosen.until:
        entries = entries.filter(at__lt=chosen.until)
    return entries


def _row(entry: AuditEntry) -> AuditRow:
    return AuditRow(
        id=entry.id,
        at=entry.at,
        actor=entry.actor,
        action=entry.action,
        subject_kind=entry.subject_kind,
        subject_id=entry.subject_id,
        place=entry.place,
        reason=entry.reason,
        before=entry.before,
        after=entry.after,
    )
