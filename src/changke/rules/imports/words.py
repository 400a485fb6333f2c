"""The words of an import: what a column can mean, cleaning rules, why a row is refused, stages of the work."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class PartRole(StrEnum):
    """What one row of a table is about."""

    SALES = "sales"
    MEMBERS = "members"
    PRODUCTS = "products"


class Field(StrEnum):
    """What a column can mean. Which of them a role has is written in FIELDS_OF."""

    SALE_NO = "sale_no"
    SOLD_AT = "sold_at"  # date, or date and time, local time of the store
    SOLD_TIME = "sold_time"  # where the time stands in a column of its own
    SALE_KIND = "sale_kind"
    ORIGINAL_SALE_NO = "original_sale_no"
    STORE_CODE = "store_code"
    STORE_NAME = "store_name"
    STAFF_CODE = "staff_code"
    QUANTITY = "quantity"
    UNIT_PRICE = "unit_price"
    LINE_TOTAL = "line_total"
    TENDER_KIND = "tender_kind"
    PRODUCT_CODE = "product_code"
    PRODUCT_NAME = "product_name"
    CATEGORY_1 = "category_1"  # from the root
    CATEGORY_2 = "category_2"
    CATEGORY_3 = "category_3"
    BRAND = "brand"
    MEMBER_CODE = "member_code"
    MEMBER_NAME = "member_name"
    PHONE = "phone"
    EMAIL = "email"
    CARD_NO = "card_no"
    GENDER = "gender"
    BIRTHDAY = "birthday"
    BIRTH_CALENDAR = "birth_calendar"
    ADDRESS = "address"
    JOINED_ON = "joined_on"
    HOME_STORE_CODE = "home_store_code"
    RECRUITER_CODE = "recruiter_code"
    SOURCE_CHANNEL = "source_channel"
    TAGS = "tags"
    STATUS = "status"
    CONSENT_SMS = "consent_sms"
    CONSENT_EMAIL = "consent_email"
    CONSENT_WECHAT = "consent_wechat"
    CONSENT_PHONE = "consent_phone"


PRODUCT_FIELDS: Final = (
    Field.PRODUCT_CODE, Field.PRODUCT_NAME, Field.CATEGORY_1, Field.CATEGORY_2, Field.CATEGORY_3, Field.BRAND,
)  # fmt: skip
SALE_FIELDS: Final = (
    Field.SALE_NO, Field.SOLD_AT, Field.SOLD_TIME, Field.SALE_KIND, Field.ORIGINAL_SALE_NO, Field.STORE_CODE,
    Field.STORE_NAME, Field.STAFF_CODE, Field.MEMBER_CODE, Field.MEMBER_NAME, Field.PHONE, Field.EMAIL, Field.QUANTITY,
    Field.UNIT_PRICE, Field.LINE_TOTAL, Field.TENDER_KIND, *PRODUCT_FIELDS,
)  # fmt: skip
MEMBER_FIELDS: Final = tuple(Field)[tuple(Field).index(Field.MEMBER_CODE) :]
FIELDS_OF: Final = {
    PartRole.SALES: SALE_FIELDS,
    PartRole.MEMBERS: MEMBER_FIELDS,
    PartRole.PRODUCTS: PRODUCT_FIELDS,
}
CONSENTS: Final = {
    Field.CONSENT_SMS: "sms:marketing",
    Field.CONSENT_EMAIL: "email:marketing",
    Field.CONSENT_WECHAT: "wechat:marketing",
    Field.CONSENT_PHONE: "phone:marketing",
}


class CleaningRule(StrEnum):
    """A visible, switchable decision about dirty rows. Off means what RULE_TEXTS says after "otherwise"."""

    CANCELLATIONS_ARE_RETURNS = "cancellations_are_returns"
    NEGATIVE_QUANTITY_IS_RETURN = "negative_quantity_is_return"
    LINK_RETURNS = "link_returns"
    ANONYMOUS_SALES = "anonymous_sales"
    DROP_DUPLICATES = "drop_duplicates"
    REFUSE_ZERO_PRICE = "refuse_zero_price"
    REFUSE_TEST_PRODUCTS = "refuse_test_products"
    LEAVE_OUT_BAD_CONTACTS = "leave_out_bad_contacts"
    FILL_EMPTY_ONLY = "fill_empty_only"


class Refusal(StrEnum):
    """Why a row was refused (or, of the last group, one of its cells left out)."""

    MALFORMED = "malformed"
    SALE_NO_MISSING = "sale_no_missing"
    MOMENT_MISSING = "moment_missing"
    MOMENT_UNREADABLE = "moment_unreadable"
    MOMENT_IN_FUTURE = "moment_in_future"
    PRODUCT_MISSING = "product_missing"
    AMOUNT_MISSING = "amount_missing"
    AMOUNT_UNREADABLE = "amount_unreadable"
    AMOUNT_TOO_LARGE = "amount_too_large"
    QUANTITY_UNREADABLE = "quantity_unreadable"
    QUANTITY_ZERO = "quantity_zero"
    QUANTITY_NEGATIVE = "quantity_negative"
    PRICE_ZERO = "price_zero"
    PRICE_NEGATIVE = "price_negative"
    KIND_UNKNOWN = "kind_unknown"
    CANCELLATION = "cancellation"
    MEMBER_MISSING = "member_missing"
    TEST_PRODUCT = "test_product"
    DUPLICATE = "duplicate"
    TEXT_TOO_LONG = "text_too_long"
    RECEIPT_CONTRADICTED = "receipt_contradicted"
    RECEIPT_REPEATED = "receipt_repeated"
    MEMBER_CODE_MISSING = "member_code_missing"
    MEMBER_REPEATED = "member_repeated"
    PRODUCT_REPEATED = "product_repeated"
    CARD_TAKEN = "card_taken"
    PHONE_UNREADABLE = "phone_unreadable"
    EMAIL_UNREADABLE = "email_unreadable"
    DATE_UNREADABLE = "date_unreadable"
    WORD_UNKNOWN = "word_unknown"


class Effect(StrEnum):
    """What a line of the row report tells: the whole row is not imported, or only the named cell is left out."""

    REFUSED = "refused"
    LEFT_OUT = "left_out"


class Stage(StrEnum):
    """The stages of an import, in order."""

    READ = "read"
    CLEAN = "clean"
    COMPARE = "compare"
    WRITE = "write"
    FINISH = "finish"


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far a stage is: `done` of `total` in its own unit (bytes of READ, steps of CLEAN and FINISH, else rows)."""

    stage: Stage
    done: int
    total: int


