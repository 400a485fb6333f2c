"""Members of a staged import: found again by code, phone or card, made where they are new, filled where empty."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

import duckdb
import pyarrow as pa

from changke.actions.steps.bulk_copy import ask, copy_in, copy_out, make_table, run
from changke.actions.steps.bulk_ids import with_public_ids
from changke.rules.attributes import AttributeKind
from changke.rules.birthdays import BirthDate, LeapRule, next_birthday
from changke.rules.imports.plan import Fill
from changke.rules.members import GONE, BirthCalendar, CardStatus, Gender, MemberStatus, SourceChannel
from changke.rules.names import initials_of

COLUMNS: Final = {
    "member_code": "text", "name": "text", "name_initials": "text", "gender": "text", "birth_year": "int",
    "birth_month": "int", "birth_day": "int", "birth_calendar": "text", "next_birthday_on": "date", "phone": "text",
    "email": "text", "address": "text", "joined_on": "date", "home_store_code": "text", "recruiter_code": "text",
    "source_channel": "text", "card_no": "text", "tags": "text", "attributes": "jsonb", "consents": "text",
    "status": "text", "first_sale_on": "date", "last_sale_on": "date", "public_id": "text",
}  # fmt: skip
MEMBER_IDS: Final = pa.schema([("code", pa.string()), ("id", pa.int64()), ("is_new", pa.bool_())])
GONE_WORDS: Final = ", ".join(f"'{status}'" for status in sorted(GONE))

STAGED: Final = """
    SELECT m.member_code, coalesce(m.name, ''), coalesce(i.initials, ''), m.gender, m.birth_year, m.birth_month,
           m.birth_day, m.birth_calendar, b.next_on, coalesce(m.phone, ''), coalesce(lower(m.email), ''),
           coalesce(m.address, ''), m.joined_on, m.home_store_code, m.recruiter_code, m.source_channel, m.card_no,
           nullif(array_to_string(m.tags, chr(31)), ''), to_json(m.attributes)::VARCHAR,
           nullif(array_to_string(m.consents, chr(31)), ''), m.status, s.first_on, s.last_on
    FROM staged_members m
    LEFT JOIN name_initials i USING (name)
    LEFT JOIN next_birthdays b ON b.birth_month = m.birth_month AND b.birth_day = m.birth_day
        AND b.is_lunar = (m.birth_calendar IS NOT DISTINCT FROM 'lunar')
    LEFT JOIN (SELECT member_code, min(day) AS first_on, max(day) AS last_on FROM staged_sales
               WHERE kind = 'sale' AND member_code IS NOT NULL GROUP BY member_code) s USING (member_code)
"""

# Ways to find a known member, the surest first; each fills member_id where it is still empty.
FIND_BY_CODE: Final = """
    UPDATE bulk_members b SET member_id = c.member_id FROM member_codes c JOIN sources s ON s.id = c.source_id
    WHERE s.code = %s AND c.code = b.member_code
"""
FIND_BY_PHONE: Final = f"""
    UPDATE bulk_members b SET member_id = one.id
    FROM (SELECT phone, min(id) AS id FROM members
          WHERE phone <> '' AND status NOT IN ({GONE_WORDS})
                AND phone IN (SELECT phone FROM bulk_members WHERE member_id IS NULL)
          GROUP BY phone HAVING count(*) = 1) AS one
    WHERE b.member_id IS NULL AND b.phone = one.phone
"""
FIND_BY_CARD: Final = """
    UPDATE bulk_members b SET member_id = c.member_id FROM cards c WHERE b.member_id IS NULL AND c.number = b.card_no
"""
FIND_BY_OWN_CODE: Final = f"""
    UPDATE bulk_members b SET member_id = m.id FROM members m
    WHERE b.member_id IS NULL AND m.code = b.member_code AND m.status NOT IN ({GONE_WORDS})
"""
# A customer whom receipts know by phone only is the one row of the file with that phone.
FIND_IN_FILE: Final = """
    UPDATE bulk_members b SET same_as = one.member_code
    FROM (SELECT phone, min(member_code) AS member_code FROM bulk_members WHERE phone <> '' AND member_code <> phone
          GROUP BY phone HAVING count(*) = 1) AS one
    WHERE b.member_id IS NULL AND b.member_code = b.phone AND b.phone = one.phone
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberCounts:
    new: int
    changed: int
    unchanged: int


