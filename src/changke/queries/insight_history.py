"""How members moved between the life-cycle classes from month to month."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final

from django.conf import settings
from ibis.backends.duckdb import Backend

from changke.insight.engine import Facts, open_engine
from changke.insight.lake import facts_of, hold_current
from changke.insight.movement import count_flows, list_flow, months_back, write_classes
from changke.insight.tables import LakeReader
from changke.kernel.ids import fingerprint
from changke.queries.insight_cache import daily_folder_of, remember_for_a_day, spelled
from changke.queries.lake import CurrentLake
from changke.queries.members import members_within
from changke.rules.lifecycle import LifeClass, LifecycleSettings
from changke.rules.staff import Permission, Viewer, require

MONTHS: Final = 3
ENGINE_MIB: Final = 768


@dataclass(frozen=True, slots=True, kw_only=True)
class Flow:
    """So many members went from one class to another between two days; `source` None = not there before."""

    from_day: date
    to_day: date
    source: LifeClass | None
    target: LifeClass
    members: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassHistory:
    flows: tuple[Flow, ...]

    @property
    def days(self) -> list[date]:
        return sorted({day for flow in self.flows for day in (flow.from_day, flow.to_day)})


def load_history(lake: CurrentLake, *, saved: LifecycleSettings) -> ClassHistory:
    """Return the flows of the last months, of the whole company; computed once a day, in a job."""
    return remember_for_a_day(lake, read_history, path=classes_path(lake, saved=saved), as_of=lake.as_of, saved=saved)


def list_flow_ids(
    viewer: Viewer, *, lake: CurrentLake, saved: LifecycleSettings, from_day: date, to_day: date,
    source: LifeClass, target: LifeClass,
) -> list[int]:  # fmt: skip
    """Return the members within reach of one flow, ascending."""
    require(viewer, permission=Permission.SEE_MEMBERS)
    load_history(lake, saved=saved)  # writes the file where it is not there yet
    path = classes_path(lake, saved=saved)
    with open_engine(threads=1, memory_mib=ENGINE_MIB) as engine:
        ids = list_flow(engine, path, from_day=from_day, to_day=to_day, before=source, after=target)
    if viewer.store_ids is None:
        return ids
    return list(members_within(viewer).filter(id__in=ids).order_by("id").values_list("id", flat=True))


def classes_path(lake: CurrentLake, *, saved: LifecycleSettings) -> Path:
    """Return where the classes by day lie, by the settings they were decided with."""
    key = fingerprint(spelled(saved).encode(), str(MONTHS).encode())
    return daily_folder_of(lake) / f"classes-{key[:32]}.parquet"


def read_history(_reader: LakeReader, *, path: Path, as_of: date, saved: LifecycleSettings) -> ClassHistory:
    if not path.exists():
        with open_facts() as (engine, facts):
            write_classes(engine, facts, days=months_back(as_of, months=MONTHS), settings=saved, path=path)
    with open_engine(threads=1, memory_mib=ENGINE_MIB) as engine:
        rows = count_flows(engine, path).to_pylist()
    return ClassHistory(
        flows=tuple(
            Flow(
                from_day=row["from_day"],
                to_day=row["to_day"],
                source=LifeClass(row["before"]) if row["before"] else None,
                target=LifeClass(row["after"]),
                members=row["members"],
            )
            for row in rows
        )
    )


@contextmanager
def open_facts() -> Iterator[tuple[Backend, Facts]]:
    """Open an engine with the facts of the current version, held on disk as long as the block lasts."""
    lake = Path(settings.LAKE)
    with hold_current(lake) as version, open_engine(memory_mib=ENGINE_MIB, spill=lake) as engine:
        yield engine, facts_of(engine, version)
