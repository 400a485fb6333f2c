"""What a recorded sale is: the words for its kind and its tenders."""

from enum import StrEnum


class SaleKind(StrEnum):
    SALE = "sale"
    RETURN = "return"


class TenderKind(StrEnum):
    CASH = "cash"
    CARD = "card"
    WECHAT_PAY = "wechat_pay"
    ALIPAY = "alipay"
    TRANSFER = "transfer"
    VOUCHER = "voucher"
    OTHER = "other"
