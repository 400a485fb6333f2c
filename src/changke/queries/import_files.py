"""Files brought for an import, found again by the id of their load."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from django.conf import settings

from changke.records.models import Upload
from changke.rules.staff import Permission, Viewer, require
from changke.rules.uploads import UploadKind

BROUGHT: Final = "brought"  # below <home>/uploads; one folder a load


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """Files that were brought together. `paths` are absolute."""

    public_id: str
    paths: tuple[Path, ...]
    size_bytes: int
    expires_at: datetime

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(path.name for path in self.paths)


def find_load(viewer: Viewer, *, public_id: str, now: datetime) -> Load | None:
    """Return files that this viewer brought and that still lie here, else None."""
    require(viewer, permission=Permission.IMPORT_DATA)
    rows = list(
        Upload.objects.filter(
            kind=UploadKind.IMPORT,
            path__startswith=f"{path_of_load(public_id)}/",
            created_by_id=viewer.user_id,
            expires_at__gt=now,
        ).order_by("id")
    )
    paths = tuple(Path(settings.UPLOADS) / row.path for row in rows)
    if not rows or viewer.user_id is None or not all(path.is_file() for path in paths):
        return None
    return Load(
        public_id=public_id,
        paths=paths,
        size_bytes=sum(row.size_bytes for row in rows),
        expires_at=min(row.expires_at for row in rows if row.expires_at),
    )


def path_of_load(public_id: str) -> str:
    """Return the folder of a load below the uploads."""
    return f"{BROUGHT}/{public_id}"


def load_of_path(path: str) -> str:
    """Return the load that an imported file came in with; empty for a file from elsewhere."""
    parts = Path(path).parts
    return parts[-2] if len(parts) > 2 and parts[-3] == BROUGHT else ""
