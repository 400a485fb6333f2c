"""The permission table: which right each address needs. An address that is missing here opens for nobody."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from changke.rules.staff import Permission, Viewer


class Access(StrEnum):
    """Addresses that need no right of a role."""

    PUBLIC = "public"  # for everybody, signed in or not
    SIGNED_IN = "signed_in"  # for all staff
    DUTY = "duty"  # for all staff, also before they have done what they owe: a new password, a second factor


ADDRESSES: Final[Mapping[str, Access | Permission]] = {
    # health and measures check the caller themselves
    "livez": Access.PUBLIC,
    "metrics": Access.PUBLIC,
    "readyz": Access.PUBLIC,
    # sign-in
    "account_change_password": Access.DUTY,
    "account_inactive": Access.PUBLIC,
    "account_login": Access.PUBLIC,
    "account_logout": Access.PUBLIC,
    "account_reauthenticate": Access.DUTY,
    "home": Access.PUBLIC,
    "mfa_activate_totp": Access.DUTY,
    "mfa_authenticate": Access.PUBLIC,
    "mfa_deactivate_totp": Access.SIGNED_IN,
    "mfa_generate_recovery_codes": Access.SIGNED_IN,
    "mfa_index": Access.SIGNED_IN,
    "mfa_reauthenticate": Access.DUTY,
    "mfa_view_recovery_codes": Access.SIGNED_IN,
    "set_language": Access.PUBLIC,
    # today
    "components": Access.SIGNED_IN,
    "console": Access.SIGNED_IN,
    "find": Access.SIGNED_IN,
    "today": Permission.SEE_TODAY,
    # members
    "approvals": Permission.SEE_MEMBERS,
    "attribute_edit": Permission.EDIT_SETTINGS,
    "attribute_new": Permission.EDIT_SETTINGS,
    "attribute_retire": Permission.EDIT_SETTINGS,
    "attributes": Permission.SEE_SETTINGS,
    "birthdays": Permission.SEE_MEMBERS,
    "consent_text_new": Permission.EDIT_SETTINGS,
    "consent_texts": Permission.SEE_SETTINGS,
    "duplicate": Permission.MERGE_MEMBERS,
    "duplicate_dismiss": Permission.MERGE_MEMBERS,
    "duplicates": Permission.MERGE_MEMBERS,
    "duplicates_search": Permission.MERGE_MEMBERS,
    "member": Permission.SEE_MEMBERS,
    "member_card": Permission.ENROL_MEMBERS,
    "member_consents": Permission.ENROL_MEMBERS,
    "member_edit": Permission.EDIT_MEMBERS,
    "member_new": Permission.ENROL_MEMBERS,
    "member_reveal": Permission.REVEAL_CONTACTS,
    "member_status": Permission.EDIT_MEMBERS,
    "member_tags": Permission.EDIT_MEMBERS,
    "members": Permission.SEE_MEMBERS,
    "members_batch": Permission.EDIT_MEMBERS_IN_BATCH,
    "members_export": Permission.EXPORT_DATA,
    "members_view": Permission.SEE_MEMBERS,
    "members_view_delete": Permission.SEE_MEMBERS,
    "merge": Permission.MERGE_MEMBERS,
    "merge_undo": Permission.MERGE_MEMBERS,
    "promotion": Permission.SEE_INSIGHT,
    "settings_members": Permission.SEE_SETTINGS,
    "tag_delete": Permission.EDIT_MEMBERS_IN_BATCH,
    "tag_edit": Permission.EDIT_MEMBERS_IN_BATCH,
    "tags": Permission.SEE_MEMBERS,
    # files brought in
    "import": Permission.IMPORT_DATA,
    "import_cancel": Permission.IMPORT_DATA,
    "import_drop": Permission.IMPORT_DATA,
    "import_new": Permission.IMPORT_DATA,
    "import_now": Permission.IMPORT_DATA,
    "import_plan": Permission.IMPORT_DATA,
    "import_refresh": Permission.IMPORT_DATA,
    "import_report": Permission.IMPORT_DATA,
    "import_state": Permission.IMPORT_DATA,
    "imports": Permission.IMPORT_DATA,
    # insight
    "insight_forecast": Permission.SEE_INSIGHT,
    "insight_goods": Permission.SEE_INSIGHT,
    "insight_life": Permission.SEE_INSIGHT,
    "insight_life_movers": Permission.SEE_MEMBERS,
    "insight_life_settings": Permission.SEE_INSIGHT,
    "insight_loyalty": Permission.SEE_INSIGHT,
    "insight_members": Permission.SEE_MEMBERS,
    "insight_people": Permission.SEE_INSIGHT,
    "insight_rfm": Permission.SEE_INSIGHT,
    "insight_run": Permission.SEE_INSIGHT,
    "insight_run_compare": Permission.SEE_INSIGHT,
    "insight_run_delete": Permission.RUN_INSIGHT,
    "insight_run_movers": Permission.SEE_MEMBERS,
    "insight_run_new": Permission.RUN_INSIGHT,
    "insight_run_state": Permission.SEE_INSIGHT,
    "insight_runs": Permission.SEE_INSIGHT,
    "insight_schedule": Permission.EDIT_SETTINGS,
    "insight_stores": Permission.SEE_INSIGHT,
    "insight_waiting": Access.SIGNED_IN,
    # account
    "account": Access.SIGNED_IN,
    "account_sessions_end": Access.SIGNED_IN,
    # stores
    "store": Permission.SEE_SHOP,
    "store_close": Permission.EDIT_SHOP,
    "store_edit": Permission.EDIT_SHOP,
    "store_new": Permission.EDIT_SHOP,
    "store_picture": Permission.EDIT_SHOP,
    "store_reopen": Permission.EDIT_SHOP,
    "stores": Permission.SEE_SHOP,
    # regions
    "region_edit": Permission.EDIT_SHOP,
    "region_new": Permission.EDIT_SHOP,
    "regions": Permission.SEE_SHOP,
    # products
    "product": Permission.SEE_SHOP,
    "product_edit": Permission.EDIT_SHOP,
    "products": Permission.SEE_SHOP,
    # staff
    "staff": Permission.SEE_SHOP,
    "staff_edit": Permission.EDIT_STAFF,
    "staff_end": Permission.EDIT_STAFF,
    "staff_member": Permission.SEE_SHOP,
    "staff_new": Permission.EDIT_STAFF,
    "staff_sign_in": Permission.EDIT_STAFF,
    "staff_take_back": Permission.EDIT_STAFF,
    # segments
    "segment": Permission.SEE_SEGMENTS,
    "segment_bring_back": Permission.EDIT_SEGMENTS,
    "segment_edit": Permission.EDIT_SEGMENTS,
    "segment_export": Permission.EXPORT_DATA,
    "segment_live": Permission.SEE_SEGMENTS,
    "segment_new": Permission.EDIT_SEGMENTS,
    "segment_options": Permission.SEE_SEGMENTS,
    "segment_put_away": Permission.EDIT_SEGMENTS,
    "segments": Permission.SEE_SEGMENTS,
    # settings
    "audit": Permission.SEE_AUDIT,
    "audit_export": Permission.SEE_AUDIT,
    "job_retry": Permission.EDIT_SETTINGS,
    "jobs": Permission.SEE_SETTINGS,
    "settings": Permission.SEE_SETTINGS,
    "settings_security": Permission.SEE_SETTINGS,
    # files: the page itself asks whose file it is
    "upload": Access.SIGNED_IN,
}


def may_open(viewer: Viewer, *, name: str) -> bool:
    """Say whether a viewer may open the address of a URL name; unknown names are closed."""
    needed = ADDRESSES.get(name)
    return isinstance(needed, Access) or (needed is not None and viewer.may(needed))
