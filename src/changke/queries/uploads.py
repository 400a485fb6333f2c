"""Uploaded files as a viewer may open them."""

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q

from changke.records.models import Store, Upload
from changke.rules.staff import Permission, Viewer
from changke.rules.uploads import UploadKind


@dataclass(frozen=True, slots=True, kw_only=True)
class UploadRow:
    id: int
    kind: UploadKind
    name: str
    path: str
    content_type: str
    size_bytes: int


def find_upload(viewer: Viewer, *, public_id: str, now: datetime) -> UploadRow | None:
    """Return a file that the viewer may open, else None.

    Pictures: who may see the store they hang in. Everything else: who brought or ordered it, as long as the right
    lasts, until it expires.
    """
    row = Upload.objects.filter(public_id=public_id).filter(Q(expires_at=None) | Q(expires_at__gt=now)).first()
    if row is None:
        return None
    kind = UploadKind(row.kind)
    if not (_sees_picture(viewer, upload_id=row.id) if kind is UploadKind.PICTURE else _owns(viewer, row=row)):
        return None
    return UploadRow(
        id=row.id,
        kind=kind,
        name=row.name,
        path=row.path,
        content_type=row.content_type,
        size_bytes=row.size_bytes,
    )


def _sees_picture(viewer: Viewer, *, upload_id: int) -> bool:
    stores = Store.objects.filter(Q(picture_id=upload_id) | Q(floor_plan_id=upload_id)).values_list("id", flat=True)
    return viewer.may(Permission.SEE_SHOP) and any(viewer.sees_store(store_id) for store_id in stores)


def _owns(viewer: Viewer, *, row: Upload) -> bool:
    needed = Permission.EXPORT_DATA if row.kind == UploadKind.EXPORT else Permission.IMPORT_DATA
    return viewer.may(needed) and viewer.user_id is not None and row.created_by_id == viewer.user_id
