"""Merging two members who are one person, with everything they have; and undoing it.

Nothing is deleted: the loser's row stays, points to the survivor and gets back on undo what it had. The merge row
holds the ids of all that moved and the values that were overwritten. docs/rules/merge.md has the rules and examples.
"""

import hashlib
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any, Final

from django.db import connection, transaction
from django.db.models import Max, Min
from django.utils.timezone import localdate
from django.utils.translation import gettext_noop

from changke.actions.steps.audit import record_audit
from changke.actions.steps.consents import newest_consents
from changke.actions.steps.events import record_event
from changke.actions.steps.members import lock_member, mask_values
from changke.actions.steps.secrets import read_secrets, write_secrets
from changke.kernel.errors import fail
from changke.records.models import (
    Card,
    Consent,
    DuplicatePair,
    Member,
    MemberMerge,
    MemberSecret,
    MemberTag,
    Sale,
)
from changke.rules.duplicates import PairState
from changke.rules.members import CardStatus, MemberEvent, MemberStatus
from changke.rules.merges import (
    EARLIEST,
    GROUPS,
    LATEST,
    MergeRefusal,
    Side,
    UndoRefusal,
    decide_merge,
    refuse_merge,
    restore_attributes,
    restore_fields,
)
from changke.rules.sales import SaleKind
from changke.rules.staff import NotAllowedError, Permission, Viewer, require

COLUMNS: Final = (*(column for columns in GROUPS.values() for column in columns), *EARLIEST, *LATEST, "status")
DAYS: Final = frozenset({"next_birthday_on", "valid_from", "valid_until", *EARLIEST, *LATEST})
MERGE_MESSAGES: Final = {
    MergeRefusal.SAME_MEMBER: gettext_noop("This is one and the same member."),
    MergeRefusal.NOT_ALIVE: gettext_noop("One of the two is closed, erased or merged already."),
    MergeRefusal.FROZEN: gettext_noop("One of the two is frozen."),
}
UNDO_MESSAGES: Final = {
    UndoRefusal.ALREADY_UNDONE: gettext_noop("This merge was undone already."),
    UndoRefusal.LATER_MERGE: gettext_noop("A later merge stands on this one."),
    UndoRefusal.NOT_MERGED: gettext_noop("The merged member was changed otherwise meanwhile."),
}


@transaction.atomic
def merge_members(
    actor: Viewer,
    *,
    survivor_id: int,
    loser_id: int,
    now: datetime,
    choices: Mapping[str, Side] | None = None,
    reason: str = "",
) -> str:
    """Merge the loser into the survivor and return the public id of the merge; sales, cards, codes and tags move.

    Of fields the survivor's wins unless it is empty or `choices` says otherwise (groups of rules.merges.GROUPS). Where
    both hold a valid card the loser's is replaced by the survivor's; its number still leads to the person.
    """
    require(actor, permission=Permission.MERGE_MEMBERS)
    if survivor_id == loser_id:
        raise _refused(MergeRefusal.SAME_MEMBER)
    locked = {id_: lock_member(actor, member_id=id_) for id_ in sorted({survivor_id, loser_id})}
    survivor, loser = locked[survivor_id], locked[loser_id]
    statuses = (survivor.status, loser.status)
    if (refusal := refuse_merge(survivor_id=survivor_id, loser_id=loser_id, statuses=statuses)) is not None:
        raise _refused(refusal)
    consents = {id_: newest_consents(id_) for id_ in locked}
    decision = decide_merge(
        _fields(survivor) | {"attributes": survivor.attributes},
        loser=_fields(loser) | {"attributes": loser.attributes},
        survivor_consents={pair: row.is_granted for pair, row in consents[survivor_id].items()},
        loser_consents={pair: row.is_granted for pair, row in consents[loser_id].items()},
        choices=choices,
    )
    before = {column: getattr(survivor, column) for column in decision.changes}
    moved = {
        "before": _spell(before),
        "put": _spell(decision.changes),
        "attributes_before": survivor.attributes,
        "attributes_put": decision.attributes,
        "loser_status": loser.status,
        "consents": _put_consents(
            actor, member_id=survivor_id, states=decision.consents, known=consents, loser_id=loser_id, now=now
        ),
        **_hand_over(actor, survivor_id=survivor_id, loser_id=loser_id, now=now),
    }
    _write(survivor, columns={**decision.changes, "attributes": decision.attributes}, now=now)
    _write(loser, columns={"status": MemberStatus.MERGED.value, "merged_into_id": survivor_id}, now=now)
    merge = MemberMerge.objects.create(
        survivor_id=survivor_id,
        loser_id=loser_id,
        merged_at=now,
        merged_by_id=actor.user_id,
        reason=reason[:200],
        moved=moved,
    )
    _record(
        actor, merge=merge, action="merge_members", event=MemberEvent.MERGED, before=before, after=decision.changes,
        reason=reason, now=now,
    )  # fmt: skip
    return merge.public_id


