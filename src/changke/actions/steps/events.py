"""The event row of an effect, written in the transaction of the effect itself."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from changke.records.models import Event


def record_event(
    kind: str,
    *,
    now: datetime,
    member_id: int | None = None,
    store_id: int | None = None,
    subject_id: int | None = None,
    data: Mapping[str, Any] | None = None,
) -> None:
    """Append one event; `data` holds ids and coarse attributes only, never a name, phone or address."""
    Event.objects.create(
        at=now, kind=kind, member_id=member_id, store_id=store_id, subject_id=subject_id, data=dict(data or {})
    )
