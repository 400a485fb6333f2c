"""Tags: found or made by name, put on members in one statement."""

from collections.abc import Iterable, Sequence

from django.db import connection

from changke.kernel.checks import raise_problems, refuse_blank
from changke.records.models import MemberTag, Tag

LONGEST_NAME = 60


def attach_tags(member_ids: Sequence[int], *, names: Iterable[str]) -> list[int]:
    """Put tags on members, making tags that do not exist; return the members who gained at least one."""
    wanted = sorted({" ".join(name.split()) for name in names})
    for name in wanted:
        raise_problems(refuse_blank(name, field="tags", longest=LONGEST_NAME))
    Tag.objects.bulk_create([Tag(name=name) for name in wanted], ignore_conflicts=True)
    tag_ids = list(Tag.objects.filter(name__in=wanted).values_list("id", flat=True))
    if not tag_ids or not member_ids:
        return []
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO member_tags (member_id, tag_id)"
            " SELECT m, t FROM unnest(%s::bigint[]) m, unnest(%s::bigint[]) t"
            " ON CONFLICT DO NOTHING RETURNING member_id",
            [list(member_ids), tag_ids],
        )
        return sorted({row[0] for row in cursor.fetchall()})


def detach_tags(member_ids: Sequence[int], *, names: Iterable[str]) -> list[int]:
    """Take tags off members; return the members who lost at least one."""
    rows = MemberTag.objects.filter(member_id__in=list(member_ids), tag__name__in=list(names))
    touched = sorted(set(rows.values_list("member_id", flat=True)))
    rows.delete()
    return touched
