"""Who a visitor is, and whose chat it is: proofs of the page's own server, links from mails, one browser with several chats."""

from base64 import urlsafe_b64encode
from typing import Any

import msgspec
import pytest
from playwright.async_api import Browser, expect

from channels.webchat.protocol import Identify, Line
from tests.web import browser as browsers
from tests.web.chat_desk import Desk
from tests.web.chat_pages import EMPTY, SENT, shop
from tests.web.waiting import until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120), pytest.mark.asyncio(loop_scope="module")]
SETTINGS: dict[str, Any] = {
    "contact": "never",
    "limits": {"text": 200, "files": 2, "file_bytes": 1_000, "types": []},
}
browser = browsers.of_module


async def test_who_it_is_is_said_before_anything_else(browser: Browser) -> None:
    """A proof goes out before the first line, is stored nowhere, and is asked for anew when it is wanted."""
    async with shop(browser, _desk()) as its:
        await its.page.evaluate(
            "async () => { window.wanted = 0; const chat = document.querySelector('chat-launcher');"
            "chat.on('identify', () => wanted++); await chat.identify('a.b.c'); }"
        )
        assert await its.stored() == EMPTY
        its.desk.errors = [("identity_required", None)]
        await its.open()
        await its.write("It is me")
        await its.page.get_by_text("Sign in on this page first.").wait_for()
        assert await its.page.evaluate("wanted") == 1
        assert "a.b.c" not in str(await its.stored())
        await its.page.evaluate("document.querySelector('chat-launcher').identify('d.e.f')")
        await until(lambda: its.desk.written == ["It is me"])
        said = [
            each.jwt if isinstance(each, Identify) else "line"
            for each in its.desk.chat.turns
            if isinstance(each, Identify | Line)
        ]
        assert said == ["a.b.c", "line", "d.e.f", "line"]


async def test_a_link_from_a_mail_opens_its_chat(browser: Browser) -> None:
    """A link opens the chat in a browser that has none, leaves the address bar, and says so when it opens nothing."""
    async with shop(browser, _desk()) as its:
        await its.open()
        await its.say("Where is my order?")
        await its.desk.say("It left yesterday.")
        (token,) = its.desk.chats
        elsewhere = await browser.new_context()
        page = await elsewhere.new_page()
        await page.goto(f"{its.url}/tea?cup=2#chat={token}")
        await expect(page.locator(".line .text")).to_have_text(["Where is my order?", "It left yesterday."])
        assert page.url == f"{its.url}/tea?cup=2"
        stranger = await (await browser.new_context()).new_page()
        await stranger.goto(f"{its.url}/#chat=forged")
        await stranger.get_by_text("This link no longer opens a chat.").wait_for()
        assert await stranger.evaluate("({...localStorage})") == {}


async def test_a_link_in_a_browser_that_has_a_chat_asks_first_and_loses_nothing(browser: Browser) -> None:
    """Unasked nobody is taken to another's chat; both are kept, neither has the other's lines, the menu leads back and forth."""
    desk = _desk()
    async with shop(browser, desk) as its:
        await its.open()
        await its.say("Mine, by mail")
        (token,) = desk.chats
        elsewhere = await browser.new_context()
        page = await elsewhere.new_page()
        await page.goto(its.url)
        await page.get_by_role("button", name="Chat with us").click()
        await page.get_by_role("textbox", name="Your message").fill("Begun here")
        await page.keyboard.press("Enter")
        await until(lambda: len(desk.chats) == 2)
        await expect(page.locator(".customer .mark").last).to_have_text(SENT)
        await page.goto(f"{its.url}/tea#chat={token}")
        await page.get_by_text("This link opens another conversation").wait_for()
        await expect(page.locator(".line .text")).to_have_text(["Begun here"])
        await page.get_by_role("button", name="Go there").click()
        await expect(page.locator(".line .text")).to_have_text(["Mine, by mail"])
        assert [len(each.lines) for each in desk.chats.values()] == [1, 1, 1]
        for text in ("Begun here", "Mine, by mail"):
            await page.get_by_role("button", name="More").click()
            await page.get_by_role("button", name="Your other conversation").click()
            await expect(page.locator(".line .text")).to_have_text([text])


