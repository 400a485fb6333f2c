"""The purchase cycle from the data beside the decreed one, and the backtest that says which predicts visits best.

The classes of a cycle C are its forecast: whoever is in a class on day T is expected to come within the horizon with
the share of that class that came after an earlier day. The Brier score, the mean square of forecast less outcome,
judges all candidates by the same members, days and horizon, so that a longer cycle has no easier task. Lower is better.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from itertools import pairwise


@dataclass(frozen=True, slots=True, kw_only=True)
class Cycle:
    """The intervals between visit days that follow one another: how many, their mean, and their lower median."""

    intervals: int
    mean_days: Fraction
    median_days: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassOutcome:
    """How many members were in a class on a day, and how many of them came within the horizon."""

    life_class: str
    members: int
    came: int


def intervals_of(days: Iterable[date]) -> list[int]:
    """Return the days between a member's visit days that follow one another."""
    return [(later - earlier).days for earlier, later in pairwise(sorted(set(days)))]


def cycle_of(intervals: Sequence[int]) -> Cycle | None:
    """Return the cycle of some intervals; None where nobody came twice."""
    if not intervals:
        return None
    middle = sorted(intervals)[(len(intervals) - 1) // 2]
    return Cycle(intervals=len(intervals), mean_days=Fraction(sum(intervals), len(intervals)), median_days=middle)


def brier_score(learnt: Sequence[ClassOutcome], held_out: Sequence[ClassOutcome]) -> Fraction | None:
    """Return the Brier score of forecasting one day's outcomes with the shares of an earlier day; None without members.

    A class that the earlier day did not have is forecast with the share of all.
    """
    total = sum(outcome.members for outcome in held_out)
    everybody = sum(outcome.members for outcome in learnt)
    if not total or not everybody:
        return None
    overall = Fraction(sum(outcome.came for outcome in learnt), everybody)
    share = {outcome.life_class: Fraction(outcome.came, outcome.members) for outcome in learnt if outcome.members}
    loss = Fraction(0)
    for outcome in held_out:
        forecast = share.get(outcome.life_class, overall)
        loss += outcome.came * (1 - forecast) ** 2 + (outcome.members - outcome.came) * forecast**2
    return loss / total
