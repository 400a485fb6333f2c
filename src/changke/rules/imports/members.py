"""Member rows: the plain decision about each; insight/cleaning/people.py is its set form."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final, TypeVar

from changke.rules.imports.lines import CODE_LONGEST, PLACE_LONGEST, ImportSettings
from changke.rules.imports.values import (
    CALENDARS,
    CHANNELS,
    EMAIL,
    GENDERS,
    MONTH_AND_DAY,
    NO,
    STATUSES,
    TAG_MARKS,
    YES,
    moment_shapes,
    parse_date,
    trim,
)
from changke.rules.imports.words import CONSENTS, CleaningRule, Field, Refusal

EMAIL_LONGEST: Final = 254
T = TypeVar("T")
Birthday = tuple[int | None, int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class CleanMember:
    """A member row that was kept, without the cells that were left out."""

    member_code: str
    phone: str | None
    email: str | None
    gender: str | None
    birthday: Birthday | None
    birth_calendar: str | None
    joined_on: date | None
    source_channel: str | None
    status: str | None
    card_no: str | None
    tags: tuple[str, ...]
    consents: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberDecision:
    """A kept member, or None and why; `left_out` names cells that could not be read."""

    member: CleanMember | None
    refusal: Refusal | None = None
    left_out: tuple[tuple[Field, Refusal], ...] = ()


def decide_member(
    row: Mapping[Field, str],
    *,
    settings: ImportSettings,
    parse_phone: Callable[[str], str | None],
    today: date,
) -> MemberDecision:
    """Keep a member row of trimmed cells or say why not; cells that cannot be read are left out or refuse the row."""
    bad: list[tuple[Field, Refusal]] = []

    def read(meaning: Field, reader: Callable[[str], T | None], reason: Refusal) -> T | None:
        text = row.get(meaning, "")
        value = reader(text) if text else None
        if text and value is None:
            bad.append((meaning, reason))
        return value

    def read_word(meaning: Field, words: Mapping[str, str]) -> str | None:
        return read(meaning, lambda text: words.get(text.lower()), Refusal.WORD_UNKNOWN)

    def read_day(text: str) -> date | None:
        day = parse_date(text, order=settings.day_order)
        return day if day and day <= today else None

    def read_email(text: str) -> str | None:
        return text if re.fullmatch(EMAIL, text) and len(text) <= EMAIL_LONGEST else None

    answers = dict.fromkeys(YES, "yes") | dict.fromkeys(NO, "no")
    phone = read(Field.PHONE, parse_phone, Refusal.PHONE_UNREADABLE)
    email = read(Field.EMAIL, read_email, Refusal.EMAIL_UNREADABLE)
    gender = read_word(Field.GENDER, GENDERS)
    calendar = read_word(Field.BIRTH_CALENDAR, CALENDARS)
    birthday = read(
        Field.BIRTHDAY,
        lambda text: parse_birthday(text, settings=settings, is_lunar=calendar == "lunar", today=today),
        Refusal.DATE_UNREADABLE,
    )
    joined_on = read(Field.JOINED_ON, read_day, Refusal.DATE_UNREADABLE)
    channel, status = read_word(Field.SOURCE_CHANNEL, CHANNELS), read_word(Field.STATUS, STATUSES)
    consents = tuple(pair for meaning, pair in CONSENTS.items() if read_word(meaning, answers) == "yes")

    code = row.get(Field.MEMBER_CODE) or phone
    card = row.get(Field.CARD_NO, "")
    places = (card, row.get(Field.HOME_STORE_CODE, ""), row.get(Field.RECRUITER_CODE, ""))
    if code is None:
        return MemberDecision(member=None, refusal=Refusal.MEMBER_CODE_MISSING)
    if len(code) > CODE_LONGEST or max(map(len, places)) > PLACE_LONGEST:
        return MemberDecision(member=None, refusal=Refusal.TEXT_TOO_LONG)
    if bad and CleaningRule.LEAVE_OUT_BAD_CONTACTS not in settings.rules:
        return MemberDecision(member=None, refusal=bad[0][1])
    member = CleanMember(
        member_code=code, phone=phone, email=email, gender=gender, birthday=birthday, birth_calendar=calendar,
        joined_on=joined_on, source_channel=channel, status=status, card_no=card or None,
        tags=split_tags(row.get(Field.TAGS, "")), consents=consents,
    )  # fmt: skip
    return MemberDecision(member=member, left_out=tuple(bad))


def parse_birthday(text: str, *, settings: ImportSettings, is_lunar: bool, today: date) -> Birthday | None:
    """Return year (None where only month and day are given), month and day; lunar months have at most 30 days."""
    if found := re.fullmatch(MONTH_AND_DAY, text):
        year, month, day = None, int(found[1]), int(found[2])
    else:
        spelled = next(
            (
                found.expand(replacement)
                for pattern, replacement in moment_shapes(settings.day_order)
                if (found := re.fullmatch(pattern, text))
            ),
            None,
        )
        if spelled is None:
            return None
        year, month, day = map(int, spelled[: spelled.index(" ")].split("-"))
    if not 1 <= month <= 12 or not 1 <= day <= (30 if is_lunar else 31) or (year or 0) > today.year:
        return None
    try:
        # A leap year stands in for an unknown one; 30 days of a lunar month need no solar date.
        return None if not is_lunar and date(year or 2000, month, day) > today else (year, month, day)
    except ValueError:
        return None


def split_tags(text: str) -> tuple[str, ...]:
    """Return the tags of a cell, in order, each once."""
    return tuple(dict.fromkeys(tag for part in re.split(TAG_MARKS, text) if (tag := trim(part)[:60])))
