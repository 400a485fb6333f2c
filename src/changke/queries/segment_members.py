"""The members of a segment as pages show them: wide row and masked name, some of them or all for a file."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from changke.queries.lake import need_lake
from changke.queries.segments import list_member_ids, sample_members
from changke.queries.settings import load_setting
from changke.records.models import Member
from changke.rules.members import MemberSettings
from changke.rules.names import mask_name
from changke.rules.phones import format_phone, mask_phone
from changke.rules.segments import Segment as Definition
from changke.rules.staff import Permission, Viewer, require

CHUNK: Final = 5_000


@dataclass(frozen=True, slots=True, kw_only=True)
class SampledMember:
    """One member of a segment: name and phone plain where the viewer may see contacts; pages show the masked phone."""

    public_id: str
    code: str
    name: str
    phone: str
    masked_phone: str
    row: dict[str, Any]  # of rules.features.FeatureRow


def list_sample(viewer: Viewer, *, definition: Definition, size: int) -> list[SampledMember]:
    """Return the first members of a definition by id."""
    rows, country = sample_members(viewer, definition=definition, size=size).to_pylist(), _home_country()
    return [_join(viewer, row=row, member=member, country=country) for row, member in _with_members(rows)]


def list_members_of(viewer: Viewer, *, definition: Definition) -> Iterator[SampledMember]:
    """Yield every member of a definition by id, in bounded memory."""
    require(viewer, permission=Permission.EXPORT_DATA)
    ids = list_member_ids(viewer, definition=definition)
    lake, country = need_lake(), _home_country()
    features = lake.reader.table("features")
    for start in range(0, ids.num_rows, CHUNK):
        some = ids.slice(start, CHUNK)
        low, high = pc.min(some["member_id"]).as_py(), pc.max(some["member_id"]).as_py()
        rows: pa.Table = lake.reader.run(features.filter(features.member_id.between(low, high)))
        rows = rows.filter(pc.is_in(rows["member_id"], value_set=some["member_id"].combine_chunks()))
        for row, member in _with_members(rows.sort_by("member_id").to_pylist()):
            yield _join(viewer, row=row, member=member, country=country)


def _with_members(rows: list[dict[str, Any]]) -> Iterator[tuple[dict[str, Any], Member]]:
    fields = ("id", "public_id", "code", "name", "phone", "email")
    found = {row.id: row for row in Member.objects.only(*fields).filter(id__in=[row["member_id"] for row in rows])}
    return ((row, found[row["member_id"]]) for row in rows if row["member_id"] in found)


def _home_country() -> str:
    return load_setting(MemberSettings).home_country


def _join(viewer: Viewer, *, row: dict[str, Any], member: Member, country: str) -> SampledMember:
    masked_phone = mask_phone(member.phone)
    is_open = viewer.may(Permission.REVEAL_CONTACTS)
    return SampledMember(
        public_id=member.public_id,
        code=member.code,
        name=member.name if is_open else mask_name(member.name),
        phone=format_phone(member.phone, country=country).replace(" ", "") if is_open else masked_phone,
        masked_phone=masked_phone,
        row=row,
    )
