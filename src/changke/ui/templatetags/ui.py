"""Tags and filters of every page: `{% load ui %}`."""

from collections.abc import Callable, Sequence
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from typing import Any

from django import template
from django.http import HttpRequest
from django.template import Context
from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import get_language, gettext

from changke.kernel.money import currency, format_money
from changke.rules.staff import Permission
from changke.ui import words
from changke.ui.charts import Chart
from changke.ui.figures import Figure, Pages

register = template.Library()
NOTHING = "–"


@register.simple_tag(takes_context=True)
def money(context: Context, amount_minor: int | None) -> str:
    """Write minor units in the company's currency: {% money row.net_minor %}."""
    return money_in(amount_minor, _currency_code(context))


@register.filter
def money_in(amount_minor: int | None, code: str) -> str:
    """Write minor units in a named currency: {{ amount|money_in:"GBP" }}."""
    return NOTHING if amount_minor is None else format_money(int(amount_minor), unit=currency(code))


@register.filter
def number(value: Any) -> str:
    """Write a number with thousands separators; an absent one as a dash."""
    if value is None or value == "":
        return NOTHING
    return f"{value:,}"


@register.filter
def quantity(milli: int | None) -> str:
    """Write thousandths as people read them: 1500 -> 1.5."""
    if milli is None:
        return NOTHING
    return f"{Decimal(int(milli)) / 1000:,.3f}".rstrip("0").rstrip(".")


@register.filter
def share(ppm: int | None) -> str:
    """Write millionths as percent with one decimal: 321500 -> 32.2 %."""
    return NOTHING if ppm is None else f"{Decimal(int(ppm)) / 10_000:,.1f} %"


