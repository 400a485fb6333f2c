"""Results of heavy reports, kept by the version of the lake they were made from: asked twice, computed once.

On a large lake a page never computes: it raises ReportMissingError, a job computes inside `computing()`, the page asks
again. On a small lake the page computes at once.
"""

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import fields, is_dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Final, TypeVar, get_type_hints
from uuid import uuid4

from django.conf import settings
from pydantic import TypeAdapter

from changke.kernel.ids import fingerprint
from changke.queries.lake import CurrentLake
from changke.records.models import LakeRefresh

FOLDER: Final = "results"
DAILY_FOLDER: Final = "results-daily"
SMALL_VISITS_MAX: Final = 300_000  # up to here a report takes well under a third of a second
TINY_VISITS_MAX: Final = 20_000  # the same of what reads everything several times over
Result = TypeVar("Result")

_computing: ContextVar[bool] = ContextVar("computing", default=False)


class ReportMissingError(Exception):
    """Raised where a report of a large lake was asked for that nobody has computed yet."""


@contextmanager
def computing() -> Iterator[None]:
    """Let missing reports be computed inside the block, however long it takes."""
    token = _computing.set(True)
    try:
        yield
    finally:
        _computing.reset(token)


def remember(
    lake: CurrentLake, compute: Callable[..., Result], *, visits_max: int | None = SMALL_VISITS_MAX, **parameters: Any
) -> Result:
    """Return `compute(lake.reader, **parameters)`, from disk where this version of the lake has been asked before.

    `visits_max`: from how many visits on a page must not compute it; None = it does not read the visits.
    The key is the function, its parameters and the shape it says it returns: a changed shape is computed anew. A new
    version of the lake begins with no results, so nothing goes stale.
    """
    return answer(lake, compute, parameters, folder=folder_of(lake), visits_max=visits_max)


def remember_for_a_day(lake: CurrentLake, compute: Callable[..., Result], **parameters: Any) -> Result:
    """Return what reads everything many times over, computed once an analysis date and after each full refresh.

    The few late sales of a delta are not worth minutes of work every five minutes.
    """
    return answer(lake, compute, parameters, folder=daily_folder_of(lake), visits_max=TINY_VISITS_MAX)


def answer(
    lake: CurrentLake,
    compute: Callable[..., Result],
    parameters: dict[str, Any],
    *,
    folder: Path,
    visits_max: int | None,
) -> Result:
    adapter = adapter_of(compute)
    path = folder / name_of(compute, parameters)
    try:
        known: Result = adapter.validate_json(path.read_bytes())
        return known
    except FileNotFoundError:
        refuse_waiting(lake, visits_max=visits_max)
        result = compute(lake.reader, **parameters)
        keep(path, adapter.dump_json(result))
        return result


def refuse_waiting(lake: CurrentLake, *, visits_max: int | None) -> None:
    """Raise ReportMissingError where computing over so many visits would keep a page waiting."""
    if visits_max is None or _computing.get():
        return
    visits = lake.reader.table("visits")
    (row,) = lake.reader.rows(visits.aggregate(rows=visits.count()))
    if row["rows"] > visits_max:
        raise ReportMissingError


def name_of(compute: Callable[..., Any], parameters: dict[str, Any]) -> str:
    name = f"{compute.__module__}.{compute.__qualname__}"
    key = fingerprint(name.encode(), schema_of(compute), spelled(parameters).encode())
    return f"{compute.__name__}-{key[:32]}.json"


def folder_of(lake: CurrentLake) -> Path:
    """Return where the results of a version lie; those of versions that are gone go when a new one begins."""
    folder = Path(settings.LAKE) / FOLDER / lake.version
    if not folder.exists():
        folder.mkdir(parents=True, exist_ok=True)
        for other in folder.parent.iterdir():
            if other != folder and not (folder.parents[1] / other.name).exists():
                shutil.rmtree(other, ignore_errors=True)
    return folder


def daily_folder_of(lake: CurrentLake) -> Path:
    """Return where the results of an analysis date lie; those of other dates go when a new one begins."""
    full = LakeRefresh.objects.filter(is_full=True, state="done").order_by("-id").values_list("version", flat=True)
    folder = Path(settings.LAKE) / DAILY_FOLDER / f"{lake.as_of}-{full.first() or lake.version}"
    if not folder.exists():
        folder.mkdir(parents=True, exist_ok=True)
        for other in folder.parent.iterdir():
            if other != folder:
                shutil.rmtree(other, ignore_errors=True)
    return folder


def spelled(value: Any) -> str:
    """Write a parameter so that equal ones are written alike: fields in their order, sets and keys sorted."""
    if is_dataclass(value):
        return f"{type(value).__name__}{[(field.name, spelled(getattr(value, field.name))) for field in fields(value)]}"
    if isinstance(value, dict):
        return str(sorted((key, spelled(entry)) for key, entry in value.items()))
    return str(sorted(value)) if isinstance(value, frozenset) else repr(value)


def keep(path: Path, content: bytes) -> None:
    """Write a result so that a reader sees all of it or none."""
    partial = path.with_suffix(f".{uuid4().hex}.partial")
    partial.write_bytes(content)
    partial.replace(path)


@lru_cache(maxsize=128)
def adapter_of(compute: Callable[..., Any]) -> TypeAdapter[Any]:
    return TypeAdapter(get_type_hints(compute)["return"])


@lru_cache(maxsize=128)
def schema_of(compute: Callable[..., Any]) -> bytes:
    return repr(adapter_of(compute).json_schema()).encode()
