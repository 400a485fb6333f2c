"""The simulation as Arrow tables: the canonical ones of a staged import, and the wake-ups beside them."""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from changke.demo.baskets import Lines, Tenders
from changke.demo.calendar import TradingDays, Whole
from changke.demo.crowd import Crowd, Truth
from changke.demo.parameters import Parameters
from changke.demo.shop import Shop
from changke.demo.visits import Visits
from changke.demo.wake_ups import WakeUpsDue
from changke.insight import staging
from changke.insight.staging import StagedTables
from changke.rules.members import MemberStatus
from changke.rules.sales import SaleKind
from changke.rules.staff import Role


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipts:
    """Sales and returns together in the order of time, their lines in the order of receipts."""

    visits: Visits
    lines: Lines
    line_numbers: Whole  # from 1 within the receipt
    original: Whole  # of a return: the receipt it belongs to; else -1
    is_return: Truth
    totals: Whole
    quantities: Whole
    line_counts: Whole

    @classmethod
    def of(cls, *, sales: Visits, sold: Lines, returns: Visits, brought: Lines, belongs_to: Whole) -> "Receipts":
        """Put sales and their returns in one row, ordered by the moment, then by their place."""
        count = len(sales.member)
        visits = Visits(
            member=np.concatenate([sales.member, returns.member]),
            store=np.concatenate([sales.store, returns.store]),
            day=np.concatenate([sales.day, returns.day]),
            second=np.concatenate([sales.second, returns.second]),
        )
        order = np.argsort(visits.day * 200_000 + visits.second, kind="stable")
        place = np.empty_like(order)
        place[order] = np.arange(len(order))
        owner = place[np.concatenate([sold.sale, brought.sale + count])]
        line_order = np.argsort(owner, kind="stable")
        line_place = np.empty_like(line_order)
        line_place[line_order] = np.arange(len(line_order))
        origin = np.concatenate([sold.original, brought.original])[line_order]
        lines = Lines(
            sale=owner[line_order],
            dish=np.concatenate([sold.dish, brought.dish])[line_order],
            quantity_milli=np.concatenate([sold.quantity_milli, brought.quantity_milli])[line_order],
            price_minor=np.concatenate([sold.price_minor, brought.price_minor])[line_order],
            total_minor=np.concatenate([sold.total_minor, brought.total_minor])[line_order],
            original=np.where(origin < 0, -1, line_place[origin]),
        )
        starts = np.searchsorted(lines.sale, np.arange(len(order)))
        original = np.concatenate([np.full(count, -1), np.where(belongs_to < 0, -1, place[belongs_to])])
        return cls(
            visits=Visits(
                member=visits.member[order],
                store=visits.store[order],
                day=visits.day[order],
                second=visits.second[order],
            ),
            lines=lines,
            line_numbers=np.arange(len(owner)) - starts[lines.sale] + 1,
            original=original[order],
            is_return=order >= count,
            totals=np.add.reduceat(lines.total_minor, starts),
            quantities=np.add.reduceat(lines.quantity_milli, starts),
            line_counts=np.diff(np.append(starts, len(owner))),
        )


def stage_chain(
    *, parameters: Parameters, shop: Shop, days: TradingDays, crowd: Crowd, receipts: Receipts, tenders: Tenders
) -> StagedTables:
    """Write everything that a source would hand over, by the schemas of insight/staging.py."""
    numbers = _sale_numbers(shop=shop, days=days, visits=receipts.visits)
    return StagedTables(
        stores=_table(
            staging.STORES, store_code=[row.code for row in shop.stores], name=[row.name for row in shop.stores]
        ),
        products=_products(shop),
        members=_members(parameters=parameters, shop=shop, days=days, crowd=crowd),
        sales=_sales(shop=shop, days=days, receipts=receipts, numbers=numbers),
        lines=_lines(shop=shop, receipts=receipts, numbers=numbers),
        tenders=_tenders(parameters=parameters, tenders=tenders, numbers=numbers),
    )


def stage_wake_ups(wake_ups: WakeUpsDue, *, parameters: Parameters, first_day: date) -> pa.Table:
    """Write the wake-ups that were due, by member code."""
    return _table(
        staging.OPPORTUNITIES,
        member_code=_member_codes(wake_ups.member),
        due_on=_dates(wake_ups.due, first_day=first_day),
        offer_ends_on=_dates(wake_ups.due + parameters.wake_ups.offer_days - 1, first_day=first_day),
        withheld=_known(wake_ups.withheld),
    )