ProgressSink = Callable[[Progress], None]  # may raise to stop the import


# English msgids: name of the switch; what it does when on, and otherwise.
RULE_TEXTS: Final[dict[CleaningRule, tuple[str, str]]] = {
    CleaningRule.CANCELLATIONS_ARE_RETURNS: (
        "Cancellations are returns",
        "A cancelled receipt becomes a return; otherwise its lines are refused.",
    ),
    CleaningRule.NEGATIVE_QUANTITY_IS_RETURN: (
        "Negative quantities are returns",
        "A line with a negative quantity becomes a return; otherwise it is refused.",
    ),
    CleaningRule.LINK_RETURNS: (
        "Link returns to their sale",
        "A return that names no sale is linked to the latest earlier sale of the same member, product and price that "
        "has enough left to give back; otherwise it stays without one.",
    ),
    CleaningRule.ANONYMOUS_SALES: (
        "Lines without a customer are kept",
        "They become anonymous sales; otherwise they are refused.",
    ),
    CleaningRule.DROP_DUPLICATES: (
        "Drop exact duplicates",
        "Of lines that are equal in every column the first is kept; otherwise all are.",
    ),
    CleaningRule.REFUSE_ZERO_PRICE: (
        "Refuse prices of zero",
        "A line whose price is zero before rounding is refused; otherwise it is kept.",
    ),
    CleaningRule.REFUSE_TEST_PRODUCTS: (
        "Refuse test products",
        "Lines of products called test are refused; otherwise they are kept.",
    ),
    CleaningRule.LEAVE_OUT_BAD_CONTACTS: (
        "Leave out unreadable contacts",
        "A member with an unreadable phone, e-mail address or date is kept without it; otherwise the row is refused.",
    ),
    CleaningRule.FILL_EMPTY_ONLY: (
        "Only fill empty fields",
        "Of known members only empty fields are filled; otherwise the file overwrites what is there.",
    ),
}

