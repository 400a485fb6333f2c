"""The fields of the wide row that a condition can name: kind, unit, choices and the words for them.

The builder page is made from this table. Choices repeat the enums of other nouns, which a noun of rules may not import;
a test holds them equal, and every name to the wide row.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class FieldKind(StrEnum):
    NUMBER = "number"  # Number, Choice, Unknown
    WORD = "word"  # Choice, Unknown
    REFERENCE = "reference"  # an id of another noun: Choice, Unknown
    DATE = "date"  # DateBetween, DateWithin, Unknown
    FLAG = "flag"  # Flag


class Unit(StrEnum):
    NONE = "none"
    COUNT = "count"
    DAYS = "days"
    YEARS = "years"
    MONEY = "money"  # minor units
    QUANTITY = "quantity"  # thousandths
    SCORE = "score"
    PPM = "ppm"  # millionths
    MEMBER = "member"
    STORE = "store"
    STAFF = "staff"
    REGION = "region"
    CATEGORY = "category"


class FieldGroup(StrEnum):
    PROFILE = "profile"
    PURCHASES = "purchases"
    SCORES = "scores"
    LIFE_CYCLE = "life_cycle"
    VALUE = "value"


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One field: its name in the wide row, what it holds, and its English label (a msgid)."""

    name: str
    kind: FieldKind
    unit: Unit
    group: FieldGroup
    label: str
    choices: tuple[str, ...] = ()


MEMBER_STATUSES: Final = ("prospect", "provisional", "formal", "frozen", "closed", "merged", "erased")
GENDERS: Final = ("female", "male", "unknown")
SOURCE_CHANNELS: Final = (
    "store", "paper_form", "website", "app", "wechat", "email", "sms", "social", "qr", "event", "partner", "referral",
    "import", "unknown",
)  # fmt: skip
AGE_BANDS: Final = (
    "<=20", "21-25", "26-30", "31-35", "36-40", "41-45", "46-50", "51-55", "56-60", "61-65", "66-70", ">70", "unknown",
)  # fmt: skip
LIFE_CLASSES: Final = ("new", "returning", "active", "sleeping", "lost", "unbought")
STAGES: Final = ("introduction", "growth", "maturity", "dormancy", "loss", "unknown")
CARE_CLASSES: Final = ("A", "B", "C")
VALUE_LAYERS: Final = ("vip", "key", "ordinary")

N, W, R, D, F = FieldKind.NUMBER, FieldKind.WORD, FieldKind.REFERENCE, FieldKind.DATE, FieldKind.FLAG
PROFILE, BUYS, SCORES = FieldGroup.PROFILE, FieldGroup.PURCHASES, FieldGroup.SCORES
LIFE, VALUE = FieldGroup.LIFE_CYCLE, FieldGroup.VALUE

