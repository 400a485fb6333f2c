"""`changke import`: bring sales, members and products from files, with a bar, the counts and the row report."""

import argparse
import json
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, TaskID, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bars
from rich.table import Table

from changke.actions.company import set_up_company
from changke.actions.imports import ImportResult, import_files
from changke.actions.shipped_segments import install_shipped_segments
from changke.kernel.clock import utc_now
from changke.kernel.errors import fail
from changke.kernel.money import currency, format_money
from changke.queries.company import load_company
from changke.rules.company import CompanyCard
from changke.rules.imports.plan import ImportMode, ImportPlan
from changke.rules.imports.profiles import PROFILES, DayOrder, SaleKey, find_profile
from changke.rules.imports.words import RULE_TEXTS, CleaningRule, Field, Progress, ProgressSink
from changke.rules.staff import act_as

SWITCHES = {"on": True, "off": False}
ATTRIBUTE = "attribute."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = _explain()
    parser.add_argument("files", nargs="+", metavar="FILE", help="CSV, XLSX, XLS, ODS, Parquet, zip, gz, or a folder")
    parser.add_argument("--profile", type=_profile, help="shipped: guessed; one of: " + ", ".join(PROFILES))
    parser.add_argument("--source", default="", help="code of the system that numbers and codes come from")
    parser.add_argument(
        "--map", action="append", default=[], type=_mapping, metavar="FIELD=COLUMN", dest="mapping",
        help=f"what a column means; {ATTRIBUTE}KEY=COLUMN for a profile field of your own",
    )  # fmt: skip
    parser.add_argument(
        "--rule", action="append", default=[], type=_rule, metavar="NAME=on|off", dest="rules", help="switch a rule"
    )
    parser.add_argument("--encoding", default="", help="shipped: guessed")
    parser.add_argument("--delimiter", default="", help='shipped: guessed; "blanks" for runs of spaces')
    parser.add_argument("--header-row", type=int, metavar="N", help="row that names the columns, 0 = none")
    parser.add_argument("--day-order", type=DayOrder, choices=list(DayOrder), help="how 03/04/2024 is read")
    parser.add_argument("--sale-key", type=SaleKey, choices=list(SaleKey), help="what makes lines one receipt")
    parser.add_argument("--dry-run", action="store_true", help="count everything, write nothing")


def run(arguments: argparse.Namespace) -> int:
    columns = {name: column for name, column in arguments.mapping if not name.startswith(ATTRIBUTE)}
    plan = ImportPlan(
        paths=tuple(arguments.files),
        profile=arguments.profile or "",
        mode=ImportMode.REHEARSAL if arguments.dry_run else ImportMode.MERGE,
        source=arguments.source,
        columns=columns,
        attributes={name.removeprefix(ATTRIBUTE): column for name, column in arguments.mapping if name not in columns},
        rules=dict(arguments.rules),
        encoding=arguments.encoding,
        delimiter=arguments.delimiter.replace("\\t", "\t"),
        header_row=arguments.header_row,
        day_order=arguments.day_order,
        sale_key=arguments.sale_key,
    )
    _make_company(plan)
    with show_progress(quiet=arguments.json) as sink:
        result = import_files(act_as("changke import"), plan=plan, now=utc_now(), sink=sink)
    if arguments.json:
        print(json.dumps(spell_result(result), ensure_ascii=False))
    else:
        _show(result)
    return 0 if result.cleaning.rows_kept else 1


def spell_result(result: ImportResult) -> dict[str, object]:
    """Return a result as JSON."""
    return {
        "import": result.public_id,
        "profile": result.profile,
        "state": result.state,
        **result.cleaning.to_json(),
        "merged": result.merged.to_json(),
        "report": str(result.report) if result.report else None,
        "skipped": list(result.skipped),
    }


