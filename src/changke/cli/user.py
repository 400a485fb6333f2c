"""`changke user`: list sign-ins, add one, reset a password."""

import argparse
import json
import sys

from changke.actions.sign_ins import reset_password
from changke.actions.staff import hire_staff
from changke.kernel.clock import utc_now
from changke.kernel.errors import fail
from changke.queries.staff import StaffFilter, StaffRow, list_staff
from changke.rules.staff import NewSignIn, Role, StaffCard, act_as


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("do", choices=["list", "add", "reset-password"])
    parser.add_argument("username", nargs="?", help="sign-in name")
    parser.add_argument("--name", help="the person's name; shipped: the sign-in name")
    parser.add_argument("--role", choices=[role.value for role in Role], default=Role.STORE_MANAGER.value)
    parser.add_argument("--store", action="append", type=int, default=[], help="id of a store within reach; repeatable")
    parser.add_argument(
        "--password-stdin", action="store_true", help="read the password from the first line of standard input"
    )


def run(arguments: argparse.Namespace) -> int:
    actor = act_as("changke user")
    if arguments.do == "list":
        return _show(arguments)
    if not arguments.username:
        print("changke user: name the sign-in", file=sys.stderr)
        return 2
    given = sys.stdin.readline().rstrip("\n") if arguments.password_stdin else ""
    if arguments.do == "add":
        card = StaffCard(
            code=arguments.username,
            name=arguments.name or arguments.username,
            role=Role(arguments.role),
            store_ids=frozenset(arguments.store),
        )
        sign_in = NewSignIn(username=arguments.username, password=given, must_change_password=not given)
        password = hire_staff(actor, card=card, sign_in=sign_in, now=utc_now()).initial_password
    else:
        staff_id = _find(arguments.username).id
        password = reset_password(actor, staff_id=staff_id, password=given, now=utc_now())
    said = {"username": arguments.username} | ({} if given else {"initial_password": password})
    print(json.dumps(said) if arguments.json else "\n".join(f"{key}: {value}" for key, value in said.items()))
    return 0


def _show(arguments: argparse.Namespace) -> int:
    rows = [row for row in _all() if row.username]
    if arguments.json:
        told = [{"username": r.username, "role": r.card.role, "active": r.ended_on is None} for r in rows]
        print(json.dumps(told))
    for row in [] if arguments.json else rows:
        print(f"{row.username:24} {row.card.role:16} {'working' if row.ended_on is None else 'left'}")
    return 0


def _find(username: str) -> StaffRow:
    for row in _all():
        if row.username == username:
            return row
    raise fail("username_unknown", "There is no sign-in %(name)s.", cure="See: changke user list.", name=username)


def _all() -> tuple[StaffRow, ...]:
    return list_staff(act_as("changke user"), chosen=StaffFilter(), limit=100_000)[0]
