"""How members moved between the life-cycle classes from month to month."""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Final

from ibis.backends.duckdb import Backend

from changke.insight.engine import Facts, open_engine
from changke.insight.lake import LakeVersion, Manifest, facts_of
from changke.insight.movement import count_flows, list_flow, months_back, write_classes
from changke.insight.tables import LakeReader
from changke.kernel.ids import fingerprint
from changke.queries.insight_cache import TINY_VISITS_MAX, folder_of, refuse_waiting, remember, spelled
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


def load_history(lake: CurrentLake, *, settings: LifecycleSettings) -> ClassHistory:
    """Return the flows of the last months, of the whole company."""
    path = classes_path(lake, settings=settings)
    if not path.exists():
        refuse_waiting(lake, visits_max=TINY_VISITS_MAX)
        write_history(lake, settings=settings, path=path)
    return remember(lake, read_history, path=path)


def list_flow_ids(
    viewer: Viewer, *, lake: CurrentLake, settings: LifecycleSettings, from_day: date, to_day: date,
    source: LifeClass, target: LifeClass,
) -> list[int]:  # fmt: skip
    """Return the members within reach of one flow, ascending."""
    require(viewer, permission=Permission.SEE_MEMBERS)
    path = classes_path(lake, settings=settings)
    if not path.exists():
        refuse_waiting(lake, visits_max=TINY_VISITS_MAX)
        write_history(lake, settings=settings, path=path)
    with open_engine(threads=1, memory_mib=ENGINE_MIB) as engine:
        ids = list_flow(engine, path, from_day=from_day, to_day=to_day, before=source, after=target)
    if viewer.store_ids is None:
        return ids
    return list(members_within(viewer).filter(id__in=ids).order_by("id").values_list("id", flat=True))


def classes_path(lake: CurrentLake, *, settings: LifecycleSettings) -> Path:
    """Return where the classes by day of a version lie, by the settings they were decided with."""
    return folder_of(lake) / f"classes-{fingerprint(spelled(settings).encode(), str(MONTHS).encode())[:32]}.parquet"


def write_history(lake: CurrentLake, *, settings: LifecycleSettings, path: Path) -> None:
    days = months_back(lake.as_of, months=MONTHS)
    with open_engine(memory_mib=ENGINE_MIB, spill=path.parent) as engine:
        write_classes(engine, facts_in(engine, folder=lake.folder), days=days, settings=settings, path=path)


def facts_in(engine: Backend, *, folder: Path) -> Facts:
    """Return the facts of a version that the caller holds."""
    nobody_asks = Manifest(number=0, made_at=datetime.fromtimestamp(0, UTC))
    return facts_of(engine, LakeVersion(folder=folder, manifest=nobody_asks))


def read_history(_reader: LakeReader, *, path: Path) -> ClassHistory:
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
