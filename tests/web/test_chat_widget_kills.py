"""Two tabs write while the daemon under them is killed again and again: each line is kept once, in the same order for both."""

import asyncio
import socket
from collections import Counter
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, expect

from tests.torture.daemons import Daemon
from tests.web import browser as browsers
from tests.web import chat_desk
from tests.web.chat_torture import CONFIG
from tests.web.chat_world import RULES
from tests.web.test_chat_widget_daemon import Elsewhere

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]
LINES = 15  # of each tab
KILLS = 3
WITHIN_MS = 120_000


async def test_kills_lose_and_double_nothing(browser: Browser, tmp_path: Path) -> None:
    """Lines written while it lives, dies and starts are all there once it is up, each once, and both tabs show the same."""
    page_of = Elsewhere()
    (tmp_path / "rules.yaml").write_text(RULES)
    (tmp_path / "replies").mkdir()
    daemon = Daemon(tmp_path, config=tmp_path / "intake.yaml")
    async with chat_desk.serving(page_of.app()) as site:
        config = CONFIG.format(folder=tmp_path, port=daemon.http_port).replace("https://shop.example", site)
        (tmp_path / "intake.yaml").write_text(config)
        page_of.chat = f"http://127.0.0.1:{daemon.http_port}"
        context = await browser.new_context()
        pages = [(await browsers.watched(context))[0] for _ in range(2)]
        daemon.start()
        try:
            await _begin(pages, site, daemon)
            await asyncio.gather(
                _kill(daemon), *(_write(page, name) for page, name in zip(pages, "ab", strict=True))
            )
            expected = Counter(["begin", *(f"{name} {number}" for name in "ab" for number in range(LINES))])
            shown = [await _all(page, len(expected)) for page in pages]
            assert Counter(shown[0]) == expected
            assert shown[0] == shown[1]
            await pages[0].reload()
            assert await _all(pages[0], len(expected)) == shown[0]
            for name in "ab":
                own = [each for each in shown[0] if each.startswith(f"{name} ")]
                assert own == [f"{name} {number}" for number in range(LINES)]
        finally:
            daemon.kill()
            await context.close()


async def _begin(pages: list[Page], site: str, daemon: Daemon) -> None:
    """Open the chat in both tabs, of which the first has said something."""
    async with asyncio.timeout(60):
        while not await asyncio.to_thread(_is_up, daemon):
            await asyncio.sleep(0.1)
    first, second = pages
    await first.goto(site)
    await first.get_by_role("button", name="Chat with us").click()
    await _say(first, "begin")
    await expect(first.locator(".customer .mark")).to_contain_text("Sent", timeout=WITHIN_MS)
    await second.goto(site)
    await second.get_by_role("button", name="Chat with us").click()
    await expect(second.locator(".line")).to_have_count(1, timeout=WITHIN_MS)


def _is_up(daemon: Daemon) -> bool:
    with socket.socket() as asking:
        return asking.connect_ex(("127.0.0.1", daemon.http_port)) == 0


async def _kill(daemon: Daemon) -> None:
    for _ in range(KILLS):
        await asyncio.sleep(1.5)
        await asyncio.to_thread(daemon.kill)
        daemon.start()


async def _write(page: Page, name: str) -> None:
    for number in range(LINES):
        await _say(page, f"{name} {number}")
        await asyncio.sleep(0.3)


async def _say(page: Page, text: str) -> None:
    await page.get_by_role("textbox", name="Your message").fill(text)
    await page.get_by_role("button", name="Send", exact=True).click()


async def _all(page: Page, count: int) -> list[str]:
    """Return the lines, once all of them are acknowledged."""
    await expect(page.locator(".line")).to_have_count(count, timeout=WITHIN_MS)
    waiting = page.locator(".mark").filter(has_not_text="Sent")
    await expect(waiting).to_have_count(0, timeout=WITHIN_MS)
    return await page.locator(".line .text").all_text_contents()
