"""Schemas of an import after cleaning: what a source knows, by its own codes, before the database gives ids.

Every writer of sales history in bulk (file import, demo) hands over these tables. Money is in minor units, quantities
in thousandths; lines and totals of a return are negative. `sale_no` is unique within its source.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeAlias

import pyarrow as pa

STORES: Final = pa.schema([pa.field("store_code", pa.string(), nullable=False), pa.field("name", pa.string())])

PRODUCTS: Final = pa.schema(
    [
        pa.field("product_code", pa.string(), nullable=False),
        pa.field("name", pa.string()),
        pa.field("category_path", pa.list_(pa.string())),  # from the root, e.g. ["Grocery", "Tea"]; null = none
        pa.field("brand", pa.string()),
    ]
)

MEMBERS: Final = pa.schema(
    [
        pa.field("member_code", pa.string(), nullable=False),
        pa.field("name", pa.string()),
        pa.field("gender", pa.string()),  # rules.members.Gender; null = unknown
        pa.field("birth_year", pa.int32()),
        pa.field("birth_month", pa.int32()),
        pa.field("birth_day", pa.int32()),
        pa.field("birth_calendar", pa.string()),  # "solar" | "lunar"; null = solar
        pa.field("phone", pa.string()),  # E.164
        pa.field("email", pa.string()),
        pa.field("address", pa.string()),
        pa.field("joined_on", pa.date32()),
        pa.field("home_store_code", pa.string()),
        pa.field("recruiter_code", pa.string()),  # staff code
        pa.field("source_channel", pa.string()),
        pa.field("card_no", pa.string()),
        pa.field("tags", pa.list_(pa.string())),
        pa.field("attributes", pa.map_(pa.string(), pa.string())),
        pa.field("consents", pa.list_(pa.string())),  # "sms:marketing"; recorded with the import as their source
        pa.field("status", pa.string()),  # rules.members.MemberStatus; null = formal
    ]
)

SALES: Final = pa.schema(
    [
        pa.field("sale_no", pa.string(), nullable=False),
        pa.field("kind", pa.string(), nullable=False),  # "sale" | "return"
        pa.field("sold_at", pa.timestamp("us", tz="UTC"), nullable=False),
        pa.field("day", pa.date32(), nullable=False),  # business day of the store
        pa.field("store_code", pa.string(), nullable=False),
        pa.field("staff_code", pa.string()),
        pa.field("member_code", pa.string()),  # null = anonymous
        pa.field("original_sale_no", pa.string()),  # of a return, where it is known
        pa.field("total_minor", pa.int64(), nullable=False),
        pa.field("quantity_milli", pa.int64(), nullable=False),
        pa.field("line_count", pa.int32(), nullable=False),
        pa.field("content_hash", pa.int64(), nullable=False),  # equal = the same sale seen again; else a correction
    ]
)

LINES: Final = pa.schema(
    [
        pa.field("sale_no", pa.string(), nullable=False),
        pa.field("line_no", pa.int32(), nullable=False),  # from 1
        pa.field("product_code", pa.string(), nullable=False),
        pa.field("quantity_milli", pa.int64(), nullable=False),
        pa.field("unit_price", pa.decimal128(18, 6), nullable=False),  # major units, prices include tax
        pa.field("total_minor", pa.int64(), nullable=False),
        pa.field("original_line_no", pa.int32()),
    ]
)

TENDERS: Final = pa.schema(
    [
        pa.field("sale_no", pa.string(), nullable=False),
        pa.field("tender_no", pa.int32(), nullable=False),
        pa.field("kind", pa.string(), nullable=False),  # rules.sales.TenderKind
        pa.field("amount_minor", pa.int64(), nullable=False),
    ]
)

# A wake-up that was due for a sleeping member (facts.OPPORTUNITIES), by the member's code.
OPPORTUNITIES: Final = pa.schema(
    [
        pa.field("member_code", pa.string(), nullable=False),
        pa.field("due_on", pa.date32(), nullable=False),
        pa.field("offer_ends_on", pa.date32(), nullable=False),
        pa.field("withheld", pa.string()),
    ]
)

Staged: TypeAlias = pa.Table | tuple[Path, ...]  # in memory, or Parquet files with at least the schema's columns


@dataclass(frozen=True, slots=True, kw_only=True)
class StagedTables:
    """What one source brings, each table by the schema of its name above."""

    stores: Staged
    products: Staged
    members: Staged
    sales: Staged
    lines: Staged
    tenders: Staged
