"""RFM runs: the list, one run with its cells, and the movement between two of them."""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from pathlib import Path
from typing import Final

from django.conf import settings
from pydantic import TypeAdapter

from changke.insight.engine import open_engine
from changke.insight.maps import CellFigures, count_run_classes, list_run_cells
from changke.insight.runs import compare_runs, list_movers
from changke.insight.tables import LakeReader
from changke.kernel.errors import fail
from changke.queries.insight_cache import remember
from changke.queries.lake import CurrentLake
from changke.queries.members import members_within
from changke.records.models import Member, RfmRun
from changke.rules.names import mask_name
from changke.rules.rfm import RfmSettings
from changke.rules.staff import Permission, Viewer, require

RUNS_SHOWN: Final = 200
ENGINE_MIB: Final = 256


class Mark(StrEnum):
    """What of a member is compared between two runs: a column of their rows."""

    LIFE_CLASS = "life_class"
    R_SCORE = "r_score"
    F_SCORE = "f_score"
    M_SCORE = "m_score"


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """How many members went from one mark to another; None = not in that run."""

    source: str | None
    target: str | None
    members: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRow:
    """One run as kept."""

    public_id: str
    name: str
    as_of: date
    state: str
    origin: str
    started_at: datetime
    finished_at: datetime | None
    made_by: str
    error: str
    settings: RfmSettings

    @property
    def is_of_everything(self) -> bool:
        """Say whether all stores and goods counted: such runs can stand in one row over time."""
        return not self.settings.store_ids and not self.settings.category_ids


@dataclass(frozen=True, slots=True, kw_only=True)
class Mover:
    public_id: str
    code: str
    name: str


def list_runs(viewer: Viewer) -> tuple[RunRow, ...]:
    """Return the newest runs, latest analysis date first."""
    require(viewer, permission=Permission.SEE_INSIGHT)
    rows = RfmRun.objects.select_related("made_by").order_by("-as_of", "-id")[:RUNS_SHOWN]
    return tuple(spelled(row) for row in rows)


def load_run(viewer: Viewer, *, public_id: str) -> RunRow:
    """Return one run; ChangkeError where there is none of that id."""
    require(viewer, permission=Permission.SEE_INSIGHT)
    row = RfmRun.objects.select_related("made_by").filter(public_id=public_id).first()
    if row is None:
        raise fail("run_unknown", "There is no such run.")
    return spelled(row)


def load_run_cells(viewer: Viewer, *, lake: CurrentLake, run: RunRow) -> tuple[CellFigures, ...]:
    """Return the cells of a run that is done."""
    require(viewer, permission=Permission.SEE_INSIGHT)
    return remember(lake, run_cells, visits_max=None, run=path_of_run(run))


def load_run_classes(viewer: Viewer, *, lake: CurrentLake, run: RunRow) -> dict[str, int]:
    """Return the members of each class in a run that is done."""
    require(viewer, permission=Permission.SEE_INSIGHT)
    return remember(lake, run_classes, visits_max=None, run=path_of_run(run))


def load_moves(viewer: Viewer, *, lake: CurrentLake, before: RunRow, after: RunRow, by: Mark) -> tuple[Move, ...]:
    """Return the movement between two runs that are done."""
    require(viewer, permission=Permission.SEE_INSIGHT)
    return remember(lake, moves, visits_max=None, by=by, before=path_of_run(before), after=path_of_run(after))


def list_mover_ids(viewer: Viewer, *, before: RunRow, after: RunRow, by: Mark, source: str, target: str) -> list[int]:
    """Return the members within reach who went from one mark to another, ascending."""
    require(viewer, permission=Permission.SEE_MEMBERS)
    values: list[list[int | str]] = [[mark] if by is Mark.LIFE_CLASS else [int(mark)] for mark in (source, target)]
    with open_engine(threads=1, memory_mib=ENGINE_MIB) as engine:
        found = list_movers(
            engine,
            before=path_of_run(before),
            after=path_of_run(after),
            from_values=values[0],
            to_values=values[1],
            score=by.value,
        )
    ids: list[int] = found.column("member_id").to_pylist()
    if viewer.store_ids is None:
        return ids
    return list(members_within(viewer).filter(id__in=ids).order_by("id").values_list("id", flat=True))


def run_cells(_reader: LakeReader, *, run: Path) -> tuple[CellFigures, ...]:
    with open_engine(threads=1, memory_mib=ENGINE_MIB) as engine:
        return list_run_cells(engine, run=run)


def run_classes(_reader: LakeReader, *, run: Path) -> dict[str, int]:
    with open_engine(threads=1, memory_mib=ENGINE_MIB) as engine:
        return count_run_classes(engine, run=run)


def moves(_reader: LakeReader, *, before: Path, after: Path, by: Mark) -> tuple[Move, ...]:
    with open_engine(threads=1, memory_mib=ENGINE_MIB) as engine:
        rows = compare_runs(engine, before=before, after=after, score=by.value).to_pylist()
    return tuple(
        Move(
            source=None if row["before"] is None else str(row["before"]),
            target=None if row["after"] is None else str(row["after"]),
            members=row["members"],
        )
        for row in rows
    )


def name_movers(viewer: Viewer, *, ids: list[int]) -> list[Mover]:
    """Return the names of members by their ids, in that order; those erased since are left out."""
    may_see = viewer.may(Permission.REVEAL_CONTACTS)
    rows = {row.id: row for row in Member.objects.filter(id__in=ids).only("id", "public_id", "code", "name")}
    return [
        Mover(public_id=row.public_id, code=row.code, name=row.name if may_see else mask_name(row.name))
        for number in ids
        if (row := rows.get(number))
    ]


def path_of_run(run: RunRow) -> Path:
    """Return where the rows of a run lie."""
    return Path(settings.LAKE) / "runs" / f"{run.public_id}.parquet"


def spelled(row: RfmRun) -> RunRow:
    return RunRow(
        public_id=row.public_id,
        name=row.name,
        as_of=row.as_of,
        state=row.state,
        origin=row.origin,
        started_at=row.started_at,
        finished_at=row.finished_at,
        made_by=row.made_by.username if row.made_by else "",
        error=row.error,
        settings=TypeAdapter(RfmSettings).validate_python(row.settings),
    )
