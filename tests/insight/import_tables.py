"""Small text tables as the reader would write them, for tests of the cleaning."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from changke.insight.cleaning.run import Cleaned, clean
from changke.insight.cleaning.workbench import MappedTable
from changke.insight.staging import Staged
from changke.kernel.money import EXPONENTS
from changke.rules.imports.lines import ImportSettings, settle
from changke.rules.imports.profiles import PROFILES, Profile
from changke.rules.imports.words import Field, PartRole

NOW = datetime(2026, 11, 22, 4, 0, tzinfo=UTC)


def settings_of(profile: Profile = PROFILES["generic_sales"], **wishes: Any) -> ImportSettings:
    return settle(profile, company_currency="CNY", exponents=EXPONENTS, company_time_zone="Asia/Shanghai", **wishes)


def lay_out(
    rows: Sequence[Mapping[Field, str]],
    *,
    fields: Sequence[Field],
    folder: Path,
    role: PartRole = PartRole.SALES,
    name: str = "table.csv",
) -> MappedTable:
    """Write rows to Parquet, one text column a field, an empty text as null."""
    columns = {str(field): pa.array([row.get(field) or None for row in rows], pa.string()) for field in fields}
    path = folder / f"raw_{name}.parquet"
    pq.write_table(pa.table(columns | {"row_no": pa.arange(1, len(rows) + 1)}), path)
    return MappedTable(
        name=name, path=path, role=role, headers=tuple(columns), columns={field: str(field) for field in fields}
    )


def clean_rows(
    rows: Sequence[Mapping[Field, str]],
    *,
    folder: Path,
    settings: ImportSettings | None = None,
    role: PartRole = PartRole.SALES,
) -> Cleaned:
    """Clean one table whose fields are those that any row fills."""
    fields = [field for field in Field if any(field in row for row in rows)]
    table = lay_out(rows, fields=fields, folder=folder, role=role)
    return clean([table], settings=settings or settings_of(), now=NOW, folder=folder)


def rows_of(staged: Staged, *, order: str) -> list[dict[str, Any]]:
    """Return the rows of a staged table in an order."""
    assert isinstance(staged, tuple)
    with duckdb.connect() as duck:
        duck.execute("SET TimeZone = 'UTC'")
        files = [str(path) for path in staged]
        return duck.execute("SELECT * FROM read_parquet($1) ORDER BY " + order, [files]).to_arrow_table().to_pylist()


def report_of(cleaned: Cleaned) -> list[tuple[int, str]]:
    """Return (row, reason) of every refused row."""
    return [(row["row_no"], row["reason"]) for row in pq.read_table(cleaned.report).to_pylist() if not row["field"]]
