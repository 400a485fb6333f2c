"""Files brought for an import: kept under their own names until they are imported, dropped or expired."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from django.conf import settings
from django.db import transaction

from changke.actions.steps.audit import record_audit
from changke.gateways.files import StoredFile, store_file_at
from changke.gateways.folders import remove_folder
from changke.gateways.sources import find_sources
from changke.kernel.errors import fail
from changke.kernel.ids import new_public_id
from changke.queries.import_files import load_of_path, path_of_load
from changke.records.models import ImportRun, Upload
from changke.rules.imports.files import FILE_BYTES_MAX, FILES_MAX, safe_names
from changke.rules.imports.plan import ImportState
from changke.rules.staff import Permission, Viewer, require
from changke.rules.uploads import UploadKind

KEPT: Final = timedelta(days=30)  # they hold what customers' files hold
KEPT_AFTER_STOP: Final = timedelta(hours=1)  # a running import still reads them until its next step


def keep_import_files(actor: Viewer, *, files: Sequence[tuple[str, int, Iterable[bytes]]], now: datetime) -> str:
    """Keep files given as (name, bytes, chunks) in a folder of their own and return its public id.

    All are kept or none. Call without an open transaction. Errors: `file_none`, `files_too_many`, `file_too_big`,
    `file_kind_unknown`, `file_broken`.
    """
    require(actor, permission=Permission.IMPORT_DATA)
    if len(files) > FILES_MAX:
        raise fail(
            "files_too_many", "These are more than %(most)s files.", cure="Pack them as one zip.", most=FILES_MAX
        )
    for name, size, _chunks in files:
        if size > FILE_BYTES_MAX:
            raise fail(
                "file_too_big",
                "%(name)s is larger than %(megabytes)s MB.",
                cure="Pack it as zip or gz, or import it by `changke import`.",
                name=name,
                megabytes=FILE_BYTES_MAX // 1_000_000,
            )
    load = new_public_id()
    folder = Path(settings.UPLOADS) / path_of_load(load)
    names = safe_names([name for name, _size, _chunks in files])
    try:
        stored = [
            store_file_at(settings.UPLOADS, path=f"{path_of_load(load)}/{name}", chunks=chunks)
            for name, (_name, _size, chunks) in zip(names, files, strict=True)
        ]
        find_sources([Path(settings.UPLOADS) / one.path for one in stored])
        _note(actor, stored=stored, load=load, now=now)
    except BaseException:
        remove_folder(folder)
        raise
    return load


@transaction.atomic
def drop_import_files(actor: Viewer, *, load: str, now: datetime) -> None:
    """Remove the files of a load that nobody imports, or soon where an import of them may still read."""
    require(actor, permission=Permission.IMPORT_DATA)
    rows = Upload.objects.filter(kind=UploadKind.IMPORT, path__startswith=f"{path_of_load(load)}/")
    under_way = ImportRun.objects.filter(state__in=(ImportState.WAITING, ImportState.RUNNING))
    is_in_use = any(load_of_path(file["path"]) == load for run in under_way for file in run.files)
    rows.update(expires_at=now + KEPT_AFTER_STOP if is_in_use else now)
    record_audit(
        actor, now=now, action="drop_import_files", subject_kind="upload", subject_id=None, after={"load": load}
    )


@transaction.atomic
def note_report_taken(actor: Viewer, *, public_id: str, now: datetime) -> None:
    """Note that somebody took the whole row report of an import away."""
    require(actor, permission=Permission.IMPORT_DATA)
    run = ImportRun.objects.get(public_id=public_id)
    record_audit(actor, now=now, action="take_import_report", subject_kind="import_run", subject_id=run.id)


@transaction.atomic
def _note(actor: Viewer, *, stored: Sequence[StoredFile], load: str, now: datetime) -> None:
    for one in stored:
        Upload.objects.create(
            kind=UploadKind.IMPORT,
            name=Path(one.path).name,
            path=one.path,
            content_type="application/octet-stream",
            size_bytes=one.size_bytes,
            sha256=one.sha256,
            created_at=now,
            created_by_id=actor.user_id,
            expires_at=now + KEPT,
        )
    after = {"load": load, "files": len(stored), "size_bytes": sum(one.size_bytes for one in stored)}
    record_audit(actor, now=now, action="bring_import_files", subject_kind="upload", subject_id=None, after=after)