ROWS: Final[tuple[tuple[str, FieldKind, Unit, FieldGroup, str, tuple[str, ...]], ...]] = (
    ("member_id", R, Unit.MEMBER, PROFILE, "Member", ()),
    ("status", W, Unit.NONE, PROFILE, "Status", MEMBER_STATUSES),
    ("joined_on", D, Unit.NONE, PROFILE, "Joined on", ()),
    ("gender", W, Unit.NONE, PROFILE, "Gender", GENDERS),
    ("age", N, Unit.YEARS, PROFILE, "Age", ()),
    ("age_band", W, Unit.NONE, PROFILE, "Age band", AGE_BANDS),
    ("birth_month", N, Unit.NONE, PROFILE, "Month of birthday", ()),
    ("region_id", R, Unit.REGION, PROFILE, "Region", ()),
    ("home_store_id", R, Unit.STORE, PROFILE, "Home store", ()),
    ("recruiter_id", R, Unit.STAFF, PROFILE, "Recruited by", ()),
    ("source_channel", W, Unit.NONE, PROFILE, "Source channel", SOURCE_CHANNELS),
    ("has_phone", F, Unit.NONE, PROFILE, "Has a phone number", ()),
    ("has_email", F, Unit.NONE, PROFILE, "Has an e-mail address", ()),
    ("clerk_class", W, Unit.NONE, PROFILE, "Class by the clerk", CARE_CLASSES),
    ("first_visit_on", D, Unit.NONE, BUYS, "First visit", ()),
    ("last_visit_on", D, Unit.NONE, BUYS, "Last visit", ()),
    ("recency_days", N, Unit.DAYS, BUYS, "Days since the last visit", ()),
    ("receipts", N, Unit.COUNT, BUYS, "Receipts in the period", ()),
    ("visit_days", N, Unit.COUNT, BUYS, "Visit days in the period", ()),
    ("items_milli", N, Unit.QUANTITY, BUYS, "Items in the period", ()),
    ("gross_minor", N, Unit.MONEY, BUYS, "Spend in the period before returns", ()),
    ("returned_minor", N, Unit.MONEY, BUYS, "Returns in the period", ()),
    ("net_minor", N, Unit.MONEY, BUYS, "Spend in the period", ()),
    ("receipts_ever", N, Unit.COUNT, BUYS, "Receipts ever", ()),
    ("visit_days_ever", N, Unit.COUNT, BUYS, "Visit days ever", ()),
    ("net_ever_minor", N, Unit.MONEY, BUYS, "Spend ever", ()),
    ("visits_in_window", N, Unit.COUNT, BUYS, "Visits in the life-cycle window", ()),
    ("mean_ticket_minor", N, Unit.MONEY, BUYS, "Average ticket", ()),
    ("mean_interval_days", N, Unit.DAYS, BUYS, "Average days between visits", ()),
    ("favourite_store_id", R, Unit.STORE, BUYS, "Favourite store", ()),
    ("favourite_category_id", R, Unit.CATEGORY, BUYS, "Favourite category", ()),
    ("r_score", N, Unit.SCORE, SCORES, "R score", ()),
    ("f_score", N, Unit.SCORE, SCORES, "F score", ()),
    ("m_score", N, Unit.SCORE, SCORES, "M score", ()),
    ("rfm_cell", N, Unit.SCORE, SCORES, "RFM cell", ()),
    ("bought_once", F, Unit.NONE, SCORES, "Bought exactly once in the period", ()),
    ("life_class", W, Unit.NONE, LIFE, "Life-cycle class", LIFE_CLASSES),
    ("origin_class", W, Unit.NONE, LIFE, "Class of origin", LIFE_CLASSES),
    ("stage", W, Unit.NONE, LIFE, "Stage", STAGES),
    ("is_potential", F, Unit.NONE, LIFE, "Potential", ()),
    ("is_about_to_leave", F, Unit.NONE, LIFE, "About to leave", ()),
    ("is_one_time", F, Unit.NONE, LIFE, "One-time buyer", ()),
    ("is_loyal", F, Unit.NONE, LIFE, "Loyal", ()),
    ("is_high_value", F, Unit.NONE, VALUE, "High value", ()),
    ("care_class", W, Unit.NONE, VALUE, "Care class", CARE_CLASSES),
    ("value_layer", W, Unit.NONE, VALUE, "Value layer", VALUE_LAYERS),
    ("spending_power", N, Unit.SCORE, VALUE, "Spending power", ()),
    ("alive_ppm", N, Unit.PPM, VALUE, "Probability of still being a customer", ()),
    ("buys_in_30_days_ppm", N, Unit.PPM, VALUE, "Probability of buying in the next 30 days", ()),
    ("expected_value_minor", N, Unit.MONEY, VALUE, "Expected spend in the next 365 days", ()),
)

FIELDS: Final = {
    name: Field(name=name, kind=kind, unit=unit, group=group, label=label, choices=choices)
    for name, kind, unit, group, label, choices in ROWS
}
