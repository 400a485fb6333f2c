"""The analytics engine: DuckDB in process, driven through Ibis, with a memory limit and a folder to spill to."""

from collections.abc import Iterator
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


def parquet_view(engine: Backend, *, name: str, path: Path) -> ibis.Table:
    """Give Parquet files (a path, or a pattern with *) a name in the engine and return them as a table."""
    quoted = str(path).replace("'", "''")
    engine.raw_sql(f"CREATE OR REPLACE VIEW \"{name}\" AS FROM read_parquet('{quoted}')")
    return engine.table(name)


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
