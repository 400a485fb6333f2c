"""Charts as data: what is found, what is drawn, the same as a table, and where a click leads. charts.js draws them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

CellKind = Literal["text", "number", "money", "share", "day", "decimal"]
Cell = str | int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A column of a chart's table. Units: money in minor units, share in millionths, decimal in thousandths."""

    label: Any
    kind: CellKind = "number"


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """One finding. `rows` are the table behind it, `hrefs` lead from each row to the members behind it ("" = nowhere).

    `drawing` is what charts.js reads, made by the functions below; None where a table says it better.
    """

    key: str
    subject: Any
    finding: Any
    columns: Sequence[Column]
    rows: Sequence[Sequence[Cell]]
    hrefs: Sequence[str] = ()
    drawing: Mapping[str, Any] | None = None
    note: Any = ""
    size: Literal["normal", "wide", "tall"] = "normal"

    @property
    def table(self) -> list[dict[str, Any]]:
        """Return rows as the template needs them: cells with their kind, and the row's address."""
        hrefs = self.hrefs or [""] * len(self.rows)
        return [
            {
                "href": href,
                "cells": [
                    {"value": value, "kind": column.kind} for value, column in zip(row, self.columns, strict=True)
                ],
            }
            for row, href in zip(self.rows, hrefs, strict=True)
        ]


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """One run of values over the categories; `colour` is a token of tokens.css without the dashes ("life-new")."""

    name: Any
    values: Sequence[int | float | None]
    colour: str = ""
    hrefs: Sequence[str] = field(default=())


def draw_bars(
    categories: Sequence[Any], *series: Series, kind: CellKind = "number", lying: bool = False, stacked: bool = False
) -> dict[str, Any]:
    """Draw columns, or lying bars where the names are long; one colour a series."""
    return {"type": "bars", "lying": lying, "stacked": stacked, **_over(categories, series, kind=kind)}


def draw_points(
    categories: Sequence[Any], *series: Series, colours: Sequence[str], kind: CellKind = "number"
) -> dict[str, Any]:
    """Draw columns with a colour of its own for each category."""
    return {"type": "bars", "colours": list(colours), **_over(categories, series, kind=kind)}


def draw_lines(
    categories: Sequence[Any], *series: Series, kind: CellKind = "number", mark: int | None = None
) -> dict[str, Any]:
    """Draw lines over ordered categories; `mark` sets a vertical line at a category's index."""
    return {"type": "lines", "mark": mark, **_over(categories, series, kind=kind)}


def draw_heat(
    columns: Sequence[Any],
    rows: Sequence[Any],
    cells: Sequence[tuple[int, int, int | float | None, str]],
    *,
    kind: CellKind = "number",
    names: tuple[Any, Any] = ("", ""),
) -> dict[str, Any]:
    """Draw a grid; a cell is (column index, row index, value, address)."""
    return {
        "type": "heat", "x": _texts(columns), "y": _texts(rows), "cells": [list(cell) for cell in cells],
        "kind": kind, "names": _texts(names),
    }  # fmt: skip


def draw_map(
    columns: Sequence[Any],
    rows: Sequence[Any],
    cells: Sequence[tuple[int, int, int, int | float | None, str]],
    *,
    kind: CellKind,
    names: tuple[Any, Any],
    words: tuple[Any, Any],
) -> dict[str, Any]:
    """Draw a grid of squares: (column, row, size, colour value, address); `words` name size and colour value."""
    return {
        "type": "map", "x": _texts(columns), "y": _texts(rows), "cells": [list(cell) for cell in cells],
        "kind": kind, "names": _texts(names), "words": _texts(words),
    }  # fmt: skip


def draw_flow(
    nodes: Sequence[tuple[str, Any, str, int]], links: Sequence[tuple[str, str, int, str]], *, heads: Sequence[Any]
) -> dict[str, Any]:
    """Draw a Sankey: nodes are (id, label, colour token, depth), links (from, to, members, address)."""
    return {
        "type": "flow",
        "nodes": [[key, str(label), colour, depth] for key, label, colour, depth in nodes],
        "links": [list(link) for link in links],
        "heads": _texts(heads),
    }


def draw_curve(
    points: Sequence[tuple[float, float]],
    *,
    even: bool,
    names: tuple[Any, Any],
    marks: Sequence[tuple[float, float, Any]] = (),
) -> dict[str, Any]:
    """Draw a curve of shares (both axes 0-100 %), beside the line of an even split; marks are labelled points."""
    return {
        "type": "curve", "points": [list(point) for point in points], "even": even, "names": _texts(names),
        "marks": [[x, y, str(label)] for x, y, label in marks],
    }  # fmt: skip


def _over(categories: Sequence[Any], series: Sequence[Series], *, kind: CellKind) -> dict[str, Any]:
    return {
        "x": _texts(categories),
        "kind": kind,
        "series": [
            {"name": str(one.name), "values": list(one.values), "colour": one.colour, "hrefs": list(one.hrefs)}
            for one in series
        ],
    }


def _texts(values: Sequence[Any]) -> list[str]:
    return [str(value) for value in values]
