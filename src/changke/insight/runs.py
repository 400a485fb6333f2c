"""RFM runs: scores and classes of one date written to Parquet, a summary frozen beside them, and two runs compared."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Final

import ibis
import pyarrow as pa
from ibis.backends.duckdb import Backend

from changke.insight import lifecycle as classes
from changke.insight.engine import Facts, keep, parquet_view, rows_of, write_parquet
from changke.insight.rfm import apply_cuts, find_cuts, measures_for, population_of
from changke.insight.totals import origins_of, totals_of, wakes_of
from changke.insight.visits import visits_in_stores, visits_of_lines
from changke.rules.lifecycle import LifecycleSettings
from changke.rules.rfm import CutPoints, RfmSettings

# A store that issues many cards has many members who bought once: few of them in F = 1 means that something is wrong.
NEW_CARDS_DAYS: Final = 30
NEW_CARDS_MIN: Final = 20
NEW_CARDS_PERCENT_MIN: Final = 5  # of the store's scored members
F1_PERCENT_MIN: Final = 20  # what F = 1 is of the whole house, by its definition


@dataclass(frozen=True, slots=True, kw_only=True)
class CellCount:
    """One RFM cell: its members, those who bought once, mean recency, frequency and money (rounded), and the money in
    all.
    """

    cell: int
    members: int
    bought_once: int
    mean_recency_days: int
    mean_frequency: int
    mean_monetary_minor: int
    monetary_minor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreWarning:
    """A store with many new cards and few members in F = 1."""

    store_id: int
    members: int
    new_cards: int
    in_f1: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RfmRun:
    """A finished run: what it was asked, its cut points, its cells (best first) and what a reader must know."""

    as_of: date
    settings: RfmSettings
    members: int
    cuts: CutPoints
    cells: tuple[CellCount, ...]
    bought_once: int
    bought_once_in_f1: int
    in_f1: int
    split_by_ties: tuple[int, int, int]  # members beside an equal with another score: of R, F, M
    store_warnings: tuple[StoreWarning, ...]


def run_rfm(
    engine: Backend, facts: Facts, *, rfm: RfmSettings, lifecycle: LifecycleSettings, as_of: date, path: Path
) -> RfmRun:
    """Score the population as of a date into a Parquet file and return the summary that is kept with it."""
    cuts = score_run(engine, facts, rfm=rfm, lifecycle=lifecycle, as_of=as_of, path=path)
    scored = parquet_view(engine, name="run_result", path=path)
    cells = _count_cells(engine, scored)
    in_f1 = [cell for cell in cells if cell.cell // 10 % 10 == 1]
    return RfmRun(
        as_of=as_of,
        settings=rfm,
        members=sum(cell.members for cell in cells),
        cuts=cuts,
        cells=cells,
        bought_once=sum(cell.bought_once for cell in cells),
        bought_once_in_f1=sum(cell.bought_once for cell in in_f1),
        in_f1=sum(cell.members for cell in in_f1),
        split_by_ties=_count_splits(engine, scored),
        store_warnings=_warn_of_stores(engine, scored, facts.members, as_of=as_of),
    )


def score_run(
    engine: Backend, facts: Facts, *, rfm: RfmSettings, lifecycle: LifecycleSettings, as_of: date, path: Path
) -> CutPoints:
    """Score and class everybody of the population as of a date, write one row a member, and return the cut points.

    Columns: member_id, life_class, origin_class, recency_days, frequency, monetary_minor, bought_once, r_score,
    f_score, m_score, rfm_cell. With stores or categories chosen, classes and scores both look at those visits only.
    """
    visits = visits_for(facts, settings=rfm)
    names = dict.fromkeys((*measures_for(rfm), *classes.measures_for(lifecycle)))
    totals = keep(
        engine,
        totals_of(visits, names=names, as_of=as_of, first_day=rfm.first_day(as_of), lifecycle=lifecycle),
        name="run_totals",
    )
    cuts = find_cuts(engine, population_of(totals, facts.members, settings=rfm, as_of=as_of), settings=rfm)
    classed = classes.with_classes(
        with_sleepers(totals, visits=visits, opportunities=facts.opportunities, as_of=as_of, lifecycle=lifecycle),
        as_of=as_of,
        settings=lifecycle,
    )
    population = population_of(classed, facts.members, settings=rfm, as_of=as_of, carry=("life_class", "origin_class"))
    write_parquet(engine, apply_cuts(population, cuts=cuts, settings=rfm), path=path)
    return cuts


def visits_for(facts: Facts, *, settings: RfmSettings) -> ibis.Table:
    """Return the visits that count under the settings' stores and categories."""
    if settings.category_ids:
        lines = facts.lines
        if settings.store_ids:
            lines = lines.filter(lines.store_id.isin(settings.store_ids))
        return visits_of_lines(lines, category_ids=settings.category_ids)
    if settings.store_ids:
        return visits_in_stores(facts.visits, store_ids=settings.store_ids)
    return facts.visits


