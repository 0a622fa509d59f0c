"""The widget's line to the daemon: cut, refused, slow, asleep, in two tabs, without WebSockets. Nothing is lost or doubled."""

import asyncio
import re

import pytest
from playwright.async_api import Browser, Page, expect

from channels.webchat.protocol import Read, Said
from tests.web import browser as browsers
from tests.web import chat_soak
from tests.web.chat_desk import Desk
from tests.web.chat_pages import SENT, shop
from tests.web.waiting import until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180), pytest.mark.asyncio(loop_scope="module")]
EARLY, LATE = "2026-11-22T08:00:00Z", "2026-11-22T09:00:00Z"
LAST = ".customer .mark >> nth=-1"
browser = browsers.of_module


async def test_offline_and_back(browser: Browser) -> None:
    """What is written without a network is kept, over a reload too, and goes out once, in order, when it is back."""
    async with shop(browser) as its:
        await its.open()
        await its.say("One")
        await its.context.set_offline(offline=True)
        await its.page.get_by_text("No connection. What you write is kept").wait_for()
        await its.write("Two")
        await its.write("Three")
        await expect(its.page.locator(LAST)).to_have_text("Kept, waits for the connection")
        assert its.desk.written == ["One"]
        await its.desk.say("Missed")
        await its.context.set_offline(offline=False)
        await expect(its.page.locator(LAST)).to_have_text(SENT)
        assert its.desk.written == ["One", "Two", "Three"]
        await expect(its.page.locator(".line .text")).to_have_text(["One", "Missed", "Two", "Three"])
        await its.page.get_by_text("Connected again").wait_for()


async def test_what_waits_survives_the_page(browser: Browser) -> None:
    """A line that never went out, and one half written, are there after a reload; the line goes out then."""
    async with shop(browser) as its:
        await its.open()
        await its.say("One")
        its.desk.is_down = True
        await its.desk.cut()
        await its.write("Two")
        await its.text.fill("half of the thi")
        its.desk.is_down = False
        await its.page.reload()
        await until(lambda: its.desk.written == ["One", "Two"])
        await expect(its.text).to_have_value("half of the thi")


async def test_cuts_lose_and_double_nothing(browser: Browser) -> None:
    """40 lines of both sides over a line that is cut a dozen times: each is kept once, and shown once, in the desk's order."""
    async with shop(browser) as its:
        await its.open()
        await its.say("line 0")
        for number in range(1, 20):
            await its.write(f"line {number}")
            await its.desk.say(f"answer {number}")
            if number % 3 == 0:
                await its.desk.cut()
        await expect(its.page.locator(LAST)).to_have_text(SENT, timeout=30_000)
        await expect(its.page.locator(".line")).to_have_count(39, timeout=30_000)
        assert its.desk.written == [f"line {number}" for number in range(20)]
        shown = await its.page.locator(".line .text").all_text_contents()
        assert shown == [each.text for each in its.desk.chat.lines]
        await until(lambda: its.desk.chat.got == 39)


async def test_an_acknowledgement_that_is_lost_doubles_nothing(browser: Browser) -> None:
    """A line whose answer never came is said again with the same id, and kept once."""
    async with shop(browser) as its:
        await its.open()
        await its.say("One")
        its.desk.is_mute = True
        await its.write("Two")
        await until(lambda: its.desk.written == ["One", "Two"])
        its.desk.is_mute = False
        await its.desk.cut()
        await expect(its.page.locator(LAST)).to_have_text(SENT, timeout=15_000)
        ids = [each.id for each in its.desk.chat.lines]
        assert len(set(ids)) == 2
        await expect(its.page.locator(".line")).to_have_count(2)


async def test_two_tabs_are_one_chat(browser: Browser) -> None:
    """Two tabs show the same lines in the same order; what is written in either, even at once, is kept once."""
    async with shop(browser) as its:
        await its.open()
        await its.say("First tab")
        other, _ = await browsers.watched(its.context)
        await other.goto(its.url)
        await other.get_by_role("button", name="Chat with us").click()
        await expect(other.locator(".line .text")).to_have_text(["First tab"])
        for number in range(5):
            await asyncio.gather(_write(its.page, f"a{number}"), _write(other, f"b{number}"))
        await until(lambda: len(its.desk.written) == 11)
        await its.desk.say("Both of you")
        texts = [each.text for each in its.desk.chat.lines]
        for page in (its.page, other):
            await expect(page.locator(".line .text")).to_have_text(texts)
        assert sorted(its.desk.written) == sorted(
            ["First tab", *(f"{tab}{number}" for tab in "ab" for number in range(5))]
        )
        assert len(its.desk.chats) == 1


