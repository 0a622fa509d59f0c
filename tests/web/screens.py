"""Looks at pages in a browser: pictures that are kept, and what axe-core finds wrong for people who use them otherwise."""

from pathlib import Path
from typing import Any

from axe_playwright_python.base import AXE_SCRIPT  # type: ignore[import-untyped]
from playwright.async_api import Page

FOLDER = Path(".pytest_cache/d/screens")
# Whatever axe knows, best practices too. The page of a test is ours as well, so nothing is left out.
_RUN = "() => axe.run(document, {resultTypes: ['violations']}).then(found => found.violations)"


async def shoot(page: Page, name: str) -> None:
    """Keep a picture of what is on the screen, under .pytest_cache/d/screens."""
    await page.screenshot(path=FOLDER / f"{name}.png", animations="disabled")


async def violations(page: Page) -> list[str]:
    """Return what axe-core finds wrong: rule, and the elements."""
    if not await page.evaluate("() => 'axe' in window"):
        await page.evaluate(AXE_SCRIPT)
    found: list[dict[str, Any]] = await page.evaluate(_RUN)
    return [
        f"{each['id']}: {node['target']} {node['failureSummary']}" for each in found for node in each["nodes"]
    ]
