"""Regions: added and renamed by head office."""

from dataclasses import asdict
from datetime import datetime

from django.db import transaction

from changke.actions.steps.audit import changed_fields, record_audit
from changke.kernel.checks import raise_problems
from changke.kernel.errors import fail
from changke.records.models import Region
from changke.rules.company import RegionCard, refuse_region
from changke.rules.staff import Permission, Viewer, require


@transaction.atomic
def add_region(actor: Viewer, *, card: RegionCard, now: datetime) -> int:
    """Add a region and return its id; its code must be new."""
    require(actor, permission=Permission.EDIT_SHOP)
    raise_problems(refuse_region(card))
    region, is_new = Region.objects.get_or_create(code=card.code, defaults=asdict(card))
    if not is_new:
        raise fail("code_taken", "The code %(code)s is in use.", field="code", code=card.code)
    record_audit(actor, now=now, action="add_region", subject_kind="region", subject_id=region.id, after=asdict(card))
    return region.id


@transaction.atomic
def change_region(actor: Viewer, *, region_id: int, card: RegionCard, now: datetime) -> None:
    """Rename a region or give it another code."""
    require(actor, permission=Permission.EDIT_SHOP)
    raise_problems(refuse_region(card))
    region = Region.objects.select_for_update().get(id=region_id)
    if Region.objects.filter(code=card.code).exclude(id=region_id).exists():
        raise fail("code_taken", "The code %(code)s is in use.", field="code", code=card.code)
    before, after = changed_fields({key: getattr(region, key) for key in asdict(card)}, asdict(card))
    if after:
        Region.objects.filter(id=region_id).update(**after)
        record_audit(
            actor,
            now=now,
            action="change_region",
            subject_kind="region",
            subject_id=region_id,
            before=before,
            after=after,
        )
