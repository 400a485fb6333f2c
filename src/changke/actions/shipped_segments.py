"""The segments that come with the program: installed once, then the users' own."""

from datetime import datetime
from importlib.resources import files
from typing import Any

import yaml
from django.db import transaction

from changke.actions.steps.audit import record_audit
from changke.insight.segment_json import segment_from_json, segment_to_json
from changke.records.models import Segment
from changke.rules.staff import Permission, Viewer, require

PLAYBOOK = "segments.yaml"


@transaction.atomic
def install_shipped_segments(actor: Viewer, *, now: datetime) -> int:
    """Add every shipped segment whose name was never used here, also by one put away; returns how many were added."""
    require(actor, permission=Permission.EDIT_SEGMENTS)
    added = 0
    used = set(Segment.objects.values_list("name", flat=True))
    for card in read_playbook():
        if card["name"] in used:
            continue
        segment = Segment.objects.create(
            name=card["name"],
            name_en=card["name_en"],
            note=card.get("note", ""),
            tree=segment_to_json(segment_from_json({"where": card["where"]})),
            sharing="company",
            is_shipped=True,
            created_at=now,
            changed_at=now,
        )
        after = {"name": segment.name}
        record_audit(
            actor, now=now, action="install_segment", subject_kind="segment", subject_id=segment.id, after=after
        )
        added += 1
    return added


def read_playbook() -> list[dict[str, Any]]:
    """Return the shipped segments as they stand in playbooks/segments.yaml."""
    text = (files("changke") / "playbooks" / PLAYBOOK).read_text(encoding="utf-8")
    return list(yaml.safe_load(text))
