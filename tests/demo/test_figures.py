"""The simulated chain looks like one: sizes and distributions in declared ranges."""

from datetime import date
from pathlib import Path

import duckdb
import pytest

from changke.demo.chain import Chain, simulate_chain
from changke.demo.figures import Figures, measure_chain, spell_figures
from changke.demo.parameters import load_parameters

PAGE = Path(__file__).resolve().parents[2] / "docs" / "rules" / "demo.md"


@pytest.fixture(scope="module")
def figures(chain: Chain) -> Figures:
    return measure_chain(chain)


@pytest.mark.parametrize(
    ("name", "least", "most"),
    [
        ("sales", 190_000, 210_000),
        ("returns", 2_400, 3_600),
        ("members", 20_000, 20_000),
        ("buyers", 18_500, 19_600),
        ("ticket_minor", 5_500, 7_500),
        ("member_share", 0.68, 0.70),
        ("one_time_share", 0.25, 0.45),
        ("top_fifth_share", 0.55, 0.70),
        ("dispersion", 4, 20),
        ("mean_cycle_days", 22, 34),
    ],
)
def test_sizes(figures: Figures, name: str, least: float, most: float) -> None:
    assert least <= getattr(figures, name) <= most


def test_the_page_shows_what_comes_out(figures: Figures) -> None:
    shown = PAGE.read_text(encoding="utf-8").split("```")[1].strip().splitlines()
    assert dict(line.split(maxsplit=1) for line in shown) == spell_figures(figures)


def test_every_class_is_populated(figures: Figures) -> None:
    assert sorted(figures.classes) == ["active", "lost", "new", "returning", "sleeping"]
    assert min(figures.classes.values()) > 0.05
    assert max(figures.classes.values()) < 0.5


def test_sizes_hold_whatever_the_season() -> None:
    figures = measure_chain(simulate_chain(load_parameters(), ends_on=date(2027, 2, 10)))
    assert 190_000 <= figures.sales <= 210_000


def test_visits_of_the_living_follow_a_gamma_poisson_law(duck: duckdb.DuckDBPyConnection) -> None:
    """Half-years of the regulars correlate as gamma rates demand; within a member visits stay nearly Poisson."""
    between, within = duck.execute(
        """WITH regulars AS (SELECT member_code FROM sales WHERE member_code IS NOT NULL GROUP BY 1
            HAVING min(day) < DATE '2025-07-01' AND max(day) >= DATE '2026-06-01'),
        halves AS (SELECT member_code, count(*) FILTER (day BETWEEN '2025-07-01' AND '2025-12-31') AS a,
            count(*) FILTER (day BETWEEN '2026-01-01' AND '2026-06-30') AS b
            FROM sales JOIN regulars USING (member_code) WHERE kind = 'sale' GROUP BY 1)
        SELECT corr(a, b), avg((a - b) ** 2) / avg(a + b) FROM halves"""
    ).fetchall()[0]
    assert between > 0.7
    assert within < 1.6


def test_seasons_and_weekdays_show(duck: duckdb.DuckDBPyConnection) -> None:
    cold = dict(
        duck.execute(
            "SELECT month(day), avg((product_code LIKE 'N3%')::INT) FROM lines JOIN sales USING (sale_no) GROUP BY 1"
        ).fetchall()
    )
    assert cold[7] > 4 * cold[1]
    weekdays = dict(
        duck.execute("SELECT isodow(day), count(*) FROM sales WHERE store_code = 'HZ02' GROUP BY 1").fetchall()
    )
    assert min(weekdays[day] for day in range(1, 6)) > 1.3 * max(weekdays[6], weekdays[7])


def test_members_prefer_their_home_store_and_their_dishes(duck: duckdb.DuckDBPyConnection) -> None:
    (home,) = duck.execute(
        "SELECT avg((store_code = home_store_code)::INT) FROM sales JOIN members USING (member_code)"
    ).fetchall()[0]
    (favourite,) = duck.execute(
        """SELECT avg(most / total) FROM (SELECT max(n) AS most, sum(n) AS total FROM
            (SELECT member_code, product_code, count(*) AS n FROM lines JOIN sales USING (sale_no)
             WHERE member_code IS NOT NULL GROUP BY 1, 2) GROUP BY member_code HAVING sum(n) > 30)"""
    ).fetchall()[0]
    assert 0.8 < home < 0.95
    assert favourite > 0.15
