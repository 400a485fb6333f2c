"""What makes a tree unacceptable: every problem at once, each with the place of its condition."""

from collections.abc import Iterator
from datetime import date
from typing import Final

from changke.kernel.errors import Problem
from changke.rules.segments.catalogue import FIELDS, FieldKind
from changke.rules.segments.tree import (
    BOUND_MAX,
    CONDITIONS_MAX,
    DAYS_MAX,
    DEPTH_MAX,
    PPM,
    VALUES_MAX,
    AllOf,
    AnyOf,
    Attribute,
    BirthdayMonth,
    BirthdayWithin,
    Bought,
    Choice,
    Consent,
    DateBetween,
    DateWithin,
    Flag,
    InSegment,
    Not,
    Number,
    Pick,
    RandomShare,
    Segment,
    Tags,
    Tree,
    Unknown,
    walk,
)

KINDS_OF: dict[type, frozenset[FieldKind]] = {
    Number: frozenset({FieldKind.NUMBER}),
    Choice: frozenset({FieldKind.NUMBER, FieldKind.WORD, FieldKind.REFERENCE}),
    DateBetween: frozenset({FieldKind.DATE}),
    DateWithin: frozenset({FieldKind.DATE}),
    Flag: frozenset({FieldKind.FLAG}),
    Unknown: frozenset(FieldKind) - {FieldKind.FLAG},
}
FieldCondition = Number | Choice | DateBetween | DateWithin | Flag | Unknown
Complaint = tuple[str, dict[str, object]]  # code, values

# The English msgid of each problem by its code.
PROBLEMS: Final = {
    "segment_depth": "Groups are nested more than %(most)s deep.",
    "segment_size": "A segment has at most %(most)s conditions, this one has %(count)s.",
    "segment_pick": "A random choice needs a size of 1 or more and a seed of 0 or more.",
    "segment_empty_group": "A group needs a condition.",
    "segment_field": "There is no field %(name)s.",
    "segment_kind": "%(name)s cannot be asked in this way.",
    "segment_open_range": "A range needs a lower or an upper end.",
    "segment_open_purchase": "A purchase needs a number of times, a quantity or an amount.",
    "segment_choice": "%(name)s cannot be %(value)s.",
    "segment_range": "The range of %(name)s ends before it begins: %(low)s to %(high)s.",
    "segment_number": "%(name)s must lie from %(lowest)s to %(highest)s.",
    "segment_empty_list": "The list is empty.",
    "segment_long_list": "The list has more than %(most)s entries.",
    "segment_entry": "The entry %(value)s cannot be used.",
}


def refuse_segment(segment: Segment) -> tuple[Problem, ...]:
    """Return everything that is wrong with a segment; empty = acceptable."""
    return refuse_tree(segment.where) + (refuse_pick(segment.pick) if segment.pick else ())


def refuse_pick(pick: Pick) -> tuple[Problem, ...]:
    fits = 1 <= pick.members_max <= BOUND_MAX and 0 <= pick.seed <= BOUND_MAX
    return () if fits else (problem("segment_pick", {}, field="pick"),)


def refuse_tree(tree: Tree) -> tuple[Problem, ...]:
    """Return everything that is wrong with a tree: size, depth, fields, bounds, lists; empty = acceptable.

    `field` of a problem is the place of its condition: "2.1" = the first part of the second.
    """
    nodes = list(walk(tree))
    conditions = sum(not isinstance(node, AllOf | AnyOf | Not) for _, node in nodes)
    problems = []
    if max(len(place) for place, _ in nodes) > DEPTH_MAX:
        problems.append(problem("segment_depth", {"most": DEPTH_MAX}))
    if conditions > CONDITIONS_MAX:
        problems.append(problem("segment_size", {"most": CONDITIONS_MAX, "count": conditions}))
    for place, node in nodes:
        name = ".".join(map(str, place)) or "1"
        problems += [problem(code, values, field=name) for code, values in complaints(node)]
    return tuple(problems)


def problem(code: str, values: dict[str, object], *, field: str = "") -> Problem:
    spelled = tuple((key, str(value)) for key, value in values.items())
    return Problem(code=code, message=PROBLEMS[code], field=field, values=spelled)


