"""What head office writes about a product."""

from collections.abc import Iterator
from dataclasses import dataclass

from changke.kernel.checks import refuse_blank, refuse_long
from changke.kernel.errors import Problem


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductCard:
    """Names, place in the tree and brand; the code is the till's and does not change."""

    name: str
    name_en: str = ""
    category_id: int | None = None
    brand: str = ""
    is_active: bool = True


def refuse_product(card: ProductCard) -> Iterator[Problem]:
    """Yield what is wrong with the data of a product."""
    yield from refuse_blank(card.name, field="name", longest=200)
    yield from refuse_long(card.name_en, field="name_en", longest=200)
    yield from refuse_long(card.brand, field="brand", longest=120)
