"""Between DuckDB and PostgreSQL: staged tables as views, rows out of a query by COPY, rows of the database as views."""

import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import duckdb
import pyarrow as pa
import pyarrow.csv as arrow_csv
from django.db import connection

from changke.insight import staging
from changke.insight.staging import Staged, StagedTables

MEMORY_MIB: Final = 512
BATCH_ROWS: Final = 100_000
SCHEMAS: Final = {
    "stores": staging.STORES,
    "products": staging.PRODUCTS,
    "members": staging.MEMBERS,
    "sales": staging.SALES,
    "lines": staging.LINES,
    "tenders": staging.TENDERS,
}
Note = Callable[[int], None]


@contextmanager
def open_staged(tables: StagedTables, *, spill: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open a DuckDB with bounded memory whose views staged_stores, staged_sales ... have the columns of the schemas."""
    with TemporaryDirectory(dir=spill, prefix="merge-") as folder:
        duck = duckdb.connect(
            config={
                "memory_limit": f"{MEMORY_MIB}MiB",
                "threads": 2,
                "temp_directory": folder,
                "preserve_insertion_order": False,
                "autoinstall_known_extensions": False,
            }
        )
        try:
            duck.execute("SET TimeZone = 'UTC'")
            for name, schema in SCHEMAS.items():
                _add_view(duck, name, staged=getattr(tables, name), schema=schema)
            yield duck
        finally:
            duck.close()


def _add_view(duck: duckdb.DuckDBPyConnection, name: str, *, staged: Staged, schema: pa.Schema) -> None:
    columns = ", ".join(schema.names)
    if isinstance(staged, tuple):
        files = ", ".join("'" + str(path).replace("'", "''") + "'" for path in staged)
        duck.execute(f"CREATE VIEW staged_{name} AS SELECT {columns} FROM read_parquet([{files}])")
    else:
        duck.register(f"given_{name}", staged)
        duck.execute(f"CREATE VIEW staged_{name} AS SELECT {columns} FROM given_{name}")


def count_rows(duck: duckdb.DuckDBPyConnection, table: str) -> int:
    """Return how many rows a table of DuckDB has."""
    [(count,)] = duck.execute(f"SELECT count(*) FROM {table}").fetchall()
    return int(count)


def copy_in(
    duck: duckdb.DuckDBPyConnection,
    query: str,
    *,
    table: str,
    columns: Sequence[str],
    complete: Callable[[pa.RecordBatch], pa.RecordBatch] = lambda batch: batch,
    note: Note = lambda _rows: None,
) -> int:
    """Stream the rows of a DuckDB query into a table of PostgreSQL by COPY and return how many they were.

    The columns of the query, with what `complete` adds behind them, stand in the order of `columns`. NULL is an
    unquoted nothing, an empty text a quoted one. Every batch is a COPY of its own: what is checked at the end of a
    statement is checked while its rows are at hand.
    """
    rows = 0
    statement = f"COPY {table} ({', '.join(columns)}) FROM STDIN (FORMAT csv)"
    spelled = _spell(duck, query, complete=complete)
    # The next batch is spelled while the server takes in this one.
    with connection.cursor() as cursor, ThreadPoolExecutor(max_workers=1) as speller:
        following = speller.submit(next, spelled, None)
        while (batch := following.result()) is not None:
            following = speller.submit(next, spelled, None)
            with cursor.copy(statement) as copy:
                copy.write(batch.text)
            rows += batch.rows
            note(rows)
    return rows


@dataclass(frozen=True, slots=True, kw_only=True)
class _Batch:
    rows: int
    text: memoryview


def _spell(
    duck: duckdb.DuckDBPyConnection, query: str, *, complete: Callable[[pa.RecordBatch], pa.RecordBatch]
) -> Iterator[_Batch]:
    """Yield the rows of a query as CSV, batch by batch."""
    options = arrow_csv.WriteOptions(include_header=False, quoting_style="needed")
    for batch in duck.execute(query).to_arrow_reader(BATCH_ROWS):
        buffer = io.BytesIO()
        arrow_csv.write_csv(complete(batch), buffer, options)
        yield _Batch(rows=batch.num_rows, text=buffer.getbuffer())


def copy_out(
    duck: duckdb.DuckDBPyConnection, query: str, parameters: Sequence[Any] = (), *, table: str, schema: pa.Schema
) -> int:
    """Bring the rows of a PostgreSQL query into a table of DuckDB and return how many they are."""
    with (
        connection.cursor() as cursor,
        cursor.copy(f"COPY ({query}) TO STDOUT (FORMAT csv)", parameters or None) as copy,
    ):
        data = b"".join(copy)
    rows = pa.table({field.name: pa.array([], field.type) for field in schema})
    if data:
        rows = arrow_csv.read_csv(
            pa.BufferReader(data),
            read_options=arrow_csv.ReadOptions(column_names=schema.names),
            parse_options=arrow_csv.ParseOptions(newlines_in_values=True),
            convert_options=arrow_csv.ConvertOptions(
                column_types=schema, strings_can_be_null=True, quoted_strings_can_be_null=False, true_values=["t"],
                false_values=["f"],
            ),
        )  # fmt: skip
    duck.register("fetched", rows)
    duck.execute(f"CREATE OR REPLACE TEMP TABLE {table} AS FROM fetched")
    duck.unregister("fetched")
    return int(rows.num_rows)


def make_table(name: str, columns: str) -> None:
    """Make an empty temporary table of PostgreSQL that lives until the transaction ends; an older one gives way."""
    run(f"DROP TABLE IF EXISTS pg_temp.{name}")
    run(f"CREATE TEMP TABLE {name} ({columns}) ON COMMIT DROP")


def run(statement: str, parameters: Sequence[Any] | Mapping[str, Any] = ()) -> int:
    """Execute one statement on PostgreSQL and return how many rows it touched."""
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters or None)
        return int(cursor.rowcount)


def ask(query: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
    """Return the rows of a small query on PostgreSQL."""
    with connection.cursor() as cursor:
        cursor.execute(query, parameters or None)
        return list(cursor.fetchall())
