"""Segments for pages, command line and exports: which ones a viewer sees, who is in them, how they read."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime

import pyarrow as pa
from django.db.models import OuterRef, Q, QuerySet, Subquery

from changke.insight.segment_json import segment_from_json
from changke.insight.segments import count_segment, list_segment, sample_segment
from changke.kernel.errors import fail
from changke.queries.lake import CurrentLake, need_lake
from changke.records.models import Segment, SegmentSize
from changke.rules.segments import AllOf, AnyOf, Bought, Choice, Tree, put_in, referred_segments
from changke.rules.segments import Segment as Definition
from changke.rules.staff import Permission, Viewer, require


@dataclass(frozen=True, slots=True, kw_only=True)
class SegmentRow:
    """A line of the list of segments; `size` as last noted on `size_as_of`."""

    id: int
    public_id: str
    name: str
    name_en: str
    note: str
    sharing: str
    store_id: int | None
    owner: str
    owner_id: int | None
    is_shipped: bool
    version: int
    changed_at: datetime
    archived_at: datetime | None
    definition: Definition
    size: int | None
    size_as_of: date | None


def visible_segments(viewer: Viewer) -> QuerySet[Segment]:
    """Return the segments a viewer may see: own ones, the company's, and those of the stores within reach."""
    if viewer.user_id is None and viewer.store_ids is None:
        return Segment.objects.all()
    shared = Q(sharing="company") | Q(owner_id=viewer.user_id)
    stores = Q(sharing="store") if viewer.store_ids is None else Q(sharing="store", store_id__in=viewer.store_ids)
    return Segment.objects.filter(shared | stores)


def list_segments(viewer: Viewer, *, search: str = "", archived: bool = False) -> list[SegmentRow]:
    """Return the viewer's segments by name, live or put away."""
    require(viewer, permission=Permission.SEE_SEGMENTS)
    newest = SegmentSize.objects.filter(segment=OuterRef("pk")).order_by("-as_of")
    rows = (
        visible_segments(viewer)
        .filter(archived_at__isnull=not archived)
        .filter(Q(name__icontains=search) | Q(name_en__icontains=search) | Q(note__icontains=search))
        .select_related("owner")
        .annotate(size=Subquery(newest.values("size")[:1]), size_as_of=Subquery(newest.values("as_of")[:1]))
    )
    return [_row(row) for row in rows.order_by("is_shipped", "name")]


def load_segment(viewer: Viewer, *, public_id: str) -> SegmentRow:
    """Return one segment; ChangkeError where the viewer sees none of that id."""
    require(viewer, permission=Permission.SEE_SEGMENTS)
    newest = SegmentSize.objects.filter(segment=OuterRef("pk")).order_by("-as_of")
    rows = (
        visible_segments(viewer)
        .select_related("owner")
        .annotate(size=Subquery(newest.values("size")[:1]), size_as_of=Subquery(newest.values("as_of")[:1]))
    )
    return _row(find_segment(viewer, public_id=public_id, rows=rows))


def find_segment(viewer: Viewer, *, public_id: str, rows: QuerySet[Segment] | None = None) -> Segment:
    """Return the row of a public id or a name; ChangkeError where there is none within reach."""
    rows = visible_segments(viewer) if rows is None else rows
    row = rows.filter(Q(public_id=public_id) | Q(name=public_id, archived_at=None)).first()
    if row is None:
        raise fail(
            "segment_unknown", "There is no segment %(name)s.", cure="See: changke segment list.", name=public_id
        )
    return row


def list_sizes(viewer: Viewer, *, segment_id: int) -> list[tuple[date, int]]:
    """Return the curve of a segment's size in the whole company, oldest first; empty for who sees single stores."""
    require(viewer, permission=Permission.SEE_SEGMENTS)
    if viewer.store_ids is not None:
        return []
    seen = visible_segments(viewer).filter(id=segment_id)
    return list(SegmentSize.objects.filter(segment__in=seen).order_by("as_of").values_list("as_of", "size"))


