"""Results of heavy reports, kept by the version of the lake they were made from: asked twice, computed once."""

import shutil
from collections.abc import Callable
from dataclasses import fields, is_dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Final, TypeVar
from uuid import uuid4

from django.conf import settings
from pydantic import TypeAdapter

from changke.kernel.ids import fingerprint
from changke.queries.lake import CurrentLake

FOLDER: Final = "results"
Result = TypeVar("Result")


def remember(lake: CurrentLake, shape: Any, compute: Callable[..., Result], **parameters: Any) -> Result:
    """Return `compute(lake.reader, **parameters)`, from disk where this version of the lake has been asked before.

    The key is the function, its parameters and the shape of the result: a changed shape is computed anew. A new version
    of the lake begins with no results, so nothing goes stale.
    """
    path = path_of(lake, shape, compute, parameters)
    adapter = adapter_of(shape)
    try:
        known: Result = adapter.validate_json(path.read_bytes())
        return known
    except FileNotFoundError:
        result = compute(lake.reader, **parameters)
        keep(path, adapter.dump_json(result))
        return result


def is_remembered(lake: CurrentLake, shape: Any, compute: Callable[..., Any], **parameters: Any) -> bool:
    """Say whether asking would be answered at once."""
    return path_of(lake, shape, compute, parameters).exists()


def path_of(lake: CurrentLake, shape: Any, compute: Callable[..., Any], parameters: dict[str, Any]) -> Path:
    name = f"{compute.__module__}.{compute.__qualname__}"
    key = fingerprint(name.encode(), schema_of(shape), spelled(parameters).encode())
    return settings.LAKE / FOLDER / lake.version / f"{compute.__name__}-{key[:32]}.json"


def spelled(value: Any) -> str:
    """Write a parameter so that equal ones are written alike: fields in their order, sets and keys sorted."""
    if is_dataclass(value):
        return f"{type(value).__name__}{[(field.name, spelled(getattr(value, field.name))) for field in fields(value)]}"
    if isinstance(value, dict):
        return str(sorted((key, spelled(entry)) for key, entry in value.items()))
    return str(sorted(value)) if isinstance(value, frozenset) else repr(value)


def keep(path: Path, content: bytes) -> None:
    """Write a result so that a reader sees all of it or none; results of versions that are gone go too."""
    if not path.parent.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        for folder in path.parents[1].iterdir():
            if folder != path.parent and not (path.parents[2] / folder.name).exists():
                shutil.rmtree(folder, ignore_errors=True)
    partial = path.with_suffix(f".{uuid4().hex}.partial")
    partial.write_bytes(content)
    partial.replace(path)


@lru_cache(maxsize=128)
def adapter_of(shape: Any) -> TypeAdapter[Any]:
    return TypeAdapter(shape)


@lru_cache(maxsize=128)
def schema_of(shape: Any) -> bytes:
    return repr(adapter_of(shape).json_schema()).encode()
