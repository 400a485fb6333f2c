"""What an uploaded or made file is for."""

from enum import StrEnum


class UploadKind(StrEnum):
    PICTURE = "picture"
    IMPORT = "import"
    IMPORT_REPORT = "import_report"
    EXPORT = "export"
