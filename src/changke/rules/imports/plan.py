"""What a user asks of an import, the states it goes through, and what came of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from changke.rules.imports.profiles import DayOrder, SaleKey
from changke.rules.imports.words import CleaningRule


class ImportMode(StrEnum):
    MERGE = "merge"
    REHEARSAL = "rehearsal"  # counts everything, writes nothing


class Fill(StrEnum):
    """What an import does to a member or product that is known already."""

    EMPTY_ONLY = "empty_only"  # fills what is empty; what somebody entered stays
    OVERWRITE = "overwrite"


class ImportState(StrEnum):
    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportPlan:
    """One import as the user wants it; what is empty or None is guessed or taken from the profile.

    `columns` and `attributes` map fields and attribute keys to headers, `ignored` names headers that are not imported;
    all hold for every table that has the header.
    """

    paths: tuple[str, ...]  # files, folders, archives
    profile: str = ""
    mode: ImportMode = ImportMode.MERGE
    source: str = ""
    columns: Mapping[str, str] = field(default_factory=dict)
    attributes: Mapping[str, str] = field(default_factory=dict)
    ignored: tuple[str, ...] = ()
    rules: Mapping[CleaningRule, bool] = field(default_factory=dict)
    encoding: str = ""
    delimiter: str = ""
    header_row: int | None = None
    day_order: DayOrder | None = None
    sale_key: SaleKey | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MergeCounts:
    """What the merge made of the staged tables."""

    sales_new: int = 0
    sales_unchanged: int = 0
    sales_corrected: int = 0
    lines_written: int = 0
    returned_lines_linked: int = 0  # to sales that were known before
    members_new: int = 0
    members_changed: int = 0
    members_unchanged: int = 0
    products_new: int = 0
    products_changed: int = 0
    stores_new: int = 0
    staff_new: int = 0

    @property
    def has_changed(self) -> bool:
        """Say whether anything was written: an import of the same file again writes nothing."""
        return any(
            (self.sales_new, self.sales_corrected, self.members_new, self.members_changed, self.products_new,
             self.products_changed, self.stores_new, self.staff_new)
        )  # fmt: skip

    def to_json(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self.__dataclass_fields__}
