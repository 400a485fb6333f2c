"""Members as a viewer may see them: who is within reach."""

from django.db.models import OuterRef, Q, QuerySet, Subquery

from changke.records.models import Member, Sale
from changke.rules.members import MemberStatus
from changke.rules.staff import Viewer


def members_within(viewer: Viewer) -> QuerySet[Member]:
    """Return the members that a viewer may open: of their home stores, or who have bought there; never erased ones.

    Who sees every store sees every member. Merged rows are within reach like others: their page leads to the survivor.
    """
    members = Member.objects.exclude(status=MemberStatus.ERASED)
    if viewer.store_ids is None:
        return members
    stores = list(viewer.store_ids)
    # One row looked for, not EXISTS: that one the planner would answer from a hash of every sale of the stores.
    bought = Sale.objects.filter(member_id=OuterRef("id"), store_id__in=stores).order_by().values("id")[:1]
    return members.alias(bought=Subquery(bought)).filter(Q(home_store_id__in=stores) | Q(bought__isnull=False))