def _table(schema: pa.Schema, **columns: object) -> pa.Table:
    """Build a table by its schema; a missing column is an error."""
    return pa.table({field.name: _column(columns[field.name], kind=field.type) for field in schema}, schema=schema)


def _column(values: object, *, kind: pa.DataType) -> pa.Array:
    return values.cast(kind) if isinstance(values, pa.Array) else pa.array(values, kind)


def _dates(days: Whole, *, first_day: date) -> pa.Array:
    """Turn day indexes into dates; a negative index is null."""
    epoch = (first_day - date(1970, 1, 1)).days
    return pa.array((days + epoch).astype(np.int32), mask=days < 0).cast(pa.date32())


def _known(values: npt.NDArray[np.generic]) -> pa.Array:
    """Write an array in which "" or 0 stands for what is not known."""
    return pa.array(values, mask=values == values.dtype.type())


def _pick(words: list[str], *, by: Whole) -> pa.Array:
    """Write one of the words for each index; a negative index is null."""
    return pa.array(words, pa.string()).take(pa.array(by, mask=by < 0))


def _numbered(numbers: Whole, *, digits: int) -> pa.Array:
    return pc.utf8_lpad(pa.array(numbers).cast(pa.string()), digits, "0")


def _member_codes(members: Whole) -> pa.Array:
    """Write M000001 for member 0; a negative index is null."""
    codes = pc.binary_join_element_wise("M", _numbered(np.maximum(members, 0) + 1, digits=6), "")
    return pc.if_else(pa.array(members >= 0), codes, None)


def _sale_numbers(*, shop: Shop, days: TradingDays, visits: Visits) -> pa.Array:
    """Number the receipts of a store and day in the order of time: HZ01-250701-0042."""
    till = visits.store * days.count + visits.day
    order = np.argsort(till, kind="stable")
    starts = np.flatnonzero(np.diff(till[order], prepend=-1))
    number = np.empty_like(till)
    number[order] = np.arange(len(till)) - np.repeat(starts, np.diff(np.append(starts, len(till)))) + 1
    stores = _pick([row.code for row in shop.stores], by=visits.store)
    dates = pc.strftime(_dates(np.arange(days.count), first_day=days.first_day), "%y%m%d").take(pa.array(visits.day))
    return pc.binary_join_element_wise(stores, dates, _numbered(number, digits=4), "-")


def _products(shop: Shop) -> pa.Table:
    categories = {row.code: row for row in shop.categories}
    return _table(
        staging.PRODUCTS,
        product_code=[row.code for row in shop.dishes],
        name=[row.name for row in shop.dishes],
        category_path=[list(categories[row.category].path) for row in shop.dishes],
        brand=[categories[row.category].brand for row in shop.dishes],
    )


def _members(*, parameters: Parameters, shop: Shop, days: TradingDays, crowd: Crowd) -> pa.Table:
    known, numbers = crowd.profiles, np.arange(len(crowd.home))
    prospect = crowd.statuses == MemberStatus.PROSPECT
    return _table(
        staging.MEMBERS,
        member_code=_member_codes(numbers),
        name=_known(known.names),
        gender=pa.array(known.genders),
        birth_year=_known(known.birth_years.astype(np.int32)),
        birth_month=_known(known.birth_months.astype(np.int32)),
        birth_day=_known(known.birth_days.astype(np.int32)),
        birth_calendar=pa.array(known.calendars),
        phone=_known(known.phones),
        email=_known(known.emails),
        address=_known(known.addresses),
        joined_on=_dates(np.where(prospect, -1, crowd.joined), first_day=days.first_day),
        home_store_code=_pick([row.code for row in shop.stores], by=crowd.home),
        recruiter_code=_pick([row.code for row in shop.staff], by=crowd.recruiters),
        source_channel=pa.array(crowd.channels),
        card_no=pc.if_else(
            pa.array(prospect), None, pc.binary_join_element_wise("6688", _numbered(numbers + 1, digits=8), "")
        ),
        tags=_chosen(known.tags, words=[row.name for row in shop.tags]),
        attributes=_attributes(shop=shop, choices=known.attributes),
        consents=_chosen(known.consents & ~prospect[:, None], words=list(parameters.people.consents)),
        status=pa.array(crowd.statuses),
    )


def _chosen(marks: Truth, *, words: list[str]) -> pa.Array:
    """Write the words marked in each row as a list."""
    offsets = np.concatenate([[0], marks.sum(axis=1).cumsum()]).astype(np.int32)
    return pa.ListArray.from_arrays(pa.array(offsets), _pick(words, by=np.nonzero(marks)[1]))


