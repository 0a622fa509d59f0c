"""A chat on a ticket's page in a real browser: drawn at once, replaced without a flicker, answered while it is unsettled."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, Page, expect

from tests.web import browser as browsers
from tests.web.acting_site import public
from tests.web.browser import Seen
from tests.web.desk_chat import DeskChat, chatting

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]

# Remembers the element of a line, and counts how often any message was taken off the page.
_WATCH = """(words) => {
  const found = [...document.querySelectorAll("#timeline > li")].find((each) => each.textContent.includes(words));
  window.watched = {found, gone: 0};
  new MutationObserver((changes) => changes.forEach((each) => each.removedNodes.forEach((node) => {
    if (node.nodeType === 1 && node.matches("[data-message]")) window.watched.gone += 1;
  }))).observe(document.getElementById("timeline"), {childList: true});
}"""


@pytest.fixture
async def chat(tmp_path: Path, new_store: bytes) -> AsyncIterator[DeskChat]:
    async with chatting(tmp_path, new_store) as found:
        yield found


async def _opened(browser: Browser, chat: DeskChat) -> tuple[Page, Seen]:
    chat.site.add("ania")
    context = await browser.new_context(base_url=chat.site.base, viewport={"width": 1280, "height": 800})
    cookie: Any = {"name": chat.site.guard.cookie, "value": chat.site.session("ania"), "url": chat.site.base}
    await context.add_cookies([cookie])
    page, seen = await browsers.watched(context)
    await page.goto(f"/tickets/{chat.ref}")
    await page.wait_for_function("() => document.querySelector('#connection')?.dataset.state === 'live'")
    return page, seen


async def test_line_is_drawn_at_once_and_becomes_its_message(browser: Browser, chat: DeskChat) -> None:
    """One element from its commit to its settlement, and nothing else is taken off the page meanwhile."""
    page, seen = await _opened(browser, chat)
    await chat.visitor.write("It was https://shop.example/7.")
    line = page.locator("#timeline > li", has_text="shop.example/7")
    await expect(line).to_have_class("item in arriving")
    await page.evaluate(_WATCH, "shop.example/7")
    await asyncio.to_thread(chat.settle)
    await expect(line).to_have_class("item in")
    await expect(line.locator("a")).to_have_count(1)
    told = await page.evaluate("() => [window.watched.found.isConnected, window.watched.gone]")
    assert (told, seen.errors, seen.violations) == ([True, 0], [], [])


async def test_line_on_the_screen_is_answered_while_it_is_unsettled(browser: Browser, chat: DeskChat) -> None:
    """A text that was begun before it came goes too: its writer has the line before their eyes."""
    page, _ = await _opened(browser, chat)
    await page.get_by_label("Answer to the customer").fill("Number 7 is on its way.")
    await chat.visitor.write("It was number 7.")
    await expect(page.locator("#timeline > .arriving")).to_be_visible()
    await page.keyboard.press("Control+Enter")
    await expect(page.get_by_label("Answer to the customer")).to_have_value("")
    await asyncio.to_thread(chat.settle)
    await expect(page.locator(".news")).to_have_count(0)
    assert "Number 7 is on its way." in public(chat.site, chat.ref)
    said = (await chat.visitor.lines(3))[-1]
    assert said["text"] == "Number 7 is on its way."


async def test_line_under_a_hidden_part_is_not_counted_as_seen(browser: Browser, chat: DeskChat) -> None:
    """Who reads far above has it not on the screen: their answer is stopped, and shows it."""
    for number in range(12):
        await chat.visitor.write(f"Line {number}\n" * 8)
    await asyncio.to_thread(chat.settle)
    page, _ = await _opened(browser, chat)
    await page.get_by_label("Answer to the customer").fill("I cancel it.")
    await page.evaluate("() => document.querySelector('#timeline > li').scrollIntoView()")
    await chat.visitor.write("No, leave it.")
    await expect(page.locator("#newer")).to_contain_text("1 new message")
    await page.keyboard.press("Control+Enter")
    await expect(page.locator(".news")).to_contain_text("No, leave it.")
    assert "I cancel it." not in public(chat.site, chat.ref)


async def test_that_they_write_is_shown_until_they_have(browser: Browser, chat: DeskChat) -> None:
    """And their words take its place."""
    page, _ = await _opened(browser, chat)
    await chat.visitor.say("typing")
    await expect(page.locator("#typing")).to_have_text("The visitor is writing")
    await chat.visitor.write("Hello?")
    await expect(page.locator("#typing")).to_have_text("")
