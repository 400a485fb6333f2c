"""Sale lines: the plain decision about each row, and how rows become receipts; insight/cleaning has its set form."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import ROUND_HALF_UP, Decimal
from typing import Final
from zoneinfo import ZoneInfo

from changke.rules.imports.profiles import DayOrder, Profile, SaleKey
from changke.rules.imports.values import (
    DATE_ONLY,
    SALE_KINDS,
    TEST_PRODUCT,
    parse_moment,
    parse_number,
    place_moment,
)
from changke.rules.imports.words import CleaningRule, Field, Refusal

NUMBER_LONGEST: Final = 76  # of a receipt; the suffix of its returns still fits into 80
CODE_LONGEST: Final = 80  # of members and products
PLACE_LONGEST: Final = 40  # of stores and staff
TOTAL_MAX: Final = 10**15  # minor units
RETURN_SUFFIX: Final = "-R"
R = CleaningRule


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportSettings:
    """What one import does: a profile with the user's switches, completed by the company's money and clock."""

    profile: str
    source: str
    rules: frozenset[CleaningRule]
    currency: str
    exponent: int  # decimals of the currency
    time_zone: str
    day_ends_at: time
    day_order: DayOrder
    sale_key: SaleKey
    cancellation_prefix: str
    store_code: str
    store_name: str
    product_code: str
    product_name: str
    phone_country: str = "CN"


@dataclass(frozen=True, slots=True, kw_only=True)
class CleanLine:
    """One row that was kept. Money in minor units, quantity in thousandths; both negative in a return."""

    number: str  # of the receipt, before a suffix tells returns from sales
    kind: str
    sold_at: datetime
    day: date
    store_code: str
    staff_code: str | None
    member_code: str | None
    product_code: str
    original_sale_no: str | None
    tender_kind: str | None
    quantity_milli: int
    unit_price: Decimal  # >= 0, major units
    total_minor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PlacedLine:
    """A kept row in its receipt."""

    sale_no: str
    line_no: int
    line: CleanLine


def settle(
    profile: Profile,
    *,
    company_currency: str,
    exponents: Mapping[str, int],
    company_time_zone: str,
    company_day_ends_at: time = time(0),
    source: str = "",
    switched: Mapping[CleaningRule, bool] | None = None,
    day_order: DayOrder | None = None,
    sale_key: SaleKey | None = None,
) -> ImportSettings:
    """Return the settings of an import: the profile's, else the company's, with the user's switches."""
    chosen = switched or {}
    currency = profile.currency or company_currency
    return ImportSettings(
        profile=profile.name,
        source=source or profile.source or "files",
        rules=frozenset(rule for rule in CleaningRule if chosen.get(rule, rule in profile.rules)),
        currency=currency,
        exponent=exponents[currency],
        time_zone=profile.time_zone or company_time_zone,
        day_ends_at=company_day_ends_at if profile.day_ends_at is None else profile.day_ends_at,
        day_order=day_order or profile.day_order,
        sale_key=sale_key or profile.sale_key,
        cancellation_prefix=profile.cancellation_prefix,
        store_code=profile.store_code,
        store_name=profile.store_name or profile.store_code,
        product_code=profile.product_code,
        product_name=profile.product_name,
    )


