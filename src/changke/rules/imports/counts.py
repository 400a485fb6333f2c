"""Counts of an import: rows in = rows kept + rows refused, for every role."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from changke.rules.imports.words import PartRole, Refusal


@dataclass(frozen=True, slots=True, kw_only=True)
class LineCount:
    """Kept lines of one kind ("sale" or "return"), of members or anonymous; money in minor units."""

    kind: str
    has_member: bool
    lines: int
    receipts: int
    members: int
    total_minor: int
    zero_totals: int  # lines that come to 0.00 after rounding


@dataclass(frozen=True, slots=True, kw_only=True)
class CleaningCounts:
    """What a cleaning made of its rows. `left_out` counts cells, not rows; the rows they stand in are kept."""

    rows_in: Mapping[PartRole, int]
    lines: tuple[LineCount, ...]
    refused: Mapping[tuple[PartRole, Refusal], int]
    left_out: Mapping[Refusal, int]
    duplicates_seen: int
    returned_lines_linked: int
    members: int
    products: int
    stores: int

    def refused_of(self, role: PartRole) -> int:
        return sum(count for (of, _), count in self.refused.items() if of is role)

    def kept_of(self, role: PartRole) -> int:
        """Return how many rows of a role were kept; of sales it equals the sum of `lines`."""
        return self.rows_in.get(role, 0) - self.refused_of(role)

    @property
    def rows_kept(self) -> int:
        return sum(self.kept_of(role) for role in self.rows_in)

    def to_json(self) -> dict[str, Any]:
        """Return the counts as JSON, for the record of the import, the command line and the page."""
        return {
            "rows_in": {str(role): count for role, count in self.rows_in.items()},
            "rows_kept": {str(role): self.kept_of(role) for role in self.rows_in},
            "rows_refused": {str(role): self.refused_of(role) for role in self.rows_in},
            "refused": [
                {"role": str(role), "reason": str(reason), "rows": count}
                for (role, reason), count in self.refused.items()
            ],
            "left_out": {str(reason): count for reason, count in self.left_out.items()},
            "lines": [
                {
                    "kind": line.kind,
                    "customers": "members" if line.has_member else "anonymous",
                    "lines": line.lines,
                    "receipts": line.receipts,
                    "members": line.members,
                    "total_minor": line.total_minor,
                    "zero_totals": line.zero_totals,
                }
                for line in self.lines
            ],
            "duplicates_seen": self.duplicates_seen,
            "returned_lines_linked": self.returned_lines_linked,
            "members": self.members,
            "products": self.products,
            "stores": self.stores,
        }
