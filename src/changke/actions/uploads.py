"""Files that people bring: kept below <home>/uploads with a row that says whose they are."""

from collections.abc import Iterable
from datetime import datetime
from pathlib import PurePath

from django.conf import settings
from django.db import transaction

from changke.actions.steps.audit import record_audit
from changke.gateways.files import Readable, redraw_picture, remove_file, store_file
from changke.records.models import Upload
from changke.rules.staff import Permission, Viewer, require
from changke.rules.uploads import UploadKind


def keep_picture(actor: Viewer, *, name: str, raw: Readable, now: datetime) -> int:
    """Draw a picture anew, keep it and return the id of its row; raises ChangkeError for what is no picture."""
    require(actor, permission=Permission.EDIT_SHOP)
    drawn = redraw_picture(raw)
    return keep_file(
        actor,
        kind=UploadKind.PICTURE,
        name=PurePath(name).with_suffix(".webp").name,
        chunks=(drawn,),
        content_type="image/webp",
        now=now,
    )


def keep_file(
    actor: Viewer,
    *,
    kind: UploadKind,
    name: str,
    chunks: Iterable[bytes],
    content_type: str,
    now: datetime,
    expires_at: datetime | None = None,
) -> int:
    """Keep a file and return the id of its row: file first, then row and audit together; without row no file remains.

    Call without an open transaction (writing may take long), with the right to the kind checked by the caller.
    """
    stored = store_file(settings.UPLOADS, chunks=chunks, suffix=PurePath(name).suffix.lower()[:10])
    try:
        with transaction.atomic():
            row = Upload.objects.create(
                kind=kind,
                name=name[-200:],
                path=stored.path,
                content_type=content_type,
                size_bytes=stored.size_bytes,
                sha256=stored.sha256,
                created_at=now,
                created_by_id=actor.user_id,
                expires_at=expires_at,
            )
            after = {"kind": kind, "size_bytes": stored.size_bytes, "sha256": stored.sha256}
            record_audit(actor, now=now, action="keep_file", subject_kind="upload", subject_id=row.id, after=after)
    except BaseException:
        remove_file(settings.UPLOADS, path=stored.path)
        raise
    return row.id
