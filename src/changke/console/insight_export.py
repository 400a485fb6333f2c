"""The table behind a chart as a file: CSV for every program, Excel with real numbers."""

import io
from collections.abc import Sequence
from decimal import Decimal

from django.http import Http404, HttpRequest, HttpResponse

from changke.gateways.sheets import CSV_TYPE, XLSX_TYPE, write_csv, write_xlsx
from changke.kernel.money import Currency, to_major
from changke.rules.staff import Permission, require
from changke.ui.charts import Cell, Chart, Column


def answer_export(request: HttpRequest, charts: Sequence[Chart], *, unit: Currency) -> HttpResponse | None:
    """Answer ?export=KEY&as=csv|xlsx with the file; None where the page was asked for. 404 for an unknown chart."""
    key = request.GET.get("export")
    if not key:
        return None
    require(request.viewer, permission=Permission.EXPORT_DATA)  # type: ignore[attr-defined]
    chart = next((one for one in charts if one.key == key), None)
    if chart is None:
        raise Http404
    kind = "xlsx" if request.GET.get("as") == "xlsx" else "csv"
    return HttpResponse(
        write_file(chart, kind=kind, unit=unit),
        content_type=XLSX_TYPE if kind == "xlsx" else CSV_TYPE,
        headers={"Content-Disposition": f'attachment; filename="{chart.key}.{kind}"'},
    )


def write_file(chart: Chart, *, kind: str, unit: Currency) -> bytes:
    """Return a chart's table as a file of that kind."""
    header = [str(column.label) for column in chart.columns]
    rows = [
        [plain(cell, column=column, unit=unit) for cell, column in zip(row, chart.columns, strict=True)]
        for row in chart.rows
    ]
    if kind == "xlsx":
        book = io.BytesIO()
        write_xlsx(book, header=header, rows=rows, title=chart.key)
        return book.getvalue()
    text = io.StringIO(newline="")
    write_csv(text, header=header, rows=rows)
    return text.getvalue().encode()


def plain(cell: Cell, *, column: Column, unit: Currency) -> str | int | Decimal | None:
    """Return a cell in the units people reckon in: money in major units, shares of one, pieces."""
    if cell is None or isinstance(cell, str):
        return cell
    match column.kind:
        case "money":
            return to_major(int(cell), unit=unit)
        case "share":
            return Decimal(int(cell)) / 1_000_000
        case "decimal":
            return Decimal(int(cell)) / 1_000
        case "number":
            return int(cell)
        case _:
            return str(cell)
