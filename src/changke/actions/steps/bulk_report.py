"""The row report of an import as a file that its user may open: which row, what is wrong, the cure, the row itself."""

import io
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import pyarrow.parquet as pq
from django.conf import settings

from changke.gateways.files import store_file
from changke.gateways.sheets import CSV_TYPE, write_csv
from changke.records.models import Upload
from changke.rules.imports.words import REFUSAL_TEXTS, Refusal
from changke.rules.staff import Viewer
from changke.rules.uploads import UploadKind

HEADER: Final = ("file", "row", "effect", "field", "reason", "message", "cure", "text")
BATCH_ROWS: Final = 20_000


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptReport:
    upload_id: int
    path: Path


def keep_report(report: Path, *, actor: Viewer, name: str, now: datetime, expires_at: datetime) -> KeptReport | None:
    """Keep the row report as CSV among the uploads until it expires; None where no row was refused."""
    with pq.ParquetFile(report) as parquet:
        if not parquet.metadata.num_rows:
            return None
        stored = store_file(Path(settings.UPLOADS), chunks=_chunks(parquet), suffix=".csv")
    row = Upload.objects.create(
        kind=UploadKind.IMPORT_REPORT,
        name=name,
        path=stored.path,
        content_type=CSV_TYPE,
        size_bytes=stored.size_bytes,
        sha256=stored.sha256,
        created_at=now,
        created_by_id=actor.user_id,
        expires_at=expires_at,
    )
    return KeptReport(upload_id=row.id, path=Path(settings.UPLOADS) / stored.path)


def _chunks(parquet: pq.ParquetFile) -> Iterator[bytes]:
    header: tuple[str, ...] = HEADER
    for batch in parquet.iter_batches(batch_size=BATCH_ROWS):
        text = io.StringIO(newline="")
        write_csv(text, header=header, rows=(_spell(row) for row in batch.to_pylist()))
        whole = text.getvalue()
        # Mark and header belong to the first chunk only.
        yield (whole if header is HEADER else whole.split("\n", 1)[1]).encode()
        header = ()


def _spell(row: dict[str, Any]) -> tuple[str | int, ...]:
    message, cure = REFUSAL_TEXTS[Refusal(row["reason"])]
    return (
        row["file"], row["row_no"], row["effect"], row["field"] or "", row["reason"], message, cure, row["text"] or "",
    )  # fmt: skip
