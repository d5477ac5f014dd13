"""First paints of the part `pages`, in Debian's headless Chromium; without it, or without Playwright, none."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

import httpx2

if TYPE_CHECKING:
    from playwright.async_api import Browser

CHROMIUM: Final = Path("/usr/bin/chromium-headless-shell")
ARGS: Final = (
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
WITHOUT: Final = "no first paint was measured: it needs Playwright, and Debian's chromium-headless-shell"
_FIRST_PAINT: Final = """
() => new Promise((done) => new PerformanceObserver((told, self) => {
  const paint = told.getEntriesByName("first-contentful-paint")[0];
  if (paint) { self.disconnect(); done(paint.startTime); }
}).observe({ type: "paint", buffered: true }))
"""


@asynccontextmanager
async def open_browser() -> AsyncIterator[Browser | None]:
    """The browser; None where there is none on this machine."""
    try:
        from playwright.async_api import async_playwright
    except ImportError:
        yield None
        return
    if not CHROMIUM.exists():
        yield None
        return
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=str(CHROMIUM), chromium_sandbox=False, args=list(ARGS)
        )
        try:
            yield browser
        finally:
            await browser.close()


async def first_paints(browser: Browser, client: httpx2.AsyncClient, addresses: Sequence[str]) -> list[float]:
    """Milliseconds to the first paint of each address, each time in a browser that holds nothing but the session."""
    origin = str(client.base_url).rstrip("/")
    return [await _first_paint(browser, origin, dict(client.cookies), address) for address in addresses]


async def _first_paint(browser: Browser, origin: str, cookies: Mapping[str, str], address: str) -> float:
    context = await browser.new_context(locale="zh-CN", timezone_id="Asia/Shanghai")
    try:
        for name, value in cookies.items():
            host = urlsplit(origin).hostname or ""
            await context.add_cookies([{"name": name, "value": value, "domain": host, "path": "/"}])
        page = await context.new_page()
        await page.goto(origin + address)
        return float(await page.evaluate(_FIRST_PAINT))
    finally:
        await context.close()
