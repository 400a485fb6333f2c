"""Names that people typed in Chinese and perhaps in English."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """A name and its English form, which may be missing."""

    name: str
    name_en: str = ""
