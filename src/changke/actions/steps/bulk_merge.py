"""The merge of staged tables: planned first, then written, all in the caller's transaction."""

from dataclasses import dataclass
from datetime import datetime, time
from pathlib import Path
from typing import Final, Protocol

import duckdb
from django.utils.timezone import localdate

from changke.actions.steps.bulk_copy import ask, count_rows, open_staged, run
from changke.actions.steps.bulk_members import plan_members, write_known_members, write_new_members
from changke.actions.steps.bulk_returns import plan_returns
from changke.actions.steps.bulk_sales import check_references_at_once, plan_sales, write_sales
from changke.actions.steps.bulk_shop import plan_shop, write_shop
from changke.insight.staging import StagedTables
from changke.queries.settings import load_setting
from changke.rules.birthdays import BirthdaySettings
from changke.rules.imports.plan import Fill, MergeCounts
from changke.rules.imports.words import Progress, ProgressSink, Stage

FIRST_LOAD_LINES: Final = 200_000  # from here on taking the indexes off is quicker than keeping them current
WRITTEN_LINES: Final = "staged_lines SEMI JOIN (FROM planned_sales WHERE state <> 'same') USING (sale_no)"
OWN_SOURCE: Final = "files"  # its member codes are the shop's own


@dataclass(frozen=True, slots=True, kw_only=True)
class MergeOrder:
    """What to merge and how: the source the codes belong to, the clock of stores that are new."""

    tables: StagedTables
    source: str
    source_name: str
    time_zone: str
    day_ends_at: time
    fill: Fill
    links_returns: bool  # looks for the sales of returns that name none among those that are known already
    spill: Path


class Merging(Protocol):
    """A way to merge: in place, or first without indexes."""

    def __call__(self, order: MergeOrder, *, now: datetime, sink: ProgressSink) -> MergeCounts: ...


def rehearse_merge(order: MergeOrder, *, now: datetime, sink: ProgressSink) -> MergeCounts:
    """Return what a merge would do; writes only temporary tables. Call in a transaction."""
    with open_staged(order.tables, spill=order.spill) as duck:
        return _plan(duck, order=order, now=now, sink=sink)


def merge(order: MergeOrder, *, now: datetime, sink: ProgressSink) -> MergeCounts:
    """Merge the staged tables into the shop's and return what was done. Call in a transaction, with the import lock.

    Adds to live tables in place: readers and other writers go on.
    """
    with open_staged(order.tables, spill=order.spill) as duck:
        counts = _plan(duck, order=order, now=now, sink=sink)
        check_references_at_once()
        _write(duck, order=order, total=counts.lines_written, now=now, sink=sink)
    return counts


def merge_first(order: MergeOrder, *, now: datetime, sink: ProgressSink) -> MergeCounts:
    """Do what `merge` does; where the shop has no sales yet and many are coming, without the indexes in the way.

    Then nobody else can read sales, members and stores until it is done: for the command line and the demo.
    """
    with open_staged(order.tables, spill=order.spill) as duck:
        is_large = count_rows(duck, "staged_lines") >= FIRST_LOAD_LINES
        has_begun = is_large and bool(ask("SELECT changke_begin_first_load()")[0][0])
        counts = _plan(duck, order=order, now=now, sink=sink)
        _write(duck, order=order, total=counts.lines_written, now=now, sink=sink)
    if has_begun:
        sink(Progress(stage=Stage.FINISH, done=0, total=1))
        run("SET LOCAL maintenance_work_mem = '512MB'")
        run("SELECT changke_end_first_load()")
        sink(Progress(stage=Stage.FINISH, done=1, total=1))
    return counts


def _plan(duck: duckdb.DuckDBPyConnection, *, order: MergeOrder, now: datetime, sink: ProgressSink) -> MergeCounts:
    """Lay out what is to be merged, and count it."""

    def step(done: int) -> None:
        sink(Progress(stage=Stage.COMPARE, done=done, total=3))

    step(0)
    shop = plan_shop(duck, fill=order.fill)
    step(1)
    members = plan_members(
        duck,
        source=order.source,
        is_own=order.source == OWN_SOURCE,
        fill=order.fill,
        today=localdate(now),
        leap_rule=load_setting(BirthdaySettings).leap_rule,
    )
    step(2)
    sales = plan_sales(duck, source=order.source)
    linked = plan_returns(duck, links=order.links_returns)
    step(3)
    return MergeCounts(
        sales_new=sales.new,
        sales_unchanged=sales.unchanged,
        sales_corrected=sales.corrected,
        lines_written=count_rows(duck, WRITTEN_LINES),
        returned_lines_linked=linked,
        members_new=members.new,
        members_changed=members.changed,
        members_unchanged=members.unchanged,
        products_new=shop.products_new,
        products_changed=shop.products_changed,
        stores_new=shop.stores_new,
        staff_new=shop.staff_new,
    )


def _write(
    duck: duckdb.DuckDBPyConnection, *, order: MergeOrder, total: int, now: datetime, sink: ProgressSink
) -> None:
    """Write what was planned: `total` lines."""
    run(
        "INSERT INTO sources (code, name) VALUES (%s, %s) ON CONFLICT (code) DO NOTHING",
        [order.source, order.source_name],
    )
    [(source_id,)] = ask("SELECT id FROM sources WHERE code = %s", [order.source])
    write_shop(duck, time_zone=order.time_zone, day_ends_at=order.day_ends_at.isoformat(), fill=order.fill)
    write_new_members(duck, source_id=source_id, source=order.source, now=now)

    def note(rows: int) -> None:
        sink(Progress(stage=Stage.WRITE, done=rows, total=total))

    note(0)
    write_sales(duck, source_id=source_id, now=now, note=note)
    write_known_members(fill=order.fill, now=now)
