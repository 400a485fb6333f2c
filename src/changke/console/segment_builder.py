"""What the segment builder needs on the page: fields, words, names of chosen ids, and the sentence."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any, Final

from django.urls import reverse
from django.utils.translation import get_language, gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from changke.insight.segment_json import segment_to_json
from changke.kernel.money import currency, to_major
from changke.kernel.texts import Named
from changke.queries.company import load_company
from changke.queries.segment_words import CONSENTS, list_attributes, list_tags, name_ids, say_definition
from changke.rules.segments import FIELDS, Choice, Field, FieldGroup, FieldKind, Term, Unit, walk
from changke.rules.segments import Segment as Definition
from changke.rules.segments.sentence import TermKind
from changke.ui.templatetags.ui import local_name, quantity
from changke.ui.words import WEEKDAYS, WORDS, word

GROUPS: Final = {
    FieldGroup.PROFILE: _("Profile"),
    FieldGroup.PURCHASES: _("Purchases"),
    FieldGroup.SCORES: _("RFM"),
    FieldGroup.LIFE_CYCLE: _("Life cycle"),
    FieldGroup.VALUE: _("Value and forecast"),
}
CHOICE_WORDS: Final = {
    "status": "MemberStatus",
    "gender": "Gender",
    "source_channel": "SourceChannel",
    "life_class": "LifeClass",
    "origin_class": "LifeClass",
    "stage": "Stage",
    "value_layer": "ValueLayer",
}
FIXED_LIST: Final = "member_id"  # made from a movement between runs or classes; it can be kept or removed, not typed


def builder_data(definition: Definition) -> dict[str, Any]:
    """Return everything builder.js reads, in the reader's language."""
    names = name_ids(definition)
    money = _unit()
    return {
        "segment": segment_to_json(definition),
        "names": {kind: {str(key): local_name(row) for key, row in rows.items()} for kind, rows in names.items()},
        "groups": _catalogue(has_fixed_list=any(_is_fixed_list(node) for _place, node in walk(definition.where))),
        "tags": list(list_tags()),
        "attributes": [
            {"key": row.key, "label": local_name(row.named), "choices": list(row.choices)} for row in list_attributes()
        ],
        "consents": [[value, say_consent(value)] for value in CONSENTS],
        "weekdays": [[number, str(name)] for number, name in enumerate(WEEKDAYS, start=1)],
        "money": {"symbol": money.symbol.strip(), "exponent": money.exponent},
        "pick_url": reverse("segment_options"),
        "live_url": reverse("segment_live"),
        "words": {key: str(text) for key, text in BUILDER_WORDS.items()},
    }


def say_in_words(definition: Definition) -> str:
    """Return the sentence of a definition in the reader's language."""
    names = name_ids(definition)
    said = say_definition(definition, translate=gettext, show=lambda term: show_term(term, names=names))
    return said[:1].upper() + said[1:]


def show_term(term: Term, *, names: Mapping[str, Mapping[int, Named]]) -> str:
    """Write one term of a sentence; a list is joined by the language's own comma."""
    comma = "、" if (get_language() or "").startswith("zh") else ", "
    return comma.join(_show_value(term, value, names=names) for value in term.values)


def say_consent(consent: str) -> str:
    channel, purpose = consent.split(":", 1)
    words = {"channel": word(channel, kind="ConsentChannel"), "purpose": word(purpose, kind="ConsentPurpose")}
    return gettext("%(channel)s (%(purpose)s)") % words


def _show_value(term: Term, value: str | int | date, *, names: Mapping[str, Mapping[int, Named]]) -> str:
    match term.kind:
        case TermKind.FIELD:
            return gettext(FIELDS[str(value)].label)
        case TermKind.WORD:
            return str(word(str(value), kind=CHOICE_WORDS.get(term.of, "")))
        case TermKind.CONSENT:
            return say_consent(str(value))
        case TermKind.WEEKDAY:
            return str(WEEKDAYS[int(str(value)) - 1])
        case TermKind.HOUR:
            return f"{value}:00"
        case TermKind.AMOUNT:
            return _show_amount(value, unit=term.of, names=names)
        case TermKind.PRODUCT | TermKind.BRAND | TermKind.SEGMENT:
            return _show_name(term.kind.value, value, names=names)
        case _:
            return str(value)


