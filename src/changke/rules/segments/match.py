"""Who belongs to a segment, one member at a time: insight/segments.py must give the same."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import cast

from changke.kernel.periods import add_months
from changke.rules.segments.tree import (
    PPM,
    AllOf,
    AnyOf,
    Attribute,
    BirthdayMonth,
    BirthdayWithin,
    Bought,
    Choice,
    Condition,
    Consent,
    DateBetween,
    DateWithin,
    Flag,
    InSegment,
    Not,
    Number,
    Pick,
    RandomShare,
    TagMode,
    Tags,
    Tree,
    Unknown,
    lies_in,
)

HEX_DIGITS_OF_SHARE = 10  # 40 bits: the share is exact to one member in a million millions


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiptLine:
    """One line of a receipt; negative on a return."""

    product_id: int
    category_id: int | None
    top_category_id: int | None
    brand_id: int | None
    quantity_milli: int
    total_minor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """One sale or return of the member; `day` is the business day of the store, `hour` 0-23 in its time."""

    store_id: int
    day: date
    hour: int
    is_return: bool
    total_minor: int
    quantity_milli: int
    lines: tuple[ReceiptLine, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SegmentInput:
    """All that a segment may ask of one member.

    `row` is the wide row (rules.features.FeatureRow): a field is read by its name in the catalogue. `receipts` is the
    whole history, `segments` the ids of the other segments that the member is in.
    """

    row: object
    receipts: tuple[Receipt, ...] = ()
    segments: frozenset[int] = frozenset()


def matches(tree: Tree, member: SegmentInput, *, on: date) -> bool:
    """Say whether a member meets a tree on the analysis date; purchases of that day and later do not count."""
    match tree:
        case AllOf():
            return all(matches(part, member, on=on) for part in tree.parts)
        case AnyOf():
            return any(matches(part, member, on=on) for part in tree.parts)
        case Not():
            return not matches(tree.part, member, on=on)
        case _:
            return meets(tree, member, on=on)


def meets(condition: Condition, member: SegmentInput, *, on: date) -> bool:
    """Say whether a member meets one condition."""
    match condition:
        case Bought():
            return has_bought(condition, member.receipts, on=on)
        case Tags(mode=mode):
            held = set(cast(tuple[str, ...], value_of(member, "tags")))
            found = [tag in held for tag in condition.tags]
            return all(found) if mode is TagMode.ALL else any(found) is (mode is TagMode.ANY)
        case Consent():
            held = set(cast(tuple[str, ...], value_of(member, "consents")))
            return (condition.consent in held) is condition.granted
        case Attribute():
            filled = dict(cast(tuple[tuple[str, str], ...], value_of(member, "attributes")))
            return condition.name in filled and (not condition.values or filled[condition.name] in condition.values)
        case BirthdayWithin() | BirthdayMonth():
            month, day = value_of(member, "birth_month"), value_of(member, "birth_day")
            if not isinstance(month, int) or not isinstance(day, int):
                return False
            return any(first <= 100 * month + day <= last for first, last in birthday_ranges(condition, on=on))
        case InSegment():
            return condition.segment_id in member.segments
        case RandomShare():
            member_id = cast(int, value_of(member, "member_id"))
            return draw(member_id, seed=condition.seed) < share_limit(condition.share_ppm)
        case Unknown():
            return value_of(member, condition.field) is None
        case _:
            return field_meets(condition, value_of(member, condition.field), on=on)


def field_meets(condition: Number | Choice | DateBetween | DateWithin | Flag, value: object, *, on: date) -> bool:
    """Say whether a value of the wide row meets a condition on one field; an unknown value meets none."""
    match condition:
        case Number():
            return isinstance(value, int) and lies_in(value, condition.low, condition.high)
        case Choice():
            return value is not None and value in condition.values
        case DateBetween():
            return isinstance(value, date) and (condition.first or value) <= value <= (condition.last or value)
        case DateWithin():
            return isinstance(value, date) and on - timedelta(days=condition.days) <= value <= on
        case Flag():
            return value is condition.value


def value_of(member: SegmentInput, field: str) -> object:
    return getattr(member.row, field)


def bought_days(condition: Bought, *, on: date) -> tuple[date | None, date]:
    """Return the first (None = open) and last day whose purchases count: never the analysis date or later."""
    firsts = [condition.first] if condition.first else []
    if condition.last_days is not None:
        firsts.append(on - timedelta(days=condition.last_days))
    yesterday = on - timedelta(days=1)
    return max(firsts, default=None), min(condition.last or yesterday, yesterday)


def has_bought(condition: Bought, receipts: Iterable[Receipt], *, on: date) -> bool:
    """Say whether the purchases that fit are in number, quantity and amount what the condition asks."""
    first, last = bought_days(condition, on=on)
    times = quantity_milli = amount_minor = 0
    for receipt in receipts:
        if not (first or receipt.day) <= receipt.day <= last:
            continue
        if condition.stores and receipt.store_id not in condition.stores:
            continue
        if condition.hours and receipt.hour not in condition.hours:
            continue
        if condition.weekdays and receipt.day.isoweekday() not in condition.weekdays:
            continue
        if condition.names_goods:
            lines = [line for line in receipt.lines if line_fits(condition, line)]
            if not lines:
                continue
            quantity_milli += sum(line.quantity_milli for line in lines)
            amount_minor += sum(line.total_minor for line in lines)
        else:
            quantity_milli += receipt.quantity_milli
            amount_minor += receipt.total_minor
        times += not receipt.is_return
    return condition.is_met_by(times, quantity_milli, amount_minor)


def line_fits(condition: Bought, line: ReceiptLine) -> bool:
    in_category = {line.category_id, line.top_category_id} & set(condition.categories)
    return (
        (not condition.products or line.product_id in condition.products)
        and (not condition.categories or bool(in_category))
        and (not condition.brands or line.brand_id in condition.brands)
    )


def birthday_ranges(condition: BirthdayWithin | BirthdayMonth, *, on: date) -> tuple[tuple[int, int], ...]:
    """Return the birthdays that fit as ranges of 100 x month + day, both ends included; two where the year turns."""
    if isinstance(condition, BirthdayMonth):
        month = add_months(on.replace(day=1), months=condition.months_ahead).month
        return ((100 * month, 100 * month + 31),)
    if condition.days >= 365:
        return ((0, 1231),)
    end = on + timedelta(days=condition.days)
    first, last = 100 * on.month + on.day, 100 * end.month + end.day
    if last == 228 and (end + timedelta(days=1)).day == 1:
        last = 229  # a common year: the 28th is also the day of those born on the 29th
    return ((first, last),) if on.year == end.year else ((first, 1231), (0, last))


def draw(member_id: int, *, seed: int) -> str:
    """Return the lot that a member draws: the MD5 of "seed:member" in hex, so that any engine finds the same one."""
    return hashlib.md5(f"{seed}:{member_id}".encode(), usedforsecurity=False).hexdigest()


def share_limit(share_ppm: int) -> str:
    """Return the hex number below which the lots of a share lie: share_limit(500_000) is "8000000000"."""
    if share_ppm >= PPM:
        return "g"  # above every hex digit
    return f"{(share_ppm << 4 * HEX_DIGITS_OF_SHARE) // PPM:0{HEX_DIGITS_OF_SHARE}x}"


def pick_members(member_ids: Iterable[int], pick: Pick) -> list[int]:
    """Return the members with the lowest lots, at most `members_max`, in the order of their ids."""
    drawn = sorted((draw(member_id, seed=pick.seed), member_id) for member_id in member_ids)
    return sorted(member_id for _, member_id in drawn[: pick.members_max])
