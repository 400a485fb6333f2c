"""A profile from a form or a file: cleaned, checked field by field, and spelled as columns."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import date
from typing import Any, Final

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.utils.translation import gettext_noop

from changke.kernel.checks import raise_problems, refuse_long
from changke.kernel.errors import Problem
from changke.queries.settings import load_setting
from changke.records.models import AttributeDefinition, Region, Store
from changke.rules.attributes import AttributeKind, AttributeRefusal, AttributeSpec, refuse_value
from changke.rules.birthdays import BirthDate, BirthdayRefusal, BirthdaySettings, next_birthday, refuse_birth_date
from changke.rules.members import BirthCalendar, ConsentChannel, MemberProfile, MemberSettings
from changke.rules.names import clean_name, initials_of
from changke.rules.phones import parse_phone

LONGEST: Final = {"name": 120, "address": 300, "note": 1000, "email": 254}
BIRTHDAY_MESSAGES: Final = {
    BirthdayRefusal.INCOMPLETE: gettext_noop("A birthday needs a month and a day."),
    BirthdayRefusal.NO_SUCH_DAY: gettext_noop("There is no such day."),
    BirthdayRefusal.NO_SUCH_LEAP_MONTH: gettext_noop("That lunar year has no such leap month."),
    BirthdayRefusal.YEAR_OUT_OF_RANGE: gettext_noop("The year of birth lies between 1900 and this year."),
}
ATTRIBUTE_MESSAGES: Final = {
    AttributeRefusal.REQUIRED: gettext_noop("This must be filled in."),
    AttributeRefusal.NOT_A_NUMBER: gettext_noop("This is not a number."),
    AttributeRefusal.NOT_A_DATE: gettext_noop("This is not a date (YYYY-MM-DD)."),
    AttributeRefusal.NOT_A_CHOICE: gettext_noop("This is none of the choices."),
    AttributeRefusal.NOT_YES_NO: gettext_noop("This is neither yes nor no."),
    AttributeRefusal.TOO_LONG: gettext_noop("This is too long."),
}


def clean_profile(profile: MemberProfile, *, today: date, stored: Mapping[str, str] | None = None) -> MemberProfile:
    """Return a profile in one form (phone E.164, e-mail lower case, name without odd blanks) or raise every problem.

    `stored` are the open attributes that the member has already: a required one may be missing from the form then.
    """
    country = load_setting(MemberSettings).home_country
    clean = replace(
        profile,
        name=clean_name(profile.name),
        phone=parse_phone(profile.phone, country=country) or "" if profile.phone.strip() else "",
        email=profile.email.strip().lower(),
        address=profile.address.strip(),
        note=profile.note.strip(),
        attributes={key: text.strip() for key, text in profile.attributes.items()},
    )
    is_bad_phone = bool(profile.phone.strip()) and not clean.phone
    raise_problems(
        [*_refuse_contacts(clean, is_bad_phone=is_bad_phone), *_refuse_birthday(clean, today=today),
         *_refuse_references(clean), *_refuse_attributes(clean.attributes, stored=stored)]
    )  # fmt: skip
    return clean


def profile_columns(profile: MemberProfile, *, today: date) -> dict[str, Any]:
    """Return the columns of a cleaned profile, attributes left out; the next birthday is worked out from `today`."""
    return {
        "name": profile.name,
        "name_initials": initials_of(profile.name),
        "gender": profile.gender.value,
        "birth_calendar": profile.birth_calendar.value,
        "birth_year": profile.birth_year,
        "birth_month": profile.birth_month,
        "birth_day": profile.birth_day,
        "birth_in_leap_month": profile.birth_in_leap_month,
        "next_birthday_on": _next_birthday(profile, today=today),
        "phone": profile.phone,
        "email": profile.email,
        "address": profile.address,
        "region_id": profile.region_id,
        "home_store_id": profile.home_store_id,
        "preferred_channel": profile.preferred_channel,
        "clerk_class": profile.clerk_class,
        "note": profile.note,
    }


def split_attributes(attributes: Mapping[str, str]) -> tuple[dict[str, str], dict[str, str]]:
    """Return attributes as (open ones, sensitive ones) by their definitions."""
    sensitive = set(
        AttributeDefinition.objects.filter(key__in=list(attributes), is_sensitive=True).values_list("key", flat=True)
    )
    open_ones = {key: text for key, text in attributes.items() if key not in sensitive}
    return open_ones, {key: text for key, text in attributes.items() if key in sensitive}


def spec_of(definition: AttributeDefinition) -> AttributeSpec:
    """Return what may stand in an attribute."""
    return AttributeSpec(
        key=definition.key,
        kind=AttributeKind(definition.kind),
        choices=tuple(definition.choices),
        is_required=definition.is_required,
    )


def _next_birthday(profile: MemberProfile, *, today: date) -> date | None:
    if profile.birth_month is None or profile.birth_day is None:
        return None
    born = BirthDate(
        month=profile.birth_month,
        day=profile.birth_day,
        is_lunar=profile.birth_calendar is BirthCalendar.LUNAR,
        in_leap_month=profile.birth_in_leap_month,
    )
    return next_birthday(born, on_or_after=today, leap_rule=load_setting(BirthdaySettings).leap_rule)


def _refuse_contacts(profile: MemberProfile, *, is_bad_phone: bool) -> Iterator[Problem]:
    for field, longest in LONGEST.items():
        yield from refuse_long(getattr(profile, field), field=field, longest=longest)
    if is_bad_phone:
        yield Problem(code="not_a_phone", field="phone", message="This is not a phone number.")
    if profile.email:
        try:
            validate_email(profile.email)
        except ValidationError:
            yield Problem(code="not_an_email", field="email", message="This is not an e-mail address.")
    if profile.preferred_channel not in {"", *ConsentChannel}:
        yield Problem(code="channel_unknown", field="preferred_channel", message="This is none of the choices.")
    if profile.clerk_class not in {"", "A", "B", "C"}:
        yield Problem(code="class_unknown", field="clerk_class", message="This is none of the choices.")


def _refuse_birthday(profile: MemberProfile, *, today: date) -> Iterator[Problem]:
    refusal = refuse_birth_date(
        month=profile.birth_month,
        day=profile.birth_day,
        year=profile.birth_year,
        is_lunar=profile.birth_calendar is BirthCalendar.LUNAR,
        in_leap_month=profile.birth_in_leap_month,
        today=today,
    )
    if refusal is not None:
        field = "birth_year" if refusal is BirthdayRefusal.YEAR_OUT_OF_RANGE else "birth_day"
        yield Problem(code=f"birthday_{refusal}", field=field, message=BIRTHDAY_MESSAGES[refusal])


def _refuse_references(profile: MemberProfile) -> Iterator[Problem]:
    if profile.region_id is not None and not Region.objects.filter(id=profile.region_id).exists():
        yield Problem(code="region_unknown", field="region_id", message="There is no such region.")
    if profile.home_store_id is not None and not Store.objects.filter(id=profile.home_store_id).exists():
        yield Problem(code="store_unknown", field="home_store_id", message="There is no such store.")


def _refuse_attributes(attributes: Mapping[str, str], *, stored: Mapping[str, str] | None) -> Iterable[Problem]:
    known = {row.key: row for row in AttributeDefinition.objects.filter(is_retired=False)}
    for key in attributes.keys() - known.keys():
        yield Problem(code="attribute_unknown", field=f"attributes.{key}", message="There is no such attribute.")
    for key, row in known.items():
        if key not in attributes and (not row.is_required or stored is not None):
            continue
        refusal = refuse_value(spec_of(row), value=attributes.get(key, ""))
        if refusal is not None:
            message = ATTRIBUTE_MESSAGES[refusal]
            yield Problem(code=f"attribute_{refusal}", field=f"attributes.{key}", message=message)
