"""Who works here and what a role may do: the permission table's words and rows. Deny by default."""

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
