"""What each insight page shows, loaded whole: by the page itself, or beforehand by a job."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from enum import StrEnum
from typing import Any, Final

from changke.insight.calibration import Calibration
from changke.insight.maps import CellFigures, NewMembers, count_groups, count_new, count_split, list_cells
from changke.insight.reports.loyalty import list_cohorts, list_groups, list_intervals, list_lorenz
from changke.insight.reports.overview import list_days, list_novelty
from changke.insight.reports.shop import list_goods, list_hours, list_staff, list_stores
from changke.kernel.periods import Period, add_months
from changke.queries.insight_cache import remember
from changke.queries.insight_cycles import CycleFigures, load_cycles
from changke.queries.insight_history import ClassHistory, load_history
from changke.queries.insight_trust import load_trust
from changke.queries.lake import CurrentLake
from changke.queries.settings import load_setting
from changke.queries.today import load_today
from changke.records.models import Opportunity
from changke.rules.groups import GroupSettings
from changke.rules.lifecycle import LifecycleSettings
from changke.rules.reports.loyalty import CohortBasis, CohortCell, GroupBy, GroupRow, IntervalRow, LorenzPoint
from changke.rules.reports.overview import DayRow, NoveltyRow
from changke.rules.reports.scope import Scope
from changke.rules.reports.shop import TOP_CATEGORIES, Goods, GoodsRow, HourRow, StaffRow, StoreRow
from changke.rules.rfm import FrequencyMeasure, MonetaryMeasure, RfmSettings
from changke.rules.staff import Permission, Viewer, require

PRODUCTS_SHOWN: Final = 15
COHORT_MONTHS: Final = 12
FREQUENCY: Final = {
    FrequencyMeasure.RECEIPTS: "receipts",
    FrequencyMeasure.VISIT_DAYS: "visit_days",
    FrequencyMeasure.ITEMS: "items_milli",
}
MONETARY: Final = {MonetaryMeasure.NET: "net_minor", MonetaryMeasure.GROSS: "gross_minor"}
PEOPLE: Final = (GroupBy.AGE_BAND, GroupBy.GENDER, GroupBy.REGION, GroupBy.SPENDING_POWER, GroupBy.SOURCE_CHANNEL)


class InsightPage(StrEnum):
    TODAY = "today"
    RFM = "rfm"
    LIFE = "life"
    LOYALTY = "loyalty"
    PEOPLE = "people"
    GOODS = "goods"
    STORES = "stores"
    FORECAST = "forecast"


@dataclass(frozen=True, slots=True, kw_only=True)
class RfmFigures:
    """The cells, the settings they were scored by, and how many members a tie puts beside an equal of another score."""

    settings: RfmSettings
    cells: tuple[CellFigures, ...]
    split: dict[str, int]  # by "r", "f", "m"


@dataclass(frozen=True, slots=True, kw_only=True)
class LifeFigures:
    """The classes, stages and groups, and how the classes came about."""

    settings: LifecycleSettings
    classes: tuple[GroupRow, ...]
    stages: tuple[GroupRow, ...]
    groups: dict[str, int]
    care: tuple[GroupRow, ...]
    new: NewMembers
    has_opportunities: bool
    history: ClassHistory
    cycles: CycleFigures


@dataclass(frozen=True, slots=True, kw_only=True)
class LoyaltyFigures:
    cohorts: tuple[CohortCell, ...]
    layers: tuple[GroupRow, ...]
    curve: tuple[LorenzPoint, ...]
    intervals: tuple[IntervalRow, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class GoodsFigures:
    categories: tuple[GoodsRow, ...]
    products: tuple[GoodsRow, ...]
    hours: tuple[HourRow, ...]
    novelty: tuple[NoveltyRow, ...]
    days: tuple[DayRow, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreFigures:
    stores: tuple[StoreRow, ...]
    staff: tuple[StaffRow, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ForecastFigures:
    """The trust in the forecasts, and the care classes they lead to."""

    trust: Calibration | None
    care: tuple[GroupRow, ...]
    settings: GroupSettings


def load_rfm(viewer: Viewer, *, lake: CurrentLake, scope: Scope) -> RfmFigures:
    """Return the map of the analysis date for the members of the scope's stores."""
    require(viewer, permission=Permission.SEE_INSIGHT)
    saved, ever = load_setting(RfmSettings), whole(scope, lake=lake)
    columns = {"r": "last_visit_on", "f": FREQUENCY[saved.frequency], "m": MONETARY[saved.monetary]}
    split = {
        name: remember(lake, count_split, scope=ever, value=column, score=f"{name}_score")
        for name, column in columns.items()
    }
    return RfmFigures(settings=saved, cells=remember(lake, list_cells, scope=ever), split=split)


