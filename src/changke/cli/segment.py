"""`changke segment`: list segments, count one now, show how it reads."""

import argparse
import json
import sys

from changke.queries.segments import SegmentRow, count_members, list_segments, load_segment
from changke.rules.staff import act_as


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("do", choices=["list", "count", "show"])
    parser.add_argument("segment", nargs="?", help="name or id")


def run(arguments: argparse.Namespace) -> int:
    viewer = act_as("changke segment")
    if arguments.do == "list":
        rows = list_segments(viewer)
        if arguments.json:
            print(json.dumps([_spell(row) for row in rows], ensure_ascii=False))
        for row in [] if arguments.json else rows:
            print(f"{row.public_id}  {'-' if row.size is None else row.size:>9}  {row.name}")
        return 0
    if not arguments.segment:
        print("changke segment: name a segment", file=sys.stderr)
        return 2
    row = load_segment(viewer, public_id=arguments.segment)
    count = count_members(viewer, definition=row.definition)
    if arguments.json:
        print(json.dumps(_spell(row) | {"count": count}, ensure_ascii=False))
    elif arguments.do == "count":
        print(count)
    else:
        print(f"{row.name} ({row.public_id}), {count} members\n{row.note}")
    return 0


def _spell(row: SegmentRow) -> dict[str, object]:
    return {
        "id": row.public_id,
        "name": row.name,
        "size": row.size,
        "as_of": row.size_as_of and row.size_as_of.isoformat(),
    }
