"""Every page of the console as head office sees it: at both widths, in both languages, without error or barrier."""

import re
from collections.abc import Iterator
from typing import Any, Final

import pytest
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from changke.records.models import Member
from changke.rules.staff import Role
from visitors import NARROW, WIDE, PageAs, Visitor, holds

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

# Pieces of pages, the end of the session, steps of signing in, and what is nothing without a question (?where=).
NO_PAGES: Final = {
    "account_inactive", "account_login", "account_logout", "find", "home", "insight_life_movers", "insight_members",
    "insight_run_compare", "insight_run_movers", "insight_waiting", "livez", "metrics", "mfa_authenticate",
    "mfa_deactivate_totp", "mfa_view_recovery_codes", "readyz", "segment_options", "set_language",
}  # fmt: skip
DRAWN: Final = """() => !document.querySelector(".htmx-request, [aria-busy=true]")
    && [...document.querySelectorAll(".ck-chart-canvas")].every((box) => !box.offsetParent || box.firstElementChild)"""
FITS: Final = "document.documentElement.scrollWidth <= innerWidth"
LANGUAGES: Final = ("zh-hans", "en")
# Three English words in a row stand on a Chinese page only where a translation is missing.
ENGLISH: Final = re.compile(r"\b[A-Za-z]{2,}(?: [A-Za-z']{2,}){2,}")


def walk(patterns: list[Any]) -> Iterator[URLPattern]:
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            yield from walk(pattern.url_patterns)
        else:
            yield pattern


def pages(visitor: Visitor) -> list[str]:
    """Return every address without arguments that answers a plain question with a page."""
    names = [str(pattern.name) for pattern in walk(get_resolver().url_patterns) if not pattern.pattern.converters]
    asked = {reverse(name): None for name in names if name not in NO_PAGES}
    answers = {address: visitor.page.request.head(address) for address in asked}
    return [
        address
        for address, answer in answers.items()
        if answer.status != 405 and answer.headers.get("content-type", "text/html").startswith("text/html")
    ]


def faults_of(visitor: Visitor, address: str, *, language: str) -> Iterator[str]:
    """Open a page and yield what is wrong with it at either width."""
    page = visitor.page
    page.set_viewport_size(WIDE)
    answer = page.goto(address)
    assert answer is not None
    if answer.status != 200:
        yield f"{address}: answered {answer.status}"
        return
    if not holds(page, DRAWN):
        yield f"{address}: not drawn"
    for width in (WIDE, NARROW):
        page.set_viewport_size(width)
        where = f"{address} {language} {width['width']}"
        if not holds(page, FITS, seconds=3):  # charts are drawn anew for another width
            yield f"{where}: too wide"
        if width is WIDE or language == "zh-hans":
            yield from (f"{where}: {barrier}" for barrier in visitor.barriers())
    if language == "zh-hans":
        yield from (f"{address}: English: {found}" for found in ENGLISH.findall(page.locator("main").inner_text()))


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_page(small_shop: list[Member], page_as: PageAs, language: str) -> None:
    visitor = page_as(Role.HEAD_OFFICE)
    visitor.choose_language(language)
    opened = pages(visitor)
    faults = [fault for address in opened for fault in faults_of(visitor, address, language=language)]
    assert len(opened) > 30
    assert not faults, "\n".join(faults)
