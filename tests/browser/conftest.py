"""One real browser for all tests here: people sign in over the sign-in page, and no page may write an error.

Playwright keeps an event loop in the main thread, in which Django refuses to ask its database. Our tests run no
coroutine, so asking is safe; without this switch no test could prepare or check a row.
"""

import os
from collections.abc import Iterator
from typing import Any, Final

import pytest
from playwright.sync_api import Browser, BrowserContext, sync_playwright

from changke.rules.staff import Role
from people import chain
from small_shop import small_shop
from visitors import WIDE, PageAs, Visitor

__all__ = ["chain", "small_shop"]

os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"
CHROMIUM: Final = "/usr/bin/chromium"
SWITCHES: Final = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=list(SWITCHES))
        yield chromium
        chromium.close()


@pytest.fixture
def page_as(browser: Browser, live_server: Any, chain: object) -> Iterator[PageAs]:
    """Sign somebody of a role in; a second call goes on with the same window. Complaints of any page fail the test."""
    visitors: dict[Role, Visitor] = {}
    contexts: list[BrowserContext] = []

    def open_page(role: Role) -> Visitor:
        if role not in visitors:
            context = browser.new_context(
                base_url=live_server.url, viewport=WIDE, locale="zh-CN", reduced_motion="reduce", accept_downloads=True
            )
            contexts.append(context)
            visitors[role] = Visitor(page=context.new_page())
            visitors[role].sign_in(role)
        return visitors[role]

    yield open_page
    for context in contexts:
        context.close()
    assert [complaint for visitor in visitors.values() for complaint in visitor.complaints] == []