# English msgids: what is wrong with the row, and the cure.
REFUSAL_TEXTS: Final[dict[Refusal, tuple[str, str]]] = {
    Refusal.MALFORMED: (
        "The row has another number of cells than the header.",
        "Put cells with the delimiter in quotes.",
    ),
    Refusal.SALE_NO_MISSING: ("The receipt number is missing.", "Fill it in, or map another column."),
    Refusal.MOMENT_MISSING: ("The date of the sale is missing.", "Fill it in, or map another column."),
    Refusal.MOMENT_UNREADABLE: ("The date or time is none that can be read.", "Write it as 2024-05-31 18:30."),
    Refusal.MOMENT_IN_FUTURE: (
        "The sale lies in the future.",
        "Correct the date, or choose the order of day and month.",
    ),
    Refusal.PRODUCT_MISSING: ("The product code is missing.", "Fill it in, or map another column."),
    Refusal.AMOUNT_MISSING: ("There is neither a price nor a total.", "Fill in one of them."),
    Refusal.AMOUNT_UNREADABLE: ("The price or total is no number.", "Write it as 1234.50."),
    Refusal.AMOUNT_TOO_LARGE: ("The amount is larger than a sale can be.", "Correct price and quantity."),
    Refusal.QUANTITY_UNREADABLE: ("The quantity is no number.", "Write it as 2 or 0.250."),
    Refusal.QUANTITY_ZERO: ("The quantity is zero.", "Correct it, or leave the row out."),
    Refusal.QUANTITY_NEGATIVE: (
        "The quantity is negative but the line is no cancellation.",
        "Let negative quantities be returns, or correct it.",
    ),
    Refusal.PRICE_ZERO: ("The price is zero.", "Correct it, or switch the rule off to keep gifts."),
    Refusal.PRICE_NEGATIVE: ("The price is negative.", "Enter the discount in the totals of the lines it belongs to."),
    Refusal.KIND_UNKNOWN: ("The kind is neither sale nor return.", "Write sale or return."),
    Refusal.CANCELLATION: ("The line is a cancellation.", "Let cancellations be returns to keep it."),
    Refusal.MEMBER_MISSING: ("The line has no customer.", "Let lines without a customer be kept as anonymous sales."),
    Refusal.TEST_PRODUCT: ("The product is a test product.", "Switch the rule off to keep it."),
    Refusal.DUPLICATE: ("An equal line stands above.", "Switch the rule off to keep it."),
    Refusal.TEXT_TOO_LONG: (
        "A code is longer than it can be.",
        "Map the right column; receipt numbers may have 76 signs, store and staff codes 40.",
    ),
    Refusal.RECEIPT_CONTRADICTED: (
        "The receipt has another customer, store or day in its first row.",
        "Correct it, or let receipt numbers start again each day.",
    ),
    Refusal.RECEIPT_REPEATED: ("The receipt stands again in a later file.", "Nothing: the last file counts."),
    Refusal.MEMBER_CODE_MISSING: ("There is neither a member code nor a phone.", "Fill in one of them."),
    Refusal.MEMBER_REPEATED: ("The member stands again further down.", "Nothing: the last row of a member counts."),
    Refusal.PRODUCT_REPEATED: ("The product stands again further down.", "Nothing: the last row of a product counts."),
    Refusal.CARD_TAKEN: ("The card number belongs to another member.", "Correct the number, or merge the two members."),
    Refusal.PHONE_UNREADABLE: ("The phone is no phone number.", "Write it with its area or country code."),
    Refusal.EMAIL_UNREADABLE: ("The e-mail address is none.", "Write it as name@example.com."),
    Refusal.DATE_UNREADABLE: ("The date is none that can be read.", "Write it as 1990-05-31."),
    Refusal.WORD_UNKNOWN: ("The word is not known here.", "Use a word of the list in the documentation."),
}
