"""The workbench of a cleaning: a DuckDB with bounded memory, cells of the mapped tables, patterns as macros."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import duckdb

from changke.rules.imports.profiles import DayOrder
from changke.rules.imports.values import (
    BLANKS,
    DATE_ONLY,
    MOMENT_FORMAT,
    NUMBER,
    NUMBER_SIGNS,
    YEAR,
    moment_shapes,
)
from changke.rules.imports.words import Field, PartRole

MEMORY_MIB: Final = 512
THREADS: Final = 2
TABLE_BITS: Final = 40  # of a position: the number of the row; above it the position of the table


@dataclass(frozen=True, slots=True, kw_only=True)
class MappedTable:
    """A table as it was read (Parquet of text columns and `row_no`) and what its columns mean."""

    name: str
    path: Path
    role: PartRole
    headers: tuple[str, ...]  # every column of the file
    padded: frozenset[str] | None = None  # columns with blanks around a cell; None = not known
    columns: Mapping[Field, str]  # field -> column of the file
    attributes: Mapping[str, str] = field(default_factory=dict)
    malformed: tuple[tuple[int, str], ...] = ()  # (row_no, text) of rows with another number of cells


def open_workbench(folder: Path, *, order: DayOrder) -> duckdb.DuckDBPyConnection:
    """Open a DuckDB that keeps to MEMORY_MIB and spills into `folder`, with the macros of the values."""
    duck = duckdb.connect(
        config={
            "memory_limit": f"{MEMORY_MIB}MiB",
            "threads": THREADS,
            "temp_directory": str(folder / "spill"),
            "preserve_insertion_order": False,
            "autoinstall_known_extensions": False,
        }
    )
    duck.execute("SET TimeZone = 'UTC'")
    plain = rf"{YEAR}-[0-9]{{2}}-[0-9]{{2}} [0-9]{{2}}:[0-9]{{2}}:[0-9]{{2}}"  # the usual way first: no rewriting
    cases = [f"WHEN regexp_full_match(x, {text(plain)}) THEN x"] + [
        f"WHEN regexp_full_match(x, {text(pattern)}) THEN regexp_replace(x, {text(pattern)}, {text(spelled)})"
        for pattern, spelled in moment_shapes(order)
    ]
    for macro in (
        f"spelled_moment(x) AS CASE {' '.join(cases)} END",
        f"moment(x) AS try_strptime(spelled_moment(x), {text(MOMENT_FORMAT)})",
        f"has_time(x) AS NOT regexp_full_match(x, {text(DATE_ONLY)})",
        f"digits(x) AS CASE WHEN regexp_full_match(x, {text(NUMBER)}) THEN x"
        f" ELSE regexp_replace(x, {text(NUMBER_SIGNS)}, '', 'g') END",
        f"number(x) AS CASE WHEN regexp_full_match(digits(x), {text(NUMBER)}) AND regexp_matches(digits(x), '[0-9]')"
        " THEN try_cast(replace(digits(x), ',', '') AS DECIMAL(18,6)) END",
        # Zero before rounding: 0.0000001 rounds to nothing and yet is a price.
        "is_zero(x) AS number(x) = 0 AND NOT regexp_matches(x, '[1-9]')",
    ):
        duck.execute(f"CREATE MACRO {macro}")
    return duck


def text(value: object) -> str:
    """Quote a value as a text literal of SQL."""
    return "'" + str(value).replace("'", "''") + "'"


def name(value: str) -> str:
    """Quote a column name of SQL."""
    return '"' + value.replace('"', '""') + '"'


def words_to(expression: str, words: Mapping[str, str]) -> str:
    """Return SQL that turns known words (lower case) into those of the house, unknown ones into NULL."""
    known: dict[str, list[str]] = {}
    for word, meaning in words.items():
        known.setdefault(meaning, []).append(text(word))
    whens = (f"WHEN lower({expression}) IN ({', '.join(of)}) THEN {text(meaning)}" for meaning, of in known.items())
    return f"CASE {' '.join(whens)} END"


def cells(
    tables: Iterable[tuple[int, MappedTable]],
    fields: Sequence[Field],
    *,
    extra: Callable[[MappedTable | None], str] = lambda _table: "",
) -> str:
    """Return SQL over the trimmed cells of tables: `pos`, a text column a field, `row_hash` of all cells, and `extra`.

    An empty or unmapped cell is NULL. `pos` orders all rows: the position of the table, then the number of the row.
    """
    nothing = ", ".join(f"NULL::VARCHAR AS {meaning}" for meaning in fields)
    parts = [f"(SELECT NULL::BIGINT AS pos, {nothing}, NULL::UBIGINT AS row_hash{extra(None)} LIMIT 0)"]
    for at, table in tables:
        columns = ", ".join(
            f"{cell(table, table.columns[meaning])} AS {meaning}"
            if meaning in table.columns
            else f"NULL::VARCHAR AS {meaning}"
            for meaning in fields
        )
        whole = ", ".join(map(name, table.headers))
        parts.append(
            f"SELECT {at}::BIGINT << {TABLE_BITS} | row_no AS pos, {columns}, hash({whole}) AS row_hash{extra(table)} "
            f"FROM read_parquet({text(table.path)})"
        )
    return " UNION ALL ".join(parts)


def cell(table: MappedTable, column: str) -> str:
    """Return the SQL of a trimmed cell of the file; an empty one is NULL."""
    if table.padded is not None and column not in table.padded:
        return name(column)
    return f"nullif(trim({name(column)}, {text(BLANKS)}), '')"


def write_stage(duck: duckdb.DuckDBPyConnection, view: str, *, query: str, folder: Path) -> Path:
    """Write a query to Parquet and name it as a view: dictionaries on disk beat uncompressed tables in memory."""
    path = folder / f"{view}.parquet"
    duck.execute(f"COPY ({query}) TO {text(path)} (FORMAT parquet, COMPRESSION lz4)")
    duck.execute(f"CREATE VIEW {view} AS FROM read_parquet({text(path)})")
    return path