def decide_line(row: Mapping[Field, str], *, settings: ImportSettings, now: datetime) -> CleanLine | Refusal:
    """Keep a row of trimmed cells or say why not; unmapped columns are absent, empty cells are "".

    The first reason that applies counts, in the order of this function. Zero is tested before rounding.
    """
    number = row.get(Field.SALE_NO, "")
    if not number and settings.sale_key is not SaleKey.ROW:
        return Refusal.SALE_NO_MISSING
    moment = _decide_moment(row, settings=settings, now=now)
    if isinstance(moment, Refusal):
        return moment
    product = row.get(Field.PRODUCT_CODE) or settings.product_code
    if not product:
        return Refusal.PRODUCT_MISSING
    names = (product, row.get(Field.PRODUCT_NAME, ""))
    if R.REFUSE_TEST_PRODUCTS in settings.rules and any(re.fullmatch(TEST_PRODUCT, name) for name in names):
        return Refusal.TEST_PRODUCT
    amounts = _decide_amounts(row, number=number, settings=settings)
    if isinstance(amounts, Refusal):
        return amounts
    member = row.get(Field.MEMBER_CODE) or None
    if member is None and R.ANONYMOUS_SALES not in settings.rules:
        return Refusal.MEMBER_MISSING
    store, staff = row.get(Field.STORE_CODE) or settings.store_code, row.get(Field.STAFF_CODE, "")
    original = row.get(Field.ORIGINAL_SALE_NO, "")
    if settings.sale_key is SaleKey.NUMBER_A_DAY:
        number = f"{store}/{moment[1]:%Y%m%d}/{number}"
    elif settings.sale_key is SaleKey.ROW:
        number = f"{member or ''}/{moment[0].astimezone(ZoneInfo(settings.time_zone)):%Y%m%d%H%M%S}"
    if (
        max(len(number), len(original)) > NUMBER_LONGEST
        or max(len(product), len(member or "")) > CODE_LONGEST
        or max(len(store), len(staff)) > PLACE_LONGEST
    ):
        return Refusal.TEXT_TOO_LONG
    kind, quantity_milli, unit_price, total_minor = amounts
    return CleanLine(
        number=number, kind=kind, sold_at=moment[0], day=moment[1], store_code=store, staff_code=staff or None,
        member_code=member, product_code=product, tender_kind=row.get(Field.TENDER_KIND) or None,
        original_sale_no=(original or None) if kind == "return" else None,
        quantity_milli=quantity_milli, unit_price=unit_price, total_minor=total_minor,
    )  # fmt: skip


def _decide_moment(
    row: Mapping[Field, str], *, settings: ImportSettings, now: datetime
) -> tuple[datetime, date] | Refusal:
    day, clock = row.get(Field.SOLD_AT, ""), row.get(Field.SOLD_TIME, "")
    if not day:
        return Refusal.MOMENT_MISSING
    text = f"{day} {clock}" if clock else day
    local = parse_moment(text, order=settings.day_order)
    if local is None:
        return Refusal.MOMENT_UNREADABLE
    placed = place_moment(
        local,
        has_time=not re.fullmatch(DATE_ONLY, text),
        zone=ZoneInfo(settings.time_zone),
        day_ends_at=settings.day_ends_at,
    )
    return Refusal.MOMENT_IN_FUTURE if placed[0] > now else placed


def _decide_amounts(
    row: Mapping[Field, str], *, number: str, settings: ImportSettings
) -> tuple[str, int, Decimal, int] | Refusal:
    """Return kind, quantity in thousandths, unit price and total of a row, or why it has none."""
    word = row.get(Field.SALE_KIND, "").lower()
    if word and word not in SALE_KINDS:
        return Refusal.KIND_UNKNOWN
    is_counted = Field.QUANTITY in row
    counted = parse_number(row[Field.QUANTITY]) if is_counted else (Decimal(1), False)
    if counted is None:
        return Refusal.QUANTITY_UNREADABLE
    quantity_milli = int((abs(counted[0]) * 1000).quantize(Decimal(1), rounding=ROUND_HALF_UP))
    if quantity_milli == 0:
        return Refusal.QUANTITY_ZERO
    price_text, total_text = row.get(Field.UNIT_PRICE, ""), row.get(Field.LINE_TOTAL, "")
    if not price_text and not total_text:
        return Refusal.AMOUNT_MISSING
    price, total = parse_number(price_text), parse_number(total_text)
    if (price_text and price is None) or (total_text and total is None):
        return Refusal.AMOUNT_UNREADABLE
    paid = total or price
    assert paid is not None
    prefix = settings.cancellation_prefix
    is_cancellation = SALE_KINDS.get(word) == "return" or bool(prefix and number.startswith(prefix))
    is_negative = counted[0] < 0 or (not is_counted and paid[0] < 0)
    if is_cancellation and R.CANCELLATIONS_ARE_RETURNS not in settings.rules:
        return Refusal.CANCELLATION
    if is_negative and not is_cancellation and R.NEGATIVE_QUANTITY_IS_RETURN not in settings.rules:
        return Refusal.QUANTITY_NEGATIVE
    if paid[1] and R.REFUSE_ZERO_PRICE in settings.rules:
        return Refusal.PRICE_ZERO
    kind = "return" if is_cancellation or is_negative else "sale"
    has_negative_price = is_counted and price is not None and price[0] < 0 and not is_cancellation
    if has_negative_price or (kind == "sale" and paid[0] < 0):
        return Refusal.PRICE_NEGATIVE
    return _round_amounts(
        kind,
        quantity=abs(counted[0]),
        quantity_milli=quantity_milli,
        price=price,
        total=total,
        exponent=settings.exponent,
    )


