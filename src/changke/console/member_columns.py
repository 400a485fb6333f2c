"""The list of members: its filter read from the address, its columns, its facets."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any, Final, TypeVar

from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from changke.console.forms import chosen_ids
from changke.gateways.sheets import Cell
from changke.queries.company import list_regions
from changke.queries.member_list import FacetCounts, MemberFilter, MemberRow, MemberSort
from changke.queries.stores import list_stores
from changke.queries.tags import name_tags
from changke.rules.lifecycle import LifeClass
from changke.rules.members import GONE, Gender, MemberStatus, SourceChannel
from changke.rules.staff import Viewer
from changke.ui.figures import Choice, Facet
from changke.ui.templatetags.ui import local_name
from changke.ui.words import label

Word = TypeVar("Word", bound=StrEnum)
BIRTHDAYS: Final = {
    "0": gettext_lazy("Birthday today"),
    "7": gettext_lazy("In the next 7 days"),
    "30": gettext_lazy("In the next 30 days"),
}
SHOWN_STATUSES: Final = tuple(status for status in MemberStatus if status not in GONE)


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnSpec:
    """A column of the list: its heading, its sort key where it has one, its cell in an export."""

    key: str
    label: Any
    export: Callable[[MemberRow], Cell]
    sort: str = ""
    is_number: bool = False
    is_shown_first: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Names:
    """Names of stores and regions by id, in the reader's language."""

    stores: Mapping[int, str]
    regions: Mapping[int, str]


def columns_with(names: Names) -> tuple[ColumnSpec, ...]:
    """Return every column that a list may show, in order; name and code stand before them."""
    return (
        ColumnSpec(key="phone", label=_("Phone"), export=lambda row: row.phone, is_shown_first=True),
        ColumnSpec(key="email", label=_("E-mail"), export=lambda row: row.email),
        ColumnSpec(key="status", label=_("Status"), export=lambda row: str(label(row.status)), is_shown_first=True),
        ColumnSpec(key="life", label=_("Class"), export=_class_word, is_shown_first=True),
        ColumnSpec(key="cell", label="RFM", export=lambda row: _feature(row, "rfm_cell"), is_shown_first=True),
        ColumnSpec(
            key="store",
            label=_("Home store"),
            export=lambda row: names.stores.get(row.home_store_id or 0, ""),
            is_shown_first=True,
        ),
        ColumnSpec(key="region", label=_("Region"), export=lambda row: names.regions.get(row.region_id or 0, "")),
        ColumnSpec(key="source", label=_("Source"), export=lambda row: str(label(row.source))),
        ColumnSpec(key="gender", label=_("Gender"), export=lambda row: str(label(row.gender))),
        ColumnSpec(key="tags", label=_("Tags"), export=lambda row: ", ".join(row.tags), is_shown_first=True),
        ColumnSpec(
            key="joined", label=_("Joined on"), export=lambda row: row.joined_on, sort="joined", is_shown_first=True
        ),
        ColumnSpec(
            key="last_purchase",
            label=_("Last purchase"),
            export=lambda row: row.last_sale_on,
            sort="last_purchase",
            is_shown_first=True,
        ),
        ColumnSpec(key="birthday", label=_("Next birthday"), export=lambda row: row.next_birthday_on, sort="birthday"),
        ColumnSpec(key="valid_until", label=_("Valid until"), export=lambda row: row.valid_until),
        ColumnSpec(
            key="receipts", label=_("Receipts"), export=lambda row: _feature(row, "receipts_ever"), is_number=True
        ),
        ColumnSpec(
            key="spent",
            label=_("Spent"),
            export=lambda row: _feature(row, "net_ever_minor"),
            is_number=True,
            is_shown_first=True,
        ),
    )


def chosen_columns(columns: tuple[ColumnSpec, ...], *, get: QueryDict) -> tuple[ColumnSpec, ...]:
    """Return the columns that the address names, or those shown at first."""
    wanted = set(get.getlist("column"))
    return tuple(column for column in columns if column.key in wanted) or tuple(
        column for column in columns if column.is_shown_first
    )


