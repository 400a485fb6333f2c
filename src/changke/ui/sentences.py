"""A segment's sentence in the reader's language."""

from collections.abc import Callable, Mapping
from datetime import date
from typing import Final

from django.utils.translation import gettext

from changke.kernel.money import Currency, format_money
from changke.rules.segments import FIELDS, Sentence, Term, TermKind, Unit, spell
from changke.ui.templatetags.ui import number, quantity, share
from changke.ui.words import WEEKDAYS, word

# The enum whose words a field's choices are.
KINDS: Final[Mapping[str, str]] = {
    "status": "MemberStatus",
    "gender": "Gender",
    "source_channel": "SourceChannel",
    "life_class": "LifeClass",
    "origin_class": "LifeClass",
    "stage": "Stage",
    "value_layer": "ValueLayer",
}
NameOf = Callable[[str, int], str]


def write_sentence(sentence: Sentence, *, unit: Currency, name_of: NameOf) -> str:
    """Write a sentence out; `name_of(kind, id)` names a row: kind is a Unit or TermKind such as "store", "product"."""

    def show(term: Term) -> str:
        return "、".join(show_value(term, value, unit=unit, name_of=name_of) for value in term.values)

    return spell(sentence, translate=gettext, show=show)


def show_value(term: Term, value: str | int | date, *, unit: Currency, name_of: NameOf) -> str:
    """Write one value of a term."""
    match term.kind:
        case TermKind.FIELD:
            return gettext(FIELDS[str(value)].label)
        case TermKind.WORD:
            return str(word(str(value), kind=KINDS.get(term.of, "")))
        case TermKind.CONSENT:
            channel, _, purpose = str(value).partition(":")
            return f"{word(channel, kind='ConsentChannel')} · {word(purpose, kind='ConsentPurpose')}"
        case TermKind.WEEKDAY:
            return str(WEEKDAYS[int(str(value)) - 1])
        case TermKind.HOUR:
            return f"{value}:00"
        case TermKind.PRODUCT | TermKind.BRAND | TermKind.SEGMENT:
            return name_of(term.kind, int(str(value)))
        case TermKind.AMOUNT:
            return show_amount(int(str(value)), of=term.of, unit=unit, name_of=name_of)
        case _:
            return str(value)


def show_amount(value: int, *, of: str, unit: Currency, name_of: NameOf) -> str:
    """Write a number in the unit of its field, or the name of the row it is the id of."""
    match of:
        case Unit.MONEY:
            return format_money(value, unit=unit)
        case Unit.QUANTITY:
            return quantity(value)
        case Unit.PPM:
            return share(value)
        case Unit.MEMBER | Unit.STORE | Unit.STAFF | Unit.REGION | Unit.CATEGORY:
            return name_of(of, value)
        case _:
            return number(value)