@transaction.atomic
def undo_merge(actor: Viewer, *, public_id: str, now: datetime, reason: str = "") -> None:
    """Give the loser back everything that moved, and the survivor the values that the merge overwrote.

    What came after the merge stays with the survivor; a field changed since keeps its later value. Merges of one
    survivor are undone the newest first. Consents: the ledger only grows, so the former answer is appended; where none
    was given before, a refusal.
    """
    require(actor, permission=Permission.MERGE_MEMBERS)
    merge = MemberMerge.objects.select_for_update().filter(public_id=public_id).first()
    if merge is None:
        raise NotAllowedError(f"merge {public_id} is out of reach")
    survivor, loser = _lock_pair(actor, merge=merge)
    if (refusal := _refuse_undo(merge, survivor=survivor, loser=loser)) is not None:
        raise fail(f"undo_{refusal}", UNDO_MESSAGES[refusal], cure="Undo the later merge first.")
    moved = merge.moved
    _give_back(actor, moved=moved, survivor_id=survivor.id, loser_id=loser.id, now=now)
    current = _fields(survivor)
    changes = _read(restore_fields(_spell(current), put=moved["put"], before=moved["before"]))
    changes |= _recount_sales(survivor, put=moved["put"])
    attributes = restore_attributes(survivor.attributes, put=moved["attributes_put"], before=moved["attributes_before"])
    _write(survivor, columns={**changes, "attributes": attributes}, now=now)
    _write(loser, columns={"status": moved["loser_status"], "merged_into_id": None}, now=now)
    merge.undone_at, merge.undone_by_id = now, actor.user_id
    merge.save(update_fields=["undone_at", "undone_by"])
    _record(
        actor, merge=merge, action="undo_merge", event=MemberEvent.MERGE_UNDONE,
        before={column: current[column] for column in changes}, after=changes, reason=reason, now=now,
    )  # fmt: skip


def _hand_over(actor: Viewer, *, survivor_id: int, loser_id: int, now: datetime) -> dict[str, Any]:
    """Move what hangs on the loser to the survivor; return the ids, for the undo."""
    return {
        "sales": _move("sales", ids=None, source=loser_id, target=survivor_id),
        "codes": _move("member_codes", ids=None, source=loser_id, target=survivor_id),
        **_move_cards(survivor_id=survivor_id, loser_id=loser_id, today=localdate(now)),
        "opportunities": _move_opportunities(survivor_id=survivor_id, loser_id=loser_id),
        "tags": _copy_tags(survivor_id=survivor_id, loser_id=loser_id),
        "secrets": _copy_secrets(survivor_id=survivor_id, loser_id=loser_id),
        "pairs": _close_pairs(actor, first=min(survivor_id, loser_id), second=max(survivor_id, loser_id), now=now),
    }


def _give_back(actor: Viewer, *, moved: Mapping[str, Any], survivor_id: int, loser_id: int, now: datetime) -> None:
    """Move back what the merge moved, as far as it is still where the merge put it."""
    for table in ("sales", "cards", "opportunities"):
        _move(table, ids=moved[table], source=survivor_id, target=loser_id)
    _move("member_codes", ids=moved["codes"], source=survivor_id, target=loser_id)
    Card.objects.filter(id__in=moved["ended_cards"], member_id=loser_id, status=CardStatus.REPLACED).update(
        status=CardStatus.ACTIVE, ended_on=None, replaced_by=None
    )
    MemberTag.objects.filter(member_id=survivor_id, tag_id__in=moved["tags"]).delete()
    _drop_secrets(survivor_id, sealed=moved["secrets"])
    _restore_consents(actor, member_id=survivor_id, changed=moved["consents"], now=now)
    DuplicatePair.objects.filter(id__in=moved["pairs"]).update(
        state=PairState.OPEN, decided_at=None, decided_by_id=None
    )