async def test_a_tab_that_is_closed_leaves_its_line_to_the_other(browser: Browser) -> None:
    """What one tab could not send, another sends."""
    async with shop(browser) as its:
        await its.open()
        await its.say("One")
        other, _ = await browsers.watched(its.context)
        await other.goto(its.url)
        await other.get_by_role("button", name="Chat with us").click()
        await expect(other.locator(".line")).to_have_count(1)
        its.desk.is_down = True
        await its.desk.cut()
        await _write(other, "Two")
        await expect(other.locator(LAST)).to_have_text("Kept, waits for the connection")
        await other.close()
        its.desk.is_down = False
        await until(lambda: its.desk.written == ["One", "Two"], within_s=20)
        await expect(its.page.locator(".line")).to_have_count(2)


async def test_without_websockets(browser: Browser) -> None:
    """Where a proxy breaks WebSockets the same goes over a streamed answer and posts, with cuts, live and in order."""
    desk = Desk()
    desk.refuses_sockets = True
    async with shop(browser, desk) as its:
        await its.open()
        await its.write("One")
        await expect(its.page.locator(LAST)).to_have_text(SENT, timeout=20_000)
        await desk.say("Answer")
        await expect(its.page.locator(".agent .text")).to_have_text("Answer")
        await desk.type()
        await its.page.locator(".typing").wait_for()
        await desk.cut()
        await its.write("Two")
        await desk.say("Once more")
        await until(lambda: desk.written == ["One", "Two"], within_s=20)
        await expect(its.page.locator(".line")).to_have_count(4, timeout=15_000)
        await until(lambda: desk.chat.got == 4)
        assert its.seen.violations == []


async def test_a_gap_is_asked_for(browser: Browser) -> None:
    """A number that is missing makes the page ask for what it does not have."""
    async with shop(browser) as its:
        await its.open()
        await its.say("One")
        chat = its.desk.chat
        feeds, chat.feeds = chat.feeds, []
        await its.desk.say("Lost on the way")
        chat.feeds = feeds
        await its.desk.say("Here")
        await expect(its.page.locator(".agent .text")).to_have_text(["Lost on the way", "Here"])


async def test_a_line_that_comes_twice_is_shown_once(browser: Browser) -> None:
    """A number that the page has is passed over."""
    async with shop(browser) as its:
        await its.open()
        await its.say("One")
        await its.desk.say("Two")
        for line in its.desk.chat.lines:
            await its.desk.tell(its.desk.chat, line)
        await its.desk.say("Three")
        await expect(its.page.locator(".line .text")).to_have_text(["One", "Two", "Three"])


async def test_a_daemon_that_forgot_is_right(browser: Browser) -> None:
    """Where the daemon has fewer lines than the page, the page begins again at those."""
    async with shop(browser) as its:
        await its.open()
        await its.say("One")
        await its.desk.say("Two")
        await expect(its.page.locator(".line")).to_have_count(2)
        del its.desk.chat.lines[:]
        its.desk.chat.acks.clear()
        await its.desk.cut()
        await expect(its.page.locator(".line")).to_have_count(0)
        await its.say("After all")
        await expect(its.page.locator(".line")).to_have_count(1)


async def test_a_page_that_slept_tests_its_line(browser: Browser) -> None:
    """After a sleep the page does not trust a line that has been silent: it makes another, and has what it missed."""
    async with shop(browser, is_gone_to=False) as its:
        await its.page.clock.install()
        await its.page.goto(its.url)
        await its.open()
        await its.say("One")
        its.desk.silence()
        await its.desk.say("While you slept")
        await its.page.clock.fast_forward("01:00:00")
        await its.page.evaluate("dispatchEvent(new Event('focus'))")
        await expect(its.page.locator(".agent .text")).to_have_text("While you slept")


async def test_retries_never_end(browser: Browser) -> None:
    """After hours without a daemon the page still tries, once a minute and more, and goes on by itself."""
    async with shop(browser, is_gone_to=False) as its:
        await its.page.clock.install()
        await its.page.goto(its.url)
        await its.open()
        await its.say("One")
        its.desk.is_down = True
        await its.desk.cut()
        for _ in range(12):
            await its.page.clock.run_for(90_000)
        tried = len(its.desk.requests)
        await its.page.clock.run_for(200_000)
        assert len(its.desk.requests) > tried
        await its.write("Two")
        # Chromium waits for some seconds of ours with a WebSocket after many that failed: the page's clock must not run
        # past what a try may take meanwhile.
        tries: list[str] = []
        its.page.on("websocket", lambda socket: tries.append(socket.url))
        its.desk.is_down = False
        for _ in range(300):
            if tries:
                break
            await its.page.clock.run_for(1_000)
        await until(lambda: its.desk.written == ["One", "Two"])


async def test_a_token_is_in_no_address(browser: Browser) -> None:
    """The token is 256 random bits in base64url, and stands in no address that the page asks for."""
    async with shop(browser) as its:
        await its.open()
        await its.say("One")
        (token,) = its.desk.chats
        assert re.fullmatch(r"[A-Za-z0-9_-]{43}", token)
        assert [each for each in its.seen.requests if token in each] == []


