"""Tags and how many members carry them."""

from dataclasses import dataclass

from django.db.models import Count

from changke.records.models import Tag
from changke.rules.staff import Permission, Viewer, require


@dataclass(frozen=True, slots=True, kw_only=True)
class TagRow:
    id: int
    name: str
    name_en: str
    members: int


def list_tags(viewer: Viewer) -> tuple[TagRow, ...]:
    """Return every tag by name with the number of its members (merged ones included)."""
    require(viewer, permission=Permission.SEE_MEMBERS)
    rows = Tag.objects.annotate(members=Count("member_rows")).order_by("name")
    return tuple(TagRow(id=row.id, name=row.name, name_en=row.name_en, members=row.members) for row in rows)


def name_tags(viewer: Viewer) -> tuple[tuple[int, str], ...]:
    """Return (id, name) of every tag: what filters and forms offer."""
    require(viewer, permission=Permission.SEE_MEMBERS)
    return tuple(Tag.objects.order_by("name").values_list("id", "name"))
