"""The RFM map: who came lately, often and for much, as a grid; behind every cell its members."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.http import HttpRequest, HttpResponse
from django.urls import path
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from changke.console.insight_page import part_of, show_charts
from changke.console.insight_sight import Sight, with_sight
from changke.insight.maps import CellFigures
from changke.queries.insight_pages import InsightPage, RfmFigures
from changke.rules.reports.scope import mean
from changke.rules.rfm import SHIPPED_CELL_RULES, RfmMethod, RfmScore, name_cell
from changke.rules.segments import Choice, Flag, Tree
from changke.ui.charts import Chart, Column, Series, draw_bars, draw_map
from changke.ui.figures import Tab
from changke.ui.templatetags.ui import number, share
from changke.ui.words import word

AXES: Final = {"rf": ("r", "f"), "rm": ("r", "m"), "fm": ("f", "m")}
ONCE: Final = 0  # the column of those who bought exactly once


@dataclass(frozen=True, slots=True, kw_only=True)
class MapChoice:
    """Which two scores span the map, and which value of the third it shows (None = all)."""

    rows: str
    columns: str
    third: str
    third_score: int | None


def read_choice(request: HttpRequest) -> MapChoice:
    """Read ?axes=rf|rm|fm and ?third=1..5."""
    rows, columns = AXES.get(request.GET.get("axes", "rf"), AXES["rf"])
    (third,) = {"r", "f", "m"} - {rows, columns}
    typed = request.GET.get("third", "")
    return MapChoice(rows=rows, columns=columns, third=third, third_score=int(typed) if typed in set("12345") else None)


@with_sight(gettext_lazy("RFM map"), page=InsightPage.RFM)
def show_map(request: HttpRequest, sight: Sight, found: RfmFigures) -> HttpResponse:
    """Show the map of the present scores."""
    choice = read_choice(request)
    charts = [map_chart(found.cells, choice=choice, href=sight.href), rule_chart(found.cells, href=sight.href)]
    context = {
        "axes": axes_tabs(request, choice),
        "thirds": third_tabs(request, choice),
        "third": choice.third.upper(),
        "found": found,
        "ties": ties_of(found),
        "once": once_of(found.cells, sight=sight),
    }
    return show_charts(
        request, sight, charts, title=_("RFM map"), template="console/insight/rfm.html", context=context,
        lead=_("R: days since the last purchase. F: how often. M: for how much. Each scored 1 to 5, 5 is best."),
    )  # fmt: skip


def map_chart(cells: Sequence[CellFigures], *, choice: MapChoice, href: Callable[..., str]) -> Chart:
    """Return the grid: a square's size is its members, its colour their mean value; `href` leads to members."""
    members, spent = by_place(cells, choice=choice)
    columns = [*([ONCE] if choice.columns == "f" else []), 1, 2, 3, 4, 5]
    places = sorted(members, reverse=True)
    hrefs = {place: href(*conditions(place, choice)) for place in places}
    best = [place for place in places if place[0] >= 4 and place[1] >= 4]
    total_members, total_spent = sum(members.values()), sum(spent.values())
    names = (choice.columns.upper(), choice.rows.upper())
    return Chart(
        key="rfm-map",
        subject=_("%(rows)s by %(columns)s") % {"rows": names[1], "columns": names[0]},
        finding=_("The cells of 4 and 5 hold %(members)s of the scored members and bring %(sales)s of their spend")
        % {
            "members": share(part_of(sum(members[place] for place in best), total_members)),
            "sales": share(part_of(sum(spent[place] for place in best), total_spent)),
        },
        columns=[
            Column(label=f"{names[1]}-{names[0]}", kind="text"),
            Column(label=_("Members")),
            Column(label=_("Share of members"), kind="share"),
            Column(label=_("Mean value"), kind="money"),
            Column(label=_("Share of spend"), kind="share"),
        ],
        rows=[
            [
                f"{place[0]}-{column_name(place[1])}",
                members[place],
                part_of(members[place], total_members),
                mean(spent[place], members[place]),
                part_of(spent[place], total_spent),
            ]
            for place in places
        ],
        hrefs=[hrefs[place] for place in places],
        drawing=draw_map(
            [column_name(column) for column in columns],
            range(1, 6),
            [
                (
                    columns.index(place[1]),
                    place[0] - 1,
                    members[place],
                    mean(spent[place], members[place]),
                    hrefs[place],
                )
                for place in places
            ],
            kind="money",
            names=names,
            words=(_("Members"), _("Mean value")),
        ),
        note=_("Size: members. Colour: their mean spend, darker is more. A click opens the members of the cell."),
        size="tall",
    )


