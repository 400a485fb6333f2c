"""The audit row of a change, written in the transaction of the change itself."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from pydantic import TypeAdapter

from changke.records.models import AuditEntry
from changke.rules.staff import Viewer

AS_JSON: Final = TypeAdapter(dict[str, Any])  # dates, times, enums and sets become JSON types


def record_audit(
    actor: Viewer,
    *,
    now: datetime,
    action: str,
    subject_kind: str,
    subject_id: int | None,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
    store_id: int | None = None,
    reason: str = "",
) -> None:
    """Write who did what to which row; `before` and `after` hold only what changed, personal values masked."""
    AuditEntry.objects.create(
        at=now,
        user_id=actor.user_id,
        actor=actor.name[:150],
        action=action,
        subject_kind=subject_kind,
        subject_id=subject_id,
        store_id=store_id,
        place=actor.place[:60],
        reason=reason[:300],
        before=AS_JSON.dump_python(dict(before or {}), mode="json"),
        after=AS_JSON.dump_python(dict(after or {}), mode="json"),
    )


def changed_fields(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return both sides of the fields that differ, for an audit row."""
    keys = [key for key in after if before.get(key) != after[key]]
    return {key: before.get(key) for key in keys}, {key: after[key] for key in keys}
