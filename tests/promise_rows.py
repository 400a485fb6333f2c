"""`make promises` prints one row a promise of the design: its number, what it says, how many tests show it."""

from collections import Counter
from typing import Final

import pytest

TITLES: Final = {
    3: "History is append-only; corrections are reversals",
    13: "Integer minor units; a split sums exactly",
    20: "A restart heals alone",
    27: "Periodic work once per slot",
    33: "Store walls: every address x every role",
}
NUMBERS: Final = pytest.StashKey[dict[str, int]]()


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    marked = {item.nodeid: item.get_closest_marker("promise") for item in items}
    config.stash[NUMBERS] = {nodeid: marker.args[0] for nodeid, marker in marked.items() if marker}


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    if "promise and" not in str(config.getoption("markexpr")):
        return
    numbers = config.stash.get(NUMBERS, {})
    counts: dict[str, Counter[int]] = {}
    for outcome in ("passed", "failed", "error", "skipped"):
        reports = terminalreporter.stats.get(outcome, [])
        counts[outcome] = Counter(numbers[report.nodeid] for report in reports if report.nodeid in numbers)
    for number in sorted(set(numbers.values())):
        told = ", ".join(f"{counts[outcome][number]} {outcome}" for outcome in counts if counts[outcome][number])
        terminalreporter.write_line(f"P{number:02}  {TITLES[number]:52} {told}")
