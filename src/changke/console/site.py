"""The side bar: the pages in the order of a working day, as far as they exist and the viewer may open them."""

from dataclasses import dataclass
from typing import Any, Final

from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from changke.lobby.permissions import may_open
from changke.rules.staff import Viewer


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A page in the side bar: URL name, title, icon; `covers` are the starts of the URL names that belong to it."""

    name: str
    title: Any
    icon: str
    covers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    title: Any
    entries: tuple[Entry, ...]


SIDE_BAR: Final = (
    Group(title="", entries=(Entry(name="today", title=_("Today"), icon="space_dashboard"),)),
    Group(
        title=_("Members"),
        entries=(
            Entry(name="members", title=_("Member list"), icon="group", covers=("member",)),
            Entry(name="approvals", title=_("Approvals"), icon="how_to_reg"),
            Entry(name="birthdays", title=_("Birthdays"), icon="cake"),
            Entry(name="promotion", title=_("Card promotion"), icon="campaign"),
            Entry(name="tags", title=_("Tags"), icon="label", covers=("tag",)),
            Entry(name="duplicates", title=_("Duplicates"), icon="join_inner", covers=("duplicate", "merge")),
            Entry(name="imports", title=_("Imports"), icon="upload_file", covers=("import",)),
        ),
    ),
    Group(
        title=_("Insight"),
        entries=(
            Entry(name="insight_rfm", title=_("RFM map"), icon="grid_on", covers=("insight_rfm",)),
            Entry(name="insight_runs", title=_("Runs"), icon="history", covers=("insight_run",)),
            Entry(name="insight_life", title=_("Life cycle"), icon="cyclone", covers=("insight_life",)),
            Entry(name="insight_loyalty", title=_("Loyalty and value"), icon="loyalty"),
            Entry(name="insight_people", title=_("People"), icon="diversity_3"),
            Entry(name="insight_goods", title=_("Products and times"), icon="shopping_basket"),
            Entry(name="insight_stores", title=_("Store ranking"), icon="leaderboard"),
            Entry(name="insight_forecast", title=_("Forecast"), icon="query_stats"),
        ),
    ),
    Group(
        title=pgettext_lazy("menu", "Segments"),
        entries=(Entry(name="segments", title=_("Segments"), icon="filter_alt", covers=("segment",)),),
    ),
    Group(
        title=_("Shop"),
        entries=(
            Entry(name="stores", title=_("Stores"), icon="storefront", covers=("store",)),
            Entry(name="products", title=_("Products"), icon="inventory_2", covers=("product",)),
            Entry(name="staff", title=_("Staff"), icon="badge", covers=("staff",)),
        ),
    ),
    Group(
        title=_("Settings"),
        entries=(
            Entry(name="settings", title=_("Company"), icon="settings", covers=("setting", "company")),
            Entry(name="attributes", title=_("Member attributes"), icon="list_alt", covers=("attribute",)),
            Entry(
                name="settings_members",
                title=_("Member settings"),
                icon="manage_accounts",
                covers=("settings_members", "consent_text"),
            ),
            Entry(name="jobs", title=_("Jobs"), icon="manufacturing", covers=("job",)),
            Entry(name="audit", title=_("Audit log"), icon="policy", covers=("audit",)),
        ),
    ),
)


def href_of(name: str, **arguments: Any) -> str:
    """Return the address of a page by URL name; empty where no such page exists."""
    try:
        return reverse(name, kwargs=arguments or None)
    except NoReverseMatch:
        return ""


def build_side_bar(viewer: Viewer, *, current: str) -> list[dict[str, Any]]:
    """Return groups with the entries that exist and that the viewer may open; groups without any are left out."""
    best = max(
        (entry for group in SIDE_BAR for entry in group.entries), key=lambda entry: _fits(entry, current=current)
    )
    groups = []
    for group in SIDE_BAR:
        entries = [
            {
                "title": entry.title,
                "icon": entry.icon,
                "href": href,
                "is_current": entry is best and _fits(entry, current=current) > 0,
            }
            for entry in group.entries
            if (href := href_of(entry.name)) and may_open(viewer, name=entry.name)
        ]
        if entries:
            groups.append({"title": group.title, "entries": entries})
    return groups


def _fits(entry: Entry, *, current: str) -> int:
    """Return how much of a URL name an entry covers; 0 where it is not the entry's page."""
    return max((len(start) for start in (entry.name, *entry.covers) if current.startswith(start)), default=0)
