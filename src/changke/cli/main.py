"""The `changke` command: parses the line, sets Django up where the verb needs it, and calls one verb.

Exit codes: 0 done, 1 the verb refused or found something wrong, 2 the line was not understood, 130 stopped by Ctrl-C.
"""

import argparse
import importlib
import json
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from types import ModuleType

from changke.kernel.errors import ChangkeError


@dataclass(frozen=True, slots=True, kw_only=True)
class Verb:
    """A verb: its module (with `add_arguments(parser)` and `run(arguments) -> int`), its help, what it needs."""

    name: str
    help: str
    needs_django: bool = True
    needs_server: bool = True
    role: str = "owner"  # the command line is the administrator's; the web runs as the role `app`

    @property
    def module(self) -> str:
        return f"changke.cli.{self.name.replace('import', 'import_')}"


VERBS = (
    Verb(name="init", help="start a real shop: company, currency, time zone, first administrator"),
    Verb(name="up", help="run web, worker and database in this terminal", needs_django=False, needs_server=False),
    Verb(name="demo", help="load the simulated chain, or the real Online Retail data"),
    Verb(name="import", help="import sales or members from files"),
    Verb(name="analyse", help="refresh the lake, score every member, print the figures"),
    Verb(name="segment", help="list segments, count one, show its sentence"),
    Verb(name="export", help="write members or a segment to CSV or XLSX"),
    Verb(name="user", help="list sign-ins, add one, reset a password"),
    Verb(name="backup", help="write database, uploads and keys into one file", needs_django=False),
    Verb(name="restore", help="bring a backup back", needs_django=False, needs_server=False),
    Verb(
        name="upgrade", help="bring the database to this version of the program", needs_django=False, needs_server=False
    ),
    Verb(name="doctor", help="say what is wrong here and how to mend it", needs_django=False, needs_server=False),
    Verb(name="messages", help="compile or check the translations", needs_django=False, needs_server=False),
    Verb(name="django", help="run a management command of Django"),
)


def build_parser(verb: Verb | None, module: ModuleType | None) -> argparse.ArgumentParser:
    """Return the parser; only the called verb's module is imported, so that `--help` stays quick."""
    parser = argparse.ArgumentParser(prog="changke", description="Membership and RFM marketing for retailers.")
    parser.add_argument("--version", action="version", version=f"changke {version('changke')}")
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    for known in VERBS:
        sub = verbs.add_parser(known.name, help=known.help, description=known.help.capitalize() + ".")
        sub.add_argument("--json", action="store_true", help="print the result as JSON")
        if known is verb and module is not None:
            module.add_arguments(sub)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code."""
    line = list(sys.argv[1:] if argv is None else argv)
    verb = next((known for known in VERBS if line and known.name == line[0]), None)
    if verb is not None and verb.name == "django":
        return _run_django(verb, line[1:])
    try:
        if verb is not None:
            _prepare(verb, wants_help=bool({"-h", "--help"} & set(line)))
        module = importlib.import_module(verb.module) if verb else None
        arguments = build_parser(verb, module).parse_args(line)
        assert module is not None
        return int(module.run(arguments))
    except ChangkeError as error:
        return _complain(error, as_json="--json" in line)
    except KeyboardInterrupt:
        print("stopped", file=sys.stderr)
        return 130


def _prepare(verb: Verb, *, wants_help: bool) -> None:
    """Start the server and Django before the verb's module is imported: its imports may reach for models."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "changke.config.settings")
    os.environ.setdefault("CHANGKE_ROLE", verb.role)
    os.environ.setdefault("CHANGKE_LOG_LEVEL", "WARNING")
    os.environ.setdefault("CHANGKE_LOG", "text")
    if verb.needs_server and not wants_help:
        from changke.config.database import ensure_database
        from changke.config.home import home_folder, prepare_home

        prepare_home(home_folder(os.environ))
        ensure_database(os.environ)
    if verb.needs_django:
        import django

        django.setup()
        if not wants_help and os.environ["CHANGKE_ROLE"] == "owner":  # the app's role may not make tables
            from changke.config.migrate import migrate_if_needed

            migrate_if_needed()


def _run_django(verb: Verb, rest: list[str]) -> int:
    if rest[:1] == ["procrastinate"]:
        os.environ["CHANGKE_WORKER"] = "1"
    _prepare(verb, wants_help=False)
    from django.core.management import execute_from_command_line

    execute_from_command_line(["changke django", *rest])
    return 0


def _complain(error: ChangkeError, *, as_json: bool) -> int:
    if as_json:
        rows = [{"code": p.code, "field": p.field, "row": p.row, "message": str(p)} for p in error.problems]
        print(json.dumps({"problems": rows}, ensure_ascii=False))
    else:
        for problem in error.problems:
            print(f"changke: {problem}", file=sys.stderr)
    return 1
