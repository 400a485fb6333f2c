"""Who works here and what a role may do: the permission table's words and rows. Deny by default."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Final

from changke.kernel.checks import refuse_blank, refuse_code, refuse_phone
from changke.kernel.errors import Problem


class Role(StrEnum):
    HEAD_OFFICE = "head_office"
    MARKETING = "marketing"
    STORE_MANAGER = "store_manager"
    CASHIER = "cashier"
    SERVICE = "service"
    AUDITOR = "auditor"


class Permission(StrEnum):
    """One right. Pages and actions name the right they need; roles are sets of rights."""

    SEE_TODAY = "see_today"
    SEE_MEMBERS = "see_members"
    REVEAL_CONTACTS = "reveal_contacts"
    ENROL_MEMBERS = "enrol_members"
    EDIT_MEMBERS = "edit_members"
    EDIT_MEMBERS_IN_BATCH = "edit_members_in_batch"
    SEE_SENSITIVE = "see_sensitive"
    MERGE_MEMBERS = "merge_members"
    IMPORT_DATA = "import_data"
    EXPORT_DATA = "export_data"
    SEE_INSIGHT = "see_insight"
    RUN_INSIGHT = "run_insight"
    SEE_SEGMENTS = "see_segments"
    EDIT_SEGMENTS = "edit_segments"
    SEE_SHOP = "see_shop"
    EDIT_SHOP = "edit_shop"
    EDIT_STAFF = "edit_staff"
    SEE_SETTINGS = "see_settings"
    EDIT_SETTINGS = "edit_settings"
    SEE_AUDIT = "see_audit"


ALL_STORES: Final = frozenset({Role.HEAD_OFFICE, Role.MARKETING, Role.AUDITOR})

_STORE = frozenset({Permission.SEE_TODAY, Permission.SEE_MEMBERS, Permission.ENROL_MEMBERS, Permission.SEE_SHOP})
_ANALYST = frozenset({Permission.SEE_INSIGHT, Permission.SEE_SEGMENTS})

PERMISSIONS: Final[dict[Role, frozenset[Permission]]] = {
    Role.HEAD_OFFICE: frozenset(Permission),
    Role.MARKETING: _STORE
    | _ANALYST
    | {
        Permission.RUN_INSIGHT,
        Permission.EDIT_SEGMENTS,
        Permission.EXPORT_DATA,
        Permission.IMPORT_DATA,
        Permission.EDIT_MEMBERS,
        Permission.EDIT_MEMBERS_IN_BATCH,
        Permission.SEE_SETTINGS,
    },
    Role.STORE_MANAGER: _STORE
    | _ANALYST
    | {Permission.EDIT_MEMBERS, Permission.REVEAL_CONTACTS, Permission.EDIT_SEGMENTS, Permission.EXPORT_DATA},
    Role.CASHIER: frozenset({Permission.SEE_MEMBERS, Permission.ENROL_MEMBERS}),
    Role.SERVICE: _STORE
    | {Permission.EDIT_MEMBERS, Permission.REVEAL_CONTACTS, Permission.MERGE_MEMBERS, Permission.SEE_SENSITIVE},
    Role.AUDITOR: _ANALYST
    | {
        Permission.SEE_TODAY,
        Permission.SEE_MEMBERS,
        Permission.SEE_SHOP,
        Permission.SEE_SETTINGS,
        Permission.SEE_AUDIT,
    },
}


def may(role: Role, *, permission: Permission) -> bool:
    """Say whether a role has a right; an unknown pair is a no."""
    return permission in PERMISSIONS.get(role, frozenset())


@dataclass(frozen=True, slots=True, kw_only=True)
class Viewer:
    """Who looks or acts: the sign-in, the role and the stores within reach (None = every store of the company).

    Queries take one first, actions take one as `actor`. The command line and the jobs act as `SYSTEM`.
    """

    user_id: int | None
    staff_id: int | None
    name: str
    role: Role
    store_ids: frozenset[int] | None
    place: str = ""  # address or till, for the audit
    language: str = "zh-hans"

    def may(self, permission: Permission) -> bool:
        return may(self.role, permission=permission)

    def sees_store(self, store_id: int | None) -> bool:
        """Say whether a store lies within reach; a row without store is seen by those who see every store."""
        return self.store_ids is None or (store_id is not None and store_id in self.store_ids)


SYSTEM: Final = Viewer(user_id=None, staff_id=None, name="system", role=Role.HEAD_OFFICE, store_ids=None)


def act_as(name: str) -> Viewer:
    """Return the viewer of a program: the command line, a job, an import."""
    return Viewer(user_id=None, staff_id=None, name=name, role=Role.HEAD_OFFICE, store_ids=None)


class NotAllowedError(Exception):
    """Raised where a viewer lacks a right or reaches for a store out of scope; doors answer 403."""


def require(viewer: Viewer, *, permission: Permission) -> None:
    """Raise NotAllowedError where the viewer lacks the right."""
    if not viewer.may(permission):
        raise NotAllowedError(f"{viewer.role} may not {permission}")


@dataclass(frozen=True, slots=True, kw_only=True)
class StaffCard:
    """What head office writes about a member of staff; roles of ALL_STORES need no stores."""

    code: str
    name: str
    role: Role
    home_store_id: int | None = None
    store_ids: frozenset[int] = frozenset()
    phone: str = ""
    started_on: date | None = None

    @property
    def scope(self) -> frozenset[int] | None:
        """The stores within reach, the home store included; None = every store."""
        if self.role in ALL_STORES:
            return None
        return self.store_ids | ({self.home_store_id} if self.home_store_id is not None else frozenset())


@dataclass(frozen=True, slots=True, kw_only=True)
class NewSignIn:
    """A sign-in to be made; without a password one is drawn and shown once."""

    username: str
    password: str = field(default="", repr=False)
    must_change_password: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class SecuritySettings:
    """How staff sign in: who needs a second factor, when a session ends (since its last page, since its start)."""

    second_factor_roles: tuple[Role, ...] = (Role.HEAD_OFFICE,)
    session_idle_minutes: int = 12 * 60
    session_hours_max: int = 7 * 24

    def __post_init__(self) -> None:
        if not 5 <= self.session_idle_minutes <= 24 * 60:
            raise ValueError("session_idle_minutes lies between 5 and 1440")
        if not 1 <= self.session_hours_max <= 30 * 24:
            raise ValueError("session_hours_max lies between 1 and 720")


def refuse_staff(card: StaffCard) -> Iterator[Problem]:
    """Yield what is wrong with the data of a member of staff."""
    yield from refuse_code(card.code)
    yield from refuse_blank(card.name, field="name", longest=120)
    yield from refuse_phone(card.phone)
    if card.scope == frozenset():
        yield Problem(
            code="store_missing",
            field="store_ids",
            message="Somebody of this role works in at least one store.",
            cure="Choose a home store or further stores.",
        )


def refuse_sign_in(sign_in: NewSignIn) -> Iterator[Problem]:
    """Yield what is wrong with the name of a sign-in; names are kept in small letters."""
    yield from refuse_code(sign_in.username, field="username", longest=150)
    if sign_in.username != sign_in.username.lower():
        yield Problem(code="not_lower_case", field="username", message="Use small letters only.")
