"""`make pictures`: photograph the console for the guide, in both languages, wide and narrow, light and dark.

It starts nothing: a demo must be running (`make run`). Where the demo has none yet, it rehearses an import of six rows,
keeps a run of 30 days ago and looks for duplicates, so that there is something to see. Pictures are named
<language>-<width>-<name>.png, dark ones end in -dark.png. Exit code 1 where a page answered with an error, wrote one to
the browser's console or is too wide.
"""

import argparse
import json
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Final
from urllib.parse import urlencode

from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright
from playwright.sync_api import TimeoutError as TooLate

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
LOCALES: Final = {"zh-hans": "zh-CN", "en": "en-GB"}  # of the browser: how it writes dates to be filled in
LANGUAGES: Final = tuple(LOCALES)
WIDTHS: Final = {1440: 900, 390: 844}
PATIENCE_MS: Final = 120_000  # of a job in the background
TALLEST: Final = 2400  # pixels of a page that are worth a picture
FIRST_IMPORT: Final = "tbody a[href^='/console/imports/']"
SALES_FILE: Final = (  # a till's export with what goes wrong in such files
    "小票号,销售时间,门店编号,会员编号,商品编码,商品名称,数量,单价,金额",
    "T90001,2026-11-20 12:05,HZ01,M000017,N101,招牌红烧牛肉面,1,28.00,28.00",
    "T90001,2026-11-20 12:05,HZ01,M000017,T301,柠檬茶,2,12.00,24.00",
    "T90002,2026-11-20 12:09,HZ01,,N201,担担面,1,22.00,22.00",
    "T90003,昨天中午,HZ01,M000018,N201,担担面,1,22.00,22.00",
    "T90004,2026-11-20 12:31,HZ01,M000019,N203,油泼扯面,两碗,24.00,48.00",
    "T90005,2026-11-20 12:40,HZ01,M000020,N203,油泼扯面,1,0.00,0.00",
)
SLEEPERS: Final = {
    "where": {
        "kind": "all",
        "parts": [
            {"kind": "choice", "field": "life_class", "values": ["sleeping"]},
            {
                "kind": "any",
                "parts": [
                    {"kind": "choice", "field": "origin_class", "values": ["active", "returning"]},
                    {"kind": "choice", "field": "m_score", "values": [4, 5]},
                ],
            },
            {"kind": "consent", "consent": "sms:marketing", "granted": True},
        ],
    }
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """One picture: its name, the page it starts from, the links followed from there, what is done before."""

    name: str
    address: str
    follow: tuple[str, ...] = ()
    prepare: Callable[[Page], None] | None = None
    is_dark_too: bool = False


def open_palette(page: Page) -> None:
    page.keyboard.press("Control+k")
    page.locator("#palette-input").fill("zx")  # initials of many a member
    page.locator("#palette-list a[role=option]").first.wait_for()


def fill_builder(page: Page) -> None:
    page.goto(f"{page.url}?{urlencode({'tree': json.dumps(SLEEPERS)})}")
    page.locator("#live:not([aria-busy])").wait_for()


def compare_two_runs(page: Page) -> None:
    page.locator("form[action$='/insight/movement'] button[type=submit]").click()
    page.wait_for_url("**/insight/movement?**")


PICTURES: Final = (
    Picture(name="today", address="/console/today", is_dark_too=True),
    Picture(name="members", address="/console/members"),
    Picture(name="member", address="/console/members?life=active", follow=("tbody a[href^='/console/members/']",)),
    Picture(name="merge", address="/console/duplicates", follow=("tbody a[href^='/console/duplicates/']",)),
    Picture(name="imports", address="/console/imports"),
    Picture(name="import", address="/console/imports", follow=(FIRST_IMPORT,)),
    Picture(name="import-plan", address="/console/imports", follow=(FIRST_IMPORT, "a[href*='?like=']")),
    Picture(name="rfm", address="/console/insight/rfm", is_dark_too=True),
    Picture(name="runs", address="/console/insight/runs"),
    Picture(name="movement", address="/console/insight/runs", prepare=compare_two_runs),
    Picture(name="life-cycle", address="/console/insight/life-cycle", is_dark_too=True),
    Picture(name="loyalty", address="/console/insight/loyalty"),
    Picture(name="people", address="/console/insight/people"),
    Picture(name="products", address="/console/insight/products"),
    Picture(name="store-ranking", address="/console/insight/stores"),
    Picture(name="forecast", address="/console/insight/forecast"),
    Picture(name="segments", address="/console/segments"),
    Picture(name="segment", address="/console/segments", follow=("tbody a[href^='/console/segments/']",)),
    Picture(name="builder", address="/console/segments/new", prepare=fill_builder),
    Picture(name="stores", address="/console/stores"),
    Picture(name="staff", address="/console/staff"),
    Picture(name="settings", address="/console/settings"),
    Picture(name="audit", address="/console/audit"),
    Picture(name="palette", address="/console/today", prepare=open_palette),
)
SIGN_IN: Final = Picture(name="sign-in", address="/console/account/login/")


class Camera:
    """Takes pictures of one demo and remembers what went wrong."""

    def __init__(self, browser: Browser, *, url: str, folder: Path) -> None:
        self.browser, self.url, self.folder = browser, url, folder
        self.faults: list[str] = []
        self.taken = 0

    @contextmanager
    def look(self, *, language: str, width: int, scheme: str, state: Path | None) -> Iterator[Page]:
        """Yield a page of a window of this width, signed in where a state was kept."""
        context: BrowserContext = self.browser.new_context(
            viewport={"width": width, "height": WIDTHS[width]},
            color_scheme="dark" if scheme == "dark" else "light",
            reduced_motion="reduce",
            locale=LOCALES[language],
            storage_state=state,
        )
        page = context.new_page()
        page.on("pageerror", lambda error: self.faults.append(f"{page.url}: {error}"))
        page.on(
            "console", lambda said: self.faults.append(f"{page.url}: {said.text}") if said.type == "error" else None
        )
        try:
            yield page
        finally:
            context.close()

    def take(self, page: Page, picture: Picture, *, prefix: str, suffix: str = "") -> None:
        """Take one picture as tall as its page; a page that cannot be reached is a fault and leaves no picture."""
        address = self.url + picture.address
        for selector in ("", *picture.follow):
            if selector:
                links = page.locator(selector)
                if not links.count():
                    self.faults.append(f"{picture.name}: no link {selector} on {page.url}")
                    return
                address = self.url + (links.first.get_attribute("href") or "")
            answer = page.goto(address)
            if answer is None or not answer.ok:
                self.faults.append(f"{picture.name}: {address} answered {answer.status if answer else 'nothing'}")
                return
        if picture.prepare:
            picture.prepare(page)
        page.locator("[hx-get*='/insight/waiting']").wait_for(state="detached", timeout=PATIENCE_MS)
        page.wait_for_load_state("networkidle")
        page.evaluate("document.fonts.ready")
        tall = int(page.evaluate("document.documentElement.scrollHeight"))
        wide = int(page.evaluate("document.documentElement.scrollWidth"))
        size = page.viewport_size or {"width": wide, "height": tall}
        if wide > size["width"]:
            self.faults.append(f"{picture.name}: {wide} px wide in a window of {size['width']} px")
        page.set_viewport_size({"width": size["width"], "height": min(max(tall, size["height"]), TALLEST)})
        page.wait_for_timeout(800 if page.locator("[data-chart]").count() else 100)  # charts follow the window
        page.screenshot(path=self.folder / f"{prefix}-{picture.name}{suffix}.png")
        page.set_viewport_size(size)
        self.taken += 1


def sign_in(page: Page, *, url: str, user: str, password: str) -> None:
    page.goto(f"{url}/console/account/login/")
    page.locator("[name=login]").fill(user)
    page.locator("[name=password]").fill(password)
    page.locator("form [name=password]").press("Enter")
    try:
        page.wait_for_url(f"{url}/console/today")
    except TooLate:
        raise SystemExit(f"{url} does not let {user} in: is it the demo whose password was given?") from None


def switch_language(page: Page, *, url: str, language: str) -> None:
    """Choose a language by its button in the head of any page; it is kept with the sign-in."""
    page.goto(f"{url}/console/today")
    page.locator(f".ck-language button[value={language}]").click()
    page.locator(f"html[lang={language}]").wait_for()


def set_the_stage(page: Page, *, url: str) -> None:
    """See to a rehearsed import, a second run and pairs of duplicates where the demo has none."""
    page.goto(f"{url}/console/imports")
    if not page.locator(FIRST_IMPORT).count():
        page.goto(f"{url}/console/imports/new")
        content = "\n".join(SALES_FILE).encode("gb18030")
        file = {"name": "销售明细.csv", "mimeType": "text/csv", "buffer": content}
        page.locator("input[type=file]").set_input_files([file])
        page.locator("#bring button[type=submit]").click()
        page.locator("#plan button[value=rehearse]").click()
        page.locator("#moving").wait_for(state="detached", timeout=PATIENCE_MS)
    page.goto(f"{url}/console/insight/runs")
    if page.locator("input[name=before]").count() < 2:
        page.goto(f"{url}/console/insight/runs/new")
        latest = page.locator("[name=as_of]").input_value()
        page.locator("[name=as_of]").fill(str(date.fromisoformat(latest) - timedelta(days=30)))
        page.locator("main form button.ck-primary").click()
        page.locator(".ck-grid [data-chart]").first.wait_for(timeout=PATIENCE_MS)
    page.goto(f"{url}/console/duplicates")
    if not page.locator("tbody a[href^='/console/duplicates/']").count():
        page.locator("form[action$='/duplicates/search'] button").click()
        page.wait_for_load_state("networkidle")


@contextmanager
def signed_in(camera: Camera, *, user: str, password: str) -> Iterator[Path]:
    """Yield the file of a signed-in session; afterwards the user reads the language of before again."""
    state = camera.folder / ".signed-in.json"
    try:
        with camera.look(language=LANGUAGES[0], width=1440, scheme="light", state=None) as page:
            sign_in(page, url=camera.url, user=user, password=password)
            usual = page.locator("html").get_attribute("lang") or LANGUAGES[0]
            set_the_stage(page, url=camera.url)
            page.context.storage_state(path=state)
            yield state
            switch_language(page, url=camera.url, language=usual)
    finally:
        state.unlink(missing_ok=True)


def photograph(camera: Camera, *, state: Path, language: str, width: int, chosen: Sequence[Picture]) -> None:
    """Take every chosen picture in one language and width; the dark ones once more in a dark window."""
    prefix = f"{language}-{width}"
    with camera.look(language=language, width=width, scheme="light", state=state) as page:
        switch_language(page, url=camera.url, language=language)
        for picture in chosen:
            camera.take(page, picture, prefix=prefix)
    dark = [picture for picture in chosen if picture.is_dark_too]
    if dark:
        with camera.look(language=language, width=width, scheme="dark", state=state) as page:
            for picture in dark:
                camera.take(page, picture, prefix=prefix, suffix="-dark")


def photograph_sign_in(camera: Camera, *, language: str, width: int) -> None:
    """Take the page before the sign-in, in the language that its cookie names."""
    with camera.look(language=language, width=width, scheme="light", state=None) as page:
        page.context.add_cookies([{"name": "changke_language", "value": language, "url": camera.url}])
        camera.take(page, SIGN_IN, prefix=f"{language}-{width}")


def read_options() -> argparse.Namespace:
    home = Path(os.environ.get("CHANGKE_HOME", ".changke"))
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--url", default="http://127.0.0.1:8000", help="where `make run` answers")
    parser.add_argument("--user", default="head")
    parser.add_argument("--password", help="shipped: that of the demo, from CHANGKE_HOME/keys/demo-password")
    parser.add_argument("--folder", type=Path, default=Path("pictures"))
    parser.add_argument("--only", nargs="*", default=[], metavar="NAME", help="these pictures instead of all")
    parser.add_argument("--language", nargs="*", default=LANGUAGES, choices=LANGUAGES)
    parser.add_argument("--width", nargs="*", type=int, default=list(WIDTHS), choices=list(WIDTHS))
    options = parser.parse_args()
    kept = home / "keys" / "demo-password"
    if options.password is None and not kept.exists():
        parser.error(f"{kept} is missing: start the demo by `make run`, or give --url, --user and --password")
    options.password = options.password or kept.read_text(encoding="utf-8").strip()
    return options


def main() -> int:
    options = read_options()
    options.folder.mkdir(parents=True, exist_ok=True)
    chosen = [picture for picture in PICTURES if not options.only or picture.name in options.only]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(SWITCHES))
        camera = Camera(browser, url=options.url.rstrip("/"), folder=options.folder)
        with signed_in(camera, user=options.user, password=options.password) as state:
            for language in options.language:
                for width in options.width:
                    photograph(camera, state=state, language=language, width=width, chosen=chosen)
                    if not options.only or SIGN_IN.name in options.only:
                        photograph_sign_in(camera, language=language, width=width)
        browser.close()
    sys.stdout.write(f"{camera.taken} pictures in {options.folder}/\n")
    sys.stderr.writelines(f"fault: {fault}\n" for fault in dict.fromkeys(camera.faults))
    return 1 if camera.faults else 0


if __name__ == "__main__":
    sys.exit(main())
