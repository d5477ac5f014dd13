"""A browser for tests of the pages: Debian's headless Chromium, driven by Playwright."""

from __future__ import annotations

import re
import tomllib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final
from urllib.parse import urljoin

import pytest
from playwright.async_api import Browser, BrowserContext, Locator, Page, async_playwright

from deploy.city.kafka_rights import Login
from hotline.lab.bench.page_browser import ARGS, CHROMIUM
from hotline.web.pages import staff
from hotline.web.pages.gate import sign_in_path
from hotline.web.pages.look import LANGUAGE_COOKIE, THEME_COOKIE, Language, Theme
from shared.log.acts import acting
from tests.city import until
from tests.shell import PATIENCE
from tests.web.door import Door

_NEXT: Final = re.compile("^(下一页|Next page)$")
VENDOR: Final = Path(__file__).parent / "vendor"
_AXE: Final = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
WITHOUT: Final = "Chromium is not on this machine: apt-get install chromium-headless-shell fonts-wqy-microhei"
needs_browser: Final = pytest.mark.skipif(not CHROMIUM.exists(), reason=WITHOUT)


@asynccontextmanager
async def open_browser() -> AsyncIterator[Browser]:
    """The browser; no page is open in it."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=str(CHROMIUM), chromium_sandbox=False, args=list(ARGS)
        )
        try:
            yield browser
        finally:
            await browser.close()


class Watched:
    """A page of a person, and all that went wrong on it."""

    def __init__(self, page: Page, origin: str) -> None:
        self.page = page
        self.origin = origin
        self.amiss: list[str] = []
        self.bytes = 0
        page.on("console", lambda said: self.amiss.append(f"console: {said.text}"))
        page.on("pageerror", lambda error: self.amiss.append(f"error: {error}"))
        page.on("requestfailed", self._failed)
        page.on("request", self._asked)

    def _failed(self, request: Any) -> None:
        if "ERR_ABORTED" not in (request.failure or ""):  # a stream that is left behind ends so
            self.amiss.append(f"failed: {request.url} {request.failure}")

    def _asked(self, request: Any) -> None:
        if not request.url.startswith((self.origin, "data:")):
            self.amiss.append(f"foreign: {request.url}")

    async def goto(self, path: str) -> None:
        """Go to a path of the pages."""
        await self.page.goto(self.origin + path)

    async def holds(self, path: str, selector: str) -> bool:
        """Turn the pages of a list, from this path on, up to the one with such an element; whether there is one."""
        await self.goto(path)
        while not await self.page.locator(selector).count():
            following = self.page.get_by_role("link", name=_NEXT)
            if not await following.count():
                return False
            await self.page.goto(urljoin(self.page.url, await following.get_attribute("href") or ""))
        return True

    async def turn_to(self, path: str, selector: str) -> Locator:
        """The element, on the page of the list that has it.

        Other tests of the session fill the lists, so an element can stand on any page.
        """
        await until(lambda: self.holds(path, selector), what=selector)
        return self.page.locator(selector)

    async def axe(self) -> list[str]:
        """The violations that axe finds on the page as it stands."""
        await self.page.evaluate((VENDOR / "axe.min.js").read_text(encoding="utf-8"))
        found = await self.page.evaluate("tags => axe.run(document, {runOnly: tags})", _AXE)
        return [
            f"{one['id']}: {node['html']} {node['failureSummary']}"
            for one in found["violations"]
            for node in one["nodes"]
        ]

    async def look(self, language: Language, theme: Theme) -> None:
        """Choose the look as the buttons of the page do."""
        await self.page.context.add_cookies(
            [
                {"name": name, "value": value, "url": self.origin}
                for name, value in ((LANGUAGE_COOKIE, language.value), (THEME_COOKIE, theme.value))
            ]
        )


class People:
    """Signs people in, each in a context of the browser's own."""

    def __init__(self, browser: Browser, door: Door) -> None:
        self._browser = browser
        self._door = door
        self.origin: Final = f"http://{door.addresses['staff']}"
        self._contexts: list[BrowserContext] = []

    async def link(self, name: str, role: str, unit: str = "") -> tuple[str, str]:
        """Put a person into the register; the id, and the path of the link."""
        async with acting(self._door.town.endpoints.login("operator")) as operator:
            staff_id, secret = await staff.add(operator, name, Login(role, unit))
        return staff_id, sign_in_path(secret)

    async def page(self, listener: str = "staff", **how: Any) -> Watched:
        """A page of somebody who has not signed in, at this listener."""
        options: dict[str, Any] = {
            "locale": "zh-CN",
            "timezone_id": "Asia/Shanghai",
            "reduced_motion": "reduce",
            "viewport": {"width": 1280, "height": 800},
            **how,
        }
        context = await self._browser.new_context(**options)
        context.set_default_timeout(30_000 * PATIENCE)
        self._contexts.append(context)
        origin = f"http://{self._door.addresses[listener]}"
        return Watched(await context.new_page(), origin)

    async def sign_in(self, name: str, role: str, unit: str = "", **how: Any) -> Watched:
        """A page of a new person of this role, on the first page."""
        _, link = await self.link(name, role, unit)
        watched = await self.page(**how)
        await watched.goto(link)
        await watched.page.locator("button.main").click()
        await watched.page.wait_for_url(lambda url: "sign-in" not in url)
        return watched

    async def close(self) -> None:
        """Close all pages."""
        for context in self._contexts:
            await context.close()


def vendored(folder: Path) -> list[dict[str, str]]:
    """The lines of a folder's `vendor.toml`."""
    found: list[dict[str, str]] = tomllib.loads((folder / "vendor.toml").read_text(encoding="utf-8"))["file"]
    return found
