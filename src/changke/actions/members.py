"""Members: enrolled after a look for the card they have already, edited, frozen, closed, given a validity."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Final

from django.db import connection, transaction
from django.utils.timezone import localdate

from changke.actions.steps.audit import record_audit
from changke.actions.steps.cards import add_card
from changke.actions.steps.consents import add_consents
from changke.actions.steps.events import record_event
from changke.actions.steps.members import lock_member, lock_members, mask_values, write_member, write_members
from changke.actions.steps.profiles import clean_profile, profile_columns, split_attributes
from changke.actions.steps.secrets import read_secrets, write_secrets
from changke.actions.steps.tags import attach_tags
from changke.kernel.errors import fail
from changke.queries.settings import load_setting
from changke.records.models import Card, Member
from changke.rules.members import (
    GONE,
    ConsentAnswer,
    MemberEvent,
    MemberProfile,
    MemberSettings,
    MemberStatus,
    SourceChannel,
    StatusMove,
    decide_status,
)
from changke.rules.phones import format_phone
from changke.rules.staff import NotAllowedError, Permission, Viewer, require

CONTACTS: Final = frozenset({"name", "phone", "email", "address"})  # columns of an export that are in clear


@dataclass(frozen=True, slots=True, kw_only=True)
class Enrolment:
    """Somebody who joins: the profile, the way in, what they agreed to.

    `others` are members that the person at the till looked at and knows to be somebody else (a family's shared phone).
    """

    profile: MemberProfile
    source_channel: SourceChannel
    status: MemberStatus = MemberStatus.FORMAL  # or provisional (to be approved), or prospect
    recruiter_id: int | None = None
    card_number: str = ""  # empty = a new number is made
    consents: tuple[ConsentAnswer, ...] = ()
    tags: tuple[str, ...] = ()
    others: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Enrolled:
    member_id: int
    public_id: str
    code: str
    card_number: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AlreadyKnown:
    """Nobody was enrolled: these members have the same phone or e-mail, or hold that card."""

    member_ids: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Revealed:
    """What was shown in clear, once, for a reason that is on record; the phone as people at home read it."""

    name: str
    phone: str
    email: str
    address: str
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)


@transaction.atomic
def enrol_member(actor: Viewer, *, enrolment: Enrolment, now: datetime) -> Enrolled | AlreadyKnown:
    """Enrol somebody, unless phone, e-mail or card lead to a member: then the answer names those members.

    Two tills enrolling one phone at once take turns on a lock of that phone, so the second one finds the first.
    """
    require(actor, permission=Permission.ENROL_MEMBERS)
    profile = clean_profile(enrolment.profile, today=localdate(now))
    _refuse_enrolment(actor, enrolment=enrolment, profile=profile)
    _take_turns(profile.phone, profile.email, enrolment.card_number)
    if known := _find_known(profile, card_number=enrolment.card_number) - enrolment.others:
        return AlreadyKnown(member_ids=tuple(sorted(known)))
    open_ones, sensitive = split_attributes(profile.attributes)
    _refuse_sensitive(actor, attributes=sensitive)
    member_id = _next_id()
    columns = profile_columns(profile, today=localdate(now)) | {
        "attributes": {key: text for key, text in open_ones.items() if text},
        "source_channel": enrolment.source_channel.value,
        "recruiter_id": enrolment.recruiter_id,
        "status": enrolment.status.value,
        "joined_on": None if enrolment.status is MemberStatus.PROSPECT else localdate(now),
    }
    member = Member.objects.create(id=member_id, code=_new_code(member_id), created_at=now, changed_at=now, **columns)
    write_secrets(member_id, values={key: text for key, text in sensitive.items() if text})
    store_id = profile.home_store_id
    card = add_card(member_id, number=enrolment.card_number, store_id=store_id, today=localdate(now))
    given_through = enrolment.source_channel
    add_consents(
        actor,
        member_id=member_id,
        answers=enrolment.consents,
        given_through=given_through,
        store_id=store_id,
        now=now,
    )
    attach_tags([member_id], names=enrolment.tags)
    filled = {key: value for key, value in columns.items() if value not in ("", None, {}, False)}
    record_audit(
        actor,
        now=now,
        action="enrol_member",
        subject_kind="member",
        subject_id=member_id,
        store_id=store_id,
        after=mask_values(filled),
    )
    record_event(
        MemberEvent.ENROLLED,
        now=now,
        member_id=member_id,
        store_id=store_id,
        subject_id=card.id,
        data={"source_channel": given_through.value, "status": enrolment.status.value},
    )
    return Enrolled(member_id=member_id, public_id=member.public_id, code=member.code, card_number=card.number)


@transaction.atomic
def edit_member(
    actor: Viewer, *, member_id: int, version: int, profile: MemberProfile, now: datetime, reason: str = ""
) -> None:
    """Write a profile over the version that the editor saw; somebody else's change in between is refused, not lost."""
    require(actor, permission=Permission.EDIT_MEMBERS)
    member = lock_member(actor, member_id=member_id)
    if member.version != version:
        raise fail(
            "changed_meanwhile",
            "Somebody else changed this member meanwhile.",
            cure="Look at the new state and enter your change again.",
        )
    clean = clean_profile(profile, today=localdate(now), stored=member.attributes)
    if clean.home_store_id != member.home_store_id and not actor.sees_store(clean.home_store_id):
        raise NotAllowedError(f"store {clean.home_store_id} is out of reach")
    open_ones, sensitive = split_attributes(clean.attributes)
    _refuse_sensitive(actor, attributes=sensitive)
    attributes = {key: text for key, text in {**member.attributes, **open_ones}.items() if text}
    write_member(
        actor,
        member=member,
        columns=profile_columns(clean, today=localdate(now)) | {"attributes": attributes},
        secrets_changed=write_secrets(member_id, values=sensitive),
        now=now,
        action="edit_member",
        event=MemberEvent.CHANGED,
        reason=reason,
    )


@transaction.atomic
def change_status(actor: Viewer, *, member_id: int, move: StatusMove, now: datetime, reason: str = "") -> MemberStatus:
    """Freeze, unfreeze, confirm, close, reopen a member or let a prospect join; returns the new status."""
    require(actor, permission=Permission.EDIT_MEMBERS)
    member = lock_member(actor, member_id=member_id)
    after = decide_status(MemberStatus(member.status), move=move)
    if after is None:
        raise fail("status_refused", "This cannot be done to a member of this status.")
    columns: dict[str, Any] = {"status": after.value}
    if move is StatusMove.JOIN and member.joined_on is None:
        columns["joined_on"] = localdate(now)
    write_member(
        actor,
        member=member,
        columns=columns,
        now=now,
        action=f"{move}_member",
        event=MemberEvent.STATUS_CHANGED,
        reason=reason,
    )
    return after


@transaction.atomic
def set_validity_in_batch(
    actor: Viewer,
    *,
    member_ids: frozenset[int],
    valid_from: date | None,
    valid_until: date | None,
    now: datetime,
    reason: str = "",
) -> int:
    """Give many members one validity (None = open end); returns how many changed. Out of reach = left alone."""
    require(actor, permission=Permission.EDIT_MEMBERS_IN_BATCH)
    if valid_from and valid_until and valid_until < valid_from:
        raise fail("validity_backwards", "The last day lies before the first day.", field="valid_until")
    return write_members(
        actor,
        members=lock_members(actor, member_ids=member_ids),
        columns={"valid_from": valid_from, "valid_until": valid_until},
        now=now,
        action="set_validity",
        event=MemberEvent.VALIDITY_SET,
        reason=reason,
    )


@transaction.atomic
def reveal_contacts(actor: Viewer, *, member_id: int, reason: str, now: datetime) -> Revealed:
    """Show one member's contacts in clear, sensitive attributes too where the role may; the reason is put on record."""
    require(actor, permission=Permission.REVEAL_CONTACTS)
    if not reason.strip():
        raise fail("reason_missing", "Say why you need to see this.", field="reason")
    member = lock_member(actor, member_id=member_id)
    secrets = read_secrets(member_id) if actor.may(Permission.SEE_SENSITIVE) else {}
    record_audit(
        actor,
        now=now,
        action="reveal_contacts",
        subject_kind="member",
        subject_id=member_id,
        store_id=member.home_store_id,
        after={"shown": ["name", "phone", "email", "address", *(f"attributes.{key}" for key in secrets)]},
        reason=reason,
    )
    phone = format_phone(member.phone, country=load_setting(MemberSettings).home_country)
    return Revealed(name=member.name, phone=phone, email=member.email, address=member.address, secrets=secrets)


@transaction.atomic
def note_member_export(
    actor: Viewer, *, rows: int, query: str, contents: tuple[str, ...], reason: str, now: datetime
) -> None:
    """Put on record that a list of members leaves the system: how many, which filter, which columns.

    Call before the file is handed over. Contacts in clear need their own right and a reason.
    """
    require(actor, permission=Permission.EXPORT_DATA)
    if set(contents) & CONTACTS:
        require(actor, permission=Permission.REVEAL_CONTACTS)
        if not reason.strip():
            raise fail("reason_missing", "Say why you need to see this.", field="reason")
    record_audit(
        actor,
        now=now,
        action="export_members",
        subject_kind="member",
        subject_id=None,
        after={"rows": rows, "query": query[:500], "columns": list(contents)},
        reason=reason,
    )


def _refuse_enrolment(actor: Viewer, *, enrolment: Enrolment, profile: MemberProfile) -> None:
    if enrolment.status not in {MemberStatus.FORMAL, MemberStatus.PROVISIONAL, MemberStatus.PROSPECT}:
        raise fail("status_refused", "Nobody joins with this status.", field="status")
    if not (profile.phone or profile.email or enrolment.card_number.strip()):
        raise fail("unreachable", "Enter a phone number, an e-mail address or a card number.", field="phone")
    if not actor.sees_store(profile.home_store_id):
        raise NotAllowedError(f"store {profile.home_store_id} is out of reach")


def _refuse_sensitive(actor: Viewer, *, attributes: Mapping[str, str]) -> None:
    if attributes:
        require(actor, permission=Permission.SEE_SENSITIVE)


def _take_turns(*keys: str) -> None:
    """Hold a lock for each filled key until the transaction ends, in one order whoever asks."""
    with connection.cursor() as cursor:
        for key in sorted({key for key in keys if key}):
            cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"enrol:{key}"])


def _find_known(profile: MemberProfile, *, card_number: str) -> set[int]:
    alive = Member.objects.exclude(status__in=GONE)
    known: set[int] = set()
    if profile.phone:
        known |= set(alive.filter(phone=profile.phone).values_list("id", flat=True))
    if profile.email:
        known |= set(alive.filter(email=profile.email).values_list("id", flat=True))
    if card_number:
        known |= set(Card.objects.filter(number=card_number).values_list("member_id", flat=True))
    return known


def _next_id() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT nextval(pg_get_serial_sequence('members', 'id'))")
        return int(cursor.fetchone()[0])


def _new_code(member_id: int) -> str:
    """Return M and the running number; imported codes may have taken it, then with a dash and a figure behind."""
    plain = f"M{member_id:09d}"
    taken = set(Member.objects.filter(code__startswith=plain).values_list("code", flat=True))
    return next(code for code in (plain, *(f"{plain}-{n}" for n in range(1, len(taken) + 2))) if code not in taken)
