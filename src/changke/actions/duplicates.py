"""Duplicates: found over the whole member base, dismissed where the two are different people."""

from datetime import datetime
from typing import Final

from django.db import connection, transaction

from changke.actions.steps.audit import record_audit
from changke.actions.steps.enqueue import enqueue
from changke.actions.steps.members import lock_member
from changke.kernel.errors import fail
from changke.kernel.job_names import JobName
from changke.records.models import DuplicatePair
from changke.rules.duplicates import DuplicateReason, PairState
from changke.rules.names import look_alike
from changke.rules.staff import NotAllowedError, Permission, Viewer, require

BATCH: Final = 5000
CANDIDATES_MAX: Final = 500_000  # of similar names a pass looks at

_ALIVE: Final = "status NOT IN ('merged', 'erased', 'closed')"
_GROUPS: Final = {
    DuplicateReason.SAME_PHONE: ("phone", "phone <> ''"),
    DuplicateReason.SAME_EMAIL: ("email", "email <> ''"),
    DuplicateReason.SAME_NAME_BIRTHDAY: (
        "name, birth_calendar, birth_year, birth_month, birth_day",
        "name <> '' AND birth_year IS NOT NULL AND birth_month IS NOT NULL",
    ),
}
_SIMILAR: Final = """
SELECT a.id, b.id, a.name, b.name
FROM members a
JOIN members b ON b.phone_last4 = a.phone_last4 AND b.name_initials = a.name_initials AND b.id > a.id
WHERE a.phone <> '' AND b.phone <> '' AND a.phone <> b.phone AND a.name_initials <> ''
  AND a.status NOT IN ('merged', 'erased', 'closed') AND b.status NOT IN ('merged', 'erased', 'closed')
LIMIT %s
"""
_INSERT: Final = "INSERT INTO duplicate_pairs (first_id, second_id, reason, state, found_at)"


@transaction.atomic
def ask_for_duplicates(actor: Viewer) -> None:
    """Queue a look through all members, in the actor's name: with a million of them it takes some seconds."""
    require(actor, permission=Permission.MERGE_MEMBERS)
    enqueue(JobName.FIND_DUPLICATES, lock="duplicates", user_id=actor.user_id, asker=actor.name)


@transaction.atomic
def find_duplicates(actor: Viewer, *, now: datetime) -> int:
    """Look through all members and note new pairs, strongest reasons first; returns how many are new.

    Pairs that were decided stay decided. Of a group with one phone each member is paired with the eldest row, so a line
    that a whole office shares gives as many pairs as people, not their square. Linear in members but for similar names.
    """
    require(actor, permission=Permission.MERGE_MEMBERS)
    found = 0
    with connection.cursor() as cursor:
        for reason, (columns, filled) in _GROUPS.items():
            cursor.execute(
                f"{_INSERT} SELECT eldest, id, %s, 'open', %s FROM ("  # noqa: S608 - our own texts
                f"SELECT id, min(id) OVER (PARTITION BY {columns}) AS eldest FROM members WHERE {_ALIVE} AND {filled}"
                ") AS grouped WHERE id <> eldest ON CONFLICT (first_id, second_id) DO NOTHING",
                [reason, now],
            )
            found += cursor.rowcount
    found += _find_similar(now=now)
    if found:
        record_audit(
            actor, now=now, action="find_duplicates", subject_kind="member", subject_id=None, after={"pairs": found}
        )
    return found


@transaction.atomic
def dismiss_pair(actor: Viewer, *, pair_id: int, now: datetime, reason: str = "") -> None:
    """Decide that two members are different people; the pair never comes back by itself."""
    require(actor, permission=Permission.MERGE_MEMBERS)
    pair = DuplicatePair.objects.select_for_update().filter(id=pair_id).first()
    if pair is None:
        raise NotAllowedError(f"pair {pair_id} is out of reach")
    for member_id in (pair.first_id, pair.second_id):
        lock_member(actor, member_id=member_id)
    if pair.state != PairState.OPEN:
        raise fail("pair_decided", "This pair was decided already.")
    pair.state, pair.decided_at, pair.decided_by_id = PairState.DISMISSED.value, now, actor.user_id
    pair.save(update_fields=["state", "decided_at", "decided_by"])
    record_audit(
        actor,
        now=now,
        action="dismiss_pair",
        subject_kind="member",
        subject_id=pair.first_id,
        after={"other": pair.second_id},
        reason=reason,
    )


def _find_similar(*, now: datetime) -> int:
    """Note pairs whose phones end alike and whose names sound or look alike; candidates share their initials."""
    with connection.cursor() as cursor:
        cursor.execute(_SIMILAR, [CANDIDATES_MAX])
        rows = cursor.fetchall()
    pairs = [
        DuplicatePair(first_id=first, second_id=second, reason=DuplicateReason.SIMILAR_NAME_LAST4, found_at=now)
        for first, second, name, other in rows
        if look_alike(name, other)
    ]
    known = DuplicatePair.objects.count()
    DuplicatePair.objects.bulk_create(pairs, batch_size=BATCH, ignore_conflicts=True)
    return DuplicatePair.objects.count() - known
