"""Who visits the console in a browser: one page, what it complains of, and what axe says of it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import ConsoleMessage, Page

from changke.rules.staff import Role
from people import PASSWORD

WIDE: Final = {"width": 1440, "height": 900}
NARROW: Final = {"width": 320, "height": 800}
AXE: Final = Axe()
WORST: Final = ("serious", "critical")


@dataclass(slots=True, kw_only=True)
class Visitor:
    """Somebody signed in, with one page; what its pages complain of is gathered."""

    page: Page
    complaints: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.on("pageerror", lambda error: self.complaints.append(f"{self.page.url}: {error}"))
        self.page.on("console", lambda said: self._hear(said))  # noqa: PLW0108 - Playwright writes on what it is given

    def _hear(self, said: ConsoleMessage) -> None:
        if said.type == "error":
            self.complaints.append(f"{self.page.url}: {said.text}")

    def sign_in(self, role: Role) -> None:
        """Sign in over the real page."""
        self.page.goto("/console/account/login/")
        self.page.locator('input[name="login"]').fill(role.value)
        self.page.locator('input[name="password"]').fill(PASSWORD)
        self.page.locator('form button[type="submit"].ck-primary').click()
        self.page.wait_for_url(lambda url: "login" not in url)

    def choose_language(self, code: str) -> None:
        self.page.locator(f'button[name="language"][value="{code}"]').click()
        self.page.wait_for_selector(f'html[lang="{code}"]')

    def barriers(self) -> list[str]:
        """Return what axe finds on the page that keeps somebody out: rule, impact, places."""
        found = AXE.run(self.page, options={"resultTypes": ["violations"]}).response["violations"]
        return [
            f"{one['id']} ({one['impact']}) {', '.join(str(node['target']) for node in one['nodes'][:3])}"
            for one in found
            if one["impact"] in WORST
        ]


def holds(page: Page, script: str, *, arg: Any = None, seconds: int = 20) -> bool:
    """Ask a script again and again until it says yes; False where it does not in time.

    Not `wait_for_function`: its later tries run inside the page, where the content policy rightly forbids `eval`.
    """
    for _ in range(seconds * 20):
        if page.evaluate(script, arg):
            return True
        page.wait_for_timeout(50)
    return False


PageAs = Callable[[Role], Visitor]
