"""Columns that Django does not have: enum-checked text and the transaction id of PostgreSQL."""

from collections.abc import Iterable
from enum import StrEnum
from typing import Any

from django.db import models
from django.db.models import Func, Q


class Xid8Field(models.BigIntegerField):
    """The id of the writing transaction (xid8), filled by the database; readers compare it with pg_snapshot_xmin."""

    def db_type(self, connection: Any) -> str:  # noqa: ARG002 - Django passes it by name
        return "xid8"


class CurrentTransaction(Func):
    function = "pg_current_xact_id"
    output_field = Xid8Field()


def one_of(field: str, words: type[StrEnum] | Iterable[str], *, name: str) -> models.CheckConstraint:
    """Return the constraint that a text column holds one of the enum's words (null passes)."""
    return models.CheckConstraint(condition=Q(**{f"{field}__in": [str(word) for word in words]}), name=name)
