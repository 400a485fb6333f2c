"""Members as a viewer may see them: who is within reach."""

from collections.abc import Iterable

from django.db.models import Exists, OuterRef, Q, QuerySet

from changke.records.models import Member, Sale
from changke.rules.members import MemberStatus
from changke.rules.staff import Viewer


def members_within(viewer: Viewer) -> QuerySet[Member]:
    """Return the members that a viewer may open: of their home stores, or who have bought there; never erased ones.

    Who sees every store sees every member. Merged rows are within reach like others: their page leads to the survivor.
    """
    members = Member.objects.exclude(status=MemberStatus.ERASED)
    return members if viewer.store_ids is None else members.filter(_reach(viewer.store_ids))


def _reach(store_ids: Iterable[int]) -> Q | Exists:
    stores = list(store_ids)
    bought = Exists(Sale.objects.filter(member_id=OuterRef("id"), store_id__in=stores))
    return Q(home_store_id__in=stores) | Q(bought)
