"""`changke analyse`: bring the lake up to the database, score every member, print the figures."""

import argparse
import json
from datetime import date
from typing import Any

from rich.console import Console
from rich.table import Table

from changke.actions.lake import refresh_lake
from changke.kernel.clock import utc_now
from changke.kernel.money import currency, format_money
from changke.queries.analysis import Analysis, load_analysis
from changke.queries.company import load_company
from changke.queries.imports import ImportFilter, list_imports
from changke.rules.imports.plan import ImportMode, ImportState
from changke.rules.staff import Viewer, act_as


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--as-of",
        type=date.fromisoformat,
        metavar="YYYY-MM-DD",
        help="analysis date; shipped: today, or the day after the last sale of old data",
    )


def run(arguments: argparse.Namespace) -> int:
    viewer = act_as("changke analyse")
    console = Console(stderr=True, quiet=arguments.json)
    with console.status("Refreshing the lake and scoring every member ..."):
        refreshed = refresh_lake(now=utc_now(), as_of=arguments.as_of)
    found = load_analysis(viewer)
    company = load_company()
    money = company.currency if company else "CNY"
    if arguments.json:
        told = found.spell() | {
            "imports": _imports(viewer),
            "currency": money,
            "refresh": "full" if refreshed.is_full else "delta",
        }
        print(json.dumps(told, ensure_ascii=False, default=str))
    else:
        _show(found, money=money)
    return 0


def _imports(viewer: Viewer) -> list[dict[str, Any]]:
    """Return what every finished import brought: rows in, kept and refused by reason, lines by kind."""
    done = ImportFilter(states=(ImportState.DONE,), modes=(ImportMode.MERGE,))
    rows, _total = list_imports(viewer, chosen=done, limit=1000)
    return [{"profile": row.profile, "files": row.files, **row.counts, "merged": row.merged} for row in rows]


def _show(found: Analysis, *, money: str) -> None:
    console = Console()
    console.print(
        f"Lake {found.version}, as of {found.as_of}: {found.sales:,} sales from {found.first_day} to {found.last_day}"
    )
    parts = Table("kind", "lines", "sales", "members", "total")
    for name, part in found.parts.items():
        total = format_money(part.total_minor, unit=currency(money))
        parts.add_row(name.replace("_", " "), f"{part.lines:,}", f"{part.sales:,}", f"{part.members:,}", total)
    console.print(parts)
    people = Table("class", "members")
    for name, count in found.classes.items():
        people.add_row(name, f"{count:,}")
    console.print(people)
    scores = Table("score", "R", "F", "M")
    for score in range(5, 0, -1):
        scores.add_row(str(score), *(f"{found.scores[name].get(score, 0):,}" for name in ("r", "f", "m")))
    console.print(scores)