def _attributes(*, shop: Shop, choices: Whole) -> pa.Array:
    """Write what each member told as a map from attribute key to the chosen text."""
    marks = choices >= 0
    offsets = np.concatenate([[0], marks.sum(axis=1).cumsum()]).astype(np.int32)
    _, columns = np.nonzero(marks)
    starts = np.concatenate([[0], np.cumsum([len(row.choices) for row in shop.attributes])])
    texts = [text for row in shop.attributes for text in row.choices]
    return pa.MapArray.from_arrays(
        pa.array(offsets),
        _pick([row.key for row in shop.attributes], by=columns),
        _pick(texts, by=starts[columns] + choices[marks]),
    )


def _sales(*, shop: Shop, days: TradingDays, receipts: Receipts, numbers: pa.Array) -> pa.Table:
    visits = receipts.visits
    midnight = datetime(
        days.first_day.year, days.first_day.month, days.first_day.day, tzinfo=ZoneInfo(shop.company.time_zone)
    )
    # One offset serves all days: China keeps no summer time.
    start = int(midnight.astimezone(UTC).timestamp())
    moments = (start + visits.day * 86_400 + visits.second) * 1_000_000
    return _table(
        staging.SALES,
        sale_no=numbers,
        kind=_pick([SaleKind.SALE, SaleKind.RETURN], by=receipts.is_return.astype(np.int64)),
        sold_at=pa.array(moments).cast(pa.timestamp("us", tz="UTC")),
        day=_dates(visits.day, first_day=days.first_day),
        store_code=_pick([row.code for row in shop.stores], by=visits.store),
        staff_code=_cashiers(shop=shop, visits=visits),
        member_code=_member_codes(visits.member),
        original_sale_no=numbers.take(pa.array(receipts.original, mask=receipts.original < 0)),
        total_minor=receipts.totals,
        quantity_milli=receipts.quantities,
        line_count=receipts.line_counts,
        content_hash=_content_hashes(receipts),
    )


def _cashiers(*, shop: Shop, visits: Visits) -> pa.Array:
    """Name the cashier on duty: they take turns by day, an early and a late shift."""
    crews = [
        [
            place
            for place, person in enumerate(shop.staff)
            if person.store_code == store.code and person.role is Role.CASHIER
        ]
        for store in shop.stores
    ]
    crew = np.array(crews)
    shift = visits.day + (visits.second >= 15 * 3600)
    return _pick([row.code for row in shop.staff], by=crew[visits.store, shift % crew.shape[1]])


def _lines(*, shop: Shop, receipts: Receipts, numbers: pa.Array) -> pa.Table:
    lines = receipts.lines
    prices, place = np.unique(lines.price_minor, return_inverse=True)
    unit_prices = pa.array([Decimal(int(price)).scaleb(-2) for price in prices], pa.decimal128(18, 6))
    return _table(
        staging.LINES,
        sale_no=numbers.take(pa.array(lines.sale)),
        line_no=receipts.line_numbers,
        product_code=_pick([row.code for row in shop.dishes], by=lines.dish),
        quantity_milli=lines.quantity_milli,
        unit_price=unit_prices.take(pa.array(place)),
        total_minor=lines.total_minor,
        original_line_no=pa.array(
            receipts.line_numbers[lines.original], pa.int32(), mask=lines.original < 0, safe=False
        ),
    )


def _tenders(*, parameters: Parameters, tenders: Tenders, numbers: pa.Array) -> pa.Table:
    order = np.argsort(tenders.sale, kind="stable")
    sale = tenders.sale[order]
    second = np.diff(sale, prepend=-1) == 0
    return _table(
        staging.TENDERS,
        sale_no=numbers.take(pa.array(sale)),
        tender_no=1 + second,
        kind=_pick(list(parameters.basket.tenders), by=tenders.kind[order]),
        amount_minor=tenders.amount_minor[order],
    )


def _content_hashes(receipts: Receipts) -> Whole:
    """Mix a receipt's lines into one number each: an equal one means an equal receipt."""
    lines = receipts.lines
    mixed = (lines.dish + 1) * 1_000_003 + lines.quantity_milli * 8_191 + lines.total_minor
    mixed *= 2 * receipts.line_numbers + 1
    starts = np.searchsorted(lines.sale, np.arange(len(receipts.totals)))
    return np.add.reduceat(mixed * 6_364_136_223_846_793_005, starts)
