"""The figures that `changke analyse` prints: what is in the lake, the classes and the quintiles of its date."""

from dataclasses import asdict, dataclass
from datetime import date
from typing import Any, Final

from changke.insight.tables import LakeReader
from changke.queries.lake import need_lake
from changke.rules.staff import Permission, Viewer, require

KINDS: Final = {
    "sale_lines_of_members": "kind = 'sale' AND member_id IS NOT NULL",
    "sale_lines_anonymous": "kind = 'sale' AND member_id IS NULL",
    "return_lines_of_members": "kind = 'return' AND member_id IS NOT NULL",
    "return_lines_anonymous": "kind = 'return' AND member_id IS NULL",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One kind of lines: how many lines, sales and members, and their money (a return's is negative)."""

    lines: int
    sales: int
    members: int
    total_minor: int
    quantity_milli: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Analysis:
    """The lake in figures, as of its analysis date. `scores` counts members by score 1..5 of R, F and M."""

    version: str
    as_of: date
    lines: int
    sales: int
    members: int
    first_day: date | None
    last_day: date | None
    parts: dict[str, Part]
    classes: dict[str, int]
    scores: dict[str, dict[int, int]]
    bought_once: int
    cells: int

    def spell(self) -> dict[str, Any]:
        """Return the figures as plain data for JSON."""
        return asdict(self)


def load_analysis(viewer: Viewer) -> Analysis:
    """Return the figures of the current lake; ChangkeError where nothing was analysed yet."""
    require(viewer, permission=Permission.SEE_INSIGHT)
    lake = need_lake()
    read = lake.reader
    whole = _one(read, "SELECT count(*) AS lines FROM lines") | _one(
        read, "SELECT count(*) AS sales, min(day) AS first_day, max(day) AS last_day FROM sales"
    )
    told = "count(*) AS members, count(*) FILTER (bought_once) AS once, count(DISTINCT rfm_cell) AS cells"
    people = _one(read, f"SELECT {told} FROM features")  # noqa: S608 - our own constants
    return Analysis(
        version=lake.version,
        as_of=lake.as_of,
        lines=whole["lines"],
        sales=whole["sales"],
        members=people["members"],
        first_day=whole["first_day"],
        last_day=whole["last_day"],
        parts={name: _part(read, condition) for name, condition in KINDS.items()},
        classes=_counts(read, "life_class"),
        scores={name: _counts(read, f"{name}_score") for name in ("r", "f", "m")},
        bought_once=people["once"],
        cells=people["cells"],
    )


def _part(read: LakeReader, condition: str) -> Part:
    figures = (
        "count(*) AS lines, count(DISTINCT sale_id) AS sales, count(DISTINCT member_id) AS members,"
        " coalesce(sum(total_minor), 0) AS total_minor, coalesce(sum(quantity_milli), 0) AS quantity_milli"
    )
    return Part(**_one(read, f"SELECT {figures} FROM lines WHERE {condition}"))  # noqa: S608 - our own constants


def _counts(read: LakeReader, column: str) -> dict[Any, int]:
    rows = read.run_sql(f"SELECT {column} AS word, count(*) AS members FROM features GROUP BY 1 ORDER BY 1")  # noqa: S608 - our own columns
    return {row["word"]: row["members"] for row in rows.to_pylist() if row["word"] is not None}


def _one(read: LakeReader, sql: str) -> dict[str, Any]:
    return dict(read.run_sql(sql).to_pylist()[0])
