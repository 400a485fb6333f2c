"""What a company and a region are."""

from collections.abc import Iterator
from dataclasses import dataclass

from changke.kernel.checks import refuse_blank, refuse_code, refuse_long, refuse_zone
from changke.kernel.errors import Problem
from changke.kernel.money import EXPONENTS


@dataclass(frozen=True, slots=True, kw_only=True)
class CompanyCard:
    """Who runs this system; `data_note` names the source of real data that is not the company's own."""

    name: str
    name_en: str = ""
    currency: str = "CNY"
    time_zone: str = "Asia/Shanghai"
    jurisdiction: str = "china"
    data_note: str = ""
    is_simulated: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RegionCard:
    """A part of the country that groups stores."""

    code: str
    name: str
    name_en: str = ""


def refuse_company(card: CompanyCard) -> Iterator[Problem]:
    """Yield what is wrong with the data of a company."""
    yield from refuse_blank(card.name, field="name", longest=120)
    yield from refuse_long(card.name_en, field="name_en", longest=120)
    yield from refuse_long(card.data_note, field="data_note", longest=300)
    if card.currency not in EXPONENTS:
        yield Problem(
            code="currency_unknown",
            field="currency",
            message="The currency %(value)s is not known.",
            values=(("value", card.currency),),
        )
    yield from refuse_zone(card.time_zone)


def refuse_region(card: RegionCard) -> Iterator[Problem]:
    """Yield what is wrong with the data of a region."""
    yield from refuse_code(card.code)
    yield from refuse_blank(card.name, field="name", longest=80)
    yield from refuse_long(card.name_en, field="name_en", longest=80)
