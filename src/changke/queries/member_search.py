"""One box that finds a member: phone or its last four digits, card, code, e-mail, name, pinyin initials.

Whoever stands at the counter can be found by what they state themselves (phone, last four digits, card, code, e-mail)
wherever in the company they joined: a regular of one store may walk into any other. Their page opens only within the
viewer's reach. A name alone finds only members within reach.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum
from typing import Any, Final

from django.db import connection

from changke.queries.members import members_within
from changke.queries.settings import load_setting
from changke.records.models import Member
from changke.rules.members import GONE, MemberSettings, MemberStatus
from changke.rules.names import clean_name, mask_name
from changke.rules.phones import mask_phone, parse_phone
from changke.rules.staff import Permission, Viewer

HITS_MAX: Final = 20
CANDIDATES_MAX: Final = 100  # of a name, among whom a viewer with few stores finds buyers whose home is elsewhere
_AT_HOME: Final = "coalesce(m.home_store_id = ANY(%s), false)"
_NEAREST: Final = "home_store_id = ANY(%s::bigint[]) DESC NULLS LAST, last_sale_on DESC NULLS LAST, id DESC"
_BOUGHT: Final = "EXISTS (SELECT FROM sales WHERE sales.member_id = m.id AND sales.store_id = ANY(%s))"
_LAST_FOUR: Final = re.compile(r"\d{4}")
_NUMBER: Final = re.compile(r"[\w.-]{1,80}")
_LATIN: Final = re.compile(r"[a-z][a-z .'-]*", re.IGNORECASE)


class FoundBy(StrEnum):
    """What led to a member, the surest first."""

    PHONE = "phone"
    CARD = "card"
    CODE = "code"
    EMAIL = "email"
    LAST_FOUR = "last_four"
    NAME = "name"
    INITIALS = "initials"


RANK: Final = {found_by: rank for rank, found_by in enumerate(FoundBy)}
BY_NAME: Final = frozenset({FoundBy.NAME, FoundBy.INITIALS})


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberHit:
    """A member that was found. Phone is masked; the name too, unless the viewer may see contacts."""

    member_id: int
    public_id: str
    code: str
    name: str
    phone: str
    status: MemberStatus
    home_store: str
    last_sale_on: date | None
    found_by: FoundBy
    is_within: bool  # the viewer may open this member's page


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """One way of looking: a query of member ids with its parameters."""

    found_by: FoundBy
    sql: str
    parameters: tuple[Any, ...]


def find_members(viewer: Viewer, *, text: str, limit: int = HITS_MAX) -> list[MemberHit]:
    """Return the members that a typed text may mean, the surest first, then who bought last; at most `limit`.

    One statement. Merged members lead to the one they live on in.
    """
    looks = list(read_looks(text))
    if not looks:
        return []
    statement, parameters = _statement(viewer, looks=looks, limit=limit)
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        rows = cursor.fetchall()
    may_see = viewer.may(Permission.REVEAL_CONTACTS)
    order = list(FoundBy)
    return [
        MemberHit(
            member_id=row[0],
            public_id=row[1],
            code=row[2],
            name=row[3] if may_see else mask_name(row[3]),
            phone=mask_phone(row[4]),
            status=MemberStatus(row[5]),
            home_store=row[6] or "",
            last_sale_on=row[7],
            found_by=order[row[8]],
            is_within=row[9],
        )
        for row in rows
    ]


def list_known(viewer: Viewer, *, member_ids: Sequence[int]) -> list[MemberHit]:
    """Return members that joining found, masked: the existing card is offered wherever in the company it was issued."""
    rows = Member.objects.filter(id__in=member_ids).exclude(status__in=GONE).select_related("home_store").order_by("id")
    within = set(members_within(viewer).filter(id__in=member_ids).values_list("id", flat=True))
    return [
        MemberHit(
            member_id=row.id,
            public_id=row.public_id,
            code=row.code,
            name=row.name if viewer.may(Permission.REVEAL_CONTACTS) else mask_name(row.name),
            phone=mask_phone(row.phone),
            status=MemberStatus(row.status),
            home_store=row.home_store.name if row.home_store else "",
            last_sale_on=row.last_sale_on,
            found_by=FoundBy.PHONE,
            is_within=row.id in within,
        )
        for row in rows
    ]


def read_looks(text: str) -> Iterator[Look]:
    """Yield the ways of looking that a typed text asks for; none for an empty one."""
    typed = clean_name(text)
    if not typed:
        return
    if "@" in typed:
        yield _exact(FoundBy.EMAIL, "SELECT id FROM members WHERE email = %s AND email <> ''", typed.lower())
        return
    if phone := parse_phone(typed, country=load_setting(MemberSettings).home_country):
        yield _exact(FoundBy.PHONE, "SELECT id FROM members WHERE phone = %s AND phone <> ''", phone)
    if _NUMBER.fullmatch(typed):
        yield _exact(FoundBy.CARD, "SELECT member_id FROM cards WHERE number = %s", typed)
        yield _exact(FoundBy.CODE, "SELECT id FROM members WHERE code = %s", typed)
        yield _exact(
            FoundBy.CODE,
            "SELECT member_id FROM member_codes WHERE source_id = ANY(ARRAY(SELECT id FROM sources)) AND code = %s",
            typed,
        )
    name, _, digits = typed.rpartition(" ")
    if _LAST_FOUR.fullmatch(digits):
        yield from _looks_by_last_four(digits, name=name)
    elif not typed.isdigit():
        yield from _looks_by_name(typed, table="members", also=())


def _looks_by_last_four(digits: str, *, name: str) -> Iterator[Look]:
    """Yield the looks for four digits, narrowed by a name or initials where they stand before them: wxm 8000."""
    columns = "id, name, name_initials, home_store_id, last_sale_on"
    table = f"(SELECT {columns} FROM members WHERE phone_last4 = %s AND phone <> '' OFFSET 0) AS four"  # noqa: S608
    looks = _looks_by_name(name, table=table, also=(digits,)) if name else _everybody(table, also=(digits,))
    for look in looks:  # the digits are the stated key here, whatever narrows them
        yield replace(look, found_by=FoundBy.LAST_FOUR)


def _everybody(table: str, *, also: tuple[str, ...]) -> Iterator[Look]:
    yield Look(found_by=FoundBy.LAST_FOUR, sql=f"SELECT id FROM {table} WHERE true", parameters=also)  # noqa: S608


def _looks_by_name(name: str, *, table: str, also: tuple[str, ...]) -> Iterator[Look]:
    """Yield the looks for a beginning of a name or of its initials."""
    spellings = {name, name.title(), name.upper()} if _LATIN.fullmatch(name) else {name}
    for spelling in sorted(spellings):
        yield Look(
            found_by=FoundBy.NAME,
            sql=f"SELECT id FROM {table} WHERE name LIKE %s",  # noqa: S608 - our own text, no input
            parameters=(*also, _prefix(spelling)),
        )
    letters = name.lower().replace(" ", "")
    if letters.isascii() and letters.isalpha():
        yield Look(
            found_by=FoundBy.INITIALS,
            sql=f"SELECT id FROM {table} WHERE name_initials LIKE %s",  # noqa: S608 - as above
            parameters=(*also, _prefix(letters)),
        )


def _exact(found_by: FoundBy, sql: str, key: str) -> Look:
    return Look(found_by=found_by, sql=sql, parameters=(key,))


def _prefix(text: str) -> str:
    return re.sub(r"([\\%_])", r"\\\1", text) + "%"


def _statement(viewer: Viewer, *, looks: Sequence[Look], limit: int) -> tuple[str, list[Any]]:
    """Return one statement over all looks: each stops at `limit`, the surest way to a member is kept."""
    stores = None if viewer.store_ids is None else list(viewer.store_ids)
    parts: list[str] = []
    parameters: list[Any] = []
    for look in looks:
        sql, values = f"{look.sql} LIMIT {limit:d}", [*look.parameters]
        if look.found_by is FoundBy.LAST_FOUR:  # about a hundred in a million: those nearest at hand first
            sql, values = f"{look.sql} ORDER BY {_NEAREST} LIMIT {limit:d}", [*look.parameters, stores or []]
        elif stores is not None and look.found_by in BY_NAME:
            # The own members first; who lives elsewhere and has bought here is only looked for where they are few.
            some = f"SELECT id FROM ({look.sql} LIMIT {CANDIDATES_MAX:d}) AS m WHERE {_BOUGHT}"  # noqa: S608
            sql = f"({look.sql} AND home_store_id = ANY(%s) LIMIT {limit:d}) UNION ALL ({some}) LIMIT {limit:d}"
            values = [*look.parameters, stores, *look.parameters, stores]
        parts.append(f"(SELECT id, {RANK[look.found_by]} FROM ({sql}) AS way (id))")  # noqa: S608
        parameters += values
    is_near, is_within = ("true", "true") if stores is None else (_AT_HOME, f"(best.is_near OR {_BOUGHT})")
    statement = f"""
        WITH RECURSIVE found (id, rank) AS ({" UNION ALL ".join(parts)}),
        alive (id, rank) AS (
            SELECT id, rank FROM found
            UNION ALL
            SELECT m.merged_into_id, alive.rank FROM alive JOIN members m ON m.id = alive.id WHERE m.status = 'merged'
        ),
        best AS (
            SELECT m.id, min(alive.rank) AS rank, {is_near} AS is_near FROM alive JOIN members m USING (id)
            WHERE m.status NOT IN ('merged', 'erased')
            GROUP BY m.id ORDER BY rank, is_near DESC, m.last_sale_on DESC NULLS LAST, m.id DESC LIMIT {limit:d}
        )
        SELECT m.id, m.public_id, m.code, m.name, m.phone, m.status, s.name, m.last_sale_on, best.rank, {is_within}
        FROM best JOIN members m USING (id) LEFT JOIN stores s ON s.id = m.home_store_id
        ORDER BY best.rank, best.is_near DESC, m.last_sale_on DESC NULLS LAST, m.id DESC
    """  # noqa: S608 - our own texts; whatever was typed is a parameter
    return statement, parameters if stores is None else [*parameters, stores, stores]
