"""One member on one page: the head, the profile, cards, consents, attributes, merges, purchases, the time line."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Final

from django.db.models import Q

from changke.kernel.texts import Named
from changke.queries.member_features import load_features
from changke.queries.members import members_within
from changke.records.models import (
    AttributeDefinition,
    AuditEntry,
    Card,
    Category,
    Consent,
    DuplicatePair,
    Event,
    Member,
    MemberCode,
    MemberMerge,
    MemberSecret,
    MemberTag,
    Region,
    Sale,
    SaleLine,
    Store,
)
from changke.rules.duplicates import DuplicateReason
from changke.rules.features import FeatureRow
from changke.rules.members import (
    BirthCalendar,
    CardStatus,
    ConsentChannel,
    ConsentPurpose,
    Gender,
    MemberProfile,
    MemberStatus,
    SourceChannel,
)
from changke.rules.names import mask_name
from changke.rules.phones import mask_address, mask_email, mask_phone
from changke.rules.sales import SaleKind
from changke.rules.staff import Permission, Viewer, require

TIMELINE_MAX: Final = 50
PURCHASES_MAX: Final = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class CardRow:
    id: int
    number: str
    status: CardStatus
    issued_on: date
    issued_store: str
    ended_on: date | None
    ended_reason: str
    replaced_by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentRow:
    """One answer of the ledger; `text_version` is the wording it refers to."""

    channel: ConsentChannel
    purpose: ConsentPurpose
    is_granted: bool
    at: datetime
    given_through: str
    store: Named | None
    staff: str
    text_version: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AttributeRow:
    """A user-defined field with its value; a sensitive one shows only whether it is filled."""

    key: str
    name: str
    name_en: str
    value: str
    is_sensitive: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class OtherMember:
    """Another member in a line about this one; the name is masked unless the viewer may see contacts."""

    public_id: str
    code: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PairRow:
    id: int
    reason: DuplicateReason
    other: OtherMember


@dataclass(frozen=True, slots=True, kw_only=True)
class MergeRow:
    public_id: str
    merged_at: datetime
    undone_at: datetime | None
    loser: OtherMember


@dataclass(frozen=True, slots=True, kw_only=True)
class PurchaseLine:
    name: str
    name_en: str
    quantity_milli: int
    total_minor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Purchase:
    """A sale or a return with its lines; money signed, a return is negative."""

    sale_no: str
    kind: SaleKind
    sold_at: datetime
    business_day: date
    store: Named | None
    staff: str
    total_minor: int
    lines: tuple[PurchaseLine, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """An entry of the time line: a sale, an event or a change by staff; `kind` names the words for it."""

    at: datetime
    source: str  # "sale", "event" or "audit"
    kind: str
    actor: str = ""
    reason: str = ""
    total_minor: int | None = None
    store: Named | None = None
    data: Mapping[str, Any] = field(default_factory=dict)
    before: Mapping[str, Any] = field(default_factory=dict)
    after: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberHead:
    """Who it is. Contacts are masked, the name too unless the viewer may see contacts."""

    id: int
    public_id: str
    code: str
    version: int
    name: str
    phone: str
    email: str
    address: str
    status: MemberStatus
    gender: Gender
    birth_calendar: BirthCalendar
    birth_year: int | None
    birth_month: int | None
    birth_day: int | None
    birth_in_leap_month: bool
    next_birthday_on: date | None
    region: Named | None
    home_store_id: int | None
    home_store: Named | None
    recruiter: str
    source: SourceChannel
    preferred_channel: str
    joined_on: date | None
    valid_from: date | None
    valid_until: date | None
    clerk_class: str
    note: str
    first_sale_on: date | None
    last_sale_on: date | None
    merged_into: str  # public id of the survivor
    attributes: Mapping[str, str]  # the open ones


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberOverview:
    """What the first page shows beside the head; `favourites` are store and category of the analysis."""

    features: FeatureRow | None
    favourite_store: Named | None
    favourite_category: Named | None
    cards: tuple[CardRow, ...]
    codes: tuple[tuple[str, str], ...]  # (source, code)
    attributes: tuple[AttributeRow, ...]
    tags: tuple[str, ...]
    pairs: tuple[PairRow, ...]
    merges: tuple[MergeRow, ...]
    timeline: tuple[Moment, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentLedger:
    """What is in force for the member, and every answer, those of merged members included; the newest first."""

    in_force: Mapping[tuple[ConsentChannel, ConsentPurpose], ConsentRow]
    history: tuple[ConsentRow, ...]


def find_member(viewer: Viewer, *, public_id: str) -> MemberHead | None:
    """Return the head of a member, or None where there is none within reach."""
    require(viewer, permission=Permission.SEE_MEMBERS)
    member = (
        members_within(viewer)
        .select_related("home_store", "region", "recruiter", "merged_into")
        .filter(public_id=public_id)
        .first()
    )
    return _head(viewer, member) if member else None


def load_overview(viewer: Viewer, *, head: MemberHead) -> MemberOverview:
    """Return the first page of a member that find_member returned; at most 13 statements."""
    features = load_features([head.id]).get(head.id)
    merges = _merges(viewer, member_id=head.id)
    return MemberOverview(
        features=features,
        favourite_store=_named(Store, features.favourite_store_id if features else None),
        favourite_category=_named(Category, features.favourite_category_id if features else None),
        cards=_cards(head.id),
        codes=tuple(
            MemberCode.objects.filter(member_id=head.id)
            .order_by("source__name", "code")
            .values_list("source__name", "code")
        ),
        attributes=_attributes(head),
        tags=tuple(
            MemberTag.objects.filter(member_id=head.id).order_by("tag__name").values_list("tag__name", flat=True)
        ),
        pairs=_pairs(viewer, member_id=head.id),
        merges=merges,
        timeline=_timeline(_with_merged(head.id) if merges else [head.id], owner=head.id),
    )


def load_timeline(head: MemberHead) -> tuple[Moment, ...]:
    """Return the time line of a member that find_member returned."""
    return _timeline(_with_merged(head.id), owner=head.id)


def load_consents(head: MemberHead) -> ConsentLedger:
    """Return the consents of a member that find_member returned; only the own answers are in force."""
    in_force: dict[tuple[ConsentChannel, ConsentPurpose], ConsentRow] = {}
    history = _consents(_with_merged(head.id))
    for owner, row in history:
        if owner == head.id:
            in_force.setdefault((row.channel, row.purpose), row)
    return ConsentLedger(in_force=in_force, history=tuple(row for _, row in history))


def load_profile(viewer: Viewer, *, member_id: int) -> tuple[MemberProfile, int]:
    """Return what an edit form starts from and the version it saw; contacts in clear, so the caller asks for the right.

    Sensitive attributes are left out: the form leaves them as they are unless something is typed.
    """
    require(viewer, permission=Permission.EDIT_MEMBERS)
    member = members_within(viewer).get(id=member_id)
    profile = MemberProfile(
        name=member.name,
        gender=Gender(member.gender),
        birth_calendar=BirthCalendar(member.birth_calendar),
        birth_year=member.birth_year,
        birth_month=member.birth_month,
        birth_day=member.birth_day,
        birth_in_leap_month=member.birth_in_leap_month,
        phone=member.phone,
        email=member.email,
        address=member.address,
        region_id=member.region_id,
        home_store_id=member.home_store_id,
        preferred_channel=member.preferred_channel,
        clerk_class=member.clerk_class,
        note=member.note,
        attributes=dict(member.attributes),
    )
    return profile, member.version


def list_purchases(head: MemberHead, *, first: int, size: int = PURCHASES_MAX) -> tuple[tuple[Purchase, ...], int]:
    """Return a page of a member's sales and returns with lines, the newest first, and how many there are."""
    own = Sale.objects.filter(member_id=head.id)
    sales = list(own.select_related("store", "staff").order_by("-business_day", "-id")[first : first + size])
    lines: dict[int, list[PurchaseLine]] = {}
    rows = SaleLine.objects.filter(sale_id__in=[sale.id for sale in sales]).select_related("product")
    for row in rows.order_by("sale_id", "line_no"):
        lines.setdefault(row.sale_id, []).append(
            PurchaseLine(
                name=row.product.name,
                name_en=row.product.name_en,
                quantity_milli=row.quantity_milli,
                total_minor=row.total_minor,
            )
        )
    purchases = tuple(
        Purchase(
            sale_no=sale.sale_no,
            kind=SaleKind(sale.kind),
            sold_at=sale.sold_at,
            business_day=sale.business_day,
            store=_name_of(sale.store),
            staff=sale.staff.name if sale.staff else "",
            total_minor=sale.total_minor,
            lines=tuple(lines.get(sale.id, ())),
        )
        for sale in sales
    )
    return purchases, own.count()


