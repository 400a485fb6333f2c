"""Schemas of the lake: the facts that analytics read, as Arrow types.

Ids are the database's keys. Money is in minor units, quantities in thousandths, both signed: a return is negative.
Days are business days of the store. The lake holds ids and coarse attributes only, never a name, phone or address.
"""

from dataclasses import fields
from datetime import date
from typing import Any, Final, get_args, get_type_hints

import pyarrow as pa

from changke.rules.features import FeatureRow

MEMBERS: Final = pa.schema(
    [
        pa.field("member_id", pa.int64(), nullable=False),
        pa.field("joined_on", pa.date32()),  # registration; null where unknown
        pa.field("status", pa.string(), nullable=False),  # rules.members.MemberStatus
        pa.field("gender", pa.string(), nullable=False),  # rules.members.Gender
        pa.field("birth_year", pa.int32()),
        pa.field("birth_month", pa.int32()),  # solar month of the next birthday, lunar ones converted
        pa.field("birth_day", pa.int32()),
        pa.field("region_id", pa.int64()),
        pa.field("home_store_id", pa.int64()),
        pa.field("recruiter_id", pa.int64()),  # staff
        pa.field("source_channel", pa.string(), nullable=False),
        pa.field("has_phone", pa.bool_(), nullable=False),
        pa.field("has_email", pa.bool_(), nullable=False),
        pa.field("tags", pa.list_(pa.string()), nullable=False),
        pa.field("consents", pa.list_(pa.string()), nullable=False),  # "sms:marketing", granted ones only
        pa.field("attributes", pa.map_(pa.string(), pa.string()), nullable=False),  # user-defined, not sensitive ones
        pa.field("clerk_class", pa.string()),  # the clerk's own judgement A / B / C, null where none
    ]
)

SALES: Final = pa.schema(
    [
        pa.field("sale_id", pa.int64(), nullable=False),
        pa.field("member_id", pa.int64()),  # null = anonymous
        pa.field("store_id", pa.int64(), nullable=False),
        pa.field("staff_id", pa.int64()),
        pa.field("day", pa.date32(), nullable=False),
        pa.field("hour", pa.int32(), nullable=False),  # 0-23, local time of the store
        pa.field("kind", pa.string(), nullable=False),  # "sale" | "return"
        pa.field("total_minor", pa.int64(), nullable=False),
        pa.field("quantity_milli", pa.int64(), nullable=False),
    ]
)

LINES: Final = pa.schema(
    [
        pa.field("sale_id", pa.int64(), nullable=False),
        pa.field("line_no", pa.int32(), nullable=False),
        pa.field("member_id", pa.int64()),
        pa.field("store_id", pa.int64(), nullable=False),
        pa.field("day", pa.date32(), nullable=False),
        pa.field("kind", pa.string(), nullable=False),
        pa.field("product_id", pa.int64(), nullable=False),
        pa.field("category_id", pa.int64()),  # leaf category
        pa.field("top_category_id", pa.int64()),  # its root
        pa.field("brand_id", pa.int64()),
        pa.field("quantity_milli", pa.int64(), nullable=False),
        pa.field("total_minor", pa.int64(), nullable=False),
    ]
)

# One row a member, store and day. A day with returns only has receipts = 0: it counts in money, not as a visit.
VISITS: Final = pa.schema(
    [
        pa.field("member_id", pa.int64(), nullable=False),
        pa.field("store_id", pa.int64(), nullable=False),
        pa.field("day", pa.date32(), nullable=False),
        pa.field("receipts", pa.int32(), nullable=False),
        pa.field("items_milli", pa.int64(), nullable=False),  # of sales only
        pa.field("gross_minor", pa.int64(), nullable=False),  # of sales only
        pa.field("returned_minor", pa.int64(), nullable=False),  # <= 0
        # 1 on the one row that carries the member's visit of that day (the smallest store with a receipt), else 0:
        # its sum is the number of distinct days over all stores, without a count of distinct values
        pa.field("visit_days", pa.int32(), nullable=False),
    ]
)

# A wake-up that was due: sent, or withheld (control group, no consent, cap). Decides "lost".
OPPORTUNITIES: Final = pa.schema(
    [
        pa.field("member_id", pa.int64(), nullable=False),
        pa.field("due_on", pa.date32(), nullable=False),
        pa.field("offer_ends_on", pa.date32(), nullable=False),  # last day of its offer
        pa.field("withheld", pa.string()),  # null = sent; else why not
    ]
)


def _arrow_type(hint: Any) -> pa.DataType:
    kind = next((part for part in get_args(hint) if part is not type(None)), hint)  # int | None -> int
    simple = {int: pa.int64(), str: pa.string(), bool: pa.bool_(), date: pa.date32()}
    if hint == tuple[str, ...]:
        return pa.list_(pa.string())
    if hint == tuple[tuple[str, str], ...]:
        return pa.map_(pa.string(), pa.string())
    return simple[kind]


# One row a member: the wide row, field by field.
FEATURES: Final = pa.schema(
    [(field.name, _arrow_type(get_type_hints(FeatureRow)[field.name])) for field in fields(FeatureRow)]
)

# By what rows of a table are replaced: a sale with all its lines, all visits of a member.
KEYS: Final = {
    "members": ("member_id",),
    "sales": ("sale_id",),
    "lines": ("sale_id",),
    "opportunities": ("member_id", "due_on"),
    "visits": ("member_id",),
}
