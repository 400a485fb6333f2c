"""What a batch would do before it is done: how many members, how many would change."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date

from changke.queries.members import members_within
from changke.records.models import MemberTag
from changke.rules.members import GONE
from changke.rules.staff import Permission, Viewer, require


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchPreview:
    """`members` are alive and within reach; `changed` of them would differ; `left_out` are not within reach."""

    members: int
    changed: int
    left_out: int

    @property
    def unchanged(self) -> int:
        return self.members - self.changed


def preview_tags(viewer: Viewer, *, member_ids: Collection[int], names: Collection[str]) -> BatchPreview:
    """Return how many members would gain at least one of the tags."""
    alive = _alive(viewer, member_ids)
    full = _carriers(alive, names)
    return _preview(member_ids, alive=alive, changed=sum(1 for id_ in alive if full.get(id_, 0) < len(set(names))))


def preview_untag(viewer: Viewer, *, member_ids: Collection[int], names: Collection[str]) -> BatchPreview:
    """Return how many members would lose at least one of the tags."""
    alive = _alive(viewer, member_ids)
    return _preview(member_ids, alive=alive, changed=len(_carriers(alive, names)))


def preview_validity(
    viewer: Viewer, *, member_ids: Collection[int], valid_from: date | None, valid_until: date | None
) -> BatchPreview:
    """Return how many members have another validity now."""
    alive = _alive(viewer, member_ids)
    same = members_within(viewer).filter(id__in=alive, valid_from=valid_from, valid_until=valid_until).count()
    return _preview(member_ids, alive=alive, changed=len(alive) - same)


def _alive(viewer: Viewer, member_ids: Collection[int]) -> list[int]:
    require(viewer, permission=Permission.SEE_MEMBERS)
    reach = members_within(viewer).filter(id__in=list(member_ids)).exclude(status__in=GONE)
    return list(reach.values_list("id", flat=True))


def _carriers(member_ids: Collection[int], names: Collection[str]) -> dict[int, int]:
    """Return how many of the tags each member carries; who carries none is missing."""
    counts: dict[int, int] = {}
    for member_id in MemberTag.objects.filter(member_id__in=member_ids, tag__name__in=list(names)).values_list(
        "member_id", flat=True
    ):
        counts[member_id] = counts.get(member_id, 0) + 1
    return counts


def _preview(member_ids: Collection[int], *, alive: Collection[int], changed: int) -> BatchPreview:
    return BatchPreview(members=len(alive), changed=changed, left_out=len(set(member_ids)) - len(alive))
