"""The views that somebody saved of a list page."""

from dataclasses import dataclass

from changke.records.models import SavedView
from changke.rules.staff import Viewer


@dataclass(frozen=True, slots=True, kw_only=True)
class ViewRow:
    public_id: str
    name: str
    query: str


def list_views(viewer: Viewer, *, page: str) -> tuple[ViewRow, ...]:
    """Return the viewer's own views of a page by name."""
    rows = SavedView.objects.filter(user_id=viewer.user_id or 0, page=page).order_by("name")
    return tuple(ViewRow(public_id=row.public_id, name=row.name, query=row.query) for row in rows)
