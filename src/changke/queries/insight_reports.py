"""The reports of insight/reports, each computed once for a version of the lake, its stores and its days."""

from changke.insight.reports.loyalty import list_cohorts, list_intervals, list_lorenz
from changke.insight.reports.overview import list_novelty
from changke.insight.reports.shop import list_goods, list_hours, list_staff, list_stores
from changke.queries.insight_cache import remember
from changke.queries.lake import CurrentLake
from changke.rules.reports.loyalty import CohortBasis, CohortCell, IntervalRow, LorenzPoint
from changke.rules.reports.overview import NoveltyRow
from changke.rules.reports.scope import Scope
from changke.rules.reports.shop import Goods, GoodsRow, HourRow, StaffRow, StoreRow
from changke.rules.staff import Permission, Viewer, require


def load_cohorts(viewer: Viewer, *, lake: CurrentLake, scope: Scope, basis: CohortBasis) -> tuple[CohortCell, ...]:
    """Return the triangle of the cohorts that began in the period."""
    require(viewer, permission=Permission.SEE_INSIGHT)
    return remember(lake, tuple[CohortCell, ...], list_cohorts, scope=scope, basis=basis)


def load_curve(viewer: Viewer, *, lake: CurrentLake, scope: Scope) -> tuple[LorenzPoint, ...]:
    """Return the 20/80 curve of the period's buyers."""
    require(viewer, permission=Permission.SEE_INSIGHT)
    return remember(lake, tuple[LorenzPoint, ...], list_lorenz, scope=scope)


def load_intervals(viewer: Viewer, *, lake: CurrentLake, scope: Scope) -> tuple[IntervalRow, ...]:
    """Return the histogram of days between two visits."""
    require(viewer, permission=Permission.SEE_INSIGHT)
    return remember(lake, tuple[IntervalRow, ...], list_intervals, scope=scope)


def load_novelty(viewer: Viewer, *, lake: CurrentLake, scope: Scope) -> tuple[NoveltyRow, ...]:
    """Return what new members, old members and strangers bought."""
    require(viewer, permission=Permission.SEE_INSIGHT)
    return remember(lake, tuple[NoveltyRow, ...], list_novelty, scope=scope)


def load_goods(viewer: Viewer, *, lake: CurrentLake, scope: Scope, by: Goods, rows_max: int) -> tuple[GoodsRow, ...]:
    """Return the best-selling goods."""
    require(viewer, permission=Permission.SEE_INSIGHT)
    return remember(lake, tuple[GoodsRow, ...], list_goods, scope=scope, by=by, rows_max=rows_max)


def load_hours(viewer: Viewer, *, lake: CurrentLake, scope: Scope) -> tuple[HourRow, ...]:
    """Return the sales by weekday and hour."""
    require(viewer, permission=Permission.SEE_INSIGHT)
    return remember(lake, tuple[HourRow, ...], list_hours, scope=scope)


def load_store_ranking(viewer: Viewer, *, lake: CurrentLake, scope: Scope) -> tuple[StoreRow, ...]:
    """Return the stores, highest sales first."""
    require(viewer, permission=Permission.SEE_INSIGHT)
    return remember(lake, tuple[StoreRow, ...], list_stores, scope=scope)


def load_staff_ranking(viewer: Viewer, *, lake: CurrentLake, scope: Scope) -> tuple[StaffRow, ...]:
    """Return the staff, highest sales first."""
    require(viewer, permission=Permission.SEE_INSIGHT)
    return remember(lake, tuple[StaffRow, ...], list_staff, scope=scope)
