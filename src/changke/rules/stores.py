"""What a store is: its ownership."""

from enum import StrEnum


class Ownership(StrEnum):
    OWN = "own"
    FRANCHISE = "franchise"
