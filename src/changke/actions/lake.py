"""The lake: refreshed from the database, scored as of a date, and asked for in the background."""

from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

import pyarrow as pa
from django.conf import settings
from django.db import transaction

from changke.actions.steps.enqueue import enqueue
from changke.insight import facts as schemas
from changke.insight.clv import fit_value_model, predict
from changke.insight.features import FeatureSettings
from changke.insight.lake import Draft, open_draft, read_current
from changke.insight.refresh import Delta, FactBatches, forecast_inputs, merge_delta, refresh_features, write_full
from changke.kernel.job_names import JobName
from changke.queries.due_work import LAKE_READER, analysis_date
from changke.queries.lake_feed import LakeFeed, open_feed
from changke.queries.settings import load_setting
from changke.records.models import EventReader, LakeRefresh, Sale
from changke.rules.groups import GroupSettings
from changke.rules.lifecycle import LifecycleSettings
from changke.rules.rfm import RfmSettings
from changke.rules.staff import Permission, Viewer, require

FULL_ABOVE_PERCENT = 20  # more of the sales changed than this: everything is written anew
ENGINE_MEMORY_MIB = 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Refreshed:
    """What a refresh did."""

    version: str
    as_of: date
    is_full: bool
    sales_changed: int


def refresh_lake(*, now: datetime, as_of: date | None = None) -> Refreshed:
    """Bring the lake up to the database and score everybody as of a date; readers see all of it or nothing.

    Reads only the sales changed since the pass before, unless they are many. Without `as_of`: today, or the day after
    the last sale where the data are old. Two refreshes at once take turns. An error leaves the version before in place.
    """
    lake = Path(settings.LAKE)
    since = _since(lake)
    day = as_of or analysis_date(now)
    with transaction.atomic():
        row = LakeRefresh.objects.create(is_full=since is None, started_at=now, as_of=day)
    try:
        with open_draft(lake, now=now, memory_mib=ENGINE_MEMORY_MIB) as draft:
            horizon, changed, is_full = _take_in(draft, since=_since(lake))
            _score(draft, as_of=day)
    except BaseException as error:
        LakeRefresh.objects.filter(id=row.id).update(state="failed", error=str(error)[:500])
        raise
    with transaction.atomic():
        EventReader.objects.update_or_create(name=LAKE_READER, defaults={"xid": horizon, "changed_at": now})
        LakeRefresh.objects.filter(id=row.id).update(
            state="done", version=draft.folder.name, finished_at=now, is_full=is_full, sales_changed=changed
        )
        enqueue(JobName.COMPUTE_USUAL_FIGURES, lock="figures")
    return Refreshed(version=draft.folder.name, as_of=day, is_full=is_full, sales_changed=changed)


@transaction.atomic
def ask_for_refresh(actor: Viewer) -> None:
    """Queue a refresh; jobs of the lake take turns."""
    require(actor, permission=Permission.RUN_INSIGHT)
    enqueue(JobName.REFRESH_LAKE, lock="lake")


def _since(lake: Path) -> int | None:
    """Return the horizon of the pass before, None where the lake must be written in full."""
    if read_current(lake) is None:
        return None
    return EventReader.objects.filter(name=LAKE_READER).values_list("xid", flat=True).first()


def _take_in(draft: Draft, *, since: int | None) -> tuple[int, int, bool]:
    """Write facts in full or as a delta; return the horizon, the number of sales read and whether it was in full."""
    if since is not None:
        with open_feed(since=since) as feed:
            changed = feed.count_changed_sales()
            whole = Sale.objects.count()
            if changed * 100 <= whole * FULL_ABOVE_PERCENT:
                if changed or since != feed.horizon:
                    merge_delta(draft, _delta(feed))
                return feed.horizon, changed, False
    with open_feed(since=None) as feed:
        batches = FactBatches(
            members=feed.members(), sales=feed.sales(), lines=feed.lines(), opportunities=feed.opportunities()
        )
        write_full(draft, batches)
        return feed.horizon, feed.count_changed_sales(), True


def _delta(feed: LakeFeed) -> Delta:
    return Delta(
        sales=pa.Table.from_batches(feed.sales(), schema=schemas.SALES),
        lines=pa.Table.from_batches(feed.lines(), schema=schemas.LINES),
        members=pa.Table.from_batches(feed.members(), schema=schemas.MEMBERS),
        opportunities=pa.Table.from_batches(feed.opportunities(), schema=schemas.OPPORTUNITIES),
    )


def _score(draft: Draft, *, as_of: date) -> None:
    wide = FeatureSettings(
        rfm=load_setting(RfmSettings),
        lifecycle=load_setting(LifecycleSettings),
        groups=load_setting(GroupSettings),
    )
    summary = forecast_inputs(draft, settings=wide, as_of=as_of)
    model = fit_value_model(summary)
    predictions = predict(summary, model=model) if model else None
    refresh_features(draft, settings=wide, as_of=as_of, predictions=predictions)
