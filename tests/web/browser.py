"""A real browser: Debian's Chromium, driven by Playwright, with nothing but this machine's loopback to talk to."""

import asyncio
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, Page, async_playwright

ARGUMENTS = (
    "--no-sandbox",  # tests run as root on the machines that test
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1 , EXCLUDE localhost , EXCLUDE *.localhost",
)
WAIT_MS = 10_000
CLOSE_S = 15


@asynccontextmanager
async def chromium() -> AsyncIterator[Browser]:
    """Start a browser. Raises: RuntimeError where there is none."""
    path = shutil.which("chromium")
    if path is None:
        raise RuntimeError("chromium is not installed; as root: apt-get install -y chromium")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=path, args=list(ARGUMENTS))
        try:
            yield browser
        finally:
            await asyncio.wait_for(browser.close(), CLOSE_S)


@pytest_asyncio.fixture(scope="module", loop_scope="module", name="browser")
async def of_module() -> AsyncIterator[Browser]:
    """One Chromium for all tests of a module that names this `browser`; each test has a context of its own."""
    async with chromium() as opened:
        yield opened


class Seen:
    """What a page told a console, threw, asked of others than us, and what its policy forbade."""

    def __init__(self) -> None:
        self.errors: list[str] = []
        self.requests: list[str] = []
        self.violations: list[dict[str, Any]] = []

    def violated(self, violation: dict[str, Any]) -> None:
        self.violations.append(violation)

    def outside(self, *origins: str) -> list[str]:
        """Return the requests that went elsewhere than to these."""
        own = (*origins, "data:", "blob:", "about:")
        return [each for each in self.requests if not each.startswith(own)]


async def watched(context: BrowserContext) -> tuple[Page, Seen]:
    """Open a page, and see what it does from its first byte on."""
    page, seen = await context.new_page(), Seen()
    page.set_default_timeout(WAIT_MS)
    page.on("pageerror", lambda error: seen.errors.append(str(error)))
    page.on("console", lambda said: seen.errors.append(said.text) if said.type == "error" else None)
    page.on("request", lambda request: seen.requests.append(request.url))
    await page.expose_function("tellViolation", seen.violated)
    await page.add_init_script(
        "addEventListener('securitypolicyviolation', e => tellViolation("
        "{directive: e.effectiveDirective, blocked: e.blockedURI, source: e.sourceFile, line: e.lineNumber}))"
    )
    return page, seen