def load_life(viewer: Viewer, *, lake: CurrentLake, scope: Scope) -> LifeFigures:
    """Return the life cycle as of the analysis date, and the movement of the months before."""
    require(viewer, permission=Permission.SEE_INSIGHT)
    saved, ever = load_setting(LifecycleSettings), whole(scope, lake=lake)
    return LifeFigures(
        settings=saved,
        classes=remember(lake, list_groups, scope=ever, by=GroupBy.LIFE_CLASS),
        stages=remember(lake, list_groups, scope=ever, by=GroupBy.STAGE),
        groups=remember(lake, count_groups, scope=ever),
        care=remember(lake, list_groups, scope=ever, by=GroupBy.CARE_CLASS),
        new=remember(lake, count_new, scope=ever),
        has_opportunities=Opportunity.objects.exists(),
        history=load_history(lake, saved=saved),
        cycles=load_cycles(lake, settings=saved),
    )


def load_loyalty(viewer: Viewer, *, lake: CurrentLake, scope: Scope) -> LoyaltyFigures:
    """Return cohorts of the last twelve months, and pyramid, 20/80 curve and intervals of the period."""
    require(viewer, permission=Permission.SEE_INSIGHT)
    last = lake.as_of - timedelta(days=1)
    year = Period(first=add_months(last.replace(day=1), months=1 - COHORT_MONTHS), last=last)
    return LoyaltyFigures(
        cohorts=remember(lake, list_cohorts, scope=replace(scope, period=year), basis=CohortBasis.FIRST_PURCHASE),
        layers=remember(lake, list_groups, scope=scope, by=GroupBy.VALUE_LAYER),
        curve=remember(lake, list_lorenz, scope=scope),
        intervals=remember(lake, list_intervals, scope=scope),
    )


def load_people(viewer: Viewer, *, lake: CurrentLake, scope: Scope) -> dict[GroupBy, tuple[GroupRow, ...]]:
    """Return the members by each thing that is known of them."""
    require(viewer, permission=Permission.SEE_INSIGHT)
    return {by: remember(lake, list_groups, scope=scope, by=by) for by in PEOPLE}


def load_goods(viewer: Viewer, *, lake: CurrentLake, scope: Scope) -> GoodsFigures:
    """Return what sold, to whom and when."""
    require(viewer, permission=Permission.SEE_INSIGHT)
    return GoodsFigures(
        categories=remember(lake, list_goods, scope=scope, by=Goods.TOP_CATEGORY, rows_max=TOP_CATEGORIES),
        products=remember(lake, list_goods, scope=scope, by=Goods.PRODUCT, rows_max=PRODUCTS_SHOWN),
        hours=remember(lake, list_hours, scope=scope),
        novelty=remember(lake, list_novelty, scope=scope),
        days=remember(lake, list_days, scope=scope),
    )


def load_stores(viewer: Viewer, *, lake: CurrentLake, scope: Scope) -> StoreFigures:
    """Return stores and staff, highest sales first."""
    require(viewer, permission=Permission.SEE_INSIGHT)
    return StoreFigures(stores=remember(lake, list_stores, scope=scope), staff=remember(lake, list_staff, scope=scope))


def load_forecast(viewer: Viewer, *, lake: CurrentLake, scope: Scope) -> ForecastFigures:
    """Return how far the forecasts can be trusted, and whom they put into which care class."""
    require(viewer, permission=Permission.SEE_INSIGHT)
    return ForecastFigures(
        trust=load_trust(lake),
        care=remember(lake, list_groups, scope=whole(scope, lake=lake), by=GroupBy.CARE_CLASS),
        settings=load_setting(GroupSettings),
    )


def whole(scope: Scope, *, lake: CurrentLake) -> Scope:
    """Return the same stores over all days of the lake."""
    return replace(scope, period=Period(first=date.min, last=lake.as_of - timedelta(days=1)))


LOADERS: Final[Mapping[InsightPage, Callable[..., Any]]] = {
    InsightPage.TODAY: load_today,
    InsightPage.RFM: load_rfm,
    InsightPage.LIFE: load_life,
    InsightPage.LOYALTY: load_loyalty,
    InsightPage.PEOPLE: load_people,
    InsightPage.GOODS: load_goods,
    InsightPage.STORES: load_stores,
    InsightPage.FORECAST: load_forecast,
}