def name_member(viewer: Viewer, member: Member) -> OtherMember:
    """Return how a member is named in a line about another one."""
    name = member.name if viewer.may(Permission.REVEAL_CONTACTS) else mask_name(member.name)
    return OtherMember(public_id=member.public_id, code=member.code, name=name)


def _head(viewer: Viewer, member: Member) -> MemberHead:
    return MemberHead(
        id=member.id,
        public_id=member.public_id,
        code=member.code,
        version=member.version,
        name=member.name if viewer.may(Permission.REVEAL_CONTACTS) else mask_name(member.name),
        phone=mask_phone(member.phone),
        email=mask_email(member.email),
        address=mask_address(member.address),
        status=MemberStatus(member.status),
        gender=Gender(member.gender),
        birth_calendar=BirthCalendar(member.birth_calendar),
        birth_year=member.birth_year,
        birth_month=member.birth_month,
        birth_day=member.birth_day,
        birth_in_leap_month=member.birth_in_leap_month,
        next_birthday_on=member.next_birthday_on,
        region=_name_of(member.region) if member.region else None,
        home_store_id=member.home_store_id,
        home_store=_name_of(member.home_store) if member.home_store else None,
        recruiter=member.recruiter.name if member.recruiter else "",
        source=SourceChannel(member.source_channel),
        preferred_channel=member.preferred_channel,
        joined_on=member.joined_on,
        valid_from=member.valid_from,
        valid_until=member.valid_until,
        clerk_class=member.clerk_class,
        note=member.note,
        first_sale_on=member.first_sale_on,
        last_sale_on=member.last_sale_on,
        merged_into=member.merged_into.public_id if member.merged_into else "",
        attributes=member.attributes,
    )


