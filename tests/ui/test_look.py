"""What pages are drawn with: one map of colours, a word for every enum, texts and shapes of the components."""

import json
import re
from datetime import date
from enum import StrEnum
from pathlib import Path

import pytest
from django.http import HttpRequest
from django.template import Context, Template
from django.test import RequestFactory
from django.utils.translation import override

import changke.ui
from changke.rules import birthdays, groups, lifecycle, members, rfm, sales, schedules, staff, stores
from changke.ui import colours
from changke.ui.charts import Chart, Column, Series, draw_bars, draw_curve, draw_flow, draw_heat, draw_lines, draw_map
from changke.ui.figures import Figure, Pages, Progress
from changke.ui.templatetags.ui import change, day, mask_phone, money_in, quantity, share, share_of, sparkline
from changke.ui.words import WORDS, label, word

STATIC = Path(changke.ui.__file__).parent / "static" / "ui"
TOKENS = dict(
    re.findall(r"--([a-z0-9-]+): (#[0-9a-f]{6});", (STATIC / "tokens.css").read_text().split(":root.dark")[0])
)
SHOWN = (
    staff.Role, members.MemberStatus, members.Gender, members.BirthCalendar, birthdays.LeapRule, members.CardStatus,
    members.ConsentChannel, members.ConsentPurpose, members.SourceChannel, sales.SaleKind, sales.TenderKind,
    stores.Ownership, lifecycle.LifeClass, lifecycle.Stage, lifecycle.VisitCount, lifecycle.AtExpected,
    lifecycle.NewMeans, lifecycle.Combine, rfm.RfmMethod, rfm.FrequencyMeasure, rfm.MonetaryMeasure, rfm.Population,
    groups.ValueLayer, schedules.RunOrigin,
)  # fmt: skip


@pytest.mark.parametrize(
    ("prefix", "fixed"),
    [("life", colours.LIFE), ("stage", colours.STAGES), ("tier", colours.TIERS), ("score", colours.SCORES)],
)
def test_the_style_sheet_names_the_colours_of_the_map(prefix: str, fixed: dict[str | int, str]) -> None:
    assert {f"{prefix}-{name}": colour for name, colour in fixed.items()} == {
        name: colour for name, colour in TOKENS.items() if name.startswith(f"{prefix}-")
    }
    assert tuple(TOKENS[f"series-{place}"] for place in range(1, 7)) == colours.SERIES


def test_every_class_and_stage_has_its_colour() -> None:
    assert set(colours.LIFE) == set(lifecycle.LifeClass)
    assert set(colours.STAGES) == set(lifecycle.Stage)


@pytest.mark.parametrize("enum", SHOWN, ids=lambda enum: enum.__name__)
def test_every_enum_that_is_shown_has_its_words(enum: type[StrEnum]) -> None:
    assert set(WORDS[enum.__name__]) == {member.value for member in enum}
    with override("zh-hans"):
        assert all(str(label(member)) for member in enum)


def test_the_same_value_of_two_enums_keeps_two_words() -> None:
    assert word("lost", kind="CardStatus") != word("lost", kind="LifeClass")
    assert word("anything", kind="NoSuchEnum") == "anything"


def test_every_named_rule_on_cells_has_its_word() -> None:
    assert set(WORDS["CellRule"]) == {rule.name for rule in rfm.SHIPPED_CELL_RULES}


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        (money_in(123450, "CNY"), "¥1,234.50"),
        (money_in(-300, "GBP"), "-£3.00"),
        (money_in(None, "CNY"), "–"),
        (share(321_500), "32.2 %"),
        (share(None), "–"),
        (share_of(1, 3), "33.3 %"),
        (share_of(1, 0), "–"),
        (quantity(1500), "1.5"),
        (quantity(10_000), "10"),
        (mask_phone("+8613800001234"), "138****1234"),
        (mask_phone(""), "–"),
        (day(date(2026, 11, 22)), "2026-11-22"),
    ],
)
def test_figures_are_written_as_people_read_them(written: str, expected: str) -> None:
    assert written == expected


