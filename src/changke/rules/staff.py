"""Who works here and what a role may do: the permission table's words and rows. Deny by default."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final


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