def _make_company(plan: ImportPlan) -> None:
    """Set up a company after a known data set, where the home has none yet: its money, its clock, its name."""
    profile = find_profile(plan.profile) if plan.profile else None
    if load_company() is not None:
        return
    if profile is None or not profile.source:
        raise fail("company_missing", "There is no company yet.", cure="Run `changke init` first.")
    card = CompanyCard(
        name=profile.title, currency=profile.currency, time_zone=profile.time_zone, data_note=profile.attribution
    )
    set_up_company(act_as("changke import"), card=card, now=utc_now())
    install_shipped_segments(act_as("changke import"), now=utc_now())


@contextmanager
def show_progress(*, quiet: bool) -> Iterator[ProgressSink]:
    """Yield a sink that draws one bar a stage on standard error."""
    columns = (
        TextColumn("{task.description:8}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f} %"),
        TimeElapsedColumn(),
    )
    with Bars(*columns, console=Console(stderr=True, quiet=quiet)) as bars:
        tasks: dict[str, TaskID] = {}

        def show(progress: Progress) -> None:
            stage = str(progress.stage)
            if stage not in tasks:
                tasks[stage] = bars.add_task(stage, total=progress.total or None)
            bars.update(tasks[stage], completed=progress.done, total=progress.total or None)

        yield show


def _show(result: ImportResult) -> None:
    console, counts = Console(), result.cleaning
    company = load_company()
    money = currency(company.currency if company else "CNY")
    rows = Table("rows", "in", "kept", "refused")
    for role, count in counts.rows_in.items():
        rows.add_row(role, f"{count:,}", f"{counts.kept_of(role):,}", f"{counts.refused_of(role):,}")
    lines = Table("lines", "of", "lines", "receipts", "customers", "total")
    for line in counts.lines:
        lines.add_row(
            line.kind,
            "members" if line.has_member else "anonymous",
            f"{line.lines:,}",
            f"{line.receipts:,}",
            f"{line.members:,}",
            format_money(line.total_minor, unit=money),
        )
    reasons = Table("refused because", "rows")
    for (_, reason), count in counts.refused.items():
        reasons.add_row(reason, f"{count:,}")
    for left_out, count in counts.left_out.items():
        reasons.add_row(f"{left_out} (cell left out)", f"{count:,}")
    merged = Table("merged", "new", "corrected", "unchanged")
    done = result.merged
    merged.add_row("sales", f"{done.sales_new:,}", f"{done.sales_corrected:,}", f"{done.sales_unchanged:,}")
    merged.add_row("members", f"{done.members_new:,}", f"{done.members_changed:,}", f"{done.members_unchanged:,}")
    for table in (rows, *([lines] if counts.lines else []), *([reasons] if reasons.row_count else []), merged):
        console.print(table)
    if counts.duplicates_seen:
        console.print(f"{counts.duplicates_seen:,} exact duplicate lines seen (rule drop_duplicates)")
    for name in result.skipped:
        console.print(f"left out, no part of {result.profile}: {name}")
    if result.report:
        print(f"Refused rows: {result.report}")


def _profile(text: str) -> str:
    profile = find_profile(text)
    if profile is None:
        raise argparse.ArgumentTypeError(f"there is no profile {text}")
    return profile.name


def _mapping(text: str) -> tuple[str, str]:
    name, equals, column = text.partition("=")
    if not equals or not column or not (name in set(Field) or (name.startswith(ATTRIBUTE) and name != ATTRIBUTE)):
        raise argparse.ArgumentTypeError(f"write FIELD=COLUMN, with a field of the list: {text}")
    return name, column


def _rule(text: str) -> tuple[CleaningRule, bool]:
    name, _, switch = text.partition("=")
    if name not in set(CleaningRule) or switch not in SWITCHES:
        raise argparse.ArgumentTypeError(f"write NAME=on or NAME=off, with a rule of the list: {text}")
    return CleaningRule(name), SWITCHES[switch]


def _explain() -> str:
    rules = "\n".join(f"  {rule:28} {meaning}" for rule, (_, meaning) in RULE_TEXTS.items())
    fields = ", ".join(Field)
    return f"cleaning rules:\n{rules}\n\nfields:\n  {fields}\n\nexit codes: 0 imported, 1 nothing imported, 2 usage\n"
