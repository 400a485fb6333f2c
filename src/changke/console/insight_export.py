"""The table behind a chart as a file: CSV for every program, Excel with real numbers."""

import csv
import io
from collections.abc import Sequence
from decimal import Decimal

import xlsxwriter
from django.http import Http404, HttpRequest, HttpResponse

from changke.kernel.money import Currency, to_major
from changke.rules.staff import Permission, require
from changke.ui.charts import Cell, Chart, Column

DANGEROUS = ("=", "+", "-", "@", "\t", "\r")  # a cell that begins so would be run as a formula


def answer_export(request: HttpRequest, charts: Sequence[Chart], *, unit: Currency) -> HttpResponse | None:
    """Answer ?export=KEY&as=csv|xlsx with the file; None where the page was asked for. 404 for an unknown chart."""
    key = request.GET.get("export")
    if not key:
        return None
    require(request.viewer, permission=Permission.EXPORT_DATA)  # type: ignore[attr-defined]
    chart = next((one for one in charts if one.key == key), None)
    if chart is None:
        raise Http404
    if request.GET.get("as") == "xlsx":
        kind = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
        content, ending = write_xlsx(chart, unit=unit), "xlsx"
    else:
        kind, content, ending = "text/csv; charset=utf-8", write_csv(chart, unit=unit), "csv"
    headers = {"Content-Disposition": f'attachment; filename="{chart.key}.{ending}"'}
    return HttpResponse(content, content_type=kind, headers=headers)


def write_csv(chart: Chart, *, unit: Currency) -> bytes:
    """Return a chart's table as UTF-8 with a mark that Excel knows it by."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow([harmless(str(column.label)) for column in chart.columns])
    for row in chart.rows:
        cells = [plain(cell, column=column, unit=unit) for cell, column in zip(row, chart.columns, strict=True)]
        writer.writerow([harmless(cell) if isinstance(cell, str) else cell for cell in cells])
    return text.getvalue().encode("utf-8-sig")


def write_xlsx(chart: Chart, *, unit: Currency) -> bytes:
    """Return a chart's table as a workbook whose numbers are numbers; text is never taken for a formula."""
    buffer = io.BytesIO()
    with xlsxwriter.Workbook(buffer, {"in_memory": True, "strings_to_formulas": False}) as book:
        bold, share = book.add_format({"bold": True}), book.add_format({"num_format": "0.0%"})
        money = book.add_format({"num_format": "#,##0." + "0" * unit.exponent if unit.exponent else "#,##0"})
        sheet = book.add_worksheet(chart.key[:31])
        sheet.freeze_panes(1, 0)
        for place, column in enumerate(chart.columns):
            sheet.write_string(0, place, str(column.label), bold)
            sheet.set_column(place, place, 24 if column.kind == "text" else 14)
            for number, row in enumerate(chart.rows, start=1):
                value = plain(row[place], column=column, unit=unit)
                if isinstance(value, str):
                    sheet.write_string(number, place, value)
                elif value is not None:
                    sheet.write_number(number, place, value, {"share": share, "money": money}.get(column.kind))
    return buffer.getvalue()


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


def harmless(text: str) -> str:
    """Return text that no spreadsheet takes for a formula."""
    return "'" + text if text.startswith(DANGEROUS) else text
