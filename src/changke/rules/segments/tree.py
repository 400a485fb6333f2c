"""The segment language: a tree of groups and conditions, and what makes a tree acceptable.

All ranges include both ends. A condition on a value that a member does not have is not met, so its negation is met.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Final, Literal, TypeAlias

DEPTH_MAX: Final = 6
CONDITIONS_MAX: Final = 60
VALUES_MAX: Final = 10_000
DAYS_MAX: Final = 36_500
BOUND_MAX: Final = 10**15
PPM: Final = 1_000_000


class TagMode(StrEnum):
    ANY = "any"
    ALL = "all"
    NONE = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class Number:
    """A number of the wide row from `low` to `high`, in the unit of its field; None = open."""

    kind: Literal["number"] = "number"
    field: str
    low: int | None = None
    high: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """A word, an id or a score of the wide row that is one of `values`; field "member_id" makes a static list."""

    kind: Literal["choice"] = "choice"
    field: str
    values: tuple[str, ...] | tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class DateBetween:
    """A date of the wide row from `first` to `last`; None = open."""

    kind: Literal["date_between"] = "date_between"
    field: str
    first: date | None = None
    last: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DateWithin:
    """A date of the wide row at most `days` before the analysis date, and not after it."""

    kind: Literal["date_within"] = "date_within"
    field: str
    days: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Flag:
    """A yes-or-no field of the wide row that says `value`."""

    kind: Literal["flag"] = "flag"
    field: str
    value: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Unknown:
    """A field of the wide row that nothing is known of."""

    kind: Literal["unknown"] = "unknown"
    field: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BirthdayWithin:
    """A birthday today or in the next `days` days; 29 February is kept on the 28th in a common year."""

    kind: Literal["birthday_within"] = "birthday_within"
    days: int


@dataclass(frozen=True, slots=True, kw_only=True)
class BirthdayMonth:
    """A birthday in the month that lies `months_ahead` after the month of the analysis date; 0 = this month."""

    kind: Literal["birthday_month"] = "birthday_month"
    months_ahead: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Tags:
    """Carries any, all or none of the tags."""

    kind: Literal["tags"] = "tags"
    mode: TagMode
    tags: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Consent:
    """Has (or has not) consented to a channel and purpose, such as "sms:marketing"."""

    kind: Literal["consent"] = "consent"
    consent: str
    granted: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Attribute:
    """A user-defined attribute that is one of `values`; without values: that is filled in at all."""

    kind: Literal["attribute"] = "attribute"
    name: str
    values: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Bought:
    """Purchases before the analysis date that fit every filter, counted and summed; no purchase counts as 0.

    Filters left empty let everything through; a line fits when product, category (leaf or top) and brand all fit.
    `times` counts receipts of sales; quantity (thousandths) and amount (minor units) are net of returns: of the lines
    that fit, or of whole receipts where no goods are named. Weekdays are 1 = Monday to 7; hours 0-23. "Never bought" is
    times_high = 0 with times_low None.
    """

    kind: Literal["bought"] = "bought"
    products: tuple[int, ...] = ()
    categories: tuple[int, ...] = ()
    brands: tuple[int, ...] = ()
    stores: tuple[int, ...] = ()
    first: date | None = None
    last: date | None = None
    last_days: int | None = None
    hours: tuple[int, ...] = ()
    weekdays: tuple[int, ...] = ()
    times_low: int | None = 1
    times_high: int | None = None
    quantity_low_milli: int | None = None
    quantity_high_milli: int | None = None
    amount_low_minor: int | None = None
    amount_high_minor: int | None = None

    @property
    def names_goods(self) -> bool:
        return bool(self.products or self.categories or self.brands)

    def bounds(self) -> tuple[tuple[int | None, int | None], ...]:
        """Return (low, high) of times, quantity and amount."""
        return (
            (self.times_low, self.times_high),
            (self.quantity_low_milli, self.quantity_high_milli),
            (self.amount_low_minor, self.amount_high_minor),
        )

    def is_met_by(self, times: int, quantity_milli: int, amount_minor: int) -> bool:
        found = (times, quantity_milli, amount_minor)
        return all(lies_in(value, low, high) for value, (low, high) in zip(found, self.bounds(), strict=True))


@dataclass(frozen=True, slots=True, kw_only=True)
class InSegment:
    """Is a member of another segment: union, intersection and difference are any, all and not over these."""

    kind: Literal["segment"] = "segment"
    segment_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RandomShare:
    """One of a random share (in millionths) of all members: the same seed always picks the same ones."""

    kind: Literal["random_share"] = "random_share"
    share_ppm: int
    seed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AllOf:
    """Every part is met; without parts: everybody."""

    kind: Literal["all"] = "all"
    parts: "tuple[Tree, ...]" = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class AnyOf:
    """At least one part is met."""

    kind: Literal["any"] = "any"
    parts: "tuple[Tree, ...]" = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Not:
    """The part is not met."""

    kind: Literal["not"] = "not"
    part: "Tree"


Condition: TypeAlias = (
    Number | Choice | DateBetween | DateWithin | Flag | Unknown | BirthdayWithin | BirthdayMonth
    | Tags | Consent | Attribute | Bought | InSegment | RandomShare
)  # fmt: skip
Tree: TypeAlias = Condition | AllOf | AnyOf | Not


@dataclass(frozen=True, slots=True, kw_only=True)
class Pick:
    """A random choice of at most `members_max` of those who match: the same seed always picks the same ones."""

    members_max: int
    seed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """Who belongs: everybody whom `where` matches or, with a pick, so many of them by chance."""

    where: Tree
    pick: Pick | None = None


def lies_in(value: int, low: int | None, high: int | None) -> bool:
    return (low is None or low <= value) and (high is None or value <= high)


def parts_of(tree: Tree) -> tuple[Tree, ...]:
    """Return the parts of a group; a condition has none."""
    if isinstance(tree, Not):
        return (tree.part,)
    return tree.parts if isinstance(tree, AllOf | AnyOf) else ()


def walk(tree: Tree, place: tuple[int, ...] = ()) -> Iterator[tuple[tuple[int, ...], Tree]]:
    """Yield every node with its place: (2, 1) is the first part of the root's second part, () the root."""
    yield place, tree
    for number, part in enumerate(parts_of(tree), start=1):
        yield from walk(part, (*place, number))


def referred_segments(tree: Tree) -> frozenset[int]:
    """Return the ids of the other segments that a tree names."""
    return frozenset(node.segment_id for _, node in walk(tree) if isinstance(node, InSegment))


def put_in(tree: Tree, trees: Mapping[int, Tree]) -> Tree:
    """Replace each named segment that is in `trees` by its own tree, all the way down; the others stay names.

    RecursionError cannot happen: ValueError where a segment contains itself.
    """

    def replaced(node: Tree, seen: frozenset[int]) -> Tree:
        if isinstance(node, InSegment) and node.segment_id in trees:
            if node.segment_id in seen:
                raise ValueError(f"segment {node.segment_id} contains itself")
            return replaced(trees[node.segment_id], seen | {node.segment_id})
        if isinstance(node, Not):
            return Not(part=replaced(node.part, seen))
        if isinstance(node, AllOf | AnyOf):
            return type(node)(parts=tuple(replaced(part, seen) for part in node.parts))
        return node

    return replaced(tree, frozenset())
