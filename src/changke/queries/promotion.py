"""Card promotion: who brought in members, how many of them bought again; from prospect to buyer to member."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from django.db.models import Count, F, Q, QuerySet

from changke.kernel.periods import Period
from changke.records.models import AuditEntry, Card, Member
from changke.rules.members import GONE, CardStatus, MemberStatus
from changke.rules.staff import Permission, Viewer, require


class PromotionBy(StrEnum):
    STORE = "store"
    RECRUITER = "recruiter"
    SOURCE = "source"


@dataclass(frozen=True, slots=True, kw_only=True)
class PromotionRow:
    """Members who joined in the period through one store, person or channel. `again` = bought on two days or more."""

    key: str
    name: str
    joined: int
    bought: int
    again: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversion:
    """Prospects of today, those of them who have bought, and who became a member in the period having been one."""

    prospects: int
    buyers: int
    joined: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CardUse:
    """Valid cards, and those whose member bought in the period."""

    valid: int
    used: int


COLUMNS: Final = {
    PromotionBy.STORE: ("home_store_id", "home_store__name"),
    PromotionBy.RECRUITER: ("recruiter_id", "recruiter__name"),
    PromotionBy.SOURCE: ("source_channel", "source_channel"),
}


def list_promotion(viewer: Viewer, *, period: Period, by: PromotionBy) -> tuple[PromotionRow, ...]:
    """Return who brought in how many members in a period and how many bought again, the most first."""
    require(viewer, permission=Permission.SEE_INSIGHT)
    key, name = COLUMNS[by]
    joined = _members(viewer).filter(joined_on__range=(period.first, period.last))
    rows = joined.order_by().values(key, name).annotate(
        joined=Count("id"),
        bought=Count("id", filter=Q(first_sale_on__isnull=False)),
        again=Count("id", filter=Q(last_sale_on__gt=F("first_sale_on"))),
    )  # fmt: skip
    found = [
        PromotionRow(
            key=str(row[key] or ""),
            name=str(row[name] or ""),
            joined=row["joined"],
            bought=row["bought"],
            again=row["again"],
        )
        for row in rows
    ]
    return tuple(sorted(found, key=lambda row: (-row.joined, row.key)))


def load_conversion(viewer: Viewer, *, period: Period) -> Conversion:
    """Return how far prospects have come."""
    require(viewer, permission=Permission.SEE_INSIGHT)
    members = _members(viewer)
    prospects = members.filter(status=MemberStatus.PROSPECT)
    joins = AuditEntry.objects.filter(
        action="join_member", subject_kind="member", at__date__range=(period.first, period.last)
    )
    return Conversion(
        prospects=prospects.count(),
        buyers=prospects.filter(first_sale_on__isnull=False).count(),
        joined=members.filter(id__in=joins.values("subject_id")).count(),
    )


def load_card_use(viewer: Viewer, *, period: Period) -> CardUse:
    """Return how many of the valid cards belong to members who bought in the period."""
    require(viewer, permission=Permission.SEE_INSIGHT)
    cards = Card.objects.filter(status=CardStatus.ACTIVE)
    if viewer.store_ids is not None:
        cards = cards.filter(member__home_store_id__in=viewer.store_ids)
    used = cards.filter(member__last_sale_on__range=(period.first, period.last))
    return CardUse(valid=cards.count(), used=used.count())


def _members(viewer: Viewer) -> QuerySet[Member]:
    """Return the members of the viewer's own stores: a store answers for whom it brought in, not for who passed by."""
    members = Member.objects.exclude(status__in=[*GONE])
    return members if viewer.store_ids is None else members.filter(home_store_id__in=viewer.store_ids)
