"""Consents: rows appended to the ledger; the newest of a channel and purpose is in force."""

from collections.abc import Iterable
from datetime import datetime

from changke.records.models import Consent, ConsentText
from changke.rules.members import ConsentAnswer, SourceChannel
from changke.rules.staff import Viewer


def newest_consents(member_id: int) -> dict[tuple[str, str], Consent]:
    """Return the row in force of each channel and purpose."""
    rows = Consent.objects.filter(member_id=member_id).order_by("channel", "purpose", "-id")
    return {(row.channel, row.purpose): row for row in rows.distinct("channel", "purpose")}


def add_consents(
    actor: Viewer,
    *,
    member_id: int,
    answers: Iterable[ConsentAnswer],
    given_through: SourceChannel,
    store_id: int | None,
    now: datetime,
) -> list[Consent]:
    """Append the answers that differ from what is in force, with wording, place and person as proof; return them."""
    known = newest_consents(member_id)
    texts = _texts_in_force(actor.language)
    rows = [
        Consent(
            member_id=member_id,
            channel=answer.channel.value,
            purpose=answer.purpose.value,
            is_granted=answer.is_granted,
            at=now,
            given_through=given_through.value,
            text_id=texts.get(answer.purpose.value),
            store_id=store_id,
            staff_id=actor.staff_id,
            address=actor.place[:45],
        )
        for answer in answers
        if (row := known.get((answer.channel, answer.purpose))) is None or row.is_granted != answer.is_granted
    ]
    return Consent.objects.bulk_create(rows)


def _texts_in_force(language: str) -> dict[str, int]:
    """Return the newest wording of each purpose, in the viewer's language where there is one."""
    rows = ConsentText.objects.order_by("since", "id").values_list("purpose", "language", "id")
    newest = {(purpose, spoken): id_ for purpose, spoken, id_ in rows}
    purposes = {purpose for purpose, _ in newest}
    return {p: newest.get((p, language)) or next(i for (q, _), i in newest.items() if q == p) for p in purposes}