async def test_who_signs_in_sees_their_chat_when_it_opens(browser: Browser) -> None:
    """A proof opens the chat of the same person at once; it is given again after a cut, and is stored nowhere."""
    async with shop(browser, _desk()) as its:
        await its.page.evaluate("document.querySelector('chat-launcher').identify('a.b.c')")
        await its.open()
        await until(lambda: len(its.desk.chats) == 1 and its.desk.chat.turns)
        await its.say("It is me")
        await its.desk.cut()
        await until(lambda: sum(isinstance(each, Identify) for each in its.desk.chat.turns) == 2)
        assert "a.b.c" not in str(await its.stored())


async def test_who_signs_in_as_somebody_else_gets_another_chat(browser: Browser) -> None:
    """The same person goes on where they were; another one begins anew, and sees nothing of the first one's."""
    eva, eva_later, jan = (_jwt(sub, jti) for sub, jti in (("eva", "1"), ("eva", "2"), ("jan", "3")))
    async with shop(browser, _desk()) as its:
        identify = "jwt => document.querySelector('chat-launcher').identify(jwt)"
        await its.page.evaluate(identify, eva)
        await its.open()
        await its.say("I am Eva")
        await its.page.reload()
        await its.page.evaluate(identify, eva_later)
        await expect(its.page.locator(".line .text")).to_have_text(["I am Eva"])
        await its.page.reload()
        await its.page.evaluate(identify, jan)
        await expect(its.page.locator(".line")).to_have_count(0)
        await its.say("I am Jan")
        assert [[each.text for each in chat.lines] for chat in its.desk.chats.values()] == [
            ["I am Eva"],
            ["I am Jan"],
        ]
        assert "jan" not in str(await its.stored())


def _jwt(sub: str, jti: str) -> str:
    """Make what looks like a proof; nobody here looks at its signature."""
    payload = urlsafe_b64encode(msgspec.json.encode({"sub": sub, "jti": jti})).rstrip(b"=").decode()
    return f"e30.{payload}.c2ln"


async def test_in_a_chat_that_a_link_opened_nobody_becomes_proven(browser: Browser) -> None:
    """identify() rejects there, says so once, and changes nothing: the chat goes on, without the proof, after a cut too."""
    async with shop(browser, _desk()) as its:
        await its.open()
        await its.say("Where is my order?")
        (token,) = its.desk.chats
        page, seen = await browsers.watched(await browser.new_context())
        await page.goto(f"{its.url}/#chat={token}")
        await expect(page.locator(".line .text")).to_have_text(["Where is my order?"])
        refused = await page.evaluate(
            "jwt => document.querySelector('chat-launcher').identify(jwt).then(() => '', problem => problem.code)",
            _jwt("jan", "1"),
        )
        assert refused == "identity_refused"
        await its.desk.cut()
        await page.get_by_role("textbox", name="Your message").fill("It came")
        await page.keyboard.press("Enter")
        await expect(page.locator(".customer .mark").last).to_have_text(SENT)
        await expect(page.locator(".line .text")).to_have_text(["Where is my order?", "It came"])
        proofs = [
            each for chat in its.desk.chats.values() for each in chat.turns if isinstance(each, Identify)
        ]
        assert len(proofs) == 1
        assert "jan" not in str(await page.evaluate("({...localStorage})"))
        assert seen.errors == []


async def test_who_is_proven_before_a_link_is_taken_up_keeps_their_chat(browser: Browser) -> None:
    """A page that identifies as it loads, opened by a link: the proof goes first, and the link asks before it leads elsewhere."""
    async with shop(browser, _desk()) as its:
        await its.open()
        await its.say("Where is my order?")
        (token,) = its.desk.chats
        page, _ = await browsers.watched(await browser.new_context())
        await page.goto(its.url)
        await page.evaluate("jwt => document.querySelector('chat-launcher').identify(jwt)", _jwt("jan", "1"))
        await page.get_by_role("button", name="Chat with us").click()
        await page.get_by_role("textbox", name="Your message").fill("I am Jan")
        await page.keyboard.press("Enter")
        await expect(page.locator(".customer .mark")).to_have_text(SENT)
        await page.goto(f"{its.url}/tea#chat={token}")
        await page.evaluate("jwt => document.querySelector('chat-launcher').identify(jwt)", _jwt("jan", "2"))
        await page.get_by_text("This link opens another conversation").wait_for()
        await expect(page.locator(".line .text")).to_have_text(["I am Jan"])
        await page.get_by_role("button", name="Not now").click()
        await expect(page.get_by_role("textbox", name="Your message")).to_be_visible()
        assert [len(each.lines) for each in its.desk.chats.values()] == [1, 1]


def _desk(**settings: Any) -> Desk:
    desk = Desk()
    desk.settings = {**SETTINGS, **settings}
    return desk