def _show_amount(value: Any, *, unit: str, names: Mapping[str, Mapping[int, Named]]) -> str:
    match unit:
        case Unit.MONEY:
            money = _unit()
            return f"{money.symbol}{to_major(int(value), unit=money):,}"
        case Unit.QUANTITY:
            return quantity(int(value))
        case Unit.PPM:
            return f"{Decimal(value) / 10_000:f} %".replace(".0000", "")
        case Unit.STORE | Unit.STAFF | Unit.REGION | Unit.CATEGORY:
            return _show_name(unit, value, names=names)
        case _:
            return f"{value:,}" if unit == Unit.COUNT else str(value)


def _show_name(kind: str, value: Any, *, names: Mapping[str, Mapping[int, Named]]) -> str:
    row = names.get(kind, {}).get(int(value))
    return local_name(row) if row else gettext("(deleted)")


def _is_fixed_list(node: object) -> bool:
    return isinstance(node, Choice) and node.field == FIXED_LIST


def _catalogue(*, has_fixed_list: bool) -> list[dict[str, Any]]:
    """Return the fields by group; a fixed list can be chosen only where there is one already."""
    groups = [
        {
            "label": str(title),
            "fields": [_field(field) for field in FIELDS.values() if field.group is group and field.name != FIXED_LIST],
        }
        for group, title in GROUPS.items()
    ]
    special = [
        {"key": kind, "kind": kind, "label": str(label)}
        for kind, label in (
            ("bought", _("Purchases: what, where, when, how much")),
            ("birthday", _("Birthday")),
            ("tags", _("Tags")),
            ("consent", _("Consent")),
            ("attribute", _("Member attribute")),
            ("segment", _("Another segment")),
            ("random_share", _("Random share")),
        )
    ]
    if has_fixed_list:
        special.append({"key": f"field:{FIXED_LIST}", "kind": "list", "label": gettext("Fixed list")})
    return [{"label": gettext("Ready questions"), "fields": special}, *groups]


def _field(field: Field) -> dict[str, Any]:
    told: dict[str, Any] = {
        "key": f"field:{field.name}",
        "field": field.name,
        "kind": field.kind.value,
        "unit": field.unit.value,
        "label": gettext(field.label),
    }
    if field.kind is FieldKind.WORD:
        kind = CHOICE_WORDS.get(field.name, "")
        told["choices"] = [[value, str(WORDS.get(kind, {}).get(value, _band(value)))] for value in field.choices]
    return told


def _band(value: str) -> str:
    return gettext("Unknown") if value == "unknown" else value


def _unit() -> Any:
    company = load_company()
    return currency(company.currency if company else "CNY")


BUILDER_WORDS: Final = {
    "all": _("all of these"),
    "any": _("any of these"),
    "who": _("Members who"),
    "meet": pgettext_lazy("builder", "meet"),
    "not_meet": pgettext_lazy("builder", "do not meet"),
    "is": pgettext_lazy("builder", "meets"),
    "not": pgettext_lazy("builder", "does not meet"),
    "condition": _("Add a condition"),
    "group": _("Add a group"),
    "remove": _("Remove"),
    "field": pgettext_lazy("builder", "What"),
    "how": _("How"),
    "from": _("from"),
    "to": _("to"),
    "times": _("times"),
    "amount": _("amount"),
    "quantity": _("quantity"),
    "days": _("days"),
    "range": _("in a range"),
    "one_of": _("one of"),
    "unknown": _("unknown"),
    "within": _("in the last"),
    "between": _("between"),
    "yes": _("Yes"),
    "no": _("No"),
    "any_tag": _("any of the tags"),
    "all_tags": _("all of the tags"),
    "no_tag": _("none of the tags"),
    "granted": _("has consented"),
    "refused": _("has not consented"),
    "birthday_within": _("in the next"),
    "birthday_month": _("in a month, counted from this one"),
    "months_ahead": _("months ahead (0 = this month)"),
    "products": _("Products"),
    "categories": _("Categories"),
    "brands": _("Brands"),
    "stores": _("Stores"),
    "when": _("When"),
    "ever": _("ever"),
    "weekdays": _("Weekdays"),
    "hours": _("Hours"),
    "how_often": _("How often"),
    "how_much": _("How much"),
    "share": _("share in percent"),
    "seed": _("draw number (the same number always draws the same members)"),
    "search": _("Search ..."),
    "nothing": _("Nothing found"),
    "values": _("values, separated by commas"),
    "cells": _("cells, separated by commas, such as 555, 554"),
    "members": _("members"),
    "everybody": _("No condition yet: everybody."),
    "failed": _("The count did not arrive. It is asked again at the next change."),
    "not_member": _("has not"),
}
