"""What tests of texts under way share: an agent's tab on a ticket, its composer ready, and what the desk keeps of it."""

import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import BrowserContext, Page, expect

from intake import instants
from tests.web import browser as browsers
from tests.web.acting_site import RULES, receive, rows
from tests.web.site import Site, open_site

FORK = re.compile(r"^[A-Za-z0-9_-]{24}$")  # of the page's own making: its composer is ready
TEXT = "Dear Jan, this took me half an hour to write."


@pytest.fixture
async def site(tmp_path: Path, new_store: bytes) -> AsyncIterator[Site]:
    async with open_site(tmp_path, instants.now, new_store=new_store, rules=RULES) as opened:
        yield opened


@pytest.fixture
def ticket(site: Site) -> dict[str, Any]:
    return receive(site)


async def signed_in(context: BrowserContext, site: Site, name: str = "ania") -> None:
    if not rows(site, "credentials", "name = :name", name=name):
        site.add(name)
    await context.add_cookies([{"name": site.guard.cookie, "value": site.session(name), "url": site.base}])


async def opened(context: BrowserContext, site: Site, ref: str) -> Page:
    """Open the ticket's page, its composer ready."""
    page, _ = await browsers.watched(context)
    await page.goto(f"{site.base}/tickets/{ref}")
    await ready(page)
    return page


async def ready(page: Page) -> None:
    await expect(page.locator("#reply-form [name=fork]")).to_have_value(FORK)


async def write(page: Page, text: str = TEXT, *, is_saved: bool = True) -> None:
    await page.fill("#reply-text", text)
    if is_saved:
        await expect(page.locator("#reply-saved")).to_contain_text("Saved", timeout=3_000)


def stored(site: Site, state: str = "writing") -> list[str]:
    return [each["body"] for each in rows(site, "drafts", "state = :state ORDER BY id", state=state)]


async def text_of(page: Page) -> str:
    return await page.input_value("#reply-text")
