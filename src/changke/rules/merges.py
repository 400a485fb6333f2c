"""Merging two members: which value of the profile wins, which consent holds, and what an undo gives back."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Any, Final

Fields = Mapping[str, Any]
ConsentState = Mapping[tuple[str, str], bool]  # (channel, purpose) -> granted

# Fields that make sense only together are kept or taken together.
GROUPS: Final[dict[str, tuple[str, ...]]] = {
    "name": ("name", "name_initials"),
    "gender": ("gender",),
    "birthday": (
        "birth_calendar",
        "birth_year",
        "birth_month",
        "birth_day",
        "birth_in_leap_month",
        "next_birthday_on",
    ),
    "phone": ("phone",),
    "email": ("email",),
    "address": ("address", "region_id"),
    "home_store": ("home_store_id",),
    "recruiter": ("recruiter_id", "source_channel"),
    "preferred_channel": ("preferred_channel",),
    "clerk_class": ("clerk_class",),
    "note": ("note",),
    "validity": ("valid_from", "valid_until"),
}
EARLIEST: Final = ("joined_on", "first_sale_on")
LATEST: Final = ("last_sale_on",)
_NOTHING: Final = ("", None, "unknown", "solar", False)  # what a column holds where nobody filled it in


class Side(StrEnum):
    SURVIVOR = "survivor"
    LOSER = "loser"


class MergeRefusal(StrEnum):
    SAME_MEMBER = "same_member"
    NOT_ALIVE = "not_alive"  # merged, erased or closed
    FROZEN = "frozen"


class UndoRefusal(StrEnum):
    ALREADY_UNDONE = "already_undone"
    LATER_MERGE = "later_merge"  # a later merge of the same survivor stands on this one
    NOT_MERGED = "not_merged"  # the loser was changed otherwise meanwhile, for example erased


@dataclass(frozen=True, slots=True, kw_only=True)
class MergeDecision:
    """What the survivor will hold: the columns that change, the side each group came from, the consents that change."""

    changes: Fields
    sides: Mapping[str, Side]
    attributes: Mapping[str, str]
    consents: ConsentState = field(default_factory=dict)


def refuse_merge(*, survivor_id: int, loser_id: int, statuses: tuple[str, str]) -> MergeRefusal | None:
    """Return why two members must not be merged, or None; statuses are those of survivor and loser."""
    if survivor_id == loser_id:
        return MergeRefusal.SAME_MEMBER
    if set(statuses) & {"merged", "erased", "closed"}:
        return MergeRefusal.NOT_ALIVE
    return MergeRefusal.FROZEN if "frozen" in statuses else None


def decide_merge(
    survivor: Fields,
    *,
    loser: Fields,
    survivor_consents: ConsentState,
    loser_consents: ConsentState,
    choices: Mapping[str, Side] | None = None,
) -> MergeDecision:
    """Decide what the survivor holds after a merge; the same input always gives the same answer.

    A group goes by the user's choice; without one the survivor's wins unless it is empty. Joining day and first
    purchase: the earlier; last purchase: the later. A provisional survivor or a prospect takes the formal status of the
    other. Attributes: the survivor's, filled up with the other's. Consents: a refusal on either side wins, silence does
    not.
    """
    wishes = dict(choices or {})
    sides = {group: wishes.get(group) or _fuller(survivor, loser, columns) for group, columns in GROUPS.items()}
    after: dict[str, Any] = {}
    for group, columns in GROUPS.items():
        source = survivor if sides[group] is Side.SURVIVOR else loser
        after |= {column: source[column] for column in columns}
    after |= {column: _extreme(min, survivor[column], loser[column]) for column in EARLIEST}
    after |= {column: _extreme(max, survivor[column], loser[column]) for column in LATEST}
    if survivor["status"] in {"prospect", "provisional"} and loser["status"] == "formal":
        after["status"] = "formal"
    changes = {column: value for column, value in after.items() if value != survivor[column]}
    attributes = {**loser["attributes"], **survivor["attributes"]}
    return MergeDecision(
        changes=changes,
        sides=sides,
        attributes=attributes,
        consents=_changed_consents(survivor_consents, loser_consents),
    )


def restore_fields(current: Fields, *, put: Fields, before: Fields) -> Fields:
    """Return what an undo writes: a column that still holds what the merge put there gets its former value back.

    A column that somebody changed after the merge keeps the later value.
    """
    return {column: before[column] for column in put if current[column] == put[column] and column in before}


def restore_attributes(
    current: Mapping[str, str], *, put: Mapping[str, str], before: Mapping[str, str]
) -> dict[str, str]:
    """Return the survivor's attributes after an undo, key by key as restore_fields does for columns."""
    keys = {key for key in {*put, *before} if current.get(key) == put.get(key) and put.get(key) != before.get(key)}
    kept = {key: value for key, value in current.items() if key not in keys}
    return kept | {key: before[key] for key in keys if key in before}


def _fuller(survivor: Fields, loser: Fields, columns: tuple[str, ...]) -> Side:
    is_empty = all(survivor[column] in _NOTHING for column in columns)
    has_other = any(loser[column] not in _NOTHING for column in columns)
    return Side.LOSER if is_empty and has_other else Side.SURVIVOR


def _extreme(pick: Any, one: date | None, other: date | None) -> date | None:
    known = [day for day in (one, other) if day is not None]
    return pick(known) if known else None


def _changed_consents(survivor: ConsentState, loser: ConsentState) -> ConsentState:
    after = {pair: survivor.get(pair, True) and loser.get(pair, True) for pair in {*survivor, *loser}}
    return {pair: granted for pair, granted in sorted(after.items()) if survivor.get(pair) != granted}
