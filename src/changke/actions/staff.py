"""Staff: hired, changed, ended and taken back by head office."""

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from django.db import transaction

from changke.actions.steps.audit import changed_fields, record_audit
from changke.actions.steps.passwords import set_initial_password
from changke.kernel.checks import raise_problems
from changke.kernel.errors import fail
from changke.records.models import Staff, Store, User
from changke.rules.phones import mask_phone
from changke.rules.staff import NewSignIn, Permission, Role, StaffCard, Viewer, refuse_sign_in, refuse_staff, require


@dataclass(frozen=True, slots=True, kw_only=True)
class Hired:
    """Somebody new; the initial password is shown once and kept nowhere."""

    staff_id: int
    public_id: str
    initial_password: str = field(default="", repr=False)


@transaction.atomic
def hire_staff(actor: Viewer, *, card: StaffCard, sign_in: NewSignIn | None, now: datetime) -> Hired:
    """Add somebody to the staff, with a sign-in where one is given; code and user name must be new."""
    require(actor, permission=Permission.EDIT_STAFF)
    _check(card)
    staff, is_new = Staff.objects.get_or_create(code=card.code, defaults=_columns(card))
    if not is_new:
        raise fail("code_taken", "The code %(code)s is in use.", field="code", code=card.code)
    staff.stores.set(card.store_ids)
    password = ""
    if sign_in is not None:
        password = _make_sign_in(staff, sign_in=sign_in)
    after = _spell(card) | ({"username": sign_in.username} if sign_in else {})
    _audit(actor, staff=staff, action="hire_staff", now=now, after=after)
    return Hired(staff_id=staff.id, public_id=staff.public_id, initial_password=password)


@transaction.atomic
def give_sign_in(actor: Viewer, *, staff_id: int, sign_in: NewSignIn, now: datetime) -> str:
    """Give somebody of the staff their first sign-in and return its initial password."""
    require(actor, permission=Permission.EDIT_STAFF)
    staff = _lock(staff_id)
    if staff.user_id is not None or staff.ended_on is not None:
        raise fail("sign_in_refused", "This person has a sign-in already, or has left.", field="username")
    password = _make_sign_in(staff, sign_in=sign_in)
    _audit(actor, staff=staff, action="give_sign_in", now=now, after={"username": sign_in.username})
    return password


@transaction.atomic
def change_staff(actor: Viewer, *, staff_id: int, card: StaffCard, now: datetime) -> None:
    """Change what is written about somebody; nobody changes their own role or stores."""
    require(actor, permission=Permission.EDIT_STAFF)
    _check(card)
    office = _lock_head_office()
    staff = _lock(staff_id)
    if Staff.objects.filter(code=card.code).exclude(id=staff_id).exists():
        raise fail("code_taken", "The code %(code)s is in use.", field="code", code=card.code)
    before, after = changed_fields(_spell_row(staff), _spell(card))
    if actor.staff_id == staff_id and after.keys() & {"role", "home_store_id", "store_ids"}:
        raise fail("own_role", "Nobody changes their own role or stores.", field="role")
    if "role" in after:
        _refuse_last(office, staff=staff)
    if after:
        Staff.objects.filter(id=staff_id).update(**_columns(card))
        staff.stores.set(card.store_ids)
        _audit(actor, staff=staff, action="change_staff", now=now, before=before, after=after)


@transaction.atomic
def end_staff(actor: Viewer, *, staff_id: int, ended_on: date, now: datetime) -> None:
    """End somebody's work: the sign-in stops at once. Never one's own, never the last one of head office."""
    require(actor, permission=Permission.EDIT_STAFF)
    office = _lock_head_office()
    staff = _lock(staff_id)
    if actor.staff_id == staff_id:
        raise fail("own_end", "Nobody ends their own work here.", cure="Somebody else of head office can.")
    if staff.ended_on is not None:
        return
    if ended_on > now.date() or (staff.started_on and ended_on < staff.started_on):
        raise fail("end_refused", "The last day lies between the first day and today.", field="ended_on")
    _refuse_last(office, staff=staff)
    Staff.objects.filter(id=staff_id).update(ended_on=ended_on)
    User.objects.filter(staff=staff).update(is_active=False)
    _audit(actor, staff=staff, action="end_staff", now=now, before={"ended_on": None}, after={"ended_on": ended_on})


