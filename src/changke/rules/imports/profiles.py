"""Profiles of known sources: which column means what, whose money and clock it is, which cleaning rules are on."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import time
from enum import StrEnum
from typing import Final

from changke.rules.imports.headers import SYNONYMS
from changke.rules.imports.words import CleaningRule, Field, PartRole


class DayOrder(StrEnum):
    """How 03/04/2024 is read. Years first (2024-03-04) are never in doubt."""

    DAY_FIRST = "day_first"
    MONTH_FIRST = "month_first"


class SaleKey(StrEnum):
    """What makes lines one receipt."""

    NUMBER = "number"  # the receipt number
    NUMBER_A_DAY = "number_a_day"  # store, day and number: numbers start again each day
    ROW = "row"  # every row is a receipt: numbered by member, moment and position among equal ones


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One table of a source: its role, what its columns are called, and which of them it cannot do without."""

    role: PartRole
    columns: Mapping[Field, tuple[str, ...]]  # headers by which a field is known, best first
    required: frozenset[Field]
    attributes: Mapping[str, str] = field(default_factory=dict)  # attribute key -> header
    is_headless: bool = False  # columns are called column_1 ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """How one kind of source is read. A user's import starts from one and may change mapping, rules and settings."""

    name: str
    title: str  # English msgid
    source: str  # code of the source its sale numbers and member codes belong to; "" = the user names it
    parts: tuple[Part, ...]
    rules: frozenset[CleaningRule]
    currency: str = ""  # "" = the company's
    time_zone: str = ""
    day_ends_at: time | None = None
    day_order: DayOrder = DayOrder.DAY_FIRST
    sale_key: SaleKey = SaleKey.NUMBER
    cancellation_prefix: str = ""
    store_code: str = "main"  # of rows that name no store
    store_name: str = ""
    product_code: str = ""  # of rows that name no product; "" = they are refused
    product_name: str = ""
    attribution: str = ""  # how the licence wants the data named


R = CleaningRule
SHIPPED_RULES: Final = frozenset(
    {
        R.CANCELLATIONS_ARE_RETURNS, R.NEGATIVE_QUANTITY_IS_RETURN, R.LINK_RETURNS, R.ANONYMOUS_SALES,
        R.REFUSE_ZERO_PRICE, R.REFUSE_TEST_PRODUCTS, R.LEAVE_OUT_BAD_CONTACTS, R.FILL_EMPTY_ONLY,
    }
)  # fmt: skip


def _named(**headers: str) -> dict[Field, tuple[str, ...]]:
    return {Field(name): (header,) for name, header in headers.items()}


def _part_of_any(role: PartRole, *required: Field) -> Part:
    return Part(role=role, columns=SYNONYMS[role], required=frozenset(required))


_PRODUCTS: Final = _part_of_any(PartRole.PRODUCTS, Field.PRODUCT_CODE, Field.PRODUCT_NAME)

