"""A segment in words: parts that a manager can read in any language, once a door has translated and formatted them."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Final, TypeAlias

from changke.rules.segments.catalogue import FIELDS, Unit
from changke.rules.segments.tree import (
    AllOf,
    AnyOf,
    Attribute,
    BirthdayMonth,
    BirthdayWithin,
    Bought,
    Choice,
    Consent,
    DateBetween,
    DateWithin,
    Flag,
    InSegment,
    Not,
    Number,
    RandomShare,
    Segment,
    TagMode,
    Tags,
    Tree,
    Unknown,
)


class TermKind(StrEnum):
    """How a value is shown; a unit of the catalogue says it for numbers and ids."""

    FIELD = "field"  # its label in the catalogue
    WORD = "word"  # a choice of the field in `of`
    TEXT = "text"  # a user's own text: tag, attribute
    CONSENT = "consent"  # "sms:marketing"
    AMOUNT = "amount"  # a number in the unit of `of`
    DATE = "date"
    PRODUCT = "product"
    BRAND = "brand"
    SEGMENT = "segment"
    HOUR = "hour"
    WEEKDAY = "weekday"


class Joint(StrEnum):
    ALL = "all"
    ANY = "any"
    NOT = "not"


@dataclass(frozen=True, slots=True, kw_only=True)
class Term:
    """One value inside a phrase: several mean a list. `of` is the field of a word or the unit of an amount."""

    kind: TermKind
    values: tuple[str | int | date, ...]
    of: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Phrase:
    """An English msgid with %(name)s places and their terms, then details that narrow it."""

    msgid: str
    terms: tuple[tuple[str, Term], ...] = ()
    details: "tuple[Phrase, ...]" = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Clause:
    """Phrases joined by all of, any of, none of."""

    joint: Joint
    parts: "tuple[Sentence, ...]"


Sentence: TypeAlias = Phrase | Clause

EVERYBODY: Final = "everybody"
RANGE: Final = "%(field)s: from %(low)s to %(high)s"
AT_LEAST: Final = "%(field)s: at least %(low)s"
AT_MOST: Final = "%(field)s: at most %(high)s"
EXACTLY: Final = "%(field)s: exactly %(low)s"
ONE_OF: Final = "%(field)s: %(values)s"
SINCE: Final = "%(field)s: since %(first)s"
UNTIL: Final = "%(field)s: until %(last)s"
BETWEEN: Final = "%(field)s: between %(first)s and %(last)s"
WITHIN: Final = "%(field)s: in the last %(days)s days"
YES: Final = "%(field)s: yes"
NO: Final = "%(field)s: no"
UNKNOWN: Final = "%(field)s: unknown"
FIXED_LIST: Final = "is on a fixed list of %(count)s"
BIRTHDAY_TODAY: Final = "birthday today"
BIRTHDAY_WITHIN: Final = "birthday in the next %(days)s days"
BIRTHDAY_THIS_MONTH: Final = "birthday this month"
BIRTHDAY_MONTH: Final = "birthday in %(months)s months' time"
TAG_PHRASES: Final = {
    TagMode.ANY: "has any of the tags %(tags)s",
    TagMode.ALL: "has all of the tags %(tags)s",
    TagMode.NONE: "has none of the tags %(tags)s",
}
CONSENTED: Final = "has consented to %(consent)s"
NOT_CONSENTED: Final = "has not consented to %(consent)s"
ATTRIBUTE: Final = "attribute %(name)s: %(values)s"
ATTRIBUTE_FILLED: Final = "attribute %(name)s is filled in"
IN_SEGMENT: Final = "is in the segment %(segment)s"
SHARE: Final = "a random share of %(share)s of all members"
PICK: Final = "of these, at most %(count)s chosen at random"
BOUGHT: Final = "has bought"
NEVER_BOUGHT: Final = "has not bought"
PURCHASES: Final = "purchases"
OF_PRODUCTS: Final = "products: %(values)s"
OF_CATEGORIES: Final = "categories: %(values)s"
OF_BRANDS: Final = "brands: %(values)s"
IN_STORES: Final = "in the stores: %(values)s"
ON_WEEKDAYS: Final = "on: %(values)s"
AT_HOURS: Final = "in the hours: %(values)s"
DAYS_SINCE: Final = "since %(first)s"
DAYS_UNTIL: Final = "until %(last)s"
DAYS_BETWEEN: Final = "between %(first)s and %(last)s"
LAST_DAYS: Final = "in the last %(days)s days"
TIMES: Final = (
    "from %(low)s to %(high)s times",
    "at least %(low)s times",
    "at most %(high)s times",
    "exactly %(low)s times",
)
QUANTITIES: Final = (
    "quantity from %(low)s to %(high)s",
    "quantity at least %(low)s",
    "quantity at most %(high)s",
    "quantity exactly %(low)s",
)
AMOUNTS: Final = (
    "amount from %(low)s to %(high)s",
    "amount at least %(low)s",
    "amount at most %(high)s",
    "amount exactly %(low)s",
)
COMMA: Final = ", "
SEMICOLON: Final = "; "
BRACKETS: Final = "(%(part)s)"
JOINTS: Final = {Joint.ALL: "all of: %(parts)s", Joint.ANY: "any of: %(parts)s", Joint.NOT: "not: %(parts)s"}

# Every msgid that a sentence can hold: a test holds the translations complete against it.
MSGIDS: Final = (
    EVERYBODY, RANGE, AT_LEAST, AT_MOST, EXACTLY, ONE_OF, SINCE, UNTIL, BETWEEN, WITHIN, YES, NO, UNKNOWN, FIXED_LIST,
    BIRTHDAY_TODAY, BIRTHDAY_WITHIN, BIRTHDAY_THIS_MONTH, BIRTHDAY_MONTH, *TAG_PHRASES.values(), CONSENTED,
    NOT_CONSENTED, ATTRIBUTE, ATTRIBUTE_FILLED, IN_SEGMENT, SHARE, PICK, BOUGHT, NEVER_BOUGHT, PURCHASES,
    OF_PRODUCTS, OF_CATEGORIES, OF_BRANDS, IN_STORES, ON_WEEKDAYS, AT_HOURS, DAYS_SINCE, DAYS_UNTIL, DAYS_BETWEEN,
    LAST_DAYS, *TIMES, *QUANTITIES, *AMOUNTS, COMMA, SEMICOLON, BRACKETS, *JOINTS.values(),
    *(field.label for field in FIELDS.values()),
)  # fmt: skip


def say_segment(segment: Segment) -> Sentence:
    """Return the sentence of a segment."""
    said = say(segment.where)
    if segment.pick is None:
        return said
    return Clause(joint=Joint.ALL, parts=(said, phrase(PICK, count=amount(segment.pick.members_max, Unit.COUNT))))


def say(tree: Tree) -> Sentence:
    """Return the sentence of a tree, in its order; a group of one is said as its part."""
    match tree:
        case AllOf(parts=()):
            return phrase(EVERYBODY)
        case AllOf() | AnyOf():
            parts = tuple(say(part) for part in tree.parts)
            joint = Joint.ALL if isinstance(tree, AllOf) else Joint.ANY
            return parts[0] if len(parts) == 1 else Clause(joint=joint, parts=parts)
        case Not(part=part):
            return Clause(joint=Joint.NOT, parts=(say(part),))
        case Number() | Choice() | DateBetween() | DateWithin() | Flag() | Unknown():
            return say_field(tree)
        case Bought():
            return say_bought(tree)
        case BirthdayWithin(days=days):
            return phrase(BIRTHDAY_WITHIN, days=amount(days, Unit.DAYS)) if days else phrase(BIRTHDAY_TODAY)
        case BirthdayMonth(months_ahead=months):
            return phrase(BIRTHDAY_MONTH, months=amount(months, Unit.COUNT)) if months else phrase(BIRTHDAY_THIS_MONTH)
        case Tags():
            return phrase(TAG_PHRASES[tree.mode], tags=Term(kind=TermKind.TEXT, values=tree.tags))
        case Consent():
            term = Term(kind=TermKind.CONSENT, values=(tree.consent,))
            return phrase(CONSENTED if tree.granted else NOT_CONSENTED, consent=term)
        case Attribute():
            name = Term(kind=TermKind.TEXT, values=(tree.name,))
            if not tree.values:
                return phrase(ATTRIBUTE_FILLED, name=name)
            return phrase(ATTRIBUTE, name=name, values=Term(kind=TermKind.TEXT, values=tree.values))
        case InSegment():
            return phrase(IN_SEGMENT, segment=Term(kind=TermKind.SEGMENT, values=(tree.segment_id,)))
        case RandomShare():
            return phrase(SHARE, share=amount(tree.share_ppm, Unit.PPM))


def say_field(node: Number | Choice | DateBetween | DateWithin | Flag | Unknown) -> Phrase:
    """Return the phrase of a condition on one field."""
    field = FIELDS[node.field]
    label = Term(kind=TermKind.FIELD, values=(field.name,))
    match node:
        case Number(low=low, high=high):
            said = bounds((RANGE, AT_LEAST, AT_MOST, EXACTLY), low, high, field.unit)
            return phrase(said.msgid, field=label, **dict(said.terms))
        case Choice(field="member_id", values=values):
            return phrase(FIXED_LIST, count=amount(len(values), Unit.COUNT))
        case Choice(values=values):
            word = field.unit is Unit.NONE and isinstance(values[0], str)
            term = Term(kind=TermKind.WORD, values=values, of=field.name) if word else amounts(values, field.unit)
            return phrase(ONE_OF, field=label, values=term)
        case DateBetween(first=first, last=last):
            said = days_phrase((BETWEEN, SINCE, UNTIL), first, last)
            return phrase(said.msgid, field=label, **dict(said.terms))
        case DateWithin(days=days):
            return phrase(WITHIN, field=label, days=amount(days, Unit.DAYS))
        case Flag(value=value):
            return phrase(YES if value else NO, field=label)
        case Unknown():
            return phrase(UNKNOWN, field=label)


def say_bought(node: Bought) -> Phrase:
    """Return the phrase of a purchase condition: the head, then each filter and bound as a detail."""
    plain = node.bounds() == ((1, None), (None, None), (None, None))
    never = node.bounds()[0][1] == 0
    return Phrase(
        msgid=BOUGHT if plain else NEVER_BOUGHT if never else PURCHASES,
        details=(*bought_filters(node), *(() if plain or never else bought_bounds(node))),
    )


def bought_filters(node: Bought) -> Iterator[Phrase]:
    for msgid, kind, ids, unit in (
        (OF_PRODUCTS, TermKind.PRODUCT, node.products, ""),
        (OF_CATEGORIES, TermKind.AMOUNT, node.categories, Unit.CATEGORY),
        (OF_BRANDS, TermKind.BRAND, node.brands, ""),
        (IN_STORES, TermKind.AMOUNT, node.stores, Unit.STORE),
        (ON_WEEKDAYS, TermKind.WEEKDAY, node.weekdays, ""),
        (AT_HOURS, TermKind.HOUR, node.hours, ""),
    ):
        if ids:
            yield phrase(msgid, values=Term(kind=kind, values=ids, of=unit))
    if node.first or node.last:
        yield days_phrase((DAYS_BETWEEN, DAYS_SINCE, DAYS_UNTIL), node.first, node.last)
    if node.last_days is not None:
        yield phrase(LAST_DAYS, days=amount(node.last_days, Unit.DAYS))


def bought_bounds(node: Bought) -> Iterator[Phrase]:
    units = (Unit.COUNT, Unit.QUANTITY, Unit.MONEY)
    for msgids, unit, (low, high) in zip((TIMES, QUANTITIES, AMOUNTS), units, node.bounds(), strict=True):
        if low is not None or high is not None:
            yield bounds(msgids, low, high, unit)


def bounds(msgids: tuple[str, str, str, str], low: int | None, high: int | None, unit: Unit) -> Phrase:
    between, at_least, at_most, exactly = msgids
    if low is None:
        return phrase(at_most, high=amount(high or 0, unit))
    if high is None:
        return phrase(at_least, low=amount(low, unit))
    if low == high:
        return phrase(exactly, low=amount(low, unit))
    return phrase(between, low=amount(low, unit), high=amount(high, unit))


def days_phrase(msgids: tuple[str, str, str], first: date | None, last: date | None) -> Phrase:
    between, since, until = msgids
    terms = {
        name: Term(kind=TermKind.DATE, values=(day,))
        for name, day in (("first", first), ("last", last))
        if day is not None
    }
    return phrase(between if len(terms) == 2 else since if first else until, **terms)


def phrase(msgid: str, **terms: Term) -> Phrase:
    return Phrase(msgid=msgid, terms=tuple(terms.items()))


def amount(value: int, unit: Unit) -> Term:
    return amounts((value,), unit)


def amounts(values: tuple[str, ...] | tuple[int, ...], unit: Unit) -> Term:
    return Term(kind=TermKind.AMOUNT, values=values, of=unit)


def spell(sentence: Sentence, *, translate: Callable[[str], str], show: Callable[[Term], str]) -> str:
    """Write a sentence out: `translate` turns a msgid into the reader's language, `show` a term into text."""
    if isinstance(sentence, Clause):
        parts = [spell(part, translate=translate, show=show) for part in sentence.parts]
        nested = [
            translate(BRACKETS) % {"part": text} if isinstance(part, Clause) else text
            for part, text in zip(sentence.parts, parts, strict=True)
        ]
        return translate(JOINTS[sentence.joint]) % {"parts": translate(SEMICOLON).join(nested)}
    head = translate(sentence.msgid)
    text = head % {name: show(term) for name, term in sentence.terms} if sentence.terms else head
    return translate(COMMA).join(
        (text, *(spell(detail, translate=translate, show=show) for detail in sentence.details))
    )
