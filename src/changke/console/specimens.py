"""Made-up figures and a form for the page of components."""

from typing import Final

from django import forms
from django.utils.translation import gettext_lazy as _

from changke.ui.charts import Chart, Column, Series, draw_bars, draw_flow, draw_heat, draw_lines, draw_map, draw_points


class ExampleForm(forms.Form):
    name = forms.CharField(label=_("Name"), max_length=40, help_text=_("As it stands on the card."))
    kind = forms.ChoiceField(label=_("Kind"), choices=[("a", "A"), ("b", "B")])
    day = forms.DateField(label=_("Day"), required=False, widget=forms.DateInput(attrs={"type": "date"}))
    agreed = forms.BooleanField(label=_("Agreed"), required=False)


_MONTHS: Final = ("2026-06", "2026-07", "2026-08", "2026-09", "2026-10")
_CELLS: Final = [
    (f, r, 20 + (f * 7 + r * 13) % 90 * (1 + f * r), 3000 + 2500 * f * r, "") for f in range(5) for r in range(5)
]
_LIFE: Final = ("new", "returning", "active", "sleeping", "lost")

EXAMPLE_CHARTS: Final = [
    Chart(
        key="example-lines",
        subject=_("Sales by month"),
        finding=_("Sales rose in four of five months"),
        columns=[Column(label=_("Month"), kind="text"), Column(label=_("Sales"), kind="money")],
        rows=[[month, 100_000 * (3 + index)] for index, month in enumerate(_MONTHS)],
        drawing=draw_lines(
            _MONTHS, Series(name=_("Sales"), values=[100_000 * (3 + index) for index in range(5)]), kind="money"
        ),
        note=_("Made-up figures."),
    ),
    Chart(
        key="example-bars",
        subject=_("Members by class"),
        finding=_("Most members are active"),
        columns=[Column(label=_("Class"), kind="text"), Column(label=_("Members"))],
        rows=[[life, 100 * (index + 1)] for index, life in enumerate(_LIFE)],
        drawing=draw_points(
            _LIFE,
            Series(name=_("Members"), values=[100 * (index + 1) for index in range(5)]),
            colours=[f"life-{life}" for life in _LIFE],
        ),
    ),
    Chart(
        key="example-map",
        subject=_("RFM map"),
        finding=_("The best fifth spends most"),
        columns=[
            Column(label="R × F", kind="text"),
            Column(label=_("Members")),
            Column(label=_("Mean value"), kind="money"),
        ],
        rows=[[f"{r + 1}-{f + 1}", size, value] for f, r, size, value, _href in _CELLS],
        drawing=draw_map(
            "12345", "12345", _CELLS, kind="money", names=("F", "R"), words=(_("Members"), _("Mean value"))
        ),
    ),
    Chart(
        key="example-flow",
        subject=_("Movement between classes"),
        finding=_("One in five active members fell asleep"),
        columns=[Column(label=_("From"), kind="text"), Column(label=_("To"), kind="text"), Column(label=_("Members"))],
        rows=[["active", "active", 80], ["active", "sleeping", 20]],
        drawing=draw_flow(
            [
                ("a0", _("Active"), "life-active", 0),
                ("a1", _("Active"), "life-active", 1),
                ("s1", _("Sleeping"), "life-sleeping", 1),
            ],
            [("a0", "a1", 80, ""), ("a0", "s1", 20, "")],
            heads=("2026-09", "2026-10"),
        ),
    ),
    Chart(
        key="example-heat",
        subject=_("Cohorts"),
        finding=_("Half of them come back in the next month"),
        columns=[Column(label=_("Month"), kind="text"), Column(label=_("Back"), kind="share")],
        rows=[[month, 500_000] for month in _MONTHS],
        drawing=draw_heat(
            range(5), _MONTHS, [(x, y, 900_000 // (x + 1), "") for y in range(5) for x in range(5 - y)], kind="share"
        ),
    ),
    Chart(
        key="example-lying",
        subject=_("Top categories"),
        finding=_("Tea leads"),
        columns=[Column(label=_("Category"), kind="text"), Column(label=_("Sales"), kind="money")],
        rows=[["茶饮", 500_000], ["面", 300_000]],
        drawing=draw_bars(["茶饮", "面"], Series(name=_("Sales"), values=[500_000, 300_000]), kind="money", lying=True),
    ),
]
