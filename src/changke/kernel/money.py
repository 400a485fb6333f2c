"""Money: integer minor units, rounding once, and splits that sum exactly."""

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Final

EXPONENTS: Final = {"CNY": 2, "GBP": 2, "USD": 2, "EUR": 2, "HKD": 2, "TWD": 2, "SGD": 2, "JPY": 0, "KRW": 0}
SYMBOLS: Final = {
    "CNY": "¥", "GBP": "£", "USD": "$", "EUR": "€", "HKD": "HK$", "TWD": "NT$", "SGD": "S$", "JPY": "¥", "KRW": "₩",
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Currency:
    """A currency of ISO 4217: its code and how many decimals its minor unit has."""

    code: str
    exponent: int

    @property
    def symbol(self) -> str:
        return SYMBOLS.get(self.code, self.code + " ")


def currency(code: str) -> Currency:
    """Return the currency of an ISO 4217 code; KeyError where the program does not know it."""
    return Currency(code=code, exponent=EXPONENTS[code])


def to_minor(amount: Decimal, *, unit: Currency) -> int:
    """Round an amount in major units half away from zero to integer minor units: once, at the line total."""
    return int(amount.scaleb(unit.exponent).quantize(Decimal(1), rounding=ROUND_HALF_UP))


def to_major(amount_minor: int, *, unit: Currency) -> Decimal:
    """Return minor units as a decimal of major units, exactly."""
    return Decimal(amount_minor).scaleb(-unit.exponent)


def format_money(amount_minor: int, *, unit: Currency) -> str:
    """Write money as people read it: ¥1,234.50, -£3.00."""
    sign = "-" if amount_minor < 0 else ""
    return f"{sign}{unit.symbol}{abs(to_major(amount_minor, unit=unit)):,.{unit.exponent}f}"


def split_minor(total_minor: int, *, weights: list[int]) -> list[int]:
    """Split an amount over weights (>= 0) so that the parts sum to it exactly and each is within one unit of its share.

    Largest remainder; equal remainders go to the earlier part, so the same input always splits the same way.
    """
    whole = sum(weights)
    if whole <= 0:
        raise ValueError("split_minor needs at least one positive weight")
    sign = -1 if total_minor < 0 else 1
    shares = [divmod(abs(total_minor) * weight, whole) for weight in weights]
    parts = [share for share, _ in shares]
    order = sorted(range(len(weights)), key=lambda i: (-shares[i][1], i))
    for i in order[: abs(total_minor) - sum(parts)]:
        parts[i] += 1
    return [sign * part for part in parts]