def plan_members(
    duck: duckdb.DuckDBPyConnection, *, source: str, is_own: bool, fill: Fill, today: date, leap_rule: LeapRule
) -> MemberCounts:
    """Lay the staged members into a temporary table, find the known ones and count; writes nothing else.

    `is_own`: the codes of the source are the shop's own member codes.
    """
    _add_derived(duck, today=today, leap_rule=leap_rule)
    columns = ", ".join(f"{name} {kind}" for name, kind in COLUMNS.items())
    make_table("bulk_members", f"{columns}, same_as text, member_id bigint, is_new boolean")
    staged = copy_in(duck, STAGED, table="bulk_members", columns=list(COLUMNS), complete=with_public_ids)
    if not staged:
        return MemberCounts(new=0, changed=0, unchanged=0)
    run("ANALYZE bulk_members")
    run(FIND_BY_CODE, [source])
    run(FIND_BY_PHONE)
    run(FIND_BY_CARD)
    if is_own:
        run(FIND_BY_OWN_CODE)
    run(FIND_IN_FILE)
    run("UPDATE bulk_members SET is_new = member_id IS NULL AND same_as IS NULL")
    [(new, known)] = ask("""SELECT count(*) FILTER (WHERE is_new), count(DISTINCT member_id) FROM bulk_members""")
    [(changed,)] = ask(f"SELECT count(*) FROM ({_changed(fill)}) AS changed")
    return MemberCounts(new=new, changed=changed, unchanged=known - changed)


def write_new_members(duck: duckdb.DuckDBPyConnection, *, source_id: int, source: str, now: datetime) -> None:
    """Insert the members whom plan_members did not find, and make the table member_ids (code, id, is_new) in DuckDB."""
    run(
        "UPDATE bulk_members SET member_id = nextval((SELECT pg_get_serial_sequence('members', 'id'))::regclass)"
        " WHERE is_new"
    )
    run(
        """UPDATE bulk_members b SET member_id = o.member_id FROM bulk_members o
           WHERE b.same_as IS NOT NULL AND o.member_code = b.same_as"""
    )
    words = {
        "gender": Gender.UNKNOWN,
        "calendar": BirthCalendar.SOLAR,
        "channel": SourceChannel.IMPORT,
        "status": MemberStatus.FORMAL,
    }
    run(INSERT, {"source": source, "now": now, **words})
    run(
        """INSERT INTO member_codes (source_id, code, member_id)
           SELECT %s, member_code, member_id FROM bulk_members ON CONFLICT (source_id, code) DO NOTHING""",
        [source_id],
    )
    copy_out(duck, "SELECT member_code, member_id, is_new FROM bulk_members", table="member_ids", schema=MEMBER_IDS)


def write_known_members(*, fill: Fill, now: datetime) -> None:
    """Fill or overwrite the known members and write what belongs to all of them.

    Call last: from here to the end of the transaction nobody else can change the members that differ.
    """
    columns = ", ".join(f"{name} = new.{name}" for name in CHANGEABLE)
    run(f"SELECT id FROM members WHERE id IN (SELECT id FROM ({_changed(fill)}) c) ORDER BY id FOR NO KEY UPDATE")
    run(
        f"""UPDATE members m SET {columns}, version = version + 1, changed_at = %s
            FROM ({_changed(fill)}) AS new WHERE m.id = new.id""",
        [now],
    )
    _write_belongings(now=now)


