"""Members in set form, from member tables and from sale lines: rules/imports/members.py decides the same row by row."""

from collections.abc import Iterable
from datetime import date
from pathlib import Path
from typing import Final

import duckdb
import pyarrow as pa

from changke.insight.cleaning.sales import Tables
from changke.insight.cleaning.workbench import MappedTable, cell, cells, text, words_to, write_stage
from changke.rules.imports.lines import CODE_LONGEST, PLACE_LONGEST, ImportSettings
from changke.rules.imports.members import EMAIL_LONGEST
from changke.rules.imports.values import (
    BLANKS,
    CALENDARS,
    CHANNELS,
    EMAIL,
    GENDERS,
    MONTH_AND_DAY,
    NO,
    STATUSES,
    TAG_MARKS,
    YES,
)
from changke.rules.imports.words import CONSENTS, MEMBER_FIELDS, CleaningRule, Field, Refusal
from changke.rules.phones import parse_phone

ANSWERS: Final = dict.fromkeys(sorted(YES), "yes") | dict.fromkeys(sorted(NO), "no")
WORDS: Final = {
    Field.GENDER: GENDERS,
    Field.BIRTH_CALENDAR: CALENDARS,
    Field.SOURCE_CHANNEL: CHANNELS,
    Field.STATUS: STATUSES,
} | dict.fromkeys(CONSENTS, ANSWERS)

# The cells that may be left out, in the order of decide_member: field -> (what was read of it, why it is left out).
READINGS: Final = {
    Field.PHONE: ("e164", Refusal.PHONE_UNREADABLE),
    Field.EMAIL: ("email_read", Refusal.EMAIL_UNREADABLE),
    Field.GENDER: ("gender_read", Refusal.WORD_UNKNOWN),
    Field.BIRTH_CALENDAR: ("birth_calendar_read", Refusal.WORD_UNKNOWN),
    Field.BIRTHDAY: ("birthday_read", Refusal.DATE_UNREADABLE),
    Field.JOINED_ON: ("joined_on_read", Refusal.DATE_UNREADABLE),
    Field.SOURCE_CHANNEL: ("source_channel_read", Refusal.WORD_UNKNOWN),
    Field.STATUS: ("status_read", Refusal.WORD_UNKNOWN),
} | {meaning: (f"{meaning}_read", Refusal.WORD_UNKNOWN) for meaning in CONSENTS}


def read_phones(duck: duckdb.DuckDBPyConnection, tables: Iterable[MappedTable], *, country: str) -> None:
    """Make the table `phones`: every way a phone is written, and its E.164 (NULL = no phone number)."""
    columns = [(table, table.columns[Field.PHONE]) for table in tables if Field.PHONE in table.columns]
    duck.execute("CREATE TABLE phones (phone VARCHAR, e164 VARCHAR)")
    for table, column in columns:
        # Plain Chinese mobiles are nearly all there are; the library takes 50 microseconds for each of the others.
        duck.execute(
            f"""
            INSERT INTO phones
            SELECT DISTINCT phone, CASE WHEN {text(country)} = 'CN' AND regexp_full_match(phone, '1[3-9][0-9]{{9}}')
                                        THEN '+86' || phone END
            FROM (SELECT {cell(table, column)} AS phone FROM read_parquet({text(table.path)}))
            ANTI JOIN phones USING (phone)
            WHERE phone IS NOT NULL
            """
        )
    odd = [phone for (phone,) in duck.execute("SELECT phone FROM phones WHERE e164 IS NULL").fetchall()]
    if odd:
        parsed = pa.table({"phone": odd, "read": pa.array([parse_phone(p, country=country) for p in odd], pa.string())})
        duck.register("parsed", parsed)
        duck.execute("UPDATE phones SET e164 = read FROM parsed WHERE parsed.phone = phones.phone")
        duck.unregister("parsed")


def clean_members(
    duck: duckdb.DuckDBPyConnection, tables: Tables, *, settings: ImportSettings, today: date, folder: Path
) -> None:
    """Write the staged members of the member tables and of the receipts; refused rows and cells join `refused`."""
    duck.execute(f"CREATE TEMP TABLE member_rows AS {_rows(tables, settings=settings, today=today)}")
    for meaning, (column, reason) in READINGS.items():
        duck.execute(
            f"""
            INSERT INTO refused SELECT pos, {text(meaning)}, {text(reason)} FROM member_rows
            WHERE refusal IS NULL AND {meaning} IS NOT NULL AND {column} IS NULL
            """
        )
    duck.execute(
        f"""
        INSERT INTO refused SELECT pos, NULL, refusal FROM member_rows WHERE refusal IS NOT NULL;
        CREATE TEMP TABLE newest AS FROM member_rows WHERE refusal IS NULL
        QUALIFY row_number() OVER (PARTITION BY code ORDER BY pos DESC) = 1;
        CREATE TEMP TABLE older AS FROM member_rows ANTI JOIN newest USING (pos) WHERE refusal IS NULL;
        DELETE FROM refused WHERE pos IN (SELECT pos FROM older);
        INSERT INTO refused SELECT pos, NULL, {text(Refusal.MEMBER_REPEATED)} FROM older;
        CREATE TEMP TABLE card_doubles AS SELECT pos FROM newest WHERE card_no IS NOT NULL
        QUALIFY row_number() OVER (PARTITION BY card_no ORDER BY pos) > 1;
        INSERT INTO refused SELECT pos, {text(Field.CARD_NO)}, {text(Refusal.CARD_TAKEN)} FROM card_doubles
        """
    )
    write_stage(duck, "members", query=_staged(), folder=folder)


