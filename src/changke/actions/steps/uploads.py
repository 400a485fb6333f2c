"""Uploads whose time is over: row and file go."""

from datetime import datetime
from pathlib import Path

from django.conf import settings
from django.db import transaction

from changke.gateways.files import remove_file
from changke.gateways.folders import remove_folder
from changke.queries.import_files import load_of_path
from changke.records.models import Upload


def remove_expired_uploads(*, now: datetime) -> int:
    """Remove files past their time, each with its row, and return how many went; the file goes first."""
    expired = list(Upload.objects.filter(expires_at__lte=now).values_list("id", "path"))
    for upload_id, path in expired:
        remove_file(settings.UPLOADS, path=path)
        if load_of_path(path):
            remove_folder((Path(settings.UPLOADS) / path).parent)  # its files came, and go, together
        with transaction.atomic():
            Upload.objects.filter(id=upload_id).delete()
    return len(expired)