def _add_derived(duck: duckdb.DuckDBPyConnection, *, today: date, leap_rule: LeapRule) -> None:
    """Make tables of what is worked out in Python, once for each name and each birthday: initials, next birthday."""
    names = [
        name for (name,) in duck.execute("SELECT DISTINCT name FROM staged_members WHERE name IS NOT NULL").fetchall()
    ]
    births = duck.execute(
        """SELECT DISTINCT birth_month, birth_day, birth_calendar IS NOT DISTINCT FROM 'lunar' FROM staged_members
           WHERE birth_month IS NOT NULL AND birth_day IS NOT NULL"""
    ).fetchall()
    days = [
        next_birthday(BirthDate(month=month, day=day, is_lunar=is_lunar), on_or_after=today, leap_rule=leap_rule)
        for month, day, is_lunar in births
    ]
    for table, columns in (
        (
            "name_initials",
            {"name": pa.array(names, pa.string()), "initials": pa.array(map(initials_of, names), pa.string())},
        ),
        (
            "next_birthdays",
            {
                "birth_month": pa.array([month for month, _, _ in births], pa.int32()),
                "birth_day": pa.array([day for _, day, _ in births], pa.int32()),
                "is_lunar": pa.array([is_lunar for _, _, is_lunar in births], pa.bool_()),
                "next_on": pa.array(days, pa.date32()),
            },
        ),
    ):
        duck.register("derived", pa.table(columns))
        duck.execute(f"CREATE TEMP TABLE {table} AS FROM derived")
        duck.unregister("derived")


# A code that another member carries already gets the name of its source in front.
INSERT: Final = """
    INSERT INTO members (id, public_id, code, name, name_initials, gender, birth_calendar, birth_year, birth_month,
        birth_day, birth_in_leap_month, next_birthday_on, phone, email, address, home_store_id, recruiter_id,
        source_channel, preferred_channel, joined_on, status, clerk_class, note, attributes, first_sale_on,
        last_sale_on, version, created_at, changed_at)
    SELECT b.member_id, b.public_id,
           CASE WHEN taken.id IS NULL THEN b.member_code ELSE left(%(source)s || '-' || b.member_code, 80) END,
           b.name, b.name_initials, coalesce(b.gender, %(gender)s), coalesce(b.birth_calendar, %(calendar)s),
           b.birth_year, b.birth_month, b.birth_day, false, b.next_birthday_on, b.phone, b.email, b.address, s.id, r.id,
           coalesce(b.source_channel, %(channel)s), '', b.joined_on, coalesce(b.status, %(status)s), '', '',
           coalesce(b.attributes, '{}'), b.first_sale_on, b.last_sale_on, 1, %(now)s, %(now)s
    FROM bulk_members b LEFT JOIN members taken ON taken.code = b.member_code
    LEFT JOIN stores s ON s.code = b.home_store_code LEFT JOIN staff r ON r.code = b.recruiter_code
    WHERE b.is_new ORDER BY b.member_id
"""

CHANGEABLE: Final = (
    "name", "name_initials", "gender", "birth_calendar", "birth_year", "birth_month", "birth_day", "next_birthday_on",
    "phone", "email", "address", "home_store_id", "recruiter_id", "source_channel", "joined_on", "status", "attributes",
)  # fmt: skip


def _changed(fill: Fill) -> str:
    """Return SQL for the known members whom the import changes: (id, the columns of CHANGEABLE as they become).

    Of several rows that lead to one member the first by code counts. A birthday changes as a whole. Who was merged into
    another or erased stays as they are.
    """
    fills = fill is Fill.EMPTY_ONLY
    text = (
        "CASE WHEN m.{0} = '' THEN b.{0} ELSE m.{0} END" if fills else "CASE WHEN b.{0} = '' THEN m.{0} ELSE b.{0} END"
    )
    value = "coalesce(m.{0}, b.{0})" if fills else "coalesce(b.{0}, m.{0})"
    has_birthday = "m.birth_month IS NOT NULL" if fills else "b.birth_month IS NULL"
    birth = f"CASE WHEN {has_birthday} THEN m.{{0}} ELSE b.{{0}} END"
    is_named = "m.name <> ''" if fills else "b.name = ''"
    new = {
        "name": text.format("name"),
        "name_initials": f"CASE WHEN {is_named} THEN m.name_initials ELSE b.name_initials END",
        "gender": f"CASE WHEN m.gender <> '{Gender.UNKNOWN}' THEN m.gender ELSE coalesce(b.gender, m.gender) END"
        if fills
        else "coalesce(b.gender, m.gender)",
        "birth_calendar": f"CASE WHEN {has_birthday} THEN m.birth_calendar ELSE "
        f"coalesce(b.birth_calendar, '{BirthCalendar.SOLAR}') END",
        **{part: birth.format(part) for part in ("birth_year", "birth_month", "birth_day", "next_birthday_on")},
        **{part: text.format(part) for part in ("phone", "email", "address")},
        "home_store_id": value.format("home_store_id").replace("b.home_store_id", "s.id"),
        "recruiter_id": value.format("recruiter_id").replace("b.recruiter_id", "r.id"),
        "source_channel": f"CASE WHEN m.source_channel <> '{SourceChannel.UNKNOWN}' THEN m.source_channel ELSE "
        "coalesce(b.source_channel, m.source_channel) END"
        if fills
        else "coalesce(b.source_channel, m.source_channel)",
        "joined_on": value.format("joined_on"),
        "status": "m.status" if fills else "coalesce(b.status, m.status)",
        "attributes": "coalesce(b.attributes, '{}') || m.attributes"
        if fills
        else "m.attributes || coalesce(b.attributes, '{}')",
    }
    columns = ", ".join(f"{new[name]} AS {name}" for name in CHANGEABLE)
    before = ", ".join(f"old.{name}" for name in CHANGEABLE)
    after = ", ".join(f"new.{name}" for name in CHANGEABLE)
    return f"""
        SELECT new.* FROM (
            SELECT DISTINCT ON (m.id) m.id, {columns}
            FROM members m JOIN bulk_members b ON b.member_id = m.id AND NOT b.is_new
            LEFT JOIN stores s ON s.code = b.home_store_code LEFT JOIN staff r ON r.code = b.recruiter_code
            WHERE m.status NOT IN ({GONE_WORDS})
            ORDER BY m.id, b.member_code
        ) AS new JOIN members old ON old.id = new.id
        WHERE ({after}) IS DISTINCT FROM ({before})
    """