PROFILES: Final[dict[str, Profile]] = {
    profile.name: profile
    for profile in (
        Profile(
            name="generic_sales",
            title="Sales of any till",
            source="",
            parts=(_part_of_any(PartRole.SALES, Field.SOLD_AT), _PRODUCTS),
            rules=SHIPPED_RULES,
            product_code="-",
            product_name="-",
        ),
        Profile(
            name="generic_members",
            title="Members of any system",
            source="",
            parts=(_part_of_any(PartRole.MEMBERS),),
            rules=SHIPPED_RULES,
        ),
        Profile(
            name="online_retail",
            title="UCI Online Retail",
            source="online_retail",
            parts=(
                Part(
                    role=PartRole.SALES,
                    columns=_named(
                        sale_no="InvoiceNo",
                        sold_at="InvoiceDate",
                        member_code="CustomerID",
                        product_code="StockCode",
                        product_name="Description",
                        quantity="Quantity",
                        unit_price="UnitPrice",
                    ),
                    required=frozenset(
                        {
                            Field.SALE_NO,
                            Field.SOLD_AT,
                            Field.MEMBER_CODE,
                            Field.PRODUCT_CODE,
                            Field.QUANTITY,
                            Field.UNIT_PRICE,
                        }
                    ),
                ),
            ),
            rules=SHIPPED_RULES - {R.NEGATIVE_QUANTITY_IS_RETURN},
            currency="GBP",
            time_zone="Europe/London",
            day_ends_at=time(0),
            cancellation_prefix="C",
            store_name="Online shop",
            attribution="Online Retail, D. Chen, S. L. Sain, K. Guo (2012), UCI Machine Learning Repository, CC BY 4.0",
        ),
        Profile(
            name="complete_journey",
            title="Complete Journey",
            source="complete_journey",
            parts=(
                Part(
                    role=PartRole.SALES,
                    columns=_named(
                        sale_no="basket_id",
                        sold_at="transaction_timestamp",
                        member_code="household_id",
                        store_code="store_id",
                        product_code="product_id",
                        quantity="quantity",
                        line_total="sales_value",
                    ),
                    required=frozenset(
                        {Field.SALE_NO, Field.SOLD_AT, Field.MEMBER_CODE, Field.PRODUCT_CODE, Field.LINE_TOTAL}
                    ),
                ),
                Part(
                    role=PartRole.PRODUCTS,
                    columns=_named(
                        product_code="product_id",
                        product_name="product_type",
                        category_1="department",
                        category_2="product_category",
                        brand="brand",
                    ),
                    required=frozenset({Field.PRODUCT_CODE, Field.CATEGORY_1, Field.PRODUCT_NAME}),
                ),
                Part(
                    role=PartRole.MEMBERS,
                    columns=_named(member_code="household_id"),
                    required=frozenset({Field.MEMBER_CODE}),
                    attributes={
                        name: name
                        for name in (
                            "age",
                            "income",
                            "home_ownership",
                            "marital_status",
                            "household_size",
                            "household_comp",
                            "kids_count",
                        )
                    },
                ),
            ),
            rules=SHIPPED_RULES - {R.REFUSE_ZERO_PRICE, R.NEGATIVE_QUANTITY_IS_RETURN},
            currency="USD",
            time_zone="America/New_York",
            day_ends_at=time(0),
            attribution="Complete Journey 2.0, 84.51°, by way of the R package completejourney, CC0",
        ),
        Profile(
            name="rfm_sample",
            title="Sample shop of the R package rfm",
            source="rfm_sample",
            parts=(
                Part(
                    role=PartRole.SALES,
                    columns=_named(
                        sold_at="order_date",
                        member_code="customer_id",
                        member_name="customer_id",
                        line_total="revenue",
                        email="email",
                    ),
                    required=frozenset({Field.SOLD_AT, Field.MEMBER_CODE, Field.LINE_TOTAL, Field.EMAIL}),
                ),
            ),
            rules=SHIPPED_RULES,
            currency="USD",
            time_zone="America/New_York",
            day_ends_at=time(0),
            sale_key=SaleKey.ROW,
            product_code="order",
            product_name="Whole order",
            attribution="R package rfm by Aravind Hebbali, MIT",
        ),
        Profile(
            name="cdnow",
            title="CDNOW",
            source="cdnow",
            parts=(
                Part(
                    role=PartRole.SALES,
                    columns=_named(
                        member_code="column_1", sold_at="column_3", quantity="column_4", line_total="column_5"
                    ),
                    required=frozenset({Field.SOLD_AT, Field.MEMBER_CODE, Field.QUANTITY, Field.LINE_TOTAL}),
                    is_headless=True,
                ),
            ),
            rules=SHIPPED_RULES - {R.REFUSE_ZERO_PRICE},
            currency="USD",
            time_zone="America/New_York",
            day_ends_at=time(0),
            sale_key=SaleKey.ROW,
            product_code="cd",
            product_name="CD",
            attribution="CDNOW, B. Hardie and P. Fader",
        ),
    )
}


def find_profile(name: str) -> Profile | None:
    """Return the profile of a name, written with dashes or underscores."""
    return PROFILES.get(name.replace("-", "_"))
