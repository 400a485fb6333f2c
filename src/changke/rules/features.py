"""The wide row: everything that is known of one member on one analysis date. Its set form is insight/features.py."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

OLD_DATA_DAYS: Final = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class FeatureRow:
    """One member as of the end of the day before the analysis date.

    Money in minor units, quantities in thousandths, intervals in days. "period" is the RFM period of the settings,
    "window" the W days of the life-cycle classes; "_ever" is the whole history up to the analysis date. None = does not
    apply or unknown.
    """

    member_id: int
    # profile, coarse
    status: str
    joined_on: date | None
    gender: str
    age: int | None
    age_band: str
    birth_month: int | None
    birth_day: int | None
    region_id: int | None
    home_store_id: int | None
    recruiter_id: int | None
    source_channel: str
    has_phone: bool
    has_email: bool
    tags: tuple[str, ...]
    consents: tuple[str, ...]
    attributes: tuple[tuple[str, str], ...]
    clerk_class: str | None
    # purchases
    first_visit_on: date | None
    last_visit_on: date | None
    recency_days: int | None
    receipts: int
    visit_days: int
    items_milli: int
    gross_minor: int
    returned_minor: int
    net_minor: int
    receipts_ever: int
    visit_days_ever: int
    net_ever_minor: int
    visits_in_window: int
    mean_ticket_minor: int | None  # net_ever / receipts_ever, rounded half away from zero
    mean_interval_days: int | None  # (last - first visit) / (visit_days_ever - 1), rounded half up
    favourite_store_id: int | None
    favourite_category_id: int | None  # top category with the highest net, ties to the smaller id
    # scores
    r_score: int | None
    f_score: int | None
    m_score: int | None
    rfm_cell: int | None  # 100 R + 10 F + M
    bought_once: bool  # exactly one receipt in the period
    # life cycle
    life_class: str
    origin_class: str | None  # class on the day of the last visit; of the sleeping and the lost
    stage: str
    # groups
    is_potential: bool
    is_about_to_leave: bool
    is_one_time: bool
    is_loyal: bool
    is_high_value: bool
    care_class: str | None  # A / B / C
    value_layer: str | None  # vip / key / ordinary
    spending_power: int | None  # 1..5 by mean ticket
    alive_ppm: int | None  # probability of being alive, in millionths (BG/NBD)
    buys_in_30_days_ppm: int | None  # probability of at least one purchase in the next 30 days, in millionths
    expected_value_minor: int | None  # expected spend in the next 365 days (BG/NBD x Gamma-Gamma)


def mean_ticket_of(net_ever_minor: int, *, receipts_ever: int) -> int | None:
    """Return the mean net of a receipt, rounded half away from zero; None without a receipt."""
    if receipts_ever == 0:
        return None
    ticket = (2 * abs(net_ever_minor) + receipts_ever) // (2 * receipts_ever)
    return ticket if net_ever_minor >= 0 else -ticket


def mean_interval_of(first: date | None, last: date | None, *, visit_days_ever: int) -> int | None:
    """Return the mean days between visits, rounded half up; None before the second visit."""
    if first is None or last is None or visit_days_ever < 2:
        return None
    return (2 * (last - first).days + visit_days_ever - 1) // (2 * (visit_days_ever - 1))


def default_analysis_date(*, last_sale_on: date | None, today: date) -> date:
    """Return the date to analyse as of: today, or the day after the last sale where the data is older than 30 days."""
    if last_sale_on is None or (today - last_sale_on).days <= OLD_DATA_DAYS:
        return today
    return last_sale_on + timedelta(days=1)
