"""Duplicates: why two members may be one person."""

from enum import StrEnum


class DuplicateReason(StrEnum):
    """The strongest reason first; a pair is kept with the strongest one that was found."""

    SAME_PHONE = "same_phone"
    SAME_EMAIL = "same_email"
    SAME_NAME_BIRTHDAY = "same_name_birthday"  # year, month and day
    SIMILAR_NAME_LAST4 = "similar_name_last4"  # names that look alike, phones with the same last four digits


class PairState(StrEnum):
    OPEN = "open"
    MERGED = "merged"
    DISMISSED = "dismissed"