def by_place(
    cells: Sequence[CellFigures], *, choice: MapChoice
) -> tuple[Counter[tuple[int, int]], Counter[tuple[int, int]]]:
    """Return members and money of each (row, column) of the map."""
    members: Counter[tuple[int, int]] = Counter()
    spent: Counter[tuple[int, int]] = Counter()
    for cell in cells:
        if choice.third_score in (None, getattr(cell, choice.third)):
            place = (getattr(cell, choice.rows), column_of(cell, choice))
            members[place] += cell.members
            spent[place] += cell.net_minor
    return members, spent


def column_of(cell: CellFigures, choice: MapChoice) -> int:
    """Return the column of a cell: one-time buyers stand apart from F = 1, whose answers they would blur."""
    return ONCE if choice.columns == "f" and cell.bought_once else int(getattr(cell, choice.columns))


def column_name(column: int) -> str:
    return _("once") if column == ONCE else str(column)


def conditions(place: tuple[int, int], choice: MapChoice) -> list[Tree]:
    """Return the conditions of a square."""
    row, column = place
    parts: list[Tree] = [Choice(field=f"{choice.rows}_score", values=(row,))]
    if column != ONCE:
        parts.append(Choice(field=f"{choice.columns}_score", values=(column,)))
    if choice.columns == "f":
        parts.append(Flag(field="bought_once", value=column == ONCE))
    if choice.third_score is not None:
        parts.append(Choice(field=f"{choice.third}_score", values=(choice.third_score,)))
    return parts


def rule_chart(cells: Sequence[CellFigures], *, href: Callable[..., str]) -> Chart:
    """Return the members under each named rule on cells."""
    members: Counter[str] = Counter()
    spent: Counter[str] = Counter()
    scores: dict[str, set[int]] = {}
    for cell in cells:
        score = RfmScore(member_id=0, r=cell.r, f=cell.f, m=cell.m)
        name = name_cell(score) or ""
        members[name] += cell.members
        spent[name] += cell.net_minor
        scores.setdefault(name, set()).add(score.cell)
    names = [rule.name for rule in SHIPPED_CELL_RULES if members[rule.name]]
    labels = [str(word(name, kind="CellRule")) for name in names]
    total, total_spent = sum(members.values()), sum(spent.values())
    wake = members["win_back_first"]
    hrefs = [href(Choice(field="rfm_cell", values=tuple(sorted(scores[name])))) for name in names]
    return Chart(
        key="rfm-rules",
        subject=_("What to do with whom"),
        finding=_("%(count)s good customers have gone quiet: win them back first") % {"count": number(wake)}
        if wake
        else _("No good customer has gone quiet"),
        columns=[
            Column(label=_("Rule"), kind="text"),
            Column(label=_("Members")),
            Column(label=_("Share of members"), kind="share"),
            Column(label=_("Spend"), kind="money"),
            Column(label=_("Share of spend"), kind="share"),
        ],
        rows=[
            [label, members[name], part_of(members[name], total), spent[name], part_of(spent[name], total_spent)]
            for name, label in zip(names, labels, strict=True)
        ],
        hrefs=hrefs,
        drawing=draw_bars(
            labels, Series(name=_("Members"), values=[members[name] for name in names], hrefs=hrefs), lying=True
        ),
        note=_("The first rule that fits a cell names it; together the rules name all 125 cells."),
        size="tall",
    )


def ties_of(found: RfmFigures) -> dict[str, str] | None:
    """Return how many members strict fifths split from an equal; None where the method splits nobody."""
    if found.settings.method is not RfmMethod.STRICT:
        return None
    return {name: number(count) for name, count in found.split.items()}


def once_of(cells: Sequence[CellFigures], *, sight: Sight) -> dict[str, Any]:
    """Return the one-time buyers: they mix new members into F = 1."""
    count = sum(cell.members for cell in cells if cell.bought_once)
    whole = sum(cell.members for cell in cells)
    return {
        "count": number(count),
        "share": share(part_of(count, whole)),
        "href": sight.href(Flag(field="bought_once", value=True)),
    }


def axes_tabs(request: HttpRequest, choice: MapChoice) -> list[Tab]:
    now = choice.rows + choice.columns
    return [
        Tab(
            label=f"{key[0].upper()} × {key[1].upper()}",
            href=with_query(request, axes=key, third=""),
            is_current=key == now,
        )
        for key in AXES
    ]


def third_tabs(request: HttpRequest, choice: MapChoice) -> list[Tab]:
    every = Tab(label=_("All"), href=with_query(request, third=""), is_current=choice.third_score is None)
    return [every] + [
        Tab(label=str(score), href=with_query(request, third=str(score)), is_current=choice.third_score == score)
        for score in range(5, 0, -1)
    ]


def with_query(request: HttpRequest, **changes: str) -> str:
    """Return this page's address with some parameters changed."""
    parameters = request.GET.copy()
    for name, value in changes.items():
        parameters[name] = value
    return "?" + parameters.urlencode()


urlpatterns = [path("insight/rfm", show_map, name="insight_rfm")]