def _name_of(row: Store | Region) -> Named:
    return Named(name=row.name, name_en=row.name_en)


def _named(model: type[Store] | type[Category], number: int | None) -> Named | None:
    row = model.objects.filter(id=number).values("name", "name_en").first() if number is not None else None
    return Named(**row) if row else None


def _with_merged(member_id: int) -> list[int]:
    """Return the member and everybody who lives on in this one, over any number of merges."""
    ids, new = [member_id], [member_id]
    while new := list(Member.objects.filter(merged_into_id__in=new).values_list("id", flat=True)):
        ids += new
    return ids


def _cards(member_id: int) -> tuple[CardRow, ...]:
    rows = Card.objects.filter(member_id=member_id).select_related("issued_store", "replaced_by")
    return tuple(
        CardRow(
            id=row.id,
            number=row.number,
            status=CardStatus(row.status),
            issued_on=row.issued_on,
            issued_store=row.issued_store.name if row.issued_store else "",
            ended_on=row.ended_on,
            ended_reason=row.ended_reason,
            replaced_by=row.replaced_by.number if row.replaced_by else "",
        )
        for row in rows.order_by("-issued_on", "-id")
    )


def _consents(member_ids: Iterable[int]) -> list[tuple[int, ConsentRow]]:
    rows = Consent.objects.filter(member_id__in=member_ids).select_related("store", "staff", "text").order_by("-id")
    return [
        (
            row.member_id,
            ConsentRow(
                channel=ConsentChannel(row.channel),
                purpose=ConsentPurpose(row.purpose),
                is_granted=row.is_granted,
                at=row.at,
                given_through=row.given_through,
                store=_name_of(row.store) if row.store else None,
                staff=row.staff.name if row.staff else "",
                text_version=row.text.version if row.text else "",
            ),
        )
        for row in rows
    ]


def _attributes(head: MemberHead) -> tuple[AttributeRow, ...]:
    sealed = set(MemberSecret.objects.filter(member_id=head.id).values_list("definition_id", flat=True))
    return tuple(
        AttributeRow(
            key=row.key,
            name=row.name,
            name_en=row.name_en,
            value=("•••" if row.id in sealed else "") if row.is_sensitive else head.attributes.get(row.key, ""),
            is_sensitive=row.is_sensitive,
        )
        for row in AttributeDefinition.objects.filter(is_retired=False)
    )


def _pairs(viewer: Viewer, *, member_id: int) -> tuple[PairRow, ...]:
    rows = DuplicatePair.objects.filter(Q(first_id=member_id) | Q(second_id=member_id), state="open")
    rows = rows.select_related("first", "second").order_by("-found_at", "-id")[:10]
    return tuple(
        PairRow(
            id=row.id,
            reason=DuplicateReason(row.reason),
            other=name_member(viewer, row.second if row.first_id == member_id else row.first),
        )
        for row in rows
    )


def _merges(viewer: Viewer, *, member_id: int) -> tuple[MergeRow, ...]:
    rows = MemberMerge.objects.filter(survivor_id=member_id).select_related("loser").order_by("-merged_at", "-id")
    return tuple(
        MergeRow(
            public_id=row.public_id,
            merged_at=row.merged_at,
            undone_at=row.undone_at,
            loser=name_member(viewer, row.loser),
        )
        for row in rows
    )


def _timeline(member_ids: list[int], *, owner: int) -> tuple[Moment, ...]:
    """Return sales, events and changes by staff in one line, the newest first; what merged members did is part of it.

    An event that a change by staff leaves is shown once, as that change.
    """
    sales = Sale.objects.filter(member_id=owner).select_related("store").order_by("-business_day", "-id")
    moments = [
        Moment(at=row.sold_at, source="sale", kind=row.kind, total_minor=row.total_minor, store=_name_of(row.store))
        for row in sales[:TIMELINE_MAX]
    ]
    audits = AuditEntry.objects.filter(subject_kind="member", subject_id__in=member_ids).order_by("-id")
    changes = [
        Moment(
            at=row.at, source="audit", kind=row.action, actor=row.actor, reason=row.reason,
            before=row.before, after=row.after,
        )
        for row in audits[:TIMELINE_MAX]
    ]  # fmt: skip
    told = {row.at for row in changes}
    events = Event.objects.filter(member_id__in=member_ids).order_by("-id")
    moments += changes
    moments += [
        Moment(at=row.at, source="event", kind=row.kind, data=row.data)
        for row in events[:TIMELINE_MAX]
        if row.at not in told
    ]
    return tuple(sorted(moments, key=lambda moment: moment.at, reverse=True)[:TIMELINE_MAX])