def _refused(refusal: MergeRefusal) -> Exception:
    return fail(f"merge_{refusal}", MERGE_MESSAGES[refusal])


def _lock_pair(actor: Viewer, *, merge: MemberMerge) -> tuple[Member, Member]:
    """Lock both rows in the order of their ids; the survivor must be within the actor's reach."""
    lock_member(actor, member_id=merge.survivor_id)
    rows = {row.id: row for row in Member.objects.select_for_update().filter(
        id__in=[merge.survivor_id, merge.loser_id]
    ).order_by("id")}  # fmt: skip
    return rows[merge.survivor_id], rows[merge.loser_id]


def _refuse_undo(merge: MemberMerge, *, survivor: Member, loser: Member) -> UndoRefusal | None:
    if merge.undone_at is not None:
        return UndoRefusal.ALREADY_UNDONE
    if MemberMerge.objects.filter(survivor_id=survivor.id, undone_at=None, id__gt=merge.id).exists():
        return UndoRefusal.LATER_MERGE
    is_merged = loser.status == MemberStatus.MERGED and loser.merged_into_id == survivor.id
    return None if is_merged else UndoRefusal.NOT_MERGED


def _fields(member: Member) -> dict[str, Any]:
    return {column: getattr(member, column) for column in COLUMNS}


def _spell(values: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value.isoformat() if isinstance(value, date) else value for key, value in values.items()}


def _read(values: Mapping[str, Any]) -> dict[str, Any]:
    return {key: date.fromisoformat(value) if key in DAYS and value else value for key, value in values.items()}


def _write(member: Member, *, columns: Mapping[str, Any], now: datetime) -> None:
    for key, value in columns.items():
        setattr(member, key, value)
    member.version, member.changed_at = member.version + 1, now
    member.save(update_fields=[*(key.removesuffix("_id") for key in columns), "version", "changed_at"])


def _move(table: str, *, ids: Sequence[int] | None, source: int, target: int) -> list[int]:
    """Hand rows from one member to another, all or those of the ids; return the ids that went."""
    some = "" if ids is None else " AND id = ANY(%s)"
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE {table} SET member_id = %s WHERE member_id = %s{some} RETURNING id",  # noqa: S608 - our tables
            [target, source, *([] if ids is None else [list(ids)])],
        )
        return sorted(row[0] for row in cursor.fetchall())


def _move_cards(*, survivor_id: int, loser_id: int, today: date) -> dict[str, list[int]]:
    held = Card.objects.filter(member_id=survivor_id, status=CardStatus.ACTIVE).first()
    second = Card.objects.filter(member_id=loser_id, status=CardStatus.ACTIVE)
    ended = list(second.values_list("id", flat=True)) if held else []
    Card.objects.filter(id__in=ended).update(status=CardStatus.REPLACED, ended_on=today, replaced_by=held)
    return {"cards": _move("cards", ids=None, source=loser_id, target=survivor_id), "ended_cards": ended}


