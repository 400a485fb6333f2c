"""Words of imports: what a column can mean, stages, states, encodings."""

from collections.abc import Mapping
from typing import Any, Final

from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from changke.queries.import_preview import ATTRIBUTE
from changke.rules.imports.plan import ImportMode, ImportState
from changke.rules.imports.profiles import DayOrder, SaleKey
from changke.rules.imports.words import CleaningRule, Effect, Field, PartRole, Stage

FIELDS: Final[dict[Field, Any]] = {
    Field.SALE_NO: _("Receipt number"),
    Field.SOLD_AT: _("Date of sale"),
    Field.SOLD_TIME: _("Time of sale"),
    Field.SALE_KIND: _("Sale or return"),
    Field.ORIGINAL_SALE_NO: _("Receipt given back"),
    Field.STORE_CODE: _("Store code"),
    Field.STORE_NAME: _("Store name"),
    Field.STAFF_CODE: _("Cashier or sales person"),
    Field.QUANTITY: _("Quantity"),
    Field.UNIT_PRICE: _("Unit price"),
    Field.LINE_TOTAL: _("Line total"),
    Field.TENDER_KIND: _("Means of payment"),
    Field.PRODUCT_CODE: _("Product code"),
    Field.PRODUCT_NAME: _("Product name"),
    Field.CATEGORY_1: _("Category, first level"),
    Field.CATEGORY_2: _("Category, second level"),
    Field.CATEGORY_3: _("Category, third level"),
    Field.BRAND: _("Brand"),
    Field.MEMBER_CODE: _("Member code"),
    Field.MEMBER_NAME: _("Member's name"),
    Field.PHONE: _("Phone"),
    Field.EMAIL: _("E-mail"),
    Field.CARD_NO: _("Card number"),
    Field.GENDER: _("Gender"),
    Field.BIRTHDAY: _("Birthday"),
    Field.BIRTH_CALENDAR: _("Calendar of the birthday"),
    Field.ADDRESS: _("Address"),
    Field.JOINED_ON: _("Joined on"),
    Field.HOME_STORE_CODE: _("Home store"),
    Field.RECRUITER_CODE: _("Recruited by"),
    Field.SOURCE_CHANNEL: _("Source channel"),
    Field.TAGS: _("Tags"),
    Field.STATUS: _("Status"),
    Field.CONSENT_SMS: _("Consent to SMS"),
    Field.CONSENT_EMAIL: _("Consent to e-mail"),
    Field.CONSENT_WECHAT: _("Consent to WeChat"),
    Field.CONSENT_PHONE: _("Consent to calls"),
}
ROLES: Final[dict[PartRole, Any]] = {
    PartRole.SALES: pgettext_lazy("table", "Sales"),
    PartRole.MEMBERS: _("Members"),
    PartRole.PRODUCTS: _("Products"),
}
STATES: Final[dict[ImportState, Any]] = {
    ImportState.WAITING: pgettext_lazy("job", "Waiting"),
    ImportState.RUNNING: pgettext_lazy("job", "Running"),
    ImportState.DONE: pgettext_lazy("job", "Done"),
    ImportState.FAILED: pgettext_lazy("job", "Failed"),
    ImportState.CANCELLED: pgettext_lazy("job", "Cancelled"),
}
MODES: Final[dict[ImportMode, Any]] = {
    ImportMode.MERGE: _("Import"),
    ImportMode.REHEARSAL: _("Rehearsal"),
}
STAGES: Final[dict[Stage, Any]] = {
    Stage.READ: _("Read the files"),
    Stage.CLEAN: _("Clean the rows"),
    Stage.COMPARE: _("Compare with what is here"),
    Stage.WRITE: _("Write"),
    Stage.FINISH: _("Finish"),
}
EFFECTS: Final[dict[Effect, Any]] = {
    Effect.REFUSED: _("Row refused"),
    Effect.LEFT_OUT: _("Cell left out"),
}
DAY_ORDERS: Final[dict[DayOrder, Any]] = {
    DayOrder.DAY_FIRST: _("Day first: 31/05/2024"),
    DayOrder.MONTH_FIRST: _("Month first: 05/31/2024"),
}
SALE_KEYS: Final[dict[SaleKey, Any]] = {
    SaleKey.NUMBER: _("By receipt number"),
    SaleKey.NUMBER_A_DAY: _("By store, day and receipt number"),
    SaleKey.ROW: _("Each row is a receipt"),
}
ENCODINGS: Final[dict[str, Any]] = {
    "utf-8": "UTF-8",
    "utf-8-sig": _("UTF-8 with a mark"),
    "gb18030": "GB18030 / GBK",
    "utf-16": "UTF-16",
    "big5": "Big5",
    "cp1252": "Windows-1252",
}
DELIMITERS: Final[dict[str, Any]] = {
    ",": _("Comma ,"),
    "\t": _("Tab"),
    ";": _("Semicolon ;"),
    "|": _("Bar |"),
    "blanks": _("Spaces"),
}
NEW: Final = pgettext_lazy("import", "new")
CHANGED: Final = pgettext_lazy("import", "changed")
CORRECTED: Final = pgettext_lazy("import", "corrected")
UNCHANGED: Final = pgettext_lazy("import", "unchanged")
MERGED: Final[tuple[tuple[Any, dict[str, Any]], ...]] = (
    (
        pgettext_lazy("table", "Receipts"),
        {"sales_new": NEW, "sales_corrected": CORRECTED, "sales_unchanged": UNCHANGED},
    ),
    (_("Members"), {"members_new": NEW, "members_changed": CHANGED, "members_unchanged": UNCHANGED}),
    (_("Products"), {"products_new": NEW, "products_changed": CHANGED}),
    (_("Stores"), {"stores_new": NEW}),
    (_("Staff"), {"staff_new": NEW}),
)
# Rules that speak of members as well; all others speak of sales alone.
MEMBER_RULES: Final = (CleaningRule.LEAVE_OUT_BAD_CONTACTS, CleaningRule.FILL_EMPTY_ONLY)


def meaning_word(meaning: str, *, attributes: Mapping[str, str]) -> Any:
    """Return the word for what a column means: a field, or the name of a user-defined attribute."""
    if meaning.startswith(ATTRIBUTE):
        key = meaning.removeprefix(ATTRIBUTE)
        return attributes.get(key, key)
    return FIELDS[Field(meaning)]
