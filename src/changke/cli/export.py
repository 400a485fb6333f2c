"""`changke export`: the members of a segment as CSV or XLSX, safe to open in a spreadsheet."""

import argparse
import json
import shutil
from pathlib import Path

from changke.actions.segments import note_segment_export
from changke.kernel.clock import utc_now
from changke.kernel.errors import fail
from changke.lobby.segment_file import write_segment_file
from changke.queries.segments import count_members, load_segment
from changke.rules.staff import act_as


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--segment", required=True, help="name or id of the segment")
    parser.add_argument("--out", required=True, type=Path, help="file to write: .csv or .xlsx")


def run(arguments: argparse.Namespace) -> int:
    viewer, out = act_as("changke export"), arguments.out
    kind = out.suffix.removeprefix(".").lower()
    if kind not in {"csv", "xlsx"}:
        raise fail(
            "export_kind", "%(name)s ends neither in .csv nor in .xlsx.", cure="Name the file so.", name=out.name
        )
    row = load_segment(viewer, public_id=arguments.segment)
    count = count_members(viewer, definition=row.definition)
    with write_segment_file(viewer, definition=row.definition, kind=kind, title=row.name) as made:
        partial = out.with_name(f".{out.name}.partial")
        with partial.open("wb") as file:
            shutil.copyfileobj(made, file)
        partial.replace(out)
    note_segment_export(viewer, segment_id=row.id, members=count, kind=kind, now=utc_now())
    print(
        json.dumps({"segment": row.name, "members": count, "file": str(out)}, ensure_ascii=False)
        if arguments.json
        else f"{out}: {count} members of {row.name}"
    )
    return 0