def _write_belongings(*, now: datetime) -> None:
    """Write cards, tags, consents and the definitions of new attributes of the staged members."""
    run(
        f"""INSERT INTO cards (number, member_id, status, issued_on, issued_store_id, ended_reason)
            SELECT DISTINCT ON (b.member_id) b.card_no, b.member_id, '{CardStatus.ACTIVE}',
                   coalesce(b.joined_on, %s::date), s.id, ''
            FROM bulk_members b LEFT JOIN stores s ON s.code = b.home_store_code
            WHERE b.card_no IS NOT NULL AND b.member_id IS NOT NULL AND NOT EXISTS (
                SELECT FROM cards c WHERE c.member_id = b.member_id AND c.status = '{CardStatus.ACTIVE}')
            ORDER BY b.member_id, b.card_no ON CONFLICT (number) DO NOTHING""",
        [now],
    )
    make_table("bulk_tags", "member_id bigint, name text")
    run(
        """INSERT INTO bulk_tags
           SELECT DISTINCT member_id, unnest(string_to_array(tags, chr(31))) AS name FROM bulk_members
           WHERE tags IS NOT NULL"""
    )
    run(
        """INSERT INTO tags (name, name_en) SELECT DISTINCT name, '' FROM bulk_tags ORDER BY name
           ON CONFLICT (name) DO NOTHING"""
    )
    run(
        """INSERT INTO member_tags (member_id, tag_id) SELECT member_id, t.id FROM bulk_tags JOIN tags t USING (name)
           ON CONFLICT DO NOTHING"""
    )
    run(
        f"""INSERT INTO consents (member_id, channel, purpose, is_granted, at, given_through, address)
            SELECT DISTINCT b.member_id, split_part(pair, ':', 1), split_part(pair, ':', 2), true, %s::timestamptz,
                   '{SourceChannel.IMPORT}', ''
            FROM bulk_members b, unnest(string_to_array(b.consents, chr(31))) AS pair
            WHERE (SELECT c.is_granted FROM consents c
                   WHERE c.member_id = b.member_id AND c.channel = split_part(pair, ':', 1)
                         AND c.purpose = split_part(pair, ':', 2) ORDER BY c.id DESC LIMIT 1) IS NULL""",
        [now],
    )
    run(
        f"""INSERT INTO attribute_definitions (key, name, name_en, kind, choices, is_required, is_visible_to_member,
                is_sensitive, position, is_retired)
            SELECT DISTINCT key, key, '', '{AttributeKind.TEXT}', '[]'::jsonb, false, false, false, 0, false
            FROM bulk_members, jsonb_object_keys(attributes) AS key ORDER BY key ON CONFLICT (key) DO NOTHING"""
    )