def test_a_figure_is_compared_with_the_period_before() -> None:
    assert change(Figure(label="", value=110, before=100)) == "+10.0 %"
    with override("en"):
        assert change(Figure(label="", value=300_000, before=320_000, kind="share")) == "-2.0 pp"
    assert change(Figure(label="", value=5, before=0)) == ""
    assert Figure(label="", value=90, before=100).mood == "bad"
    assert Figure(label="", value=90, before=100, rise_is="bad").mood == "good"
    assert Figure(label="", value=100, before=100).mood == "flat"


def test_pages_and_progress_count_right() -> None:
    assert (Pages(number=3, size=50, total=120).first_row, Pages(number=3, size=50, total=120).last_row) == (101, 120)
    assert Pages(number=1, size=50, total=0).last == 1
    assert Progress(label="", done=1, total=3).percent == 33
    assert Progress(label="", done=1).percent is None


def test_a_sparkline_needs_two_points() -> None:
    assert sparkline([1]) == ""
    assert str(sparkline([1, None, 3])).count("<polyline") == 1


def request_for(path: str) -> HttpRequest:
    return RequestFactory().get(path)


def test_links_of_a_list_keep_the_other_parameters() -> None:
    context = Context({"request": request_for("/x?q=li&page=3&sort=name")})
    page = Template("{% load ui %}{% query page=4 %} {% sort_header 'name' 'Name' %}").render(context)
    assert "?q=li&amp;sort=name&amp;page=4" in page
    assert 'aria-sort="ascending"' in page and "sort=-name" in page and "page=3&amp;sort=-name" not in page


CHART = Chart(
    key="k",
    subject="s",
    finding="f",
    columns=[Column(label="a", kind="text"), Column(label="b", kind="money"), Column(label="c", kind="share")],
    rows=[["x", 1234, None]],
    hrefs=["/there"],
    drawing=draw_bars(["x"], Series(name="b", values=[1234], hrefs=["/there"]), kind="money"),
)


def test_a_chart_has_its_finding_its_table_and_its_data() -> None:
    context = Context({"request": request_for("/x?span=90"), "of": CHART})
    page = Template("{% load ui %}{% chart of %}").render(context)
    assert '<h2 id="k-finding">f</h2>' in page and '<a href="/there">x</a>' in page and "¥12.34" in page
    assert "export=k" not in page  # who may not export is offered none
    data = json.loads(page.split('id="k-data" type="application/json">')[1].split("</script>")[0])
    assert data["money"] == {"symbol": "¥", "exponent": 2} and data["series"][0]["values"] == [1234]


def test_a_row_that_does_not_fit_its_columns_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="zip"):
        Chart(key="k", subject="", finding="", columns=[Column(label="a")], rows=[[1, 2]]).table  # noqa: B018


def test_every_drawing_can_be_handed_to_the_browser() -> None:
    drawings = (
        draw_lines(["a"], Series(name="n", values=[None]), mark=0),
        draw_heat(["a"], ["b"], [(0, 0, None, "")]),
        draw_map(["a"], ["b"], [(0, 0, 3, 4, "/x")], kind="money", names=("F", "R"), words=("m", "v")),
        draw_flow([("a", "A", "life-new", 0)], [("a", "a", 1, "")], heads=["h"]),
        draw_curve([(0, 0), (100, 100)], even=True, names=("x", "y"), marks=[(20, 60, "60 %")]),
    )
    drawers = set(re.findall(r"const makers = \{ ([a-z, ]+) \};", (STATIC / "charts.js").read_text())[0].split(", "))
    assert {drawing["type"] for drawing in drawings} | {"bars"} == drawers
    assert all(json.dumps(drawing) for drawing in drawings)