@register.filter
def share_of(part: int | None, whole: int | None) -> str:
    """Write a part of a whole as percent."""
    return NOTHING if part is None or not whole else share(part * 1_000_000 // whole)


@register.filter
def day(value: date | datetime | None) -> str:
    """Write a day as 2026-11-22."""
    if value is None:
        return NOTHING
    return (timezone.localtime(value) if isinstance(value, datetime) else value).strftime("%Y-%m-%d")


@register.filter
def moment(value: datetime | None) -> str:
    """Write a moment in local time as 2026-11-22 14:05."""
    return NOTHING if value is None else timezone.localtime(value).strftime("%Y-%m-%d %H:%M")


@register.filter
def mask_phone(value: str | None) -> str:
    """Hide the middle of a phone number, E.164 or local: 138****1234."""
    if not value:
        return NOTHING
    local = value.removeprefix("+86")
    keep = 3 if len(local) >= 9 else 1
    return local[:keep] + "*" * max(1, len(local) - keep - 4) + local[-4:]


@register.filter
def word(value: Any, kind: str = "") -> Any:
    """Return the word for an enum member, or for a stored value of the enum named `kind`."""
    if value is None or value == "":
        return NOTHING
    return words.label(value) if isinstance(value, Enum) and not kind else words.word(str(value), kind=kind)


@register.filter
def local_name(row: Any) -> str:
    """Return the name of a row in the user's language: name_en where it has one and the page is not Chinese."""
    english = "" if (get_language() or "").startswith("zh") else getattr(row, "name_en", "")
    return str(english or row.name)


@register.filter
def change(figure: Figure) -> str:
    """Write the change of a figure: +4.2 %, of a share in points: +1.3 pp."""
    ppm = figure.change_ppm
    if ppm is None:
        return ""
    return f"{Decimal(ppm) / 10_000:+,.1f} {gettext('pp') if figure.kind == 'share' else '%'}"


@register.simple_tag
def icon(name: str) -> SafeString:
    """Draw a bundled Material symbol; it says nothing to a screen reader."""
    return format_html(
        '<span class="material-symbols-outlined ck-icon" aria-hidden="true" translate="no">{}</span>', name
    )


@register.simple_tag
def badge(kind: str, value: Any) -> SafeString:
    """Draw a badge in its fixed colour; kinds: life, stage, tier, layer, cell, state."""
    if value is None or value == "":
        return format_html('<span class="ck-muted">{}</span>', NOTHING)
    if kind == "cell":
        text = "-".join(str(value))
        return format_html('<span class="ck-badge ck-cell ck-score-{}">{}</span>', str(value)[0], text)
    names = {"life": "LifeClass", "stage": "Stage", "tier": "Tier", "layer": "ValueLayer", "state": "JobState"}
    text = words.word(str(value), kind=names[kind])
    return format_html('<span class="ck-badge ck-{}-{}">{}</span>', kind, value, text)


@register.simple_tag
def sparkline(values: Sequence[int | None]) -> SafeString:
    """Draw a small line as SVG, 120 x 28; it only repeats what the figure says, so screen readers skip it."""
    known = [value for value in values if value is not None]
    if len(known) < 2:
        return SafeString("")
    low, high = min(known), max(known)
    height = (high - low) or 1
    step = 120 / (len(values) - 1)
    points = [
        f"{index * step:.1f},{26 - (value - low) * 24 / height:.1f}"
        for index, value in enumerate(values)
        if value is not None
    ]
    return format_html(
        '<svg class="ck-spark" viewBox="0 0 120 28" preserveAspectRatio="none" aria-hidden="true" focusable="false">'
        '<polygon points="{} {} {}"/><polyline points="{}"/></svg>',
        points[0].split(",")[0] + ",28",
        " ".join(points),
        points[-1].split(",")[0] + ",28",
        " ".join(points),
    )


@register.simple_tag(takes_context=True)
def query(context: Context, **changes: Any) -> str:
    """Return the page's query string with some parameters changed; None or "" drops one: {% query page=2 %}."""
    request: HttpRequest = context["request"]
    parameters = request.GET.copy()
    for name, value in changes.items():
        parameters.pop(name, None)
        if value not in (None, ""):
            parameters[name] = str(value)
    return "?" + parameters.urlencode()


@register.inclusion_tag("ui/components/sort_header.html", takes_context=True)
def sort_header(context: Context, key: str, label: Any, kind: str = "text") -> dict[str, Any]:
    """Draw a sortable <th>; the page reads ?sort=key or ?sort=-key. `kind`: "text" or "number" (set right)."""
    request: HttpRequest = context["request"]
    current = request.GET.get("sort") or str(context.get("sort") or "")
    direction = {key: "ascending", f"-{key}": "descending"}.get(current, "")
    first = f"-{key}" if kind == "number" else key
    other = key if first.startswith("-") else f"-{key}"
    following = other if current == first else first
    return {
        "label": label, "kind": kind, "direction": direction, "href": query(context, sort=following, page=None),
    }  # fmt: skip


@register.inclusion_tag("ui/components/pager.html", takes_context=True)
def pager(context: Context, pages: Pages) -> dict[str, Any]:
    """Draw "1-50 of 1,234" with links to the neighbours; the page reads ?page=."""
    return {
        "pages": pages,
        "before": query(context, page=pages.number - 1) if pages.number > 1 else "",
        "after": query(context, page=pages.number + 1) if pages.number < pages.last else "",
    }


@register.inclusion_tag("ui/components/field.html")
def field(bound: Any) -> dict[str, Any]:
    """Draw a form field: label, control, help, and its errors beside it."""
    return {"field": bound, "type": getattr(bound.field.widget, "input_type", "")}


@register.inclusion_tag("ui/components/figure.html", takes_context=True)
def figure(context: Context, of: Figure) -> dict[str, Any]:
    """Draw a key figure with its comparison and sparkline."""
    if of.kind == "money":
        text = money(context, of.value)
    elif of.kind == "share":
        text = share(of.value)
    else:
        text = number(of.value)
    return {"figure": of, "text": text}


@register.inclusion_tag("ui/components/chart.html", takes_context=True)
def chart(context: Context, of: Chart) -> dict[str, Any]:
    """Draw a chart with its finding, table view and exports; the page answers ?export=KEY&as=csv|xlsx."""
    viewer = context.get("viewer")
    unit = currency(_currency_code(context))
    return {
        "chart": of,
        "company": context.get("company"),
        "may_export": viewer is not None and viewer.may(Permission.EXPORT_DATA),
        "csv_href": query(context, export=of.key, **{"as": "csv"}),
        "xlsx_href": query(context, export=of.key, **{"as": "xlsx"}),
        "drawing": of.drawing and {**of.drawing, "money": {"symbol": unit.symbol, "exponent": unit.exponent}},
        "data_id": f"{of.key}-data",
        "texts": ("text", "day"),
    }


@register.simple_tag(takes_context=True)
def cell_text(context: Context, cell: dict[str, Any]) -> str:
    """Write one cell of a chart's table by its kind."""
    value, kind = cell["value"], cell["kind"]
    if value is None:
        return NOTHING
    writers: dict[str, Callable[[Any], str]] = {
        "money": lambda minor: money(context, minor), "share": share, "number": number, "decimal": quantity,
    }  # fmt: skip
    return writers.get(kind, str)(value)


def _currency_code(context: Context) -> str:
    return getattr(context.get("company"), "currency", None) or "CNY"


@register.filter
def words_of(text: str) -> list[str]:
    """Split a text at its spaces: a list written in a template."""
    return text.split()


@register.simple_tag
def member_link(public_id: str, name: str, code: str) -> SafeString:
    """Link to a member's page under the name, or under the code where the name is unknown."""
    try:
        href = reverse("member", kwargs={"public_id": public_id})
    except NoReverseMatch:
        return format_html("{}", name or code)
    return format_html('<a href="{}">{}</a>', href, name or code)
