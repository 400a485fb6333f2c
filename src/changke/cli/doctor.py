"""`changke doctor`: says what is wrong here and how to mend it; changes nothing."""

import argparse
import json

from changke.cli.checks import CHECKS, Finding, Status, Surroundings, bad

MARKS = {Status.OK: "✓", Status.WARN: "!", Status.FAIL: "✗"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--port", type=int, default=8000, help="port of the web server")


def run(arguments: argparse.Namespace) -> int:
    """Print every finding; exit code 1 where one of them is a failure."""
    findings = examine(Surroundings(port=arguments.port))
    if arguments.json:
        rows = [
            {"check": name, "status": found.status.value, "message": found.message, "cure": found.cure}
            for name, found in findings.items()
        ]
        print(json.dumps({"checks": rows}, ensure_ascii=False))
    else:
        for name, found in findings.items():
            print(f"{MARKS[found.status]} {name:<9} {found.message}")
            if found.cure:
                print(f"            -> {found.cure}")
    return 1 if any(found.status is Status.FAIL for found in findings.values()) else 0


def examine(at: Surroundings) -> dict[str, Finding]:
    """Run every check; one that breaks is a failure of its own and does not keep the others from running."""
    return {name: _look(name, at=at) for name in CHECKS}


def _look(name: str, *, at: Surroundings) -> Finding:
    try:
        return CHECKS[name](at)
    except Exception as error:  # a doctor that breaks helps nobody
        return bad(f"could not be checked: {type(error).__name__}: {error}", cure="Report this as a fault of Changke.")
