"""The purchase cycle: what the data says beside what was decreed, and which of them predicts visits best."""

from collections.abc import Iterator

from django.utils.translation import gettext as _

from changke.console.insight_sight import Sight
from changke.queries.insight_cycles import CycleFigures
from changke.rules.lifecycle import LifecycleSettings
from changke.rules.reports.scope import PPM
from changke.ui.charts import Chart, Column, Series, draw_bars
from changke.ui.templatetags.ui import day, local_name, number, quantity

STORES_SHOWN = 20


def cycle_charts(found: CycleFigures, *, settings: LifecycleSettings, sight: Sight) -> Iterator[Chart]:
    """Yield the backtest of cycles and the cycles of the stores, as far as the data allows."""
    if found.candidates:
        yield backtest_chart(found, settings=settings)
    if len(found.rows) > 1:
        yield store_chart(found, settings=settings, sight=sight)


def backtest_chart(found: CycleFigures, *, settings: LifecycleSettings) -> Chart:
    """Return how well the classes of each candidate for C foretold visits; lower is better."""
    house = next(row for row in found.rows if row.store_id is None)
    by_length = sorted(found.candidates, key=lambda one: one.cycle_days)
    best = found.candidates[0]
    labels = [_("%(days)s days") % {"days": one.cycle_days} for one in by_length]
    base = found.base_error_ppm or 0
    return Chart(
        key="cycle",
        subject=_("Cycle of the data and the decreed one"),
        finding=_("The decreed %(decreed)s days foretell visits best") % {"decreed": settings.cycle_days}
        if best.cycle_days == settings.cycle_days
        else _("A cycle of %(best)s days foretells visits better than the decreed %(decreed)s")
        % {"best": best.cycle_days, "decreed": settings.cycle_days},
        columns=[
            Column(label=_("Cycle C"), kind="text"),
            Column(label=_("Error (Brier score)"), kind="decimal"),
            Column(label=_("Better than one chance for all"), kind="share"),
        ],
        rows=[
            [label, round(one.error_ppm / 1000), (base - one.error_ppm) * PPM // base if base else None]
            for one, label in zip(by_length, labels, strict=True)
        ],
        drawing=draw_bars(
            labels,
            Series(
                name=_("Better than one chance for all"),
                values=[(base - one.error_ppm) * PPM // base if base else None for one in by_length],
            ),
            kind="share",
        ),
        note=_(
            "The data: %(intervals)s intervals, mean %(mean)s days, half of them up to %(median)s days. Each cycle"
            " sorted the members by the visits before %(day)s and was judged by who came in the %(horizon)s days from"
            " then on."
        )
        % {
            "intervals": number(house.intervals),
            "mean": quantity(house.mean_milli // 100 * 100),
            "median": house.median_days,
            "day": day(found.held_out_on),
            "horizon": found.horizon_days,
        },
    )


def store_chart(found: CycleFigures, *, settings: LifecycleSettings, sight: Sight) -> Chart:
    """Return the mean cycle of each store."""
    names = {store.id: local_name(store) for store in sight.stores}
    rows = sorted((row for row in found.rows if row.store_id in names), key=lambda row: row.mean_milli)
    labels = [names[row.store_id or 0] for row in rows]
    shorter = sum(row.mean_milli < settings.cycle_days * 1000 for row in rows)
    return Chart(
        key="store-cycles",
        subject=_("Mean days between visits, by store"),
        finding=_("In %(shorter)s of %(count)s stores regulars come more often than every %(days)s days")
        % {"shorter": shorter, "count": len(rows), "days": settings.cycle_days},
        columns=[
            Column(label=_("Store"), kind="text"),
            Column(label=_("Mean days"), kind="decimal"),
            Column(label=_("Half of them within days")),
            Column(label=_("Intervals")),
        ],
        rows=[[label, row.mean_milli, row.median_days, row.intervals] for row, label in zip(rows, labels, strict=True)],
        drawing=draw_bars(
            labels[:STORES_SHOWN],
            Series(name=_("Mean days"), values=[row.mean_milli for row in rows[:STORES_SHOWN]]),
            kind="decimal",
            lying=True,
        ),
        note=_("Only finished intervals count: who stays away adds none, so the true cycle is longer."),
        size="wide",
    )