def _attributes(table: MappedTable | None) -> str:
    """Return the SQL of the filled user-defined attributes of a row as a map."""
    named = [(key, cell(table, column)) for key, column in table.attributes.items()] if table else []
    pairs = ", ".join(f"{{'k': {text(key)}, 'v': {value}}}" for key, value in named)
    filled = (
        f"list_filter([{pairs}], lambda pair: pair.v IS NOT NULL)" if pairs else "NULL::STRUCT(k VARCHAR, v VARCHAR)[]"
    )
    return f", map_from_entries({filled}) AS attributes"


def _rows(tables: Tables, *, settings: ImportSettings, today: date) -> str:
    """Return SQL of all member rows: what was read of each cell, and why the row is refused."""
    words = ", ".join(f"{words_to(meaning, known)} AS {meaning}_read" for meaning, known in WORDS.items())
    day = f"DATE {text(today)}"
    strict = CleaningRule.LEAVE_OUT_BAD_CONTACTS not in settings.rules
    unread = [(f"{meaning} IS NOT NULL AND {column} IS NULL", why) for meaning, (column, why) in READINGS.items()]
    reasons = [
        ("code IS NULL", Refusal.MEMBER_CODE_MISSING),
        (
            f"length(code) > {CODE_LONGEST} OR length(card_no) > {PLACE_LONGEST}"
            f" OR length(home_store_code) > {PLACE_LONGEST} OR length(recruiter_code) > {PLACE_LONGEST}",
            Refusal.TEXT_TOO_LONG,
        ),
        *(unread if strict else ()),
    ]
    source = cells(tables, MEMBER_FIELDS, extra=_attributes)
    return f"""
        WITH row AS ({source}),
        spelled AS (
            SELECT *, coalesce(member_code, e164) AS code, {words},
                   CASE WHEN regexp_full_match(email, {text(EMAIL)}) AND length(email) <= {EMAIL_LONGEST}
                        THEN email END AS email_read,
                   CASE WHEN moment(joined_on)::DATE <= {day} THEN moment(joined_on)::DATE END AS joined_on_read,
                   regexp_full_match(birthday, {text(MONTH_AND_DAY)}) AS is_yearless,
                   CASE WHEN is_yearless THEN regexp_extract(birthday, {text(MONTH_AND_DAY)}, ['m', 'd'])
                   END AS month_and_day,
                   string_split(split_part(spelled_moment(birthday), ' ', 1), '-') AS parts
            FROM row LEFT JOIN phones USING (phone)),
        dated AS (
            SELECT *, CASE WHEN NOT is_yearless THEN parts[1]::INTEGER END AS y,
                   CASE WHEN is_yearless THEN month_and_day.m ELSE parts[2] END::INTEGER AS m,
                   CASE WHEN is_yearless THEN month_and_day.d ELSE parts[3] END::INTEGER AS d,
                   birth_calendar_read IS NOT DISTINCT FROM 'lunar' AS is_lunar
            FROM spelled),
        judged AS (
            SELECT *, CASE WHEN m BETWEEN 1 AND 12 AND d BETWEEN 1 AND 31 AND coalesce(y, 0) <= {today.year} AND
                CASE WHEN is_lunar THEN d <= 30
                     ELSE try_strptime(coalesce(y, 2000) || '-' || m || '-' || d, '%Y-%m-%d')::DATE <= {day} END
                THEN true END AS birthday_read
            FROM dated)
        SELECT *, CASE {" ".join(f"WHEN {sql} THEN {text(reason)}" for sql, reason in reasons)} END AS refusal
        FROM judged
    """


def _staged() -> str:
    """Return SQL of the staged members: those of the member tables, then customers whom only receipts know."""
    consents = ", ".join(f"CASE {meaning}_read WHEN 'yes' THEN {text(pair)} END" for meaning, pair in CONSENTS.items())
    tags = (
        f"list_transform(string_split_regex(tags, {text(TAG_MARKS)}), lambda tag: left(trim(tag, {text(BLANKS)}), 60))"
    )
    return f"""
        SELECT code AS member_code, left(member_name, 120) AS name, gender_read AS gender,
               CASE WHEN birthday_read THEN y END AS birth_year, CASE WHEN birthday_read THEN m END AS birth_month,
               CASE WHEN birthday_read THEN d END AS birth_day, birth_calendar_read AS birth_calendar,
               e164 AS phone, email_read AS email, left(address, 300) AS address, joined_on_read AS joined_on,
               home_store_code, recruiter_code, source_channel_read AS source_channel,
               CASE WHEN card_doubles.pos IS NULL THEN card_no END AS card_no,
               list_distinct(list_filter({tags}, lambda tag: tag <> '')) AS tags, attributes,
               list_filter([{consents}], lambda pair: pair IS NOT NULL) AS consents, status_read AS status
        FROM newest LEFT JOIN card_doubles USING (pos)
        UNION ALL BY NAME
        SELECT member AS member_code, left(arg_max(member_name, pos), 120) AS name, arg_max(e164, pos) AS phone,
               arg_max(email, pos) FILTER (regexp_full_match(email, {text(EMAIL)}) AND length(email) <= {EMAIL_LONGEST})
                   AS email
        FROM kept WHERE member IS NOT NULL AND member NOT IN (SELECT code FROM newest)
        GROUP BY member
    """
