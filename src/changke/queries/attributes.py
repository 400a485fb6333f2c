"""User-defined attributes: what stands on forms, and how many members have filled them in."""

from dataclasses import dataclass

from changke.records.models import AttributeDefinition
from changke.rules.attributes import AttributeKind


@dataclass(frozen=True, slots=True, kw_only=True)
class AttributeDefinitionRow:
    key: str
    name: str
    name_en: str
    kind: AttributeKind
    choices: tuple[str, ...]
    is_required: bool
    is_visible_to_member: bool
    is_sensitive: bool
    position: int
    is_retired: bool


def list_attributes() -> tuple[AttributeDefinitionRow, ...]:
    """Return every attribute in the order of the forms, retired ones last."""
    return tuple(_row(row) for row in AttributeDefinition.objects.order_by("is_retired", "position", "key"))


def find_attribute(key: str) -> AttributeDefinitionRow | None:
    """Return one attribute, or None."""
    row = AttributeDefinition.objects.filter(key=key).first()
    return _row(row) if row else None


def _row(row: AttributeDefinition) -> AttributeDefinitionRow:
    return AttributeDefinitionRow(
        key=row.key,
        name=row.name,
        name_en=row.name_en,
        kind=AttributeKind(row.kind),
        choices=tuple(row.choices),
        is_required=row.is_required,
        is_visible_to_member=row.is_visible_to_member,
        is_sensitive=row.is_sensitive,
        position=row.position,
        is_retired=row.is_retired,
    )
