"""Who the members are: age, gender, region, spending power, and how they came to be members."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from django.http import HttpRequest, HttpResponse
from django.urls import path
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from changke.console.insight_page import part_of, show_charts
from changke.console.insight_sight import Sight, with_sight
from changke.queries.insight import name_regions
from changke.queries.insight_pages import InsightPage
from changke.rules.reports.loyalty import GroupBy, GroupRow
from changke.rules.segments import FIELDS, Choice, Number, Tree, Unit, Unknown
from changke.ui.charts import Chart, Column, Series, draw_bars
from changke.ui.templatetags.ui import local_name, share
from changke.ui.words import word

ORDERS: Final[Mapping[GroupBy, Sequence[str]]] = {GroupBy.AGE_BAND: FIELDS["age_band"].choices}
Name = Callable[[str | int | None], str]


@with_sight(gettext_lazy("People"), page=InsightPage.PEOPLE)
def show_people(request: HttpRequest, sight: Sight, found: Mapping[GroupBy, Sequence[GroupRow]]) -> HttpResponse:
    """Show the members by what is known of them."""
    regions = name_regions()
    names: dict[GroupBy, tuple[str, str, Name]] = {
        GroupBy.AGE_BAND: (
            "ages",
            _("Age"),
            lambda key: (
                _("unknown")
                if key in (None, "unknown")
                else str(key).replace("<=", "≤ ").replace(">", "> ").replace("-", "–")
            ),
        ),
        GroupBy.GENDER: ("genders", _("Gender"), lambda key: str(word(str(key), kind="Gender"))),
        GroupBy.REGION: (
            "regions",
            _("Region"),
            lambda key: local_name(regions[key]) if key in regions else _("unknown"),
        ),
        GroupBy.SPENDING_POWER: (
            "power",
            _("Spending power"),
            lambda key: _("none yet") if key is None else _("level %(level)s") % {"level": key},
        ),
        GroupBy.SOURCE_CHANNEL: ("sources", _("Joined by"), lambda key: str(word(str(key), kind="SourceChannel"))),
    }
    charts = [group_chart(by, rows, sight=sight, names=names[by]) for by, rows in found.items()]
    return show_charts(request, sight, charts, title=_("People"), has_days="days")


def group_chart(by: GroupBy, rows: Sequence[GroupRow], *, sight: Sight, names: tuple[str, str, Name]) -> Chart:
    """Return one field's groups: their share of the members beside their share of the sales."""
    key, subject, name = names
    shown = in_meaning(by, rows)
    labels = [name(row.key) for row in shown]
    hrefs = [sight.href(condition(by, row.key)) for row in shown]
    members, sales = sum(row.members for row in shown), sum(row.sales_minor for row in shown)
    known = [row for row in shown if row.key not in (None, "unknown")]
    strong = max(
        (row for row in known if row.members * 50 >= members),
        key=lambda row: part_of(row.sales_minor, sales) - part_of(row.members, members),
        default=None,
    )
    finding = (
        _("%(name)s stands out: %(members)s of the members bring %(sales)s of the sales")
        % {
            "name": name(strong.key),
            "sales": share(part_of(strong.sales_minor, sales)),
            "members": share(part_of(strong.members, members)),
        }
        if strong is not None and sales > 0
        else _("Nothing is known yet")
    )
    return Chart(
        key=key,
        subject=subject,
        finding=finding,
        columns=[
            Column(label=subject, kind="text"),
            Column(label=_("Members")),
            Column(label=_("Bought in the period")),
            Column(label=_("Sales"), kind="money"),
            Column(label=_("Share of sales"), kind="share"),
            Column(label=_("Average ticket"), kind="money"),
            Column(label=_("Sales a buyer"), kind="money"),
        ],
        rows=[
            [
                label,
                row.members,
                row.buyers,
                row.sales_minor,
                part_of(row.sales_minor, sales),
                row.mean_ticket_minor,
                row.sales_per_buyer_minor,
            ]
            for row, label in zip(shown, labels, strict=True)
        ],
        hrefs=hrefs,
        drawing=draw_bars(
            labels,
            Series(name=_("Share of members"), values=[part_of(row.members, members) for row in shown], hrefs=hrefs),
            Series(name=_("Share of sales"), values=[part_of(row.sales_minor, sales) for row in shown], hrefs=hrefs),
            kind="share",
        )
        if known
        else None,
        note=_("Spending power: fifths of the average ticket, 5 is highest.") if by is GroupBy.SPENDING_POWER else "",
        size="wide" if by is GroupBy.AGE_BAND else "normal",
    )


def in_meaning(by: GroupBy, rows: Sequence[GroupRow]) -> list[GroupRow]:
    """Return groups in the order a reader expects: bands by age, scores by size, other words by members."""
    if by in ORDERS:
        place = {value: index for index, value in enumerate(ORDERS[by])}
        return sorted(rows, key=lambda row: place.get(str(row.key), len(place)))
    if by is GroupBy.SPENDING_POWER:
        return list(rows)
    return sorted(rows, key=lambda row: (row.key in (None, "unknown"), -row.members))


def condition(by: GroupBy, key: str | int | None) -> Tree:
    """Return the condition that a group's members meet."""
    field = by.value
    if key is None:
        return Unknown(field=field)
    if isinstance(key, int) and FIELDS[field].unit is Unit.SCORE:
        return Number(field=field, low=key, high=key)
    values: Any = (key,)
    return Choice(field=field, values=values)


urlpatterns = [path("insight/people", show_people, name="insight_people")]