def with_sleepers(
    totals: ibis.Table, *, visits: ibis.Table, opportunities: ibis.Table, as_of: date, lifecycle: LifecycleSettings
) -> ibis.Table:
    """Add origin_visits, unanswered_wakes and first_unanswered_on to totals; null where they do not apply."""
    origins = origins_of(visits, totals, as_of=as_of, lifecycle=lifecycle)
    wakes = wakes_of(opportunities, totals, as_of=as_of)
    with_origins = totals.left_join(origins, "member_id").drop("member_id_right")
    return with_origins.left_join(wakes, "member_id").drop("member_id_right")


def _count_cells(engine: Backend, scored: ibis.Table) -> tuple[CellCount, ...]:
    cells = scored.group_by(cell=scored.rfm_cell).aggregate(
        members=scored.count(),
        bought_once=scored.bought_once.sum(),
        mean_recency_days=scored.recency_days.mean().round().cast("int64"),
        mean_frequency=scored.frequency.mean().round().cast("int64"),
        mean_monetary_minor=scored.monetary_minor.mean().round().cast("int64"),
        monetary_minor=scored.monetary_minor.sum(),
    )
    rows = rows_of(engine, cells.order_by(ibis.desc("cell"))).to_pylist()
    return tuple(CellCount(**row) for row in rows)


def _count_splits(engine: Backend, scored: ibis.Table) -> tuple[int, int, int]:
    def split(value: str, score: str) -> int:
        ties = scored.group_by(value).aggregate(
            members=scored.count(), low=scored[score].min(), high=scored[score].max()
        )
        torn = ties.filter(ties.low < ties.high)
        return engine.to_pyarrow(torn.members.sum()).as_py() or 0

    return split("recency_days", "r_score"), split("frequency", "f_score"), split("monetary_minor", "m_score")


def _warn_of_stores(
    engine: Backend, scored: ibis.Table, members: ibis.Table, *, as_of: date
) -> tuple[StoreWarning, ...]:
    rows = scored.inner_join(members, "member_id")
    since = as_of - timedelta(days=NEW_CARDS_DAYS)
    stores = rows.group_by(store_id=rows.home_store_id).aggregate(
        members=rows.count(),
        new_cards=((rows.joined_on >= since) & (rows.joined_on < as_of)).sum().coalesce(0),
        in_f1=(rows.f_score == 1).sum(),
    )
    suspect = stores.filter(
        stores.store_id.notnull()
        & (stores.new_cards >= NEW_CARDS_MIN)
        & (stores.new_cards * 100 >= stores.members * NEW_CARDS_PERCENT_MIN)
        & (stores.in_f1 * 100 < stores.members * F1_PERCENT_MIN)
    )
    found = rows_of(engine, suspect.order_by("store_id")).to_pylist()
    return tuple(StoreWarning(**row) for row in found)


def compare_runs(engine: Backend, *, before: Path, after: Path, score: str = "rfm_cell") -> pa.Table:
    """Count the members who moved from one value of a score to another between two runs; null = not in that run.

    `score`: rfm_cell, r_score, f_score, m_score or life_class. Columns: before, after, members.
    """
    moves = _moves(engine, before=before, after=after, score=score)
    return rows_of(
        engine, moves.group_by("before", "after").aggregate(members=moves.count()).order_by("before", "after")
    )


def list_movers(
    engine: Backend,
    *,
    before: Path,
    after: Path,
    from_values: Sequence[int | str],
    to_values: Sequence[int | str],
    score: str = "rfm_cell",
) -> pa.Table:
    """Return member_id, before and after of those who went from one set of values to another."""
    moves = _moves(engine, before=before, after=after, score=score)
    chosen = moves.filter(moves.before.isin(from_values) & moves.after.isin(to_values))
    return rows_of(engine, chosen.order_by("member_id"))


def path_of_member(engine: Backend, *, runs: Sequence[Path], member_id: int) -> list[int | None]:
    """Return a member's cell in each of some runs, in their order; None where it was not scored."""
    found: list[int | None] = []
    for at, path in enumerate(runs):
        run = parquet_view(engine, name=f"run_{at}", path=path)
        cells = rows_of(engine, run.filter(run.member_id == member_id).select("rfm_cell"))["rfm_cell"].to_pylist()
        found.append(cells[0] if cells else None)
    return found


def _moves(engine: Backend, *, before: Path, after: Path, score: str) -> ibis.Table:
    old = parquet_view(engine, name="run_before", path=before).select("member_id", before=score)
    new = parquet_view(engine, name="run_after", path=after).select("member_id", after=score)
    both = old.outer_join(new, "member_id")
    return both.select("before", "after", member_id=both.member_id.coalesce(both.member_id_right))