def read_filter(get: QueryDict) -> MemberFilter:
    """Read a filter from an address; what does not fit is left out."""
    sort = get.get("sort", "")
    birthday = get.get("birthday", "")
    return MemberFilter(
        text=get.get("q", "").strip()[:100],
        statuses=_words(MemberStatus, get.getlist("status")),
        genders=_words(Gender, get.getlist("gender")),
        store_ids=chosen_ids(get.getlist("store")),
        region_ids=chosen_ids(get.getlist("region")),
        sources=_words(SourceChannel, get.getlist("source")),
        tag_ids=chosen_ids(get.getlist("tag")),
        recruiter_ids=chosen_ids(get.getlist("recruiter")),
        life_classes=tuple(word.value for word in _words(LifeClass, get.getlist("life"))),
        joined_from=_day(get.get("joined_from", "")),
        joined_until=_day(get.get("joined_until", "")),
        birthday_within_days=int(birthday) if birthday in BIRTHDAYS else None,
        sort=next((known for known in MemberSort if known == sort.removeprefix("-")), MemberSort.JOINED),
        is_descending=sort.startswith("-") or not sort,
    )


def load_names(viewer: Viewer) -> Names:
    """Return the names that rows and facets need; two statements."""
    return Names(
        stores={row.id: local_name(row.card) for row in list_stores(viewer)},
        regions={row.id: local_name(row.card) for row in list_regions()},
    )


def build_facets(
    viewer: Viewer,
    *,
    wanted: MemberFilter,
    counts: FacetCounts,
    names: Names,
    columns: tuple[ColumnSpec, ...],
    shown: tuple[ColumnSpec, ...],
) -> list[Facet]:
    """Return the facets of the list with counts where they are known, and the choice of columns last."""
    birthday = "" if wanted.birthday_within_days is None else str(wanted.birthday_within_days)
    classes = [
        Choice(value=word.value, label=label(word), is_chosen=word.value in wanted.life_classes) for word in LifeClass
    ]
    return [
        _word_facet("status", _("Status"), SHOWN_STATUSES, wanted.statuses, counts.counts.get("status", {})),
        Facet(name="life", label=_("Class"), choices=classes),
        _id_facet("store", _("Home store"), names.stores, wanted.store_ids, counts.counts.get("home_store_id", {})),
        _id_facet("region", _("Region"), names.regions, wanted.region_ids, counts.counts.get("region_id", {})),
        _word_facet(
            "source", _("Source"), tuple(SourceChannel), wanted.sources, counts.counts.get("source_channel", {})
        ),
        _word_facet("gender", _("Gender"), tuple(Gender), wanted.genders, counts.counts.get("gender", {})),
        _id_facet("tag", _("Tags"), dict(name_tags(viewer)), wanted.tag_ids, {}),
        Facet(
            name="birthday",
            label=_("Birthday"),
            choices=[Choice(value=v, label=words, is_chosen=v == birthday) for v, words in BIRTHDAYS.items()],
        ),
        Facet(
            name="column",
            label=_("Columns"),
            choices=[Choice(value=one.key, label=one.label, is_chosen=one in shown) for one in columns],
        ),
    ]


def _word_facet(
    name: str, title: str, words: tuple[Word, ...], chosen: tuple[Word, ...], counts: Mapping[Any, int]
) -> Facet:
    choices = [
        Choice(value=word.value, label=label(word), is_chosen=word in chosen, count=counts.get(word.value))
        for word in words
        if word in chosen or not counts or word.value in counts
    ]
    return Facet(name=name, label=title, choices=choices)


def _id_facet(
    name: str, title: str, names: Mapping[int, str], chosen: tuple[int, ...], counts: Mapping[Any, int]
) -> Facet:
    choices = [
        Choice(value=str(number), label=words, is_chosen=number in chosen, count=counts.get(number))
        for number, words in names.items()
        if number in chosen or not counts or number in counts
    ]
    return Facet(name=name, label=title, choices=choices)


def _words(kind: type[Word], values: list[str]) -> tuple[Word, ...]:
    return tuple(kind(value) for value in values if value in set(kind))


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _feature(row: MemberRow, name: str) -> Cell:
    return getattr(row.features, name) if row.features else None


def _class_word(row: MemberRow) -> Cell:
    return str(label(LifeClass(row.features.life_class))) if row.features else ""
