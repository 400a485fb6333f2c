"""The wordings that people agree to, as they were published."""

from dataclasses import dataclass
from datetime import datetime

from changke.records.models import ConsentText
from changke.rules.members import ConsentPurpose


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentTextRow:
    """A published wording; it never changes, a newer version takes its place."""

    purpose: ConsentPurpose
    version: str
    language: str
    body: str
    sha256: str
    since: datetime


def list_consent_texts() -> tuple[ConsentTextRow, ...]:
    """Return every wording, the newest of each purpose first."""
    rows = ConsentText.objects.order_by("purpose", "-since", "-id")
    return tuple(
        ConsentTextRow(
            purpose=ConsentPurpose(row.purpose),
            version=row.version,
            language=row.language,
            body=row.body,
            sha256=row.sha256,
            since=row.since,
        )
        for row in rows
    )
