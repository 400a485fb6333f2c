"""Members on the map: RFM cells, named groups, who fell asleep and who was woken, and the best of any tree."""

from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Final

import ibis
from ibis.backends.duckdb import Backend

from changke.insight.engine import parquet_view, rows_of
from changke.insight.reports.overview import of_stores, visits_of
from changke.insight.segments import COLUMNS, narrow, predicate
from changke.insight.tables import LakeReader, whole_numbers
from changke.kernel.periods import Period
from changke.rules.reports.scope import Scope
from changke.rules.segments import Tree

GROUPS: Final = ("is_potential", "is_about_to_leave", "is_one_time", "is_loyal", "is_high_value")


@dataclass(frozen=True, slots=True, kw_only=True)
class CellFigures:
    """The members of one cell, those who bought exactly once apart; money net of returns in the scored period."""

    r: int
    f: int
    m: int
    bought_once: bool
    members: int
    net_minor: int


def list_cells(lake: LakeReader, *, scope: Scope) -> tuple[CellFigures, ...]:
    """Return every cell that has members of the scope's stores; who has no score is in none."""
    rows = home_rows(lake, scope)
    rows = rows.filter(rows.rfm_cell.notnull())
    cells = rows.group_by(r="r_score", f="f_score", m="m_score", bought_once="bought_once").aggregate(
        members=rows.count(), net_minor=rows.net_minor.sum()
    )
    return tuple(CellFigures(**row) for row in lake.rows(cells.order_by("r", "f", "m", "bought_once")))


def list_run_cells(engine: Backend, *, run: Path) -> tuple[CellFigures, ...]:
    """Return the cells of a kept run; its money is what the run scored."""
    rows = parquet_view(engine, name="run", path=run)
    cells = rows.group_by(r="r_score", f="f_score", m="m_score", bought_once="bought_once").aggregate(
        members=rows.count(), net_minor=rows.monetary_minor.sum()
    )
    found = whole_numbers(rows_of(engine, cells.order_by("r", "f", "m", "bought_once")))
    return tuple(CellFigures(**row) for row in found.to_pylist())


def count_run_classes(engine: Backend, *, run: Path) -> dict[str, int]:
    """Return the members of each life-cycle class in a kept run."""
    rows = parquet_view(engine, name="run", path=run)
    found = rows_of(engine, rows.group_by("life_class").aggregate(members=rows.count())).to_pylist()
    return {row["life_class"]: row["members"] for row in found}


def count_split(lake: LakeReader, *, scope: Scope, value: str, score: str) -> int:
    """Count members who have an equal with another score: strict fifths must split such ties somewhere."""
    rows = home_rows(lake, scope)
    rows = rows.filter(rows[score].notnull())
    ties = rows.group_by(value).aggregate(members=rows.count(), scores=rows[score].nunique())
    (found,) = lake.rows(ties.aggregate(split=ties.members.sum(where=ties.scores > 1)))
    return int(found["split"] or 0)


def count_groups(lake: LakeReader, *, scope: Scope) -> dict[str, int]:
    """Return the size of each named group."""
    rows = home_rows(lake, scope)
    (found,) = lake.rows(rows.aggregate(**{name: rows[name].sum() for name in GROUPS}))
    return {name: count or 0 for name, count in found.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class NewMembers:
    """The members of class "new" by how they came to be: first visit of all, or one visit after a long silence."""

    first_ever: int
    came_back: int


def count_new(lake: LakeReader, *, scope: Scope) -> NewMembers:
    """Count class "new" both ways: the sources mean one, the literal rule takes both."""
    rows = home_rows(lake, scope)
    rows = rows.filter(rows.life_class == "new")
    first = rows.first_visit_on == rows.last_visit_on
    (found,) = lake.rows(rows.aggregate(first_ever=first.sum(), came_back=(~first).sum()))
    return NewMembers(first_ever=found["first_ever"] or 0, came_back=found["came_back"] or 0)


def count_silent(lake: LakeReader, *, scope: Scope, days: int) -> int:
    """Count members whose last visit lies exactly so many days back."""
    rows = home_rows(lake, scope)
    return count_of(lake, rows.filter(rows.recency_days == days))


def count_woken(lake: LakeReader, *, scope: Scope, silent_days: int) -> int:
    """Count members whose first visit of the period came after at least `silent_days` without one in any store."""
    came = visits_of(lake, scope).filter(lambda t: t.receipts > 0)
    first = came.group_by("member_id").aggregate(came_on=came.day.min())
    span = Period(first=scope.period.first - timedelta(days=silent_days), last=scope.period.last)
    near = visits_of(lake, Scope(period=span)).filter(lambda t: t.receipts > 0).join(first, "member_id")
    lately = near.filter(near.day < near.came_on, near.day > near.came_on - ibis.interval(days=silent_days))
    known = lake.table("features").select("member_id", "first_visit_on")
    old = first.join(known, "member_id").filter(lambda t: t.first_visit_on < t.came_on)
    return count_of(lake, old.anti_join(lately, "member_id"))


def home_rows(lake: LakeReader, scope: Scope) -> ibis.Table:
    """Return the wide rows of the members whose home is one of the scope's stores."""
    features = lake.table("features")
    return of_stores(features, features.home_store_id, scope)


def count_of(lake: LakeReader, rows: ibis.Table) -> int:
    return int(lake.rows(rows.aggregate(count=rows.count()))[0]["count"])


SHOWN: Final = (
    "member_id", "life_class", "rfm_cell", "last_visit_on", "receipts_ever", "net_ever_minor",
)  # fmt: skip


@lru_cache(maxsize=256)
def best_sql(tree: Tree, *, on: date, first: int, size: int) -> str:
    """Return the SQL of one page of a tree's members, who spent most first: SHOWN, and `total` = how many there are."""
    names = sorted({*narrow(tree).columns, *SHOWN})
    features = ibis.table({name: COLUMNS[name] for name in names}, name="features")
    found = features.filter(predicate(tree, features, on)).select(*SHOWN)
    counted = found.mutate(total=found.count().over(ibis.window()))
    page = counted.order_by(ibis.desc("net_ever_minor"), "member_id").limit(size, offset=first)
    return str(ibis.to_sql(page, dialect="duckdb"))
