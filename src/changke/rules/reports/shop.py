"""The shop: which goods, stores and staff sell, and when."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from changke.rules.reports.overview import buying_days, in_scope
from changke.rules.reports.scope import LineFact, MemberRow, SaleFact, Scope, is_new, mean, ppm

TOP_CATEGORIES: Final = 6


class Goods(StrEnum):
    """What lines are grouped by: the name of their column."""

    PRODUCT = "product_id"
    CATEGORY = "category_id"
    TOP_CATEGORY = "top_category_id"
    BRAND = "brand_id"


@dataclass(frozen=True, slots=True, kw_only=True)
class GoodsRow:
    """One product, category or brand: receipts of sales with it, members who bought it, quantity and sales net."""

    key: int | None
    receipts: int
    buyers: int
    quantity_milli: int
    sales_minor: int
    share_ppm: int | None  # of the sales of all goods in scope


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreRow:
    """One store in the period; members by their purchases in this store, `new_members` by home store.

    `once_buyers` have exactly one receipt: where many cards are issued their share must be high.
    """

    store_id: int
    receipts: int
    sales_minor: int
    member_sales_minor: int
    sales_before_minor: int  # in the period before
    buyers: int
    repeat_buyers: int
    once_buyers: int
    new_members: int

    @property
    def member_share_ppm(self) -> int | None:
        return ppm(self.member_sales_minor, self.sales_minor)

    @property
    def repurchase_ppm(self) -> int | None:
        return ppm(self.repeat_buyers, self.buyers)

    @property
    def once_ppm(self) -> int | None:
        return ppm(self.once_buyers, self.buyers)

    @property
    def mean_ticket_minor(self) -> int | None:
        return mean(self.sales_minor, self.receipts)


@dataclass(frozen=True, slots=True, kw_only=True)
class StaffRow:
    """One member of staff: sales, and members recruited in the period with those who have bought on two days since."""

    staff_id: int
    receipts: int
    member_receipts: int
    sales_minor: int
    recruited: int
    recruited_repeat: int

    @property
    def mean_ticket_minor(self) -> int | None:
        return mean(self.sales_minor, self.receipts)


@dataclass(frozen=True, slots=True, kw_only=True)
class HourRow:
    """One hour of one weekday (1 = Monday): receipts of sales and net sales over all such hours of the period."""

    weekday: int
    hour: int
    receipts: int
    sales_minor: int


def list_goods(sales: Sequence[SaleFact], *, scope: Scope, by: Goods, rows_max: int) -> tuple[GoodsRow, ...]:
    """Return the goods with the highest net sales, ties by key, those without one (None) last among equals."""
    found: dict[int | None, list[tuple[SaleFact, LineFact]]] = defaultdict(list)
    for sale in in_scope(sales, scope):
        for line in sale.lines:
            found[getattr(line, by.value)].append((sale, line))
    total = sum(line.total_minor for lines in found.values() for _, line in lines)
    rows = [
        GoodsRow(
            key=key,
            receipts=len({sale.sale_id for sale, _ in lines if not sale.is_return}),
            buyers=len(buying_days(sale for sale, _ in lines)),
            quantity_milli=sum(line.quantity_milli for _, line in lines),
            sales_minor=(sold := sum(line.total_minor for _, line in lines)),
            share_ppm=ppm(sold, total),
        )
        for key, lines in found.items()
    ]
    return tuple(sorted(rows, key=lambda row: (-row.sales_minor, row.key is None, row.key or 0))[:rows_max])


def list_stores(members: Sequence[MemberRow], sales: Sequence[SaleFact], *, scope: Scope) -> tuple[StoreRow, ...]:
    """Return every store with a sale or a new member in the period, highest net sales first, ties by id."""
    now, before = in_scope(sales, scope), in_scope(sales, scope.before())
    new = Counter(member.home_store_id for member in members if is_new(member, scope))
    rows = []
    for store_id in {sale.store_id for sale in now} | {store for store in new if store is not None}:
        here = [sale for sale in now if sale.store_id == store_id]
        receipts = Counter(sale.member_id for sale in here if not sale.is_return and sale.member_id is not None)
        rows.append(
            StoreRow(
                store_id=store_id,
                receipts=sum(not sale.is_return for sale in here),
                sales_minor=sum(sale.total_minor for sale in here),
                member_sales_minor=sum(sale.total_minor for sale in here if sale.member_id is not None),
                sales_before_minor=sum(sale.total_minor for sale in before if sale.store_id == store_id),
                buyers=len(receipts),
                repeat_buyers=sum(len(days) > 1 for days in buying_days(here).values()),
                once_buyers=sum(count == 1 for count in receipts.values()),
                new_members=new[store_id],
            )
        )
    return tuple(sorted(rows, key=lambda row: (-row.sales_minor, row.store_id)))


def list_staff(members: Sequence[MemberRow], sales: Sequence[SaleFact], *, scope: Scope) -> tuple[StaffRow, ...]:
    """Return everybody who sold or recruited in the period, highest net sales first, ties by id."""
    now = in_scope(sales, scope)
    until = [sale for sale in sales if sale.day <= scope.period.last and scope.has_store(sale.store_id)]
    repeat = {member for member, days in buying_days(until).items() if len(days) > 1}
    recruited = [member for member in members if is_new(member, scope)]
    ids = {sale.staff_id for sale in now} | {member.recruiter_id for member in recruited}
    rows = []
    for staff_id in ids - {None}:
        assert staff_id is not None
        own = [sale for sale in now if sale.staff_id == staff_id]
        brought = [member.member_id for member in recruited if member.recruiter_id == staff_id]
        rows.append(
            StaffRow(
                staff_id=staff_id,
                receipts=sum(not sale.is_return for sale in own),
                member_receipts=sum(not sale.is_return and sale.member_id is not None for sale in own),
                sales_minor=sum(sale.total_minor for sale in own),
                recruited=len(brought),
                recruited_repeat=len(repeat & set(brought)),
            )
        )
    return tuple(sorted(rows, key=lambda row: (-row.sales_minor, row.staff_id)))


def list_hours(sales: Sequence[SaleFact], *, scope: Scope) -> tuple[HourRow, ...]:
    """Return the hours with a sale or return by weekday and hour."""
    receipts: Counter[tuple[int, int]] = Counter()
    sold: Counter[tuple[int, int]] = Counter()
    for sale in in_scope(sales, scope):
        place = (sale.day.isoweekday(), sale.hour)
        receipts[place] += not sale.is_return
        sold[place] += sale.total_minor
    return tuple(
        HourRow(weekday=weekday, hour=hour, receipts=receipts[weekday, hour], sales_minor=sold[weekday, hour])
        for weekday, hour in sorted(sold)
    )
