"""Frozen models that components draw: a key figure, tabs, facets, pages, progress."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One number with its comparison. `kind`: "money" (minor units), "number", "share" (a ratio in millionths)."""

    label: Any
    value: int | None
    before: int | None = None
    kind: str = "number"
    against: Any = ""  # what `before` is: "previous 30 days"
    spark: Sequence[int | None] = ()
    href: str = ""
    hint: Any = ""
    rise_is: str = "good"  # "good" | "bad" | "neutral"

    @property
    def change_ppm(self) -> int | None:
        """Relative change in millionths, of a share its difference; None where there is nothing to compare with."""
        if self.value is None or self.before is None:
            return None
        if self.kind == "share":
            return self.value - self.before
        return None if self.before == 0 else round((self.value - self.before) * 1_000_000 / abs(self.before))

    @property
    def mood(self) -> str:
        change = self.change_ppm
        if not change or self.rise_is == "neutral":
            return "flat"
        return "good" if (change > 0) == (self.rise_is == "good") else "bad"


@dataclass(frozen=True, slots=True, kw_only=True)
class Tab:
    label: Any
    href: str
    is_current: bool = False
    count: int | None = None
    icon: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    value: str
    label: Any
    count: int | None = None
    is_chosen: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Facet:
    """One filter of a list: a query parameter and its choices; several may be chosen."""

    name: str
    label: Any
    choices: Sequence[Choice]

    @property
    def chosen(self) -> list[Choice]:
        return [choice for choice in self.choices if choice.is_chosen]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pages:
    """Which page of how many: `number` counts from 1."""

    number: int
    size: int
    total: int

    @property
    def last(self) -> int:
        return max(1, ceil(self.total / self.size))

    @property
    def first_row(self) -> int:
        return min(self.total, (self.number - 1) * self.size + 1)

    @property
    def last_row(self) -> int:
        return min(self.total, self.number * self.size)

    @property
    def offset(self) -> int:
        return (self.number - 1) * self.size


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far a job has come; `url` answers the same component again while `is_running`."""

    label: Any
    done: int
    total: int | None = None
    seconds_left: int | None = None
    url: str = ""
    cancel_url: str = ""
    is_running: bool = True

    @property
    def percent(self) -> int | None:
        return None if not self.total else min(100, self.done * 100 // self.total)