def _round_amounts(
    kind: str,
    *,
    quantity: Decimal,
    quantity_milli: int,
    price: tuple[Decimal, bool] | None,
    total: tuple[Decimal, bool] | None,
    exponent: int,
) -> tuple[str, int, Decimal, int] | Refusal:
    """Round once: the total as it is paid, else price x quantity; the price as it is, else total / quantity."""
    exact = abs(total[0]) if total else abs(price[0]) * quantity if price else Decimal(0)
    total_minor = int((exact * 10**exponent).quantize(Decimal(1), rounding=ROUND_HALF_UP))
    unit_price = abs(price[0]) if price else (exact / quantity).quantize(Decimal("0.000001"), rounding=ROUND_HALF_UP)
    if total_minor > TOTAL_MAX or quantity_milli > TOTAL_MAX or unit_price >= 10**12:
        return Refusal.AMOUNT_TOO_LARGE
    sign = -1 if kind == "return" else 1
    return kind, sign * quantity_milli, unit_price, sign * total_minor


def place_lines(lines: Iterable[tuple[int, CleanLine]], *, sale_key: SaleKey) -> list[PlacedLine | Refusal]:
    """Put kept rows, in order, each with the position of its file, into receipts: one answer a row.

    Of a receipt in several files the last file counts. A receipt belongs to the first customer it names, to the store
    and business day of its first row; rows that say otherwise are refused. Where a receipt has sales and returns, its
    returns are a receipt of their own (suffix -R). Where each row is a receipt, equal ones are told apart by order.
    """
    placed_at = list(lines)
    last = {row.number: file for file, row in placed_at}
    rows = [row if file == last[row.number] else None for file, row in placed_at]
    if sale_key is SaleKey.ROW:
        return _place_rows(rows)
    kinds: dict[str, set[str]] = {}
    first: dict[tuple[str, str], CleanLine] = {}
    member: dict[tuple[str, str], str] = {}
    for row in filter(None, rows):
        key = (row.number, row.kind)
        first.setdefault(key, row)
        if row.member_code:
            member.setdefault(key, row.member_code)
    placed: list[PlacedLine | Refusal] = []
    for one in rows:
        if one is None:
            placed.append(Refusal.RECEIPT_REPEATED)
            continue
        key = (one.number, one.kind)
        head = first[key]
        if (one.member_code or member.get(key)) != member.get(key) or (one.store_code, one.day) != (
            head.store_code,
            head.day,
        ):
            placed.append(Refusal.RECEIPT_CONTRADICTED)
        else:
            kinds.setdefault(one.number, set()).add(one.kind)
            placed.append(PlacedLine(sale_no=one.number, line_no=0, line=one))
    counts: dict[str, int] = {}
    for at, answer in enumerate(placed):
        if isinstance(answer, PlacedLine):
            both = len(kinds[answer.line.number]) == 2
            sale_no = answer.sale_no + (RETURN_SUFFIX if both and answer.line.kind == "return" else "")
            counts[sale_no] = counts.get(sale_no, 0) + 1
            placed[at] = PlacedLine(sale_no=sale_no, line_no=counts[sale_no], line=answer.line)
    return placed


def _place_rows(rows: list[CleanLine | None]) -> list[PlacedLine | Refusal]:
    seen: dict[str, int] = {}
    placed: list[PlacedLine | Refusal] = []
    for row in rows:
        if row is None:
            placed.append(Refusal.RECEIPT_REPEATED)
            continue
        seen[row.number] = seen.get(row.number, 0) + 1
        placed.append(PlacedLine(sale_no=f"{row.number}/{seen[row.number]}", line_no=1, line=row))
    return placed
