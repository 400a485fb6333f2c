"""Attributes that a user defines: their kinds and the check of a value."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from enum import StrEnum


class AttributeKind(StrEnum):
    TEXT = "text"
    NUMBER = "number"
    DATE = "date"
    CHOICE = "choice"
    CHOICES = "choices"  # several, stored separated by "|"
    YES_NO = "yes_no"


class AttributeRefusal(StrEnum):
    REQUIRED = "required"
    NOT_A_NUMBER = "not_a_number"
    NOT_A_DATE = "not_a_date"
    NOT_A_CHOICE = "not_a_choice"
    NOT_YES_NO = "not_yes_no"
    TOO_LONG = "too_long"


LONGEST_TEXT = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class AttributeSpec:
    """What may stand in an attribute: its kind, its choices, whether it must be filled."""

    key: str
    kind: AttributeKind
    choices: tuple[str, ...] = ()
    is_required: bool = False


def refuse_value(spec: AttributeSpec, *, value: str) -> AttributeRefusal | None:
    """Return why a typed value does not fit its attribute, or None where it does."""
    text = value.strip()
    if not text:
        return AttributeRefusal.REQUIRED if spec.is_required else None
    if len(text) > LONGEST_TEXT:
        return AttributeRefusal.TOO_LONG
    match spec.kind:
        case AttributeKind.TEXT:
            return None
        case AttributeKind.NUMBER:
            return None if _is_number(text) else AttributeRefusal.NOT_A_NUMBER
        case AttributeKind.DATE:
            return None if _is_date(text) else AttributeRefusal.NOT_A_DATE
        case AttributeKind.CHOICE:
            return None if text in spec.choices else AttributeRefusal.NOT_A_CHOICE
        case AttributeKind.CHOICES:
            return None if set(text.split("|")) <= set(spec.choices) else AttributeRefusal.NOT_A_CHOICE
        case AttributeKind.YES_NO:
            return None if text in {"yes", "no"} else AttributeRefusal.NOT_YES_NO


def _is_number(text: str) -> bool:
    try:
        return Decimal(text).is_finite()
    except InvalidOperation:
        return False


def _is_date(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True
