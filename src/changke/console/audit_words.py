"""Words of the audit log: what was done, to what, and which field."""

from typing import Any, Final

from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

ACTIONS: Final[dict[str, Any]] = {
    "add_region": _("Added a region"),
    "change_company": _("Changed the company"),
    "change_own_password": _("Changed the own password"),
    "change_product": _("Changed a product"),
    "change_region": _("Changed a region"),
    "change_staff": _("Changed staff"),
    "change_store": _("Changed a store"),
    "close_store": _("Closed a store"),
    "end_own_sessions": _("Signed out everywhere else"),
    "end_sessions": _("Signed somebody out everywhere"),
    "end_staff": _("Noted that somebody left"),
    "give_sign_in": _("Gave a sign-in"),
    "hire_staff": _("Added staff"),
    "keep_file": _("Uploaded a file"),
    "open_store": _("Opened a store"),
    "recovery_codes_generated": _("Made recovery codes"),
    "remove_second_factor": _("Took a second factor away"),
    "reopen_store": _("Opened a store again"),
    "reset_password": _("Gave a new password"),
    "retry_job": _("Tried a job again"),
    "save_setting": _("Changed settings"),
    "set_up_company": _("Set up the company"),
    "show_store": _("Changed a store's picture"),
    "take_back_staff": _("Took staff back"),
    "totp_activated": _("Set up the own second factor"),
    "totp_deactivated": _("Took the own second factor away"),
    "unlock_sign_in": _("Lifted a lock"),
    # members
    "bring_import_files": _("Brought files to import"),
    "bring_back_attribute": _("Brought an attribute back"),
    "cancel_import": _("Cancelled an import"),
    "card_closed": _("Closed a card"),
    "card_issued": _("Issued a card"),
    "card_lost": _("Noted a lost card"),
    "card_replaced": _("Replaced a card"),
    "change_attribute": _("Changed an attribute"),
    "close_member": _("Closed a membership"),
    "confirm_member": _("Confirmed a member"),
    "define_attribute": _("Defined an attribute"),
    "delete_tag": _("Deleted a tag"),
    "dismiss_pair": _("Decided that two members are two people"),
    "drop_import_files": _("Dropped files to import"),
    "edit_member": _("Changed a member"),
    "enrol_member": _("Enrolled a member"),
    "export_members": _("Exported members"),
    "find_duplicates": _("Looked for duplicates"),
    "freeze_member": _("Froze a member"),
    "import_history": _("Imported data"),
    "join_member": _("Took a prospect on as a member"),
    "load_opportunities": _("Loaded earlier wake-ups"),
    "member_tagged": _("Tagged a member"),
    "member_untagged": _("Took a tag off a member"),
    "merge_members": _("Merged two members"),
    "publish_consent_text": _("Published a consent text"),
    "record_consents": _("Recorded consents"),
    "rename_tag": _("Renamed a tag"),
    "reopen_member": _("Opened a membership again"),
    "retire_attribute": _("Retired an attribute"),
    "reveal_contacts": _("Looked at contact data"),
    "set_validity": _("Set the validity of members"),
    "take_import_report": _("Took the report of an import away"),
    "undo_merge": _("Took a merge back"),
    "unfreeze_member": _("Unfroze a member"),
    # insight and segments
    "begin_rfm_run": _("Began a score run"),
    "bring_back_segment": _("Brought a segment back"),
    "change_segment": _("Changed a segment"),
    "delete_rfm_run": _("Deleted a score run"),
    "export_segment": _("Exported a segment"),
    "install_segment": _("Installed a shipped segment"),
    "put_away_segment": _("Put a segment away"),
    "save_segment": _("Saved a segment"),
}

KINDS: Final[dict[str, Any]] = {
    "attribute_definition": _("Attribute"),
    "company": _("Company"),
    "consent_text": _("Consent text"),
    "import_run": _("Import"),
    "job": _("Job"),
    "member": _("Member"),
    "opportunity": _("Wake-up"),
    "product": _("Product"),
    "region": _("Region"),
    "rfm_run": _("Score run"),
    "segment": pgettext_lazy("one", "Segment"),
    "setting": _("Settings"),
    "staff": _("Staff"),
    "store": _("Store"),
    "tag": _("Tag"),
    "upload": _("File"),
}

FIELDS: Final[dict[str, Any]] = {
    "address": _("Address"),
    "brand_id": _("Brand"),
    "category_id": _("Category"),
    "closed_on": _("Closed on"),
    "code": _("Code"),
    "currency": _("Currency"),
    "data_note": _("Source of the data"),
    "day_ends_at": _("The business day ends at"),
    "ended_on": _("Last day"),
    "floor_plan_id": _("Floor plan"),
    "home_store_id": _("Home store"),
    "hours": _("Opening hours"),
    "is_active": _("On sale"),
    "is_simulated": _("Simulated"),
    "jurisdiction": _("Jurisdiction"),
    "kind": _("Kind"),
    "name": _("Name"),
    "name_en": _("English name"),
    "opened_on": _("Opened on"),
    "ownership": _("Run by"),
    "phone": _("Phone"),
    "picture_id": _("Picture"),
    "region_id": _("Region"),
    "role": _("Role"),
    "second_factor_roles": _("Roles that need a second factor"),
    "session_hours_max": _("Hours after which one must sign in again in any case"),
    "session_idle_minutes": _("Minutes without a page until one must sign in again"),
    "size_bytes": _("Bytes"),
    "started_on": _("Works here since"),
    "status": _("Status"),
    "store_ids": _("Further stores"),
    "task": _("Job"),
    "time_zone": _("Time zone"),
    "username": _("User name"),
}


def action_words(action: str) -> Any:
    """Return the words of an action; an unknown one as it is stored."""
    return ACTIONS.get(action, action.replace("_", " "))


def kind_words(kind: str) -> Any:
    """Return the words of a kind of subject; of "setting:security" those of settings."""
    plain = kind.partition(":")[0]
    return KINDS.get(plain, plain.replace("_", " "))


def field_words(field: str) -> Any:
    """Return the words of a field; an unknown one as it is stored."""
    return FIELDS.get(field, field.replace("_", " "))
