"""A flood, as a visitor's page meets it: it works in slices, and whoever writes notices nothing."""

from functools import partial

import pytest
from playwright.async_api import Browser, expect

from channels.webchat.protocol import Line
from channels.webchat.work import PARTS
from tests.web import page_cost
from tests.web.chat_desk import Desk
from tests.web.chat_pages import SENT, Shop, shop
from tests.web.waiting import until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]
CONTACT_IS_NOT_ASKED = {"contact": "never"}
# A clock for which each look comes after the slice is over, and a count of the breaths that the page is let take.
COUNTED = """() => {
  let now = 0; window.looks = window.breaths = 0;
  performance.now = () => { looks += 1; return now += 9; };
  const Channel = MessageChannel;
  window.MessageChannel = class extends Channel { constructor() { super(); breaths += 1; } };
}"""


def _has(desk: Desk, text: str) -> bool:
    return text in desk.written


def _lines(its: Shop) -> list[Line]:
    return [each for each in its.desk.chat.turns if isinstance(each, Line)]


async def test_a_visitor_notices_nothing_of_the_work(browser: Browser) -> None:
    """Under the strictest policy: the line is said, asked about, and taken, and nothing is asked of the person."""
    desk = page_cost.flooded(Desk())
    async with shop(browser, desk) as its:
        await its.open()
        for text in ("Where is", "my", "order?"):
            await its.write(text)
            await until(partial(_has, its.desk, text))
        first, second, *_ = _lines(its)
        assert (first.work, second.work.count(",")) == ("", PARTS - 1)
        assert first.id == second.id
        assert desk.written == ["Where is", "my", "order?"]
        assert (its.seen.violations, its.seen.errors) == ([], [])
        assert sum(each.endswith("/work.js") for each in its.seen.requests) == 1


async def test_work_lets_the_page_breathe_between_its_slices(browser: Browser) -> None:
    """After each look at the clock that finds a slice to be over, what waits on the page comes first."""
    async with shop(browser, page_cost.flooded(Desk())) as its:
        await its.open()
        await its.page.evaluate(COUNTED)
        await its.write("Where is my order?")
        await until(lambda: its.desk.written)
        looks, breaths = await its.page.evaluate("[looks, breaths]")
        assert breaths > 10
        assert 2 * breaths <= looks <= 2 * breaths + PARTS


async def test_two_lines_and_a_cut_while_it_works(browser: Browser) -> None:
    """Each is worked for and kept once, in order, whatever breaks meanwhile."""
    desk = page_cost.flooded(Desk())
    async with shop(browser, desk) as its:
        await its.open()
        await its.write("One")
        await its.write("Two")
        await until(lambda: desk.chats and len(_lines(its)) == 1)
        await desk.cut()
        await expect(its.page.locator(".customer .mark").last).to_have_text(SENT, timeout=30_000)
        assert desk.written == ["One", "Two"]


async def test_without_a_flood_nothing_of_it_is_loaded(browser: Browser) -> None:
    desk = Desk()
    desk.settings = dict(CONTACT_IS_NOT_ASKED)
    async with shop(browser, desk) as its:
        await its.open()
        await its.say("Hello")
        assert not [each for each in its.seen.requests if each.endswith("/work.js")]