def segments_using(viewer: Viewer, *, segment_id: int) -> list[SegmentRow]:
    """Return the live segments within reach that build on another one."""
    return [row for row in list_segments(viewer) if segment_id in referred_segments(row.definition.where)]


def load_trees(viewer: Viewer) -> dict[int, Tree]:
    """Return the condition trees of every segment within reach that can be put into another as it stands."""
    trees = {}
    for row in visible_segments(viewer).filter(archived_at=None):
        definition = segment_from_json(row.tree)
        trees[row.id] = definition.where
    return trees


def count_members(viewer: Viewer, *, definition: Definition) -> int:
    """Return how many members within the viewer's reach a definition has, on the lake's analysis date."""
    lake = need_lake()
    scoped = within_reach(viewer, definition=definition)
    return count_segment(scoped, lake=lake.reader, on=lake.as_of, lists=_lists(viewer, definition=scoped, lake=lake))


def list_member_ids(viewer: Viewer, *, definition: Definition) -> pa.Table:
    """Return `member_id` of every member within the viewer's reach, ascending."""
    lake = need_lake()
    scoped = within_reach(viewer, definition=definition)
    return list_segment(scoped, lake=lake.reader, on=lake.as_of, lists=_lists(viewer, definition=scoped, lake=lake))


def sample_members(viewer: Viewer, *, definition: Definition, size: int) -> pa.Table:
    """Return the wide rows of the first members of a definition: what the builder shows beside the count."""
    lake = need_lake()
    scoped = within_reach(viewer, definition=definition)
    lists = _lists(viewer, definition=scoped, lake=lake)
    return sample_segment(scoped, size=size, lake=lake.reader, on=lake.as_of, lists=lists)


def within_reach(viewer: Viewer, *, definition: Definition) -> Definition:
    """Return the definition for a viewer: other segments put in place, and members of foreign stores left out.

    A store's staff reach members whose home store is theirs and members who have bought there.
    """
    where = put_in(definition.where, {k: v for k, v in load_trees(viewer).items() if k not in _picked(viewer)})
    if viewer.store_ids is not None:
        stores = tuple(sorted(viewer.store_ids))
        reach: Tree = (
            AnyOf(parts=(Choice(field="home_store_id", values=stores), Bought(stores=stores)))
            if stores
            else Choice(field="member_id", values=(-1,))
        )
        where = AllOf(parts=(reach, where))
    return Definition(where=where, pick=definition.pick)


def _picked(viewer: Viewer) -> set[int]:
    """Return the segments that pick by chance: they cannot be put in place, their members are listed instead."""
    return {row.id for row in visible_segments(viewer).filter(tree__has_key="pick")}


def _lists(viewer: Viewer, *, definition: Definition, lake: CurrentLake) -> dict[int, Iterable[int]]:
    lists: dict[int, Iterable[int]] = {}
    for row in visible_segments(viewer).filter(id__in=referred_segments(definition.where)):
        inner = segment_from_json(row.tree)
        where = put_in(inner.where, load_trees(viewer))
        found = list_segment(Definition(where=where, pick=inner.pick), lake=lake.reader, on=lake.as_of)
        lists[row.id] = found.column("member_id").to_pylist()
    return lists


def _row(row: Segment) -> SegmentRow:
    return SegmentRow(
        id=row.id,
        public_id=row.public_id,
        name=row.name,
        name_en=row.name_en,
        note=row.note,
        sharing=row.sharing,
        store_id=row.store_id,
        owner=row.owner.username if row.owner else "",
        owner_id=row.owner_id,
        is_shipped=row.is_shipped,
        version=row.version,
        changed_at=row.changed_at,
        archived_at=row.archived_at,
        definition=segment_from_json(row.tree),
        size=getattr(row, "size", None),
        size_as_of=getattr(row, "size_as_of", None),
    )
