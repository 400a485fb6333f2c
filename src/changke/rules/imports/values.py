"""Values of text cells: numbers, moments and words; insight/cleaning uses the same patterns.

They are in the common part of Python's and RE2's syntax. Cells are trimmed of BLANKS first; an empty one is missing.
"""

import re
from datetime import date, datetime, time, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Final
from zoneinfo import ZoneInfo

from changke.rules.imports.profiles import DayOrder

BLANKS: Final = " \t\r\n\u3000\u00a0"

# At most 12 digits before the point: what DECIMAL(18,6) holds.
NUMBER: Final = r"[+-]?([0-9]{1,12}|[0-9]{1,3}(,[0-9]{3}){1,3})?(\.[0-9]{0,18})?"
NUMBER_SIGNS: Final = "[ \u3000\u00a0¥￥$£€元]"
PLACES: Final = Decimal("0.000001")

YEAR: Final = "(19[0-9]{2}|20[0-9]{2})"
_ONE_OR_TWO: Final = "([0-9]{1,2})"
_YMD: Final = (rf"{YEAR} ?[-/.年] ?{_ONE_OR_TWO} ?[-/.月] ?{_ONE_OR_TWO} ?日?", r"\1-\2-\3")
_COMPACT: Final = (rf"{YEAR}([0-9]{{2}})([0-9]{{2}})", r"\1-\2-\3")
_DMY: Final = (rf"{_ONE_OR_TWO}[-/.]{_ONE_OR_TWO}[-/.]{YEAR}", r"\3-\2-\1")
_MDY: Final = (rf"{_ONE_OR_TWO}[-/.]{_ONE_OR_TWO}[-/.]{YEAR}", r"\3-\1-\2")
_SECONDS: Final = (rf"[ T]+{_ONE_OR_TWO}:([0-9]{{2}}):([0-9]{{2}})(?:\.[0-9]*)?", r" \4:\5:\6")
_MINUTES: Final = (rf"[ T]+{_ONE_OR_TWO}:([0-9]{{2}})", r" \4:\5:00")
_COMPACT_TIME: Final = ("([0-9]{2})([0-9]{2})([0-9]{2})", r" \4:\5:\6")
MOMENT_FORMAT: Final = "%Y-%m-%d %H:%M:%S"
MIDNIGHT: Final = " 00:00:00"
# A text without time of day: a date alone belongs to the business day it names.
DATE_ONLY: Final = "[^:]*[^0-9:][^:]*|[0-9]{8}"
MONTH_AND_DAY: Final = rf"{_ONE_OR_TWO}[-/.月] ?{_ONE_OR_TWO}日?"


def moment_shapes(order: DayOrder) -> tuple[tuple[str, str], ...]:
    """Return (pattern, replacement) pairs that turn every way of writing a moment into MOMENT_FORMAT."""
    small = _DMY if order is DayOrder.DAY_FIRST else _MDY
    dates = (_YMD, small, _COMPACT)
    timed = [(day + clock, spelled + hands) for day, spelled in dates for clock, hands in (_SECONDS, _MINUTES)]
    compact = (_COMPACT[0] + _COMPACT_TIME[0], _COMPACT[1] + _COMPACT_TIME[1])
    bare = [(day, spelled + MIDNIGHT) for day, spelled in dates]
    return (*timed, *bare, compact)


def trim(text: str | None) -> str:
    """Return a cell without blanks around it; a missing one is empty."""
    return (text or "").strip(BLANKS)


def parse_number(text: str) -> tuple[Decimal, bool] | None:
    """Return a trimmed text as a number of six decimals and whether it was zero before rounding; None = no number."""
    if not re.fullmatch(NUMBER, text):
        text = re.sub(NUMBER_SIGNS, "", text)
    if not re.fullmatch(NUMBER, text) or not re.search("[0-9]", text):
        return None
    exact = Decimal(text.replace(",", ""))
    rounded = exact.quantize(PLACES, rounding=ROUND_HALF_UP)
    return (rounded, exact == 0) if abs(rounded) < 10**12 else None


def parse_moment(text: str, *, order: DayOrder) -> datetime | None:
    """Return a trimmed text as a local date and time without zone (a date alone: midnight), or None."""
    for pattern, replacement in moment_shapes(order):
        if found := re.fullmatch(pattern, text):
            try:
                return datetime.strptime(found.expand(replacement), MOMENT_FORMAT)  # noqa: DTZ007 - local
            except ValueError:
                return None
    return None


