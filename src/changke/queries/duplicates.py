"""Pairs of members who may be one person, and two members side by side before and after a merge."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from django.db.models import Count, Q, QuerySet, Sum

from changke.queries.member_page import OtherMember, name_member
from changke.queries.members import members_within
from changke.records.models import Card, Consent, DuplicatePair, Member, MemberMerge, MemberTag, Sale
from changke.rules.duplicates import DuplicateReason, PairState
from changke.rules.members import GONE
from changke.rules.merges import EARLIEST, GROUPS, LATEST, MergeDecision, Side, decide_merge
from changke.rules.names import mask_name
from changke.rules.phones import mask_address, mask_email, mask_phone
from changke.rules.staff import Permission, Viewer, require

PAGE_SIZE: Final = 50
COLUMNS: Final = (*(column for columns in GROUPS.values() for column in columns), *EARLIEST, *LATEST, "status")


@dataclass(frozen=True, slots=True, kw_only=True)
class PairLine:
    """A pair of the list; phones masked."""

    id: int
    reason: DuplicateReason
    found_at: datetime
    first: OtherMember
    second: OtherMember
    first_phone: str
    second_phone: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberSide:
    """One of two members: how to name them, fields as shown (masked), what hangs on them."""

    id: int
    named: OtherMember
    shown: Mapping[str, Any]
    sales: int
    spent_minor: int
    cards: tuple[str, ...]
    tags: tuple[str, ...]
    consents: Mapping[tuple[str, str], bool]
    attributes: Mapping[str, str]
    joined_on: date | None
    last_sale_on: date | None


@dataclass(frozen=True, slots=True, kw_only=True)
class MergePreview:
    """What a merge would do: both sides and the decision for the chosen survivor."""

    survivor: MemberSide
    loser: MemberSide
    decision: MergeDecision


@dataclass(frozen=True, slots=True, kw_only=True)
class MergeView:
    """A merge that was done: what moved, in numbers."""

    public_id: str
    merged_at: datetime
    undone_at: datetime | None
    reason: str
    survivor: OtherMember
    loser: OtherMember
    moved: Mapping[str, int]
    changed: tuple[str, ...]


def list_pairs(
    viewer: Viewer, *, reasons: tuple[DuplicateReason, ...] = (), first: int = 0, size: int = PAGE_SIZE
) -> tuple[tuple[PairLine, ...], int]:
    """Return one page of the open pairs of whom both are within reach, strongest reasons first, and their number."""
    pairs = _open_pairs(viewer)
    if reasons:
        pairs = pairs.filter(reason__in=[*reasons])
    order = {reason: rank for rank, reason in enumerate(DuplicateReason)}
    rows = pairs.select_related("first", "second").order_by("-found_at", "id")[first : first + size]
    lines = tuple(
        PairLine(
            id=row.id,
            reason=DuplicateReason(row.reason),
            found_at=row.found_at,
            first=name_member(viewer, row.first),
            second=name_member(viewer, row.second),
            first_phone=mask_phone(row.first.phone),
            second_phone=mask_phone(row.second.phone),
        )
        for row in rows
    )
    return tuple(sorted(lines, key=lambda line: order[line.reason])), pairs.count()


def count_reasons(viewer: Viewer) -> dict[str, int]:
    """Return how many open pairs there are of each reason."""
    rows = _open_pairs(viewer).order_by().values_list("reason").annotate(number=Count("id"))
    return dict(rows.values_list("reason", "number"))


def find_pair(viewer: Viewer, *, pair_id: int) -> tuple[int, int, DuplicateReason] | None:
    """Return the two member ids of an open pair within reach and its reason, or None."""
    row = _open_pairs(viewer).filter(id=pair_id).first()
    return (row.first_id, row.second_id, DuplicateReason(row.reason)) if row else None


def preview_merge(
    viewer: Viewer, *, survivor_id: int, loser_id: int, choices: Mapping[str, Side] | None = None
) -> MergePreview:
    """Return both members side by side and what the survivor would hold; the action decides the same way."""
    require(viewer, permission=Permission.MERGE_MEMBERS)
    rows = {row.id: row for row in members_within(viewer).filter(id__in=[survivor_id, loser_id])}
    sides = {id_: _side(viewer, rows[id_]) for id_ in (survivor_id, loser_id)}
    fields = {
        id_: {column: getattr(row, column) for column in COLUMNS} | {"attributes": row.attributes}
        for id_, row in rows.items()
    }
    decision = decide_merge(
        fields[survivor_id],
        loser=fields[loser_id],
        survivor_consents=sides[survivor_id].consents,
        loser_consents=sides[loser_id].consents,
        choices=choices,
    )
    return MergePreview(survivor=sides[survivor_id], loser=sides[loser_id], decision=decision)


def find_merge(viewer: Viewer, *, public_id: str) -> MergeView | None:
    """Return a merge whose survivor is within reach, or None."""
    require(viewer, permission=Permission.MERGE_MEMBERS)
    row = MemberMerge.objects.select_related("survivor", "loser").filter(public_id=public_id).first()
    if row is None or not members_within(viewer).filter(id=row.survivor_id).exists():
        return None
    moved = {key: len(row.moved[key]) for key in ("sales", "cards", "codes", "tags", "opportunities", "consents")}
    return MergeView(
        public_id=row.public_id,
        merged_at=row.merged_at,
        undone_at=row.undone_at,
        reason=row.reason,
        survivor=name_member(viewer, row.survivor),
        loser=name_member(viewer, row.loser),
        moved=moved,
        changed=tuple(row.moved["put"]),
    )


def _open_pairs(viewer: Viewer) -> QuerySet[DuplicatePair]:
    require(viewer, permission=Permission.SEE_MEMBERS)
    pairs = DuplicatePair.objects.filter(state=PairState.OPEN).exclude(
        Q(first__status__in=[*GONE]) | Q(second__status__in=[*GONE])
    )
    if viewer.store_ids is None:
        return pairs
    reach = members_within(viewer)
    ends = list(pairs.values_list("first_id", "second_id"))
    near = set(reach.filter(id__in={id_ for pair in ends for id_ in pair}).values_list("id", flat=True))
    return pairs.filter(first_id__in=near, second_id__in=near)


def _side(viewer: Viewer, member: Member) -> MemberSide:
    sales = Sale.objects.filter(member_id=member.id).aggregate(count=Count("id"), total=Sum("total_minor"))
    consents = Consent.objects.filter(member_id=member.id).order_by("channel", "purpose", "-id")
    return MemberSide(
        id=member.id,
        named=name_member(viewer, member),
        shown=_shown(viewer, member),
        sales=sales["count"],
        spent_minor=sales["total"] or 0,
        cards=tuple(Card.objects.filter(member_id=member.id).order_by("number").values_list("number", flat=True)),
        tags=tuple(
            MemberTag.objects.filter(member_id=member.id).order_by("tag__name").values_list("tag__name", flat=True)
        ),
        consents={(row.channel, row.purpose): row.is_granted for row in consents.distinct("channel", "purpose")},
        attributes=dict(member.attributes),
        joined_on=member.joined_on,
        last_sale_on=member.last_sale_on,
    )


def _shown(viewer: Viewer, member: Member) -> dict[str, Any]:
    """Return one text or value for each group of fields, masked."""
    day = "-".join(
        f"{part:02d}" for part in (member.birth_year, member.birth_month, member.birth_day) if part is not None
    )
    return {
        "name": member.name if viewer.may(Permission.REVEAL_CONTACTS) else mask_name(member.name),
        "gender": member.gender,
        "birthday": f"{day} {member.birth_calendar}" if day and member.birth_calendar == "lunar" else day,
        "phone": mask_phone(member.phone),
        "email": mask_email(member.email),
        "address": mask_address(member.address),
        "home_store": member.home_store.name if member.home_store else "",
        "recruiter": member.source_channel,
        "preferred_channel": member.preferred_channel,
        "clerk_class": member.clerk_class,
        "note": "***" if member.note else "",
        "validity": f"{member.valid_from or ''}…{member.valid_until or ''}" if member.valid_until else "",
    }