def _move_opportunities(*, survivor_id: int, loser_id: int) -> list[int]:
    """Hand over wake-ups; one that both had on a day stays, because a member has one a day."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE opportunities SET member_id = %s WHERE member_id = %s AND due_on NOT IN"
            " (SELECT due_on FROM opportunities WHERE member_id = %s) RETURNING id",
            [survivor_id, loser_id, survivor_id],
        )
        return sorted(row[0] for row in cursor.fetchall())


def _copy_tags(*, survivor_id: int, loser_id: int) -> list[int]:
    known = set(MemberTag.objects.filter(member_id=survivor_id).values_list("tag_id", flat=True))
    wanted = MemberTag.objects.filter(member_id=loser_id).values_list("tag_id", flat=True)
    new = sorted(set(wanted) - known)
    MemberTag.objects.bulk_create([MemberTag(member_id=survivor_id, tag_id=tag_id) for tag_id in new])
    return new


def _copy_secrets(*, survivor_id: int, loser_id: int) -> dict[str, str]:
    """Seal the loser's sensitive attributes that the survivor lacks under the survivor's key; id -> fingerprint."""
    known = read_secrets(survivor_id)
    new = {key: text for key, text in read_secrets(loser_id).items() if key not in known}
    write_secrets(survivor_id, values=new)
    rows = MemberSecret.objects.filter(member_id=survivor_id, definition__key__in=new)
    return {str(row.definition_id): hashlib.sha256(bytes(row.ciphertext)).hexdigest() for row in rows}


def _drop_secrets(member_id: int, *, sealed: Mapping[str, str]) -> None:
    """Delete copied secrets that nobody wrote anew since."""
    for row in MemberSecret.objects.filter(member_id=member_id, definition_id__in=[int(id_) for id_ in sealed]):
        if hashlib.sha256(bytes(row.ciphertext)).hexdigest() == sealed[str(row.definition_id)]:
            row.delete()


def _put_consents(
    actor: Viewer,
    *,
    member_id: int,
    states: Mapping[tuple[str, str], bool],
    known: Mapping[int, Mapping[tuple[str, str], Consent]],
    loser_id: int,
    now: datetime,
) -> list[dict[str, Any]]:
    """Append what holds from now on, with the proof of the answer it comes from; return what was changed."""
    changed, rows = [], []
    for pair, granted in states.items():
        own = known[member_id].get(pair)
        rows.append(
            _consent(actor, member_id=member_id, pair=pair, granted=granted, like=known[loser_id][pair], now=now)
        )
        changed.append({"pair": list(pair), "before": own.is_granted if own else None, "put": granted})
    Consent.objects.bulk_create(rows)
    return changed


def _restore_consents(actor: Viewer, *, member_id: int, changed: Sequence[Mapping[str, Any]], now: datetime) -> None:
    known = newest_consents(member_id)
    rows = []
    for one in changed:
        pair = (one["pair"][0], one["pair"][1])
        former = bool(one["before"])
        if known[pair].is_granted == one["put"] != former:
            rows.append(_consent(actor, member_id=member_id, pair=pair, granted=former, like=known[pair], now=now))
    Consent.objects.bulk_create(rows)


def _consent(
    actor: Viewer, *, member_id: int, pair: tuple[str, str], granted: bool, like: Consent, now: datetime
) -> Consent:
    return Consent(
        member_id=member_id,
        channel=pair[0],
        purpose=pair[1],
        is_granted=granted,
        at=now,
        given_through=like.given_through,
        text_id=like.text_id,
        store_id=like.store_id,
        staff_id=actor.staff_id,
        address=actor.place[:45],
    )


def _close_pairs(actor: Viewer, *, first: int, second: int, now: datetime) -> list[int]:
    rows = DuplicatePair.objects.filter(first_id=first, second_id=second, state=PairState.OPEN)
    ids = list(rows.values_list("id", flat=True))
    rows.update(state=PairState.MERGED, decided_at=now, decided_by_id=actor.user_id)
    return ids


def _recount_sales(survivor: Member, *, put: Mapping[str, Any]) -> dict[str, date | None]:
    """Return first and last purchase counted anew where sales came in since the merge."""
    current = _spell({column: getattr(survivor, column) for column in ("first_sale_on", "last_sale_on")})
    stale = [column for column in current if column in put and current[column] != put[column]]
    if not stale:
        return {}
    sales = Sale.objects.filter(member_id=survivor.id, kind=SaleKind.SALE)
    found = sales.aggregate(first_sale_on=Min("business_day"), last_sale_on=Max("business_day"))
    return {column: found[column] for column in stale}


def _record(
    actor: Viewer,
    *,
    merge: MemberMerge,
    action: str,
    event: MemberEvent,
    before: Mapping[str, Any],
    after: Mapping[str, Any],
    reason: str,
    now: datetime,
) -> None:
    """Leave an audit row and an event on both members: the lake reads both anew."""
    both = {"survivor_id": merge.survivor_id, "loser_id": merge.loser_id}
    for member_id in both.values():
        is_survivor = member_id == merge.survivor_id
        record_audit(
            actor,
            now=now,
            action=action,
            subject_kind="member",
            subject_id=member_id,
            before=mask_values(before) if is_survivor else {},
            after=(mask_values(after) if is_survivor else {}) | both,
            reason=reason,
        )
        record_event(event.value, now=now, member_id=member_id, subject_id=merge.id, data=both)
