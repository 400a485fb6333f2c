"""The analytics engine: DuckDB in process, driven through Ibis, with a memory limit and a folder to spill to."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import ibis
import pyarrow as pa
from ibis.backends.duckdb import Backend

# LZ4 reads fastest of the codecs tried; every Parquet reader since 2021 knows it.
CODEC: Final = "lz4_raw"


@contextmanager
def open_engine(*, threads: int = 2, memory_mib: int = 1024, spill: Path | None = None) -> Iterator[Backend]:
    """Open an engine that forgets everything at the end; what exceeds the memory limit goes to a folder in `spill`."""
    with TemporaryDirectory(prefix="changke-spill-", dir=spill) as folder:
        engine = ibis.duckdb.connect(threads=threads, memory_limit=f"{memory_mib}MiB", temp_directory=folder)
        engine.raw_sql("SET preserve_insertion_order = false")
        try:
            yield engine
        finally:
            engine.disconnect()


def parquet_view(engine: Backend, *, name: str, path: Path, keys: Sequence[str] = ()) -> ibis.Table:
    """Give Parquet files (a path, or a pattern with *) a name in the engine and return them as a table; see rows_in."""
    engine.raw_sql(f'CREATE OR REPLACE VIEW "{name}" AS {rows_in(path, keys=keys)}')
    return engine.table(name)


def rows_in(path: Path, *, keys: Sequence[str] = ()) -> str:
    """Return the SQL of the rows in Parquet files.

    With keys, rows that changed stand beside the base, which is `path`: the base counts without the keys that are in
    `<folder>_changed`, and the rows in `<folder>_anew` count instead.
    """
    anew, changed = (path.parent.with_name(f"{path.parent.name}_{kind}") for kind in ("anew", "changed"))
    if not keys or not anew.is_dir():
        return f"SELECT * FROM {_read(path)}"  # noqa: S608 (paths of the lake, quoted)
    # The aliases matter: without them DuckDB takes ANTI for the name of the table before it.
    base = f"{_read(path)} AS base ANTI JOIN {_read(changed / '*.parquet')} AS changed USING ({', '.join(keys)})"
    return f"SELECT base.* FROM {base} UNION ALL SELECT * FROM {_read(anew / '*.parquet')}"  # noqa: S608 (the same)


def _read(path: Path) -> str:
    quoted = str(path).replace("'", "''")
    return f"read_parquet('{quoted}')"


def typed_sql(engine: Backend, expression: ibis.Table) -> str:
    """Return the SQL of an expression whose columns have exactly the types that Ibis knows.

    DuckDB sums integers to 128 bits, which Ibis takes for int64: unforced, arithmetic slows down and Parquet gets
    doubles.
    """
    types = engine.compiler.type_mapper
    columns = ", ".join(
        f'CAST("{name}" AS {types.to_string(dtype)}) AS "{name}"' for name, dtype in expression.schema().items()
    )
    return f"SELECT {columns} FROM ({engine.compile(expression)})"  # noqa: S608 (columns and SQL are made by Ibis)


def keep(engine: Backend, expression: ibis.Table, *, name: str) -> ibis.Table:
    """Compute an expression once into a temporary table of the engine, replacing one of that name."""
    engine.raw_sql(f'CREATE OR REPLACE TEMP TABLE "{name}" AS {typed_sql(engine, expression)}')
    return engine.table(name)


def write_parquet(engine: Backend, expression: ibis.Table, *, path: Path) -> Path:
    """Write the rows of an expression to a new Parquet file; one of that name is replaced, never changed in place."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.partial")
    quoted = str(partial).replace("'", "''")
    engine.raw_sql(f"COPY ({typed_sql(engine, expression)}) TO '{quoted}' (FORMAT parquet, COMPRESSION {CODEC})")
    partial.replace(path)
    return path


def rows_of(engine: Backend, expression: ibis.Table) -> pa.Table:
    """Return the rows of an expression as an Arrow table."""
    return engine.to_pyarrow(expression)


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """The facts of one version of the lake as tables of an engine; schemas in insight/facts.py."""

    members: ibis.Table
    sales: ibis.Table
    lines: ibis.Table
    visits: ibis.Table
    opportunities: ibis.Table
