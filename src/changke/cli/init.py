"""`changke init`: a real shop begins with company, administrator and shipped segments; refused where one exists."""

import argparse
import getpass
import json
import sys

from changke.actions.company import set_up_company
from changke.actions.shipped_segments import install_shipped_segments
from changke.actions.staff import hire_staff
from changke.kernel.clock import utc_now
from changke.queries.company import load_company
from changke.queries.staff import StaffFilter, list_staff
from changke.rules.company import CompanyCard
from changke.rules.staff import NewSignIn, Role, StaffCard, act_as


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--name", help="the company's name")
    parser.add_argument("--currency", help="ISO 4217 code, shipped: CNY")
    parser.add_argument("--time-zone", help="shipped: Asia/Shanghai")
    parser.add_argument("--admin", help="sign-in name of the first administrator")
    parser.add_argument(
        "--password-stdin",
        action="store_true",
        help="read the administrator's password from the first line of standard input",
    )


def run(arguments: argparse.Namespace) -> int:
    name = arguments.name or _ask("Company 公司名称", shipped="")
    currency = arguments.currency or _ask("Currency 币种", shipped="CNY")
    zone = arguments.time_zone or _ask("Time zone 时区", shipped="Asia/Shanghai")
    admin = arguments.admin or _ask("Administrator's sign-in 管理员账号", shipped="admin")
    password = sys.stdin.readline().rstrip("\n") if arguments.password_stdin else _ask_password()
    now = utc_now()
    actor = act_as("changke init")
    card = CompanyCard(name=name, currency=currency, time_zone=zone)
    sign_in = NewSignIn(username=admin, password=password, must_change_password=False)
    office = list_staff(actor, chosen=StaffFilter(roles=(Role.HEAD_OFFICE,)), limit=1)[1]
    if load_company() is None or office:  # a run that was stopped between the two steps goes on
        set_up_company(actor, card=card, now=now)
    hire_staff(actor, card=StaffCard(code=admin, name=admin, role=Role.HEAD_OFFICE), sign_in=sign_in, now=now)
    install_shipped_segments(actor, now=now)
    if arguments.json:
        print(
            json.dumps(
                {"company": name, "currency": currency, "time_zone": zone, "administrator": admin}, ensure_ascii=False
            )
        )
    else:
        print(f"{name}: ready. Start with `changke up`, then sign in as {admin}.")
    return 0


def _ask(question: str, *, shipped: str) -> str:
    if not sys.stdin.isatty():
        return shipped
    return input(f"{question}{f' [{shipped}]' if shipped else ''}: ").strip() or shipped


def _ask_password() -> str:
    if not sys.stdin.isatty():
        return ""
    return getpass.getpass("Password (10 signs or more) 密码: ")
