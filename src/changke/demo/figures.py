"""Figures of a simulated chain, by plain SQL over its tables: what docs/rules/demo.md shows and the tests hold."""

from dataclasses import asdict, dataclass
from datetime import timedelta

import duckdb

from changke.demo.chain import Chain

# Receipts of members, one row each; the class table of mission M7 with C = 30, F = 3, as of the day after the last.
SQL = """
WITH bought AS (SELECT member_code, day FROM sales WHERE kind = 'sale' AND member_code IS NOT NULL),
counts AS (SELECT member_code, count(*) AS receipts FROM bought GROUP BY 1),
spent AS (SELECT sum(total_minor) AS minor, percent_rank() OVER (ORDER BY sum(total_minor) DESC) AS place
    FROM sales WHERE member_code IS NOT NULL GROUP BY member_code),
days AS (SELECT member_code, max(day) AS last, min(day) AS first, count(DISTINCT day) AS visits,
    count(DISTINCT day) FILTER (day > $today - 90) AS lately FROM bought GROUP BY 1),
woken AS (SELECT member_code, count(*) AS unanswered, min(due_on) AS since
    FROM wake_ups JOIN days USING (member_code) WHERE due_on > last AND offer_ends_on < $today GROUP BY 1),
classes AS (SELECT CASE
    WHEN $today - last < 60 THEN CASE lately WHEN 1 THEN 'new' WHEN 2 THEN 'returning' ELSE 'active' END
    WHEN unanswered >= 2 AND $today - since >= 60 THEN 'lost' ELSE 'sleeping' END AS class
    FROM days LEFT JOIN woken USING (member_code))
SELECT
    (SELECT count(*) FROM sales WHERE kind = 'sale'),
    (SELECT count(*) FROM sales WHERE kind = 'return'),
    (SELECT count(*) FROM lines),
    (SELECT count(*) FROM members),
    (SELECT count(*) FROM counts),
    (SELECT sum(total_minor) FROM sales),
    (SELECT sum(total_minor) // count(*) FILTER (kind = 'sale') FROM sales),
    (SELECT avg((member_code IS NOT NULL)::INT) FROM sales WHERE kind = 'sale'),
    (SELECT avg((receipts = 1)::INT) FROM counts),
    (SELECT sum(minor) FILTER (place < 0.2) / sum(minor) FROM spent),
    (SELECT sum(minor) FILTER (place < 0.05) / sum(minor) FROM spent),
    (SELECT var_pop(receipts) / avg(receipts) FROM counts),
    (SELECT avg((last - first) / (visits - 1)) FROM days WHERE visits > 1),
    (SELECT map_from_entries(list((class, share) ORDER BY class))
        FROM (SELECT class, count(*) / sum(count(*)) OVER () AS share FROM classes GROUP BY 1))
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """Shares are of 1; money in minor units, net of returns; days and receipts are means over members."""

    sales: int
    returns: int
    lines: int
    members: int
    buyers: int
    turnover_minor: int
    ticket_minor: int  # net turnover a sale
    member_share: float  # of sales
    one_time_share: float  # of buyers: exactly one receipt
    top_fifth_share: float  # of members' turnover
    top_twentieth_share: float
    dispersion: float  # variance of receipts a buyer over their mean; 1 = Poisson without differences
    mean_cycle_days: float  # between the visits of those who came on two days or more
    classes: dict[str, float]  # life-cycle classes of buyers on the day after the last


def measure_chain(chain: Chain) -> Figures:
    """Count a simulated chain, independently of insight/."""
    with duckdb.connect() as duck:
        for name in ("members", "sales", "lines"):
            duck.register(name, getattr(chain.tables, name))
        duck.register("wake_ups", chain.wake_ups)
        row = duck.execute(SQL, {"today": chain.last_day + timedelta(days=1)}).fetchall()[0]
    return Figures(**dict(zip(Figures.__dataclass_fields__, row, strict=True)))


def spell_figures(figures: Figures) -> dict[str, str]:
    """Write the figures as they are printed, shares and means to three decimals."""
    spelled = {name: str(round(value, 3)) for name, value in asdict(figures).items() if name != "classes"}
    return spelled | {"classes": ", ".join(f"{word} {round(share, 3)}" for word, share in figures.classes.items())}
