"""What columns need that Django does not have: enum-checked text and the transaction id of PostgreSQL."""

from collections.abc import Iterable
from enum import StrEnum

from django.db import models
from django.db.models import Func, Q


class TransactionId(Func):
    """The id of the writing transaction as a bigint, filled in by the database.

    Readers take rows below `pg_snapshot_xmin(pg_current_snapshot())`: a slow transaction with a smaller id is never
    passed over, as it would be by max(id) or by a time.
    """

    template = "(pg_current_xact_id()::text)::bigint"
    output_field = models.BigIntegerField()


def one_of(field: str, words: type[StrEnum] | Iterable[str], *, name: str) -> models.CheckConstraint:
    """Return the constraint that a text column holds one of the enum's words (null passes)."""
    return models.CheckConstraint(condition=Q(**{f"{field}__in": [str(word) for word in words]}), name=name)