def place_moment(local: datetime, *, has_time: bool, zone: ZoneInfo, day_ends_at: time) -> tuple[datetime, date]:
    """Return the moment with its zone and its business day; a date alone begins its business day.

    A local time that the clock shows twice is taken as the later one's standard time, one that it jumps over as if it
    had not jumped.
    """
    if not has_time:
        local = datetime.combine(local.date(), day_ends_at)
    day = local.date() - timedelta(days=local.time() < day_ends_at)
    return local.replace(tzinfo=zone, fold=1), day


def parse_date(text: str, *, order: DayOrder) -> date | None:
    """Return the date of a trimmed text, or None where it is none."""
    moment = parse_moment(text, order=order)
    return moment.date() if moment else None


# Words of kinds, genders, calendars, states and tenders as files write them, lower case -> the word of the house.
SALE_KINDS: Final = {
    "sale": "sale", "sales": "sale", "销售": "sale", "正常": "sale", "销货": "sale", "1": "sale",
    "return": "return", "refund": "return", "cancellation": "return", "退货": "return", "退款": "return",
    "退单": "return", "退": "return", "-1": "return",
}  # fmt: skip
GENDERS: Final = {
    "f": "female", "female": "female", "w": "female", "woman": "female", "女": "female", "女士": "female",
    "女性": "female",
    "m": "male", "male": "male", "man": "male", "男": "male", "先生": "male", "男性": "male",
    "unknown": "unknown", "u": "unknown", "other": "unknown", "未知": "unknown", "保密": "unknown", "不详": "unknown",
}  # fmt: skip
CALENDARS: Final = {
    "solar": "solar", "公历": "solar", "阳历": "solar", "新历": "solar", "西历": "solar",
    "lunar": "lunar", "农历": "lunar", "阴历": "lunar", "旧历": "lunar",
}  # fmt: skip
STATUSES: Final = {
    "formal": "formal", "active": "formal", "正式": "formal", "正式会员": "formal", "正常": "formal", "有效": "formal",
    "provisional": "provisional", "临时": "provisional", "预备": "provisional",
    "prospect": "prospect", "潜客": "prospect", "潜在": "prospect",
    "frozen": "frozen", "冻结": "frozen", "停用": "frozen", "closed": "closed", "注销": "closed", "作废": "closed",
}  # fmt: skip
TENDERS: Final = {
    "cash": "cash", "现金": "cash", "card": "card", "credit card": "card", "银行卡": "card", "刷卡": "card",
    "信用卡": "card",
    "wechat": "wechat_pay", "wechat pay": "wechat_pay", "wechat_pay": "wechat_pay", "微信": "wechat_pay",
    "微信支付": "wechat_pay",
    "alipay": "alipay", "支付宝": "alipay", "transfer": "transfer", "转账": "transfer",
    "voucher": "voucher", "券": "voucher", "优惠券": "voucher", "代金券": "voucher",
}  # fmt: skip
CHANNELS: Final = {
    "store": "store", "门店": "store", "paper_form": "paper_form", "纸质": "paper_form", "表单": "paper_form",
    "website": "website", "官网": "website", "网站": "website", "app": "app", "wechat": "wechat", "微信": "wechat",
    "小程序": "wechat",
    "email": "email", "邮件": "email", "sms": "sms", "短信": "sms", "social": "social", "社交": "social", "qr": "qr",
    "扫码": "qr", "二维码": "qr",
    "event": "event", "活动": "event", "partner": "partner", "合作": "partner", "异业": "partner",
    "referral": "referral", "推荐": "referral",
    "import": "import", "导入": "import",
}  # fmt: skip
YES: Final = frozenset({"1", "y", "yes", "true", "t", "是", "同意", "有", "√"})
NO: Final = frozenset({"0", "n", "no", "false", "f", "否", "不同意", "无", "×"})
TEST_PRODUCT: Final = r"(?i)test[-_ ]?[0-9]*|test (product|item|article)|测试(商品|产品|菜品)?[-_ ]?[0-9]*"
EMAIL: Final = r"[^@\s]+@[^@\s]+\.[^@\s.]+"
TAG_MARKS: Final = "[,;|，；、]"
