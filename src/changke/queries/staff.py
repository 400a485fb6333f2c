"""Staff as a viewer may see them: everybody, or who works in the viewer's stores."""

from dataclasses import dataclass
from datetime import date

from allauth.mfa.models import Authenticator
from django.contrib.postgres.aggregates import ArrayAgg
from django.db.models import Exists, OuterRef, Q, QuerySet

from changke.kernel.texts import Named
from changke.records.models import Staff
from changke.rules.staff import Role, StaffCard, Viewer


@dataclass(frozen=True, slots=True, kw_only=True)
class StaffRow:
    """Somebody of the staff; `username` is empty without a sign-in."""

    id: int
    public_id: str
    card: StaffCard
    home_store: Named | None
    username: str
    must_change_password: bool
    has_second_factor: bool
    ended_on: date | None


@dataclass(frozen=True, slots=True, kw_only=True)
class StaffFilter:
    text: str = ""
    roles: tuple[Role, ...] = ()
    store_ids: tuple[int, ...] = ()
    states: tuple[str, ...] = ()  # "working", "left"
    sort: str = "code"


SORTS = {"code": "code", "name": "name", "role": "role", "store": "home_store__code", "started": "started_on"}


def list_staff(
    viewer: Viewer, *, chosen: StaffFilter, offset: int = 0, limit: int = 50
) -> tuple[tuple[StaffRow, ...], int]:
    """Return one page of the staff within reach that fit, and how many there are; two queries."""
    staff = _within(viewer)
    if text := chosen.text.strip():
        staff = staff.filter(Q(code__icontains=text) | Q(name__icontains=text) | Q(user__username__icontains=text))
    if chosen.roles:
        staff = staff.filter(role__in=chosen.roles)
    if chosen.store_ids:
        staff = staff.filter(Q(home_store_id__in=chosen.store_ids) | Q(works_in__overlap=list(chosen.store_ids)))
    if len(set(chosen.states)) == 1:
        staff = staff.filter(ended_on__isnull="working" in chosen.states)
    key = SORTS.get(chosen.sort.removeprefix("-"), "code")
    ordered = staff.order_by("-" * chosen.sort.startswith("-") + key, "id")
    return tuple(_row(person) for person in ordered[offset : offset + limit]), staff.count()


def find_staff(viewer: Viewer, *, public_id: str) -> StaffRow | None:
    """Return one person, or None where nobody has the id or the person works out of reach."""
    person = _within(viewer).filter(public_id=public_id).first()
    return _row(person) if person else None


def _within(viewer: Viewer) -> QuerySet[Staff]:
    staff = Staff.objects.select_related("user", "home_store").annotate(
        works_in=ArrayAgg("stores", filter=Q(stores__isnull=False), default=[]),
        has_factor=Exists(Authenticator.objects.filter(user_id=OuterRef("user_id"), type="totp")),
    )
    if viewer.store_ids is None:
        return staff
    stores = list(viewer.store_ids)
    return staff.filter(Q(home_store_id__in=stores) | Q(works_in__overlap=stores))


def _row(person: Staff) -> StaffRow:
    card = StaffCard(
        code=person.code,
        name=person.name,
        role=Role(person.role),
        home_store_id=person.home_store_id,
        store_ids=frozenset(person.works_in),  # type: ignore[attr-defined] # annotated by _within
        phone=person.phone,
        started_on=person.started_on,
    )
    return StaffRow(
        id=person.id,
        public_id=person.public_id,
        card=card,
        home_store=Named(name=store.name, name_en=store.name_en) if (store := person.home_store) else None,
        username=person.user.username if person.user else "",
        must_change_password=bool(person.user and person.user.must_change_password),
        has_second_factor=person.has_factor,  # type: ignore[attr-defined] # annotated by _within
        ended_on=person.ended_on,
    )
