"""Loading the demo: the simulated chain, or the real Online Retail data; both through actions only, both repeatable."""

from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

from changke.actions.imports import import_files, load_history
from changke.actions.opportunities import load_opportunities
from changke.actions.products import change_product
from changke.demo.chain import Chain, simulate_chain
from changke.demo.founding import SignIn, found_company, found_shop, hire_everybody
from changke.demo.parameters import SHIPPED, Parameters, load_parameters
from changke.demo.shop import Shop, StaffRow, read_company, read_menu
from changke.kernel.clock import business_day
from changke.kernel.errors import fail
from changke.queries.products import ProductFilter, list_products
from changke.queries.stores import list_stores
from changke.rules.company import CompanyCard
from changke.rules.imports.plan import ImportPlan, MergeCounts
from changke.rules.imports.profiles import PROFILES
from changke.rules.imports.words import ProgressSink
from changke.rules.staff import Role, Viewer, act_as

SOURCE: Final = "demo"
ZONE: Final = ZoneInfo("Asia/Shanghai")
DAY_ENDS_AT: Final = time(4)  # in the latest store: before it, yesterday is not over everywhere
RETAIL: Final = PROFILES["online_retail"]
RETAIL_FOLDER: Final = Path("../shared/data/online_retail")


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoLoaded:
    """What was loaded. `sign_ins` are those made now; a home that was loaded before has them already."""

    company: str
    merged: MergeCounts
    sign_ins: tuple[SignIn, ...]
    attribution: str = ""


def load_demo(
    *, now: datetime, sink: ProgressSink = lambda _progress: None, password: str = "", parameters: Path = SHIPPED
) -> DemoLoaded:
    """Simulate the chain up to yesterday and write it; again, it goes on where it was stopped or ends at once.

    Every sign-in gets `password`, or one drawn here. Raises `company_exists` where the home is somebody else's.
    """
    actor = act_as("changke demo")
    found_company(actor, card=read_company(), now=now)
    if _is_complete(actor):
        return DemoLoaded(company=read_company().name, merged=MergeCounts(), sign_ins=())
    ruling = load_parameters(parameters)
    yesterday = business_day(now, zone=ZONE, day_ends_at=DAY_ENDS_AT) - timedelta(days=1)
    chain = _chain_of_this_home(actor, chain=simulate_chain(ruling, ends_on=yesterday), parameters=ruling)
    company = chain.shop.company
    sign_ins = found_shop(actor, shop=chain.shop, password=password, now=now)
    merged = load_history(chain.tables, source=SOURCE, source_name=company.name, now=now, actor=actor, sink=sink)
    load_opportunities(chain.wake_ups, source=SOURCE, now=now, actor=actor)
    name_products(actor, shop=chain.shop, now=now)
    return DemoLoaded(company=company.name, merged=merged, sign_ins=sign_ins)


def load_online_retail(
    *, now: datetime, sink: ProgressSink = lambda _progress: None, password: str = "", folder: Path = RETAIL_FOLDER
) -> DemoLoaded:
    """Import the real UCI Online Retail sales from `folder`, in pounds and with their attribution; nobody is invented.

    The one sign-in is the administrator's. Raises `data_missing`, or `company_exists` as load_demo does.
    """
    files = tuple(str(path) for path in sorted(folder.glob("online_retail*")))
    if not files:
        raise fail(
            "data_missing",
            "The Online Retail data are not in %(folder)s.",
            cure="Put online_retail*.csv.gz there, or name another folder.",
            folder=folder,
        )
    actor = act_as("changke demo")
    company = CompanyCard(
        name="UCI Online Retail",
        name_en="UCI Online Retail",
        currency=RETAIL.currency,
        time_zone=RETAIL.time_zone,
        data_note=RETAIL.attribution,
    )
    found_company(actor, card=company, now=now)
    administrator = StaffRow(
        code="admin",
        name="admin",
        title="",
        title_en="",
        role=Role.HEAD_OFFICE,
        store_code=None,
        username="admin",
        started_on=None,
    )
    sign_ins = hire_everybody(actor, staff=(administrator,), stores={}, password=password, now=now)
    result = import_files(actor, plan=ImportPlan(paths=files, profile=RETAIL.name), now=now, sink=sink)
    return DemoLoaded(company=company.name, merged=result.merged, sign_ins=sign_ins, attribution=RETAIL.attribution)


def name_products(actor: Viewer, *, shop: Shop, now: datetime) -> None:
    """Give the dishes their English names: staged products have one name only."""
    names = {dish.code: dish.name_en for dish in shop.dishes}
    rows, _ = list_products(actor, chosen=ProductFilter(), limit=len(names))
    for row in rows:
        if row.card.name_en != names[row.code]:
            change_product(actor, product_id=row.id, card=replace(row.card, name_en=names[row.code]), now=now)


def _is_complete(actor: Viewer) -> bool:
    """Tell whether the last step of a load has been done: every dish has its English name."""
    rows, count = list_products(actor, chosen=ProductFilter(), limit=1_000)
    return count >= len(read_menu()) and all(row.card.name_en for row in rows)


def _chain_of_this_home(actor: Viewer, *, chain: Chain, parameters: Parameters) -> Chain:
    """Return the chain as it was founded here, maybe on an earlier day: its first store tells by its opening date."""
    first = chain.shop.stores[0]
    opened_on = next((row.card.opened_on for row in list_stores(actor) if row.card.code == first.code), None)
    if opened_on is None or opened_on == first.opened_on:
        return chain
    return simulate_chain(parameters, ends_on=chain.last_day + (opened_on - first.opened_on))
