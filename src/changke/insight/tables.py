"""Reading one version of the lake: its Parquet files as Ibis tables on a DuckDB connection that writes nothing."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self

import ibis
import pyarrow as pa

from changke.insight.engine import rows_in
from changke.insight.facts import KEYS


@dataclass(frozen=True, slots=True, kw_only=True)
class LakeTables:
    """Where the Parquet files of one version lie: schemas in insight/facts.py, `features` one row a FeatureRow.

    What changed since a file was written is found beside it (engine.rows_in).
    """

    members: Path
    sales: Path
    lines: Path
    visits: Path
    features: Path


NAMES: Final = ("members", "sales", "lines", "visits", "features")


class LakeReader:
    """One version of the lake, opened once and asked from any number of threads; a new version is a new reader."""

    def __init__(self, tables: LakeTables, *, threads: int = 1, memory_mib: int = 512) -> None:
        self._duck = ibis.duckdb.connect(threads=threads, memory_limit=f"{memory_mib}MiB")
        self._duck.raw_sql("SET parquet_metadata_cache = true")
        for name in NAMES:  # plain views: the temporary ones of read_parquet are unknown to other cursors
            rows = rows_in(getattr(tables, name), keys=KEYS.get(name, ()))
            self._duck.raw_sql(f"CREATE VIEW {name} AS {rows}")
        self._tables = {name: self._duck.table(name) for name in NAMES}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._duck.disconnect()

    def table(self, name: str) -> ibis.Table:
        """Return a table of the lake by the name of its field in LakeTables."""
        return self._tables[name]

    def run(self, expression: ibis.Expr) -> pa.Table:
        """Return the rows of an Ibis expression over the tables of this reader."""
        return self.run_sql(self._duck.compile(expression))

    def run_sql(self, sql: str, **extra: pa.Table) -> pa.Table:
        """Return the rows of SQL that Ibis compiled before; `extra` tables are there for this query only."""
        with self._duck.con.cursor() as cursor:  # a cursor of its own: DuckDB connections are not shared by threads
            for name, rows in extra.items():
                cursor.register(name, rows)
            return whole_numbers(cursor.execute(sql).to_arrow_table())

    def rows(self, expression: ibis.Expr) -> list[dict[str, Any]]:
        """Return the rows of a small result as dictionaries."""
        return self.run(expression).to_pylist()


def whole_numbers(rows: pa.Table) -> pa.Table:
    """Return a result with its sums as int64: DuckDB adds integers up in 128 bits, which Arrow calls decimals."""
    fields = [pa.field(field.name, pa.int64()) if pa.types.is_decimal(field.type) else field for field in rows.schema]
    return rows.cast(pa.schema(fields))
