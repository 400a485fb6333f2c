"""What a member is: the profile, the words for status, gender, channels and purposes, and the status moves."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final


class MemberStatus(StrEnum):
    PROSPECT = "prospect"  # neither bought nor joined
    PROVISIONAL = "provisional"  # joined, not yet confirmed
    FORMAL = "formal"
    FROZEN = "frozen"
    CLOSED = "closed"
    MERGED = "merged"  # lives on in another member; reversible
    ERASED = "erased"


class Gender(StrEnum):
    FEMALE = "female"
    MALE = "male"
    UNKNOWN = "unknown"


class BirthCalendar(StrEnum):
    SOLAR = "solar"
    LUNAR = "lunar"


class CardStatus(StrEnum):
    ACTIVE = "active"
    LOST = "lost"
    REPLACED = "replaced"
    CLOSED = "closed"


class ConsentChannel(StrEnum):
    SMS = "sms"
    EMAIL = "email"
    WECHAT = "wechat"
    PHONE = "phone"
    POST = "post"
    PROFILING = "profiling"
    TERMS = "terms"


class ConsentPurpose(StrEnum):
    MARKETING = "marketing"
    SERVICE = "service"
    MEMBERSHIP = "membership"


class SourceChannel(StrEnum):
    STORE = "store"
    PAPER_FORM = "paper_form"
    WEBSITE = "website"
    APP = "app"
    WECHAT = "wechat"
    EMAIL = "email"
    SMS = "sms"
    SOCIAL = "social"
    QR = "qr"
    EVENT = "event"
    PARTNER = "partner"
    REFERRAL = "referral"
    IMPORT = "import"
    UNKNOWN = "unknown"


class StatusMove(StrEnum):
    """What can be done to a member's status."""

    JOIN = "join"  # a prospect becomes a member
    CONFIRM = "confirm"  # a provisional member is approved
    FREEZE = "freeze"
    UNFREEZE = "unfreeze"
    CLOSE = "close"
    REOPEN = "reopen"


class MemberEvent(StrEnum):
    """The kinds of event that a member's record leaves."""

    ENROLLED = "member_enrolled"
    CHANGED = "member_changed"
    STATUS_CHANGED = "member_status_changed"
    VALIDITY_SET = "member_validity_set"
    TAGGED = "member_tagged"
    UNTAGGED = "member_untagged"
    CARD_ISSUED = "card_issued"
    CARD_LOST = "card_lost"
    CARD_REPLACED = "card_replaced"
    CARD_CLOSED = "card_closed"
    CONSENT_RECORDED = "consent_recorded"
    MERGED = "member_merged"
    MERGE_UNDONE = "member_merge_undone"


STATUS_MOVES: Final[dict[StatusMove, tuple[frozenset[MemberStatus], MemberStatus]]] = {
    StatusMove.JOIN: (frozenset({MemberStatus.PROSPECT}), MemberStatus.FORMAL),
    StatusMove.CONFIRM: (frozenset({MemberStatus.PROVISIONAL}), MemberStatus.FORMAL),
    StatusMove.FREEZE: (frozenset({MemberStatus.FORMAL}), MemberStatus.FROZEN),
    StatusMove.UNFREEZE: (frozenset({MemberStatus.FROZEN}), MemberStatus.FORMAL),
    StatusMove.CLOSE: (
        frozenset({MemberStatus.PROSPECT, MemberStatus.PROVISIONAL, MemberStatus.FORMAL, MemberStatus.FROZEN}),
        MemberStatus.CLOSED,
    ),
    StatusMove.REOPEN: (frozenset({MemberStatus.CLOSED}), MemberStatus.FORMAL),
}
GONE: Final = frozenset({MemberStatus.MERGED, MemberStatus.ERASED})  # rows that stand for nobody of their own any more


def decide_status(status: MemberStatus, *, move: StatusMove) -> MemberStatus | None:
    """Return the status after a move, or None where the move does not start from this status."""
    allowed, after = STATUS_MOVES[move]
    return after if status in allowed else None


def moves_from(status: MemberStatus) -> tuple[StatusMove, ...]:
    """Return what can be done to a member of this status, in the order of a working day."""
    return tuple(move for move, (allowed, _) in STATUS_MOVES.items() if status in allowed)


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberProfile:
    """What a form knows of a person. Phone as typed (E.164 once checked); empty text and None = not given.

    `attributes` are user-defined ones by key: a missing key leaves the stored value, an empty text takes it away.
    """

    name: str = ""
    gender: Gender = Gender.UNKNOWN
    birth_calendar: BirthCalendar = BirthCalendar.SOLAR
    birth_year: int | None = None
    birth_month: int | None = None
    birth_day: int | None = None
    birth_in_leap_month: bool = False
    phone: str = ""
    email: str = ""
    address: str = ""
    region_id: int | None = None
    home_store_id: int | None = None
    preferred_channel: str = ""
    clerk_class: str = ""
    note: str = ""
    attributes: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentAnswer:
    """What somebody answered for one channel and purpose: yes, or no (also: withdrawn)."""

    channel: ConsentChannel
    purpose: ConsentPurpose
    is_granted: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberSettings:
    """Settings of the member base: the country that a phone without prefix belongs to."""

    home_country: str = "CN"  # ISO 3166


def card_number_for(number: int) -> str:
    """Return a card number of 12 digits and a check digit (Luhn, ISO/IEC 7812) for a running number."""
    digits = f"9{number:011d}"
    doubled = (int(digit) * (2 - place % 2) for place, digit in enumerate(reversed(digits)))
    return digits + str(-sum(value // 10 + value % 10 for value in doubled) % 10)
