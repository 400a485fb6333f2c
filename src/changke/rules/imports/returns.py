"""Returns that name no sale: which earlier sale of the same member they belong to."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class TradedLine:
    """A line of a sale or return of one member; `quantity_milli` > 0 in both."""

    sale_no: str
    line_no: int
    moment: int  # any clock that grows
    product_code: str
    unit_price: Decimal
    quantity_milli: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ReturnLink:
    """A returned line and the sold line it gives back."""

    sale_no: str
    line_no: int
    original_sale_no: str
    original_line_no: int


def match_returns(sold: Iterable[TradedLine], *, returned: Iterable[TradedLine]) -> list[ReturnLink]:
    """Link the returned lines of one member to earlier sold lines; never more comes back than was sold.

    Returns are taken in the order of time. Each belongs to one sale: of those not later than it that can take back most
    of its lines (same product and unit price, enough left), the latest. Its other lines stay without a link.
    """
    shelf: dict[tuple[str, Decimal], list[TradedLine]] = defaultdict(list)
    left: dict[tuple[str, int], int] = {}
    for line in sorted(sold, key=lambda one: (one.moment, one.sale_no, one.line_no)):
        shelf[line.product_code, line.unit_price].append(line)
        left[line.sale_no, line.line_no] = line.quantity_milli

    def fitting(line: TradedLine) -> list[TradedLine]:
        return [
            one
            for one in shelf[line.product_code, line.unit_price]
            if one.moment <= line.moment and left[one.sale_no, one.line_no] >= line.quantity_milli
        ]

    links: list[ReturnLink] = []
    receipts: dict[str, list[TradedLine]] = defaultdict(list)
    for line in sorted(returned, key=lambda one: (one.moment, one.sale_no, one.line_no)):
        receipts[line.sale_no].append(line)
    for lines in receipts.values():
        original = _choose_sale([fitting(line) for line in lines])
        for line in lines:
            taken = next((one for one in reversed(fitting(line)) if one.sale_no == original), None)
            if taken is not None:
                left[taken.sale_no, taken.line_no] -= line.quantity_milli
                links.append(
                    ReturnLink(
                        sale_no=line.sale_no,
                        line_no=line.line_no,
                        original_sale_no=taken.sale_no,
                        original_line_no=taken.line_no,
                    )
                )
    return links


def _choose_sale(candidates: Sequence[Sequence[TradedLine]]) -> str | None:
    """Return the sale that can take back most lines, the latest of several; None where none can take any."""
    fits: Counter[tuple[int, str]] = Counter()
    for lines in candidates:
        fits.update({(one.moment, one.sale_no) for one in lines})
    return max(fits, key=lambda sale: (fits[sale], *sale))[1] if fits else None
