"""The RFM map and the sizes of classes, stages and groups, as pages ask for them."""

from dataclasses import dataclass
from typing import Final

from changke.insight.maps import CellFigures, count_groups, count_split, list_cells
from changke.insight.reports.loyalty import list_groups
from changke.queries.insight_cache import remember
from changke.queries.lake import CurrentLake
from changke.queries.settings import load_setting
from changke.rules.reports.loyalty import GroupBy, GroupRow
from changke.rules.reports.scope import Scope
from changke.rules.rfm import FrequencyMeasure, MonetaryMeasure, RfmSettings
from changke.rules.staff import Permission, Viewer, require

FREQUENCY: Final = {
    FrequencyMeasure.RECEIPTS: "receipts",
    FrequencyMeasure.VISIT_DAYS: "visit_days",
    FrequencyMeasure.ITEMS: "items_milli",
}
MONETARY: Final = {MonetaryMeasure.NET: "net_minor", MonetaryMeasure.GROSS: "gross_minor"}


@dataclass(frozen=True, slots=True, kw_only=True)
class RfmMap:
    """The cells, the settings they were scored by, and how many members a tie puts beside an equal of another score."""

    settings: RfmSettings
    cells: tuple[CellFigures, ...]
    split_r: int
    split_f: int
    split_m: int


def load_rfm_map(viewer: Viewer, *, lake: CurrentLake, scope: Scope) -> RfmMap:
    """Return the map of the lake's analysis date for the members of the scope's stores."""
    require(viewer, permission=Permission.SEE_INSIGHT)
    settings = load_setting(RfmSettings)
    columns = {"r": "last_visit_on", "f": FREQUENCY[settings.frequency], "m": MONETARY[settings.monetary]}
    splits = {
        f"split_{name}": remember(lake, int, count_split, scope=scope, value=column, score=f"{name}_score")
        for name, column in columns.items()
    }
    cells = remember(lake, tuple[CellFigures, ...], list_cells, scope=scope)
    return RfmMap(settings=settings, cells=cells, **splits)


def load_groups(viewer: Viewer, *, lake: CurrentLake, scope: Scope, by: GroupBy) -> tuple[GroupRow, ...]:
    """Return the members by one field of the wide row, and what they bought in the scope's period."""
    require(viewer, permission=Permission.SEE_INSIGHT)
    return remember(lake, tuple[GroupRow, ...], list_groups, scope=scope, by=by)


def load_named_groups(viewer: Viewer, *, lake: CurrentLake, scope: Scope) -> dict[str, int]:
    """Return the size of each named group, such as "is_loyal"."""
    require(viewer, permission=Permission.SEE_INSIGHT)
    return remember(lake, dict[str, int], count_groups, scope=scope)
