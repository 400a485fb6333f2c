"""Segments as JSON: every mistake is named by the place of its condition; what is written reads back the same."""

import json
from collections.abc import Mapping
from typing import Annotated, Any, Final, TypeVar

from pydantic import Field, TypeAdapter, ValidationError

from changke.kernel.errors import ChangkeError, Problem, fail
from changke.rules.segments import (
    AllOf,
    AnyOf,
    Condition,
    Not,
    Pick,
    Segment,
    Tree,
    refuse_segment,
    refuse_tree,
)
from changke.rules.segments.tree import DEPTH_MAX

MESSAGES: Final = {
    "segment_json": "A segment is an object with a tree under where and, if wished, a pick.",
    "segment_value": "This is not a condition that can be read (%(where)s: %(what)s).",
}
CONDITION: Final[TypeAdapter[Condition]] = TypeAdapter(Annotated[Condition, Field(discriminator="kind")])
PICK: Final[TypeAdapter[Pick]] = TypeAdapter(Pick)

T = TypeVar("T")


def segment_from_json(data: object) -> Segment:
    """Read {"where": tree, "pick": {"members_max", "seed"} or absent}; ChangkeError with every problem found."""
    if not isinstance(data, Mapping) or "where" not in data or set(data) - {"where", "pick"}:
        raise fail("segment_json", MESSAGES["segment_json"])
    problems: list[Problem] = []
    pick = None if data.get("pick") is None else read(PICK, data["pick"], "pick", problems)
    segment = Segment(where=tree_from_json(data["where"]), pick=pick)
    problems += refuse_segment(segment)
    if problems:
        raise ChangkeError(*problems)
    return segment


def segment_to_json(segment: Segment) -> dict[str, Any]:
    """Return a segment as plain JSON data that segment_from_json reads back as the same segment."""
    written: dict[str, Any] = {"where": tree_to_json(segment.where)}
    if segment.pick:
        written["pick"] = PICK.dump_python(segment.pick, mode="json")
    return written


def tree_from_json(data: object) -> Tree:
    """Read a tree; ChangkeError with every problem found, whose `field` is the place of its condition ("2.1")."""
    problems: list[Problem] = []
    tree = read_node(data, (), problems)
    problems += refuse_tree(tree)
    if problems:
        raise ChangkeError(*problems)
    return tree


def tree_to_json(tree: Tree) -> dict[str, Any]:
    """Return a tree as plain JSON data: only what differs from the language's defaults."""
    match tree:
        case AllOf() | AnyOf():
            return {"kind": tree.kind, "parts": [tree_to_json(part) for part in tree.parts]}
        case Not():
            return {"kind": tree.kind, "part": tree_to_json(tree.part)}
        case _:
            return {"kind": tree.kind, **CONDITION.dump_python(tree, mode="json", exclude_defaults=True)}


def read_node(data: object, place: tuple[int, ...], problems: list[Problem]) -> Tree:
    """Read one node and what lies below; a node that cannot be read leaves a problem and counts as everybody."""
    if len(place) > DEPTH_MAX + 1:  # deep enough to be refused: do not follow it further
        return AllOf()
    match data:
        case {"kind": "all" | "any" as kind, "parts": list(parts), **rest} if not rest:
            nodes = tuple(read_node(part, (*place, number), problems) for number, part in enumerate(parts, start=1))
            return AllOf(parts=nodes) if kind == "all" else AnyOf(parts=nodes)
        case {"kind": "not", "part": part, **rest} if not rest:
            return Not(part=read_node(part, (*place, 1), problems))
        case _:
            name = ".".join(map(str, place)) or "1"
            return read(CONDITION, data, name, problems) or AllOf()


def read(adapter: TypeAdapter[T], data: object, place: str, problems: list[Problem]) -> T | None:
    """Read one value strictly, or leave a problem for each mistake in it and return None."""
    try:
        return adapter.validate_json(json.dumps(data), strict=True, extra="forbid")
    except ValidationError as refusal:
        for mistake in refusal.errors(include_url=False, include_context=False, include_input=False):
            where = ".".join(str(step) for step in mistake["loc"][1:])
            values = (("where", where or "-"), ("what", mistake["msg"]))
            problems.append(Problem(code="segment_json", message=MESSAGES["segment_value"], field=place, values=values))
        return None
