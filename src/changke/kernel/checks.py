"""Checks that every typed form needs: blank, too long, not a phone number, not a time zone."""

import re
from collections.abc import Iterable, Iterator
from typing import Final
from zoneinfo import available_timezones

from changke.kernel.errors import ChangkeError, Problem

PHONE: Final = re.compile(r"\+?[0-9][0-9 ()-]{2,18}[0-9]")
CODE: Final = re.compile(r"[\w][\w.-]*")


def refuse_blank(text: str, *, field: str, longest: int) -> Iterator[Problem]:
    """Yield a problem where a needed text is missing or too long."""
    if not text.strip():
        yield Problem(code="blank", field=field, message="This must be filled in.")
    yield from refuse_long(text, field=field, longest=longest)


def refuse_long(text: str, *, field: str, longest: int) -> Iterator[Problem]:
    """Yield a problem where a text does not fit its column."""
    if len(text) > longest:
        yield Problem(
            code="too_long",
            field=field,
            message="At most %(longest)s characters fit here.",
            values=(("longest", str(longest)),),
        )


def refuse_code(text: str, *, field: str = "code", longest: int = 40) -> Iterator[Problem]:
    """Yield a problem where a code is blank, too long or holds more than letters, digits, dot, dash and underscore."""
    yield from refuse_blank(text, field=field, longest=longest)
    if text.strip() and not CODE.fullmatch(text):
        yield Problem(
            code="not_a_code", field=field, message="Use letters, digits, dots, dashes and underscores, no spaces."
        )


def refuse_phone(text: str, *, field: str = "phone") -> Iterator[Problem]:
    """Yield a problem where a filled-in line of the shop's own does not look like a phone number (at most 20 signs)."""
    if text and not PHONE.fullmatch(text):
        yield Problem(code="not_a_phone", field=field, message="This is not a phone number.")


def refuse_zone(name: str, *, field: str = "time_zone") -> Iterator[Problem]:
    """Yield a problem where a time zone is not one of the IANA names."""
    if name not in available_timezones():
        yield Problem(
            code="time_zone_unknown",
            field=field,
            message="There is no time zone %(value)s.",
            cure="Use a name such as Asia/Shanghai.",
            values=(("value", name),),
        )


def raise_problems(problems: Iterable[Problem]) -> None:
    """Raise one ChangkeError with every problem found; nothing where there is none."""
    if found := tuple(problems):
        raise ChangkeError(*found)
