"""Movement between life-cycle classes from month to month: counts of each flow and the members in it."""

from collections.abc import Sequence
from datetime import date
from itertools import pairwise
from pathlib import Path

import ibis
import pyarrow as pa
from ibis.backends.duckdb import Backend

from changke.insight import lifecycle as classes
from changke.insight.engine import Facts, keep, parquet_view, rows_of, write_parquet
from changke.insight.features import GONE
from changke.insight.runs import with_sleepers
from changke.insight.totals import totals_of
from changke.kernel.periods import add_months
from changke.rules.lifecycle import LifeClass, LifecycleSettings


def months_back(as_of: date, *, months: int) -> list[date]:
    """Return the analysis dates of some months: `as_of`, the same day a month earlier, and so on, oldest first."""
    return [add_months(as_of, months=-back) for back in range(months, -1, -1)]


def write_classes(
    engine: Backend, facts: Facts, *, days: Sequence[date], settings: LifecycleSettings, path: Path
) -> None:
    """Write the class of every member on each of some days: member_id, day, life_class, origin_class.

    A member who had neither joined nor bought before a day has no row for it.
    """
    kept = [
        keep(engine, classes_on(engine, facts, day=day, settings=settings), name=f"classes_{at}")
        for at, day in enumerate(days)
    ]
    write_parquet(engine, ibis.union(*kept) if len(kept) > 1 else kept[0], path=path)


def classes_on(engine: Backend, facts: Facts, *, day: date, settings: LifecycleSettings) -> ibis.Table:
    """Return member_id, day, life_class and origin_class as of a day, by what was known of sales before it."""
    totals = keep(
        engine,
        totals_of(facts.visits, names=classes.measures_for(settings), as_of=day, first_day=None, lifecycle=settings),
        name="class_totals",
    )
    rows = with_sleepers(totals, visits=facts.visits, opportunities=facts.opportunities, as_of=day, lifecycle=settings)
    present = facts.members.filter(facts.members.status.notin(GONE)).select("member_id", "joined_on")
    everybody = present.left_join(rows, "member_id").drop("member_id_right")
    there = (everybody.joined_on < day) | everybody.last_visit_on.notnull()
    classed = classes.with_classes(everybody.filter(there), as_of=day, settings=settings)
    return classed.select("member_id", "life_class", "origin_class", day=ibis.date(day))


def count_flows(engine: Backend, path: Path) -> pa.Table:
    """Count the flows between each two days that follow one another: from_day, to_day, before, after, members.

    `before` null = was not there yet.
    """
    days = _days_in(engine, path)
    flows = [_flow(engine, path, from_day=first, to_day=then) for first, then in pairwise(days)]
    counted = [
        rows_of(engine, flow.group_by("from_day", "to_day", "before", "after").aggregate(members=flow.count()))
        for flow in flows
    ]
    if not counted:
        return FLOWS.empty_table()
    return pa.concat_tables(table.select(FLOWS.names).cast(FLOWS) for table in counted).sort_by(
        [(name, "ascending") for name in FLOWS.names[:4]]
    )


FLOWS = pa.schema(
    [
        ("from_day", pa.date32()),
        ("to_day", pa.date32()),
        ("before", pa.string()),
        ("after", pa.string()),
        ("members", pa.int64()),
    ]
)


def list_flow(
    engine: Backend, path: Path, *, from_day: date, to_day: date, before: LifeClass | None, after: LifeClass
) -> list[int]:
    """Return the ids of the members of one flow, ascending."""
    flow = _flow(engine, path, from_day=from_day, to_day=to_day)
    came = flow.before.isnull() if before is None else flow.before == before.value
    found = flow.filter(came & (flow.after == after.value)).select("member_id").order_by("member_id")
    ids: list[int] = rows_of(engine, found)["member_id"].to_pylist()
    return ids


def _days_in(engine: Backend, path: Path) -> list[date]:
    classes_by_day = parquet_view(engine, name="classes_by_day", path=path)
    days: list[date] = rows_of(engine, classes_by_day.select("day").distinct())["day"].to_pylist()
    return sorted(days)


def _flow(engine: Backend, path: Path, *, from_day: date, to_day: date) -> ibis.Table:
    rows = parquet_view(engine, name="classes_by_day", path=path)
    old = rows.filter(rows.day == from_day).select("member_id", before="life_class")
    new = rows.filter(rows.day == to_day).select("member_id", after="life_class")
    joined = new.left_join(old, "member_id")
    return joined.select("member_id", "before", "after", from_day=ibis.date(from_day), to_day=ibis.date(to_day))