async def test_what_one_tab_takes_out_no_other_brings_back(browser: Browser) -> None:
    """A refused line that is deleted in one tab is gone in both, whatever either says afterwards."""
    async with shop(browser) as its:
        await its.open()
        await its.say("One")
        other, _ = await browsers.watched(its.context)
        await other.goto(its.url)
        await other.get_by_role("button", name="Chat with us").click()
        await expect(other.locator(".line")).to_have_count(1)
        its.desk.errors = [("blocked", None), ("blocked", None)]  # both tabs say what waits
        await its.write("Two")
        for page in (its.page, other):
            await expect(page.locator(".failed")).to_have_count(1)
        await other.reload()
        await expect(other.locator(".failed")).to_have_count(1)
        its.desk.errors = []
        await its.button("Delete").click()
        await expect(other.locator(".failed")).to_have_count(0)
        await _write(other, "Three")
        await until(lambda: its.desk.written == ["One", "Three"])
        for page in (its.page, other):
            await expect(page.locator(".line .text")).to_have_text(["One", "Three"])


async def test_what_is_not_on_the_screen_is_not_read(browser: Browser) -> None:
    """Who reads further up has not read what came below: it is read when they come to it."""
    async with shop(browser) as its:
        await its.open()
        await its.say("One")
        for number in range(30):
            await its.desk.say(f"answer {number}")
        await expect(its.page.locator(".agent")).to_have_count(30)
        await until(lambda: _read(its.desk) == 31)
        await its.page.locator(".lines").evaluate(_SCROLLED_UP)
        await its.desk.say("Further down")
        await its.button("New messages").wait_for()
        await until(lambda: its.desk.chat.got == 32)
        assert _read(its.desk) == 31
        await its.button("New messages").click()
        await until(lambda: _read(its.desk) == 32)


async def test_a_clock_that_is_set_back_turns_nothing_around(browser: Browser) -> None:
    """What waits goes out in the order in which it was written, whatever the clock said meanwhile."""
    async with shop(browser, is_gone_to=False) as its:
        await its.page.clock.install(time=LATE)
        await its.page.goto(its.url)
        await its.open()
        await its.say("One")
        await its.context.set_offline(offline=True)
        await its.write("Two")
        await expect(its.page.locator(".customer")).to_have_count(2)
        await its.page.clock.set_system_time(EARLY)
        await its.write("Three")
        await expect(its.page.locator(".customer .text")).to_have_text(["One", "Two", "Three"])
        await its.context.set_offline(offline=False)
        await until(lambda: len(its.desk.written) == 3)
        assert its.desk.written == ["One", "Two", "Three"]


async def test_a_quick_reply_keeps_what_is_half_written(browser: Browser) -> None:
    """Pressing an answer says that answer, and leaves the text alone."""
    async with shop(browser) as its:
        await its.open()
        await its.say("One")
        await its.desk.say("Did it come?", replies=("Yes", "No"))
        await its.text.fill("half of the thi")
        await its.button("Yes").click()
        await until(lambda: its.desk.written == ["One", "Yes"])
        await expect(its.text).to_have_value("half of the thi")


async def test_a_long_chat_stays_light(browser: Browser) -> None:
    """Of 2 000 lines a hundred are drawn; earlier ones come at a button, without a jump."""
    async with shop(browser) as its:
        await its.open()
        await its.say("One")
        for number in range(2, 2_001):
            its.desk.chat.lines.append(_line(number))
        await its.page.reload()
        await expect(its.page.locator(".line .text").last).to_have_text("line 2000")
        assert await its.page.locator(".line").count() == 100
        nodes = "() => document.querySelector('chat-launcher').shadowRoot.querySelectorAll('*').length"
        assert await its.page.evaluate(nodes) < 800
        await its.button("Earlier messages").click()
        await expect(its.page.locator(".line")).to_have_count(200)


async def test_a_day_of_lines_and_cuts_holds_nothing_but_the_lines(browser: Browser) -> None:
    """What is no longer drawn, said or connected is not held: python -m tests.web.chat_soak has 10 000 lines and 200 cuts."""
    async with shop(browser, chat_soak.desk()) as its:
        found = await chat_soak.soaked(its, lines=1_500, cuts=30)
        assert found.line_bytes <= chat_soak.LINE_MAX_BYTES
        assert found.cut_bytes <= chat_soak.CUT_MAX_BYTES
        assert found.nodes <= chat_soak.NODES_MAX
        assert its.seen.violations == []


def _read(desk: Desk) -> int:
    return max((each.seq for each in desk.chat.turns if isinstance(each, Read)), default=0)


def _line(number: int) -> Said:
    return Said(seq=number, at="2026-11-22T12:00:00Z", author="agent", name="Ana", text=f"line {number}")


async def _write(page: Page, text: str) -> None:
    await page.get_by_role("textbox", name="Your message").fill(text)
    await page.get_by_role("button", name="Send", exact=True).click()


# The widget hears of it with the next picture (W3C CSSOM View, scroll events), as it does of a person's scrolling.
_SCROLLED_UP = """async each => {
  const drawn = () => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)));
  await drawn();
  each.scrollTop = 0;
  await drawn();
}"""
