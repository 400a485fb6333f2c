"""G12: every console page over 1 M members and 10 M orders: at most 300 ms on the server (p95), at most 20 queries.

Run: python bench/g12_pages.py [members [orders a member]]. The lake is refreshed and the usual figures are computed
first, as the worker does after each refresh; each page is asked once to warm up, then ROUNDS times by head office. The
other side is the sign-in page: the frame, the session and no data.
"""

import sys
from datetime import UTC, datetime
from statistics import median
from time import perf_counter

from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import get_resolver, reverse

from member_base import django_with_base

ROUNDS = 20
ALLOWED_MS, ALLOWED_QUERIES = 300.0, 20
NOW = datetime(2026, 11, 22, 4, 0, tzinfo=UTC)
PASSWORD = "tea-and-noodles-88"
# What is no page of its own: answers to scripts, what needs a question, the steps of signing in and out.
NO_PAGES = {
    "account_inactive", "account_logout", "find", "home", "insight_life_movers", "insight_members",
    "insight_run_compare", "insight_run_movers", "insight_waiting", "livez", "metrics", "mfa_authenticate",
    "mfa_deactivate_totp", "mfa_view_recovery_codes", "readyz", "segment_options", "set_language",
}  # fmt: skip


def add_lines() -> None:
    """Give each sale one line of one of 3,000 products in 20 categories."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT EXISTS (SELECT FROM sale_lines)")
        if cursor.fetchone()[0]:
            return
        cursor.execute(
            "INSERT INTO categories (id, name, name_en, path, depth)"
            " SELECT g, 'C' || g, '', 'C' || g, 0 FROM generate_series(1, 20) g"
        )
        cursor.execute(
            "INSERT INTO products (id, public_id, code, name, name_en, category_id, is_active, attributes)"
            " SELECT g, 'p' || g, 'P' || g, 'Product ' || g, '', 1 + g %% 20, true, '{}'"
            " FROM generate_series(1, 3000) g",
            [],
        )
        cursor.execute(
            "INSERT INTO sale_lines (sale_id, line_no, product_id, quantity_milli, unit_price, total_minor)"
            " SELECT id, 1, 1 + id %% 3000, 1000, 50, 5000 FROM sales",
            [],
        )
        cursor.execute("VACUUM ANALYZE sale_lines")


def sign_in() -> Client:
    """Analyse what is there, hire somebody of head office and return their browser."""
    from changke.actions.company import set_up_company
    from changke.actions.insight_figures import compute_usual_figures
    from changke.actions.lake import refresh_lake
    from changke.actions.settings import save_setting
    from changke.actions.staff import hire_staff
    from changke.queries.company import load_company
    from changke.rules.company import CompanyCard
    from changke.rules.staff import SYSTEM, NewSignIn, Role, SecuritySettings, StaffCard

    if load_company() is None:
        set_up_company(SYSTEM, card=CompanyCard(name="Bench"), now=NOW)
        save_setting(SYSTEM, value=SecuritySettings(second_factor_roles=()), now=NOW)
        sign_in = NewSignIn(username="head", password=PASSWORD, must_change_password=False)
        hire_staff(SYSTEM, card=StaffCard(code="head", name="Head", role=Role.HEAD_OFFICE), sign_in=sign_in, now=NOW)
    start = perf_counter()
    refresh_lake(now=NOW)
    print(f"lake refreshed in {perf_counter() - start:.1f} s", flush=True)
    start = perf_counter()
    compute_usual_figures()
    print(f"usual figures computed in {perf_counter() - start:.1f} s", flush=True)
    client = Client(headers={"host": "localhost"})
    client.post(reverse("account_login"), {"login": "head", "password": PASSWORD})
    return client


def pages() -> list[str]:
    patterns = [one for top in get_resolver().url_patterns for one in getattr(top, "url_patterns", [top])]
    names = [str(one.name) for one in patterns if getattr(one, "name", None) and not one.pattern.converters]
    return [name for name in dict.fromkeys(names) if name not in NO_PAGES]


def measure(client: Client, name: str) -> tuple[float, float, int] | None:
    """Return median and p95 in ms and the number of queries; None for what answers with no page."""
    address = reverse(name)
    answer = client.get(address)
    if answer.status_code != 200 or not answer["Content-Type"].startswith("text/html"):
        return None
    with CaptureQueriesContext(connection) as queries:
        client.get(address)
    asked = len(queries)  # the next request empties the log
    times = []
    for _ in range(ROUNDS):
        start = perf_counter()
        client.get(address)
        times.append((perf_counter() - start) * 1000)
    return median(times), sorted(times)[int(len(times) * 0.95) - 1], asked


def main() -> int:
    members = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    orders = int(sys.argv[2]) if len(sys.argv) > 2 else 10
    with django_with_base(members=members, sales_each=orders):
        add_lines()
        client = sign_in()
        floor = measure(Client(headers={"host": "localhost"}), "account_login")
        assert floor is not None
        print(f"{members:,} members, {orders} orders each; sign-in page (floor): {floor[0]:.0f} ms median")
        missed = 0
        for name in pages():
            found = measure(client, name)
            if found is None:
                continue
            middle, slow, queries = found
            holds = slow <= ALLOWED_MS and queries <= ALLOWED_QUERIES
            missed += not holds
            times = f"{middle:7.0f} ms median {slow:7.0f} ms p95 {middle / floor[0]:6.1f} x floor"
            print(f"{name:28} {times} {queries:4} queries{'' if holds else '  MISSED'}")
        print(f"G12: {'met' if not missed else f'missed by {missed} pages'}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
