"""The chain before its first guest: company, regions, stores, staff and profile fields, written through actions."""

from dataclasses import dataclass, field
from datetime import datetime

from changke.actions.attributes import AttributeForm, define_attribute
from changke.actions.company import set_up_company
from changke.actions.regions import add_region
from changke.actions.settings import save_setting
from changke.actions.staff import hire_staff
from changke.actions.stores import open_store
from changke.demo.shop import Shop, StaffRow, StoreRow
from changke.kernel.errors import fail
from changke.kernel.ids import new_password
from changke.queries.company import list_regions, load_company
from changke.queries.segment_words import list_attributes
from changke.queries.staff import StaffFilter, list_staff
from changke.queries.stores import list_stores
from changke.rules.company import CompanyCard
from changke.rules.staff import NewSignIn, Role, SecuritySettings, StaffCard, Viewer
from changke.rules.stores import Hours, StoreCard, every_day


@dataclass(frozen=True, slots=True, kw_only=True)
class SignIn:
    """A sign-in of the demo: one for each role, all with one password."""

    username: str
    name: str
    role: Role
    password: str = field(repr=False)


def found_company(actor: Viewer, *, card: CompanyCard, now: datetime) -> None:
    """Set the company up and let head office sign in without a second factor; a run that was stopped goes on.

    Raises ChangkeError where the home belongs to another company.
    """
    company = load_company()
    if company is None:
        set_up_company(actor, card=card, now=now)
    elif company.name != card.name:
        raise fail(
            "company_exists",
            "This home belongs to %(name)s.",
            cure="Load the demo into a home of its own: set CHANGKE_HOME.",
            name=company.name,
        )
    save_setting(actor, value=SecuritySettings(second_factor_roles=()), now=now)


def found_shop(actor: Viewer, *, shop: Shop, password: str, now: datetime) -> tuple[SignIn, ...]:
    """Write what stands before the first guest and is not there yet; returns the sign-ins that work with `password`."""
    regions = {row.card.code: row.id for row in list_regions()}
    for region in shop.regions:
        if region.code not in regions:
            regions[region.code] = add_region(actor, card=region, now=now)
    stores = {row.card.code: row.id for row in list_stores(actor)}
    for store in shop.stores:
        if store.code not in stores:
            card = store_card(store, region_id=regions[store.region], zone=shop.company.time_zone)
            stores[store.code] = open_store(actor, card=card, now=now)
    known = {row.key for row in list_attributes()}
    for position, attribute in enumerate(shop.attributes):
        if attribute.key not in known:
            form = AttributeForm(
                key=attribute.key,
                name=attribute.name,
                name_en=attribute.name_en,
                kind=attribute.kind,
                choices=attribute.choices,
                is_visible_to_member=True,
                position=position,
            )
            define_attribute(actor, form=form, now=now)
    return hire_everybody(actor, staff=shop.staff, stores=stores, password=password, now=now)


def hire_everybody(
    actor: Viewer, *, staff: tuple[StaffRow, ...], stores: dict[str, int], password: str, now: datetime
) -> tuple[SignIn, ...]:
    """Hire who is not there yet; returns the sign-ins made now, with one password (drawn where none is given)."""
    there, _ = list_staff(actor, chosen=StaffFilter(), limit=len(staff) + 1)
    known = {row.card.code for row in there}
    shared = password or new_password()
    made = []
    for person in staff:
        if person.code in known:
            continue
        home = stores[person.store_code] if person.store_code else None
        card = StaffCard(
            code=person.code, name=person.name, role=person.role, home_store_id=home, started_on=person.started_on
        )
        sign_in = NewSignIn(username=person.username, password=shared, must_change_password=False)
        hire_staff(actor, card=card, sign_in=sign_in if person.username else None, now=now)
        if person.username:
            made.append(SignIn(username=person.username, name=person.name, role=person.role, password=shared))
    return tuple(made)


def store_card(store: StoreRow, *, region_id: int, zone: str) -> StoreCard:
    """Return what head office writes about a simulated store."""
    return StoreCard(
        code=store.code,
        name=store.name,
        name_en=store.name_en,
        region_id=region_id,
        ownership=store.ownership,
        time_zone=zone,
        day_ends_at=store.day_ends_at,
        hours=every_day(Hours(opens_at=store.opens_at, closes_at=store.closes_at)),
        address=store.address,
        opened_on=store.opened_on,
    )
