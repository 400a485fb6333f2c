"""A segment in the reader's words: names for its ids, its sentence, and what the builder offers to choose from."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from django.db.models import Model, Q

from changke.kernel.texts import Named
from changke.queries.segments import visible_segments
from changke.records.models import AttributeDefinition, Brand, Category, Product, Region, Segment, Staff, Store, Tag
from changke.rules.members import ConsentChannel, ConsentPurpose
from changke.rules.segments import AllOf, Bought, Choice, InSegment, Term, say_segment, spell, walk
from changke.rules.segments import Segment as Definition
from changke.rules.segments.catalogue import FIELDS, FieldKind, Unit
from changke.rules.staff import Permission, Viewer, require

FOUND_MAX: Final = 30
MODELS: Final[Mapping[str, type[Model]]] = {
    "store": Store,
    "staff": Staff,
    "region": Region,
    "category": Category,
    "product": Product,
    "brand": Brand,
    "segment": Segment,
}
CONSENTS: Final = tuple(
    f"{channel}:{ConsentPurpose.MARKETING}"
    for channel in ConsentChannel
    if channel not in {ConsentChannel.TERMS, ConsentChannel.PROFILING}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """Something to choose: its id and its names."""

    id: int
    named: Named


@dataclass(frozen=True, slots=True, kw_only=True)
class AttributeOption:
    key: str
    named: Named
    choices: tuple[str, ...]


def find_options(viewer: Viewer, *, kind: str, text: str) -> list[Option]:
    """Return rows of a noun whose name or code holds the text, those that begin with it first; at most 30."""
    require(viewer, permission=Permission.SEE_SEGMENTS)
    rows = _within(viewer, kind=kind).filter(_named_like(kind, text)).order_by("name")[:FOUND_MAX]
    return [Option(id=row.pk, named=_named(row)) for row in rows]


def name_ids(definition: Definition) -> dict[str, dict[int, Named]]:
    """Return {noun: {id: names}} for every id that a definition names; one query a noun."""
    wanted: dict[str, set[int]] = {}
    for _place, node in walk(definition.where):
        for kind, ids in _ids_of(node):
            wanted.setdefault(kind, set()).update(ids)
    return {kind: {row.pk: _named(row) for row in _rows(kind).filter(pk__in=ids)} for kind, ids in wanted.items()}


def say_definition(definition: Definition, *, translate: Callable[[str], str], show: Callable[[Term], str]) -> str:
    """Return the sentence of a definition in the reader's language; `show` writes one term."""
    return spell(say_segment(definition), translate=translate, show=show)


def list_tags() -> tuple[str, ...]:
    """Return the names of all tags."""
    return tuple(Tag.objects.order_by("name").values_list("name", flat=True))


def list_attributes() -> tuple[AttributeOption, ...]:
    """Return the attributes that a segment may ask for: live ones that are not sensitive."""
    rows = AttributeDefinition.objects.filter(is_retired=False, is_sensitive=False)
    return tuple(AttributeOption(key=row.key, named=_named(row), choices=tuple(row.choices)) for row in rows)


def everybody() -> Definition:
    """Return the definition that a new segment begins with."""
    return Definition(where=AllOf(parts=()))


def _ids_of(node: object) -> Iterable[tuple[str, tuple[int, ...]]]:
    match node:
        case Bought():
            yield from (
                ("product", node.products),
                ("category", node.categories),
                ("brand", node.brands),
                ("store", node.stores),
            )
        case InSegment(segment_id=number):
            yield "segment", (number,)
        case Choice(field=field, values=values) if field in FIELDS and FIELDS[field].kind is FieldKind.REFERENCE:
            if FIELDS[field].unit is not Unit.MEMBER:
                yield FIELDS[field].unit.value, tuple(int(value) for value in values)
        case _:
            return


def _rows(kind: str) -> Any:
    return MODELS[kind]._default_manager.all()


def _within(viewer: Viewer, *, kind: str) -> Any:
    rows = visible_segments(viewer).filter(archived_at=None) if kind == "segment" else _rows(kind)
    if viewer.store_ids is None:
        return rows
    if kind == "store":
        return rows.filter(pk__in=viewer.store_ids)
    if kind == "staff":
        theirs = Q(home_store__in=viewer.store_ids) | Q(stores__in=viewer.store_ids)
        return rows.filter(theirs).distinct()
    return rows


def _named_like(kind: str, text: str) -> Q:
    found = Q(name__icontains=text)
    if kind != "staff":
        found |= Q(name_en__icontains=text)
    if kind in {"store", "staff", "region", "product"}:
        found |= Q(code__istartswith=text)
    return found


def _named(row: Any) -> Named:
    return Named(name=row.name, name_en=getattr(row, "name_en", ""))