def complaints(node: Tree) -> Iterator[Complaint]:
    """Yield what is wrong with one node by itself."""
    match node:
        case Number() | Choice() | DateBetween() | DateWithin() | Flag() | Unknown():
            yield from field_complaints(node)
        case BirthdayWithin(days=days):
            yield from number_complaints("days", days, 0, 366)
        case BirthdayMonth(months_ahead=months):
            yield from number_complaints("months", months, 0, 11)
        case Tags(tags=tags):
            yield from list_complaints(tags)
        case Consent(consent=consent):
            yield from list_complaints((consent,))
        case Attribute():
            yield from list_complaints((node.name, *node.values))
        case RandomShare():
            yield from number_complaints("share_ppm", node.share_ppm, 0, PPM)
            yield from number_complaints("seed", node.seed, 0, BOUND_MAX)
        case InSegment(segment_id=segment_id):
            yield from number_complaints("segment", segment_id, 1, BOUND_MAX)
        case Bought():
            yield from bought_complaints(node)
        case AnyOf(parts=()):
            yield "segment_empty_group", {}
        case _:
            return


def field_complaints(node: FieldCondition) -> Iterator[Complaint]:
    field = FIELDS.get(node.field)
    if field is None:
        yield "segment_field", {"name": node.field}
        return
    if field.kind not in KINDS_OF[type(node)]:
        yield "segment_kind", {"name": node.field}
        return
    match node:
        case Number(low=low, high=high):
            yield from range_complaints(node.field, low, high)
            if low is None and high is None:
                yield "segment_open_range", {}
        case DateBetween(first=first, last=last):
            yield from date_complaints(first, last)
            if first is None and last is None:
                yield "segment_open_range", {}
        case DateWithin(days=days):
            yield from number_complaints("days", days, 0, DAYS_MAX)
        case Choice(values=values):
            word = str if field.kind is FieldKind.WORD else int
            yield from list_complaints(values)
            for value in values:
                if type(value) is not word or (field.choices and value not in field.choices):
                    yield "segment_choice", {"name": node.field, "value": value}
        case _:
            return


def bought_complaints(node: Bought) -> Iterator[Complaint]:
    for ids in (node.products, node.categories, node.brands, node.stores):
        if ids:
            yield from list_complaints(ids)
    yield from date_complaints(node.first, node.last)
    if node.last_days is not None:
        yield from number_complaints("days", node.last_days, 1, DAYS_MAX)
    for name, values, lowest, highest in (("hour", node.hours, 0, 23), ("weekday", node.weekdays, 1, 7)):
        for value in values:
            yield from number_complaints(name, value, lowest, highest)
    for name, (low, high) in zip(("times", "quantity", "amount"), node.bounds(), strict=True):
        yield from range_complaints(name, low, high)
    if all(bound is None for pair in node.bounds() for bound in pair):
        yield "segment_open_purchase", {}


def range_complaints(name: str, low: int | None, high: int | None) -> Iterator[Complaint]:
    for bound in (low, high):
        if bound is not None:
            yield from number_complaints(name, bound, -BOUND_MAX, BOUND_MAX)
    if low is not None and high is not None and low > high:
        yield "segment_range", {"name": name, "low": low, "high": high}


def date_complaints(first: date | None, last: date | None) -> Iterator[Complaint]:
    if first and last and first > last:
        yield "segment_range", {"name": "days", "low": first, "high": last}


def number_complaints(name: str, value: int, lowest: int, highest: int) -> Iterator[Complaint]:
    if not lowest <= value <= highest:
        yield "segment_number", {"name": name, "lowest": lowest, "highest": highest}


def list_complaints(values: tuple[str, ...] | tuple[int, ...]) -> Iterator[Complaint]:
    if not values:
        yield "segment_empty_list", {}
    if len(values) > VALUES_MAX:
        yield "segment_long_list", {"most": VALUES_MAX}
    for value in values:
        fits = abs(value) <= BOUND_MAX if isinstance(value, int) else value.isprintable() and 0 < len(value) <= 200
        if not fits:
            yield "segment_entry", {"value": ascii(value)[:80]}