@transaction.atomic
def take_back_staff(actor: Viewer, *, staff_id: int, now: datetime) -> None:
    """Take somebody back who had left; their sign-in works again with its old password."""
    require(actor, permission=Permission.EDIT_STAFF)
    staff = _lock(staff_id)
    if staff.ended_on is None:
        return
    Staff.objects.filter(id=staff_id).update(ended_on=None)
    User.objects.filter(staff=staff).update(is_active=True)
    before = {"ended_on": staff.ended_on}
    _audit(actor, staff=staff, action="take_back_staff", now=now, before=before, after={"ended_on": None})


def _make_sign_in(staff: Staff, *, sign_in: NewSignIn) -> str:
    raise_problems(refuse_sign_in(sign_in))
    if User.objects.filter(username=sign_in.username).exists():
        raise fail("username_taken", "The name %(name)s is in use.", field="username", name=sign_in.username)
    user = User(username=sign_in.username, kind="staff", must_change_password=sign_in.must_change_password)
    password = set_initial_password(user, password=sign_in.password)
    user.save()
    Staff.objects.filter(id=staff.id).update(user=user)
    return password


def _check(card: StaffCard) -> None:
    raise_problems(refuse_staff(card))
    wanted = card.store_ids | ({card.home_store_id} if card.home_store_id is not None else set())
    if Store.objects.filter(id__in=wanted).count() != len(wanted):
        raise fail("store_unknown", "There is no such store.", field="store_ids")


def _lock(staff_id: int) -> Staff:
    return Staff.objects.select_for_update().get(id=staff_id)


def _lock_head_office() -> set[int]:
    """Lock and return everybody of head office who can sign in, so that two cannot remove each other at once."""
    rows = Staff.objects.select_for_update(of=("self",)).order_by("id")
    working = rows.filter(role=Role.HEAD_OFFICE, ended_on=None, user__is_active=True)
    return {staff.id for staff in working}


def _refuse_last(office: set[int], *, staff: Staff) -> None:
    if office == {staff.id}:
        raise fail(
            "last_head_office",
            "This is the last sign-in of head office.",
            cure="Give somebody else the role first.",
            field="role",
        )


def _columns(card: StaffCard) -> dict[str, Any]:
    return {
        "code": card.code,
        "name": card.name,
        "role": card.role.value,
        "home_store_id": card.home_store_id,
        "phone": card.phone,
        "started_on": card.started_on,
    }


def _spell(card: StaffCard) -> dict[str, Any]:
    return _columns(card) | {"store_ids": sorted(card.store_ids)}


def _spell_row(staff: Staff) -> dict[str, Any]:
    keys = ("code", "name", "role", "home_store_id", "phone", "started_on")
    stores = sorted(staff.stores.values_list("id", flat=True))
    return {key: getattr(staff, key) for key in keys} | {"store_ids": stores}


def _audit(
    actor: Viewer,
    *,
    staff: Staff,
    action: str,
    now: datetime,
    after: dict[str, Any],
    before: dict[str, Any] | None = None,
) -> None:
    record_audit(
        actor,
        now=now,
        action=action,
        subject_kind="staff",
        subject_id=staff.id,
        store_id=staff.home_store_id,
        before=_masked(before or {}),
        after=_masked(after),
    )


def _masked(columns: dict[str, Any]) -> dict[str, Any]:
    return columns | {"phone": mask_phone(columns["phone"])} if "phone" in columns else columns
