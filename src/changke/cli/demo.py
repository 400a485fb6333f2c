"""`changke demo`: load the simulated chain, or the real Online Retail data, score it, and print the sign-ins."""

import argparse
import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from changke.actions.lake import refresh_lake
from changke.actions.rfm_runs import ask_for_run, score_rfm
from changke.actions.segments import note_segment_sizes
from changke.actions.shipped_segments import install_shipped_segments
from changke.config.home import home_folder, write_whole
from changke.demo.load import RETAIL_FOLDER, load_demo, load_online_retail
from changke.kernel.clock import utc_now
from changke.kernel.ids import new_password
from changke.queries.lake import current_lake
from changke.queries.settings import load_setting
from changke.queries.staff import StaffFilter, StaffRow, list_staff
from changke.rules.imports.words import Progress as Step
from changke.rules.rfm import RfmSettings
from changke.rules.staff import act_as

PASSWORD_FILE = "demo-password"  # noqa: S105 - the name of a file; its content is drawn at the first load


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("which", nargs="?", choices=["chain", "online-retail"], default="chain", help="shipped: chain")
    parser.add_argument("--folder", type=Path, default=RETAIL_FOLDER, help="where online_retail*.csv.gz lies")


def run(arguments: argparse.Namespace) -> int:
    password, now = _password(), utc_now()
    with _bar(quiet=arguments.json) as sink:
        loaded = (
            load_demo(now=now, sink=sink, password=password)
            if arguments.which == "chain"
            else load_online_retail(now=now, sink=sink, password=password, folder=arguments.folder)
        )
    if loaded.merged.has_changed or current_lake() is None:
        _score()
    people = [row for row in list_staff(act_as("changke demo"), chosen=StaffFilter(), limit=200)[0] if row.username]
    _tell(arguments, company=loaded.company, people=people, password=password, note=loaded.attribution)
    return 0


def _score() -> None:
    """Analyse what was loaded: the lake, one kept RFM run, the sizes of the shipped segments."""
    actor, now = act_as("changke demo"), utc_now()
    as_of = refresh_lake(now=now).as_of
    run = ask_for_run(actor, rfm=load_setting(RfmSettings), as_of=as_of, now=now)
    score_rfm(run.id, now=now)
    install_shipped_segments(actor, now=now)
    note_segment_sizes(actor, now=now)


def _password() -> str:
    """Return the password of all demo sign-ins: drawn at the first load, kept beside the keys for the next start."""
    path = home_folder(os.environ) / "keys" / PASSWORD_FILE
    if not path.exists():
        write_whole(path, new_password())
    return path.read_text(encoding="utf-8").strip()


@contextmanager
def _bar(*, quiet: bool) -> Iterator[Callable[[Step], None]]:
    """Yield a sink that draws one bar a stage on standard error."""
    columns = (
        TextColumn("{task.description:12}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f} %"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=Console(stderr=True, quiet=quiet)) as bars:
        tasks: dict[str, TaskID] = {}

        def show(step: Step) -> None:
            name = str(step.stage)
            if name not in tasks:
                tasks[name] = bars.add_task(name, total=step.total or None)
            bars.update(tasks[name], completed=step.done, total=step.total or None)

        yield show


def _tell(arguments: argparse.Namespace, *, company: str, people: list[StaffRow], password: str, note: str) -> None:
    """Print the sign-ins, and keep what was printed: `make run` shows it at the next start without asking again."""
    if arguments.json:
        rows = [{"username": row.username, "role": row.card.role} for row in people]
        told = {"company": company, "sign_ins": rows, "password": password, "note": note}
        print(json.dumps(told, ensure_ascii=False))
        return
    lines = [
        f"{company}{f' ({note})' if note else ''}",
        *(f"  {row.card.role:14} {row.username}" for row in people),
        f"  password of every demo sign-in 演示密码: {password}",
    ]
    print("\n".join(lines))
    write_whole(home_folder(os.environ) / "keys" / f"demo-{arguments.which}.txt", "\n".join(lines) + "\n")
