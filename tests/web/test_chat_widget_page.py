"""The widget as a guest: what the page that shows it pays, keeps, and can ask of it."""

import asyncio
from typing import Any

import pytest
from playwright.async_api import Browser, Route, expect

from tests.web import browser as browsers
from tests.web import screens
from tests.web.chat_desk import Desk
from tests.web.chat_pages import heap_bytes, shop

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180), pytest.mark.asyncio(loop_scope="module")]
HEAP_GROWTH_BYTES = 1_000_000
browser = browsers.of_module


async def test_a_page_that_changes_itself_grows_by_nothing_of_it(browser: Browser) -> None:
    """Shown and taken away a hundred times: memory does not grow. What ends, and when, test_chat_widget_hosts.py has."""
    desk = _desk()
    async with shop(browser, desk) as its:
        cdp = await its.context.new_cdp_session(its.page)
        await its.page.evaluate("document.querySelector('chat-launcher').destroy()")
        await its.page.evaluate(_ROUNDS, 10)
        before = await heap_bytes(cdp)
        await its.page.evaluate(_ROUNDS, 100)
        assert await heap_bytes(cdp, below=before + HEAP_GROWTH_BYTES) < before + HEAP_GROWTH_BYTES
        assert its.seen.errors == []


async def test_an_element_that_is_moved_goes_on(browser: Browser) -> None:
    """Moved to another place of the page, the chat is the same one, open as it was."""
    async with shop(browser, _desk()) as its:
        await its.open()
        await its.say("Hello")
        await its.page.evaluate(
            "document.querySelector('main').append(document.querySelector('chat-launcher'))"
        )
        await expect(its.page.locator(".customer")).to_have_count(1)
        await its.say("Still here")
        assert its.desk.written == ["Hello", "Still here"]


async def test_the_page_gets_nothing_but_an_element(browser: Browser) -> None:
    """No global is added, and neither history nor messages of the page are touched."""
    async with shop(browser, _desk(), is_gone_to=False) as its:
        await its.page.route("**/widget.js*", lambda route: route.abort())
        await its.page.goto(its.url)
        names = "() => [Object.keys(window).sort(), history.pushState.toString(), String(window.onmessage)]"
        before = await its.page.evaluate(names)
        await its.page.unroute("**/widget.js*")
        await its.page.goto(its.url)
        await its.open()
        assert await its.page.evaluate(names) == before


async def test_the_page_can_ask(browser: Browser) -> None:
    """open, close, setLocale, logout, on and its end: promises that hold."""
    async with shop(browser, _desk()) as its:
        await its.page.evaluate(
            "async () => { const chat = document.querySelector('chat-launcher'); window.heard = [];"
            "window.end = chat.on('open', () => heard.push('open')); await chat.open(); }"
        )
        await expect(its.text).to_be_focused()
        await its.text.fill("half")
        await its.page.evaluate("document.querySelector('chat-launcher').setLocale('pl')")
        await expect(its.page.get_by_role("textbox", name="Twoja wiadomość")).to_have_value("half")
        await its.page.get_by_text("Dzień dobry. W czym pomóc?").wait_for()
        await its.page.evaluate(
            "async () => { const chat = document.querySelector('chat-launcher'); end(); await chat.close(); await chat.open();"
            "await chat.logout(); }"
        )
        assert await its.page.evaluate("heard") == ["open"]
        await expect(its.page.get_by_role("textbox", name="Twoja wiadomość")).to_have_value("")
        assert its.seen.violations == []


@pytest.mark.parametrize(
    ("language", "label", "placeholder"),
    [
        ("pl-PL", "Napisz do nas", "Twoja wiadomość"),
        ("el", "Γράψτε μας", "Το μήνυμά σας"),
        ("es", "Escríbanos", "Su mensaje"),
        ("pt-BR", "Fale connosco", "A sua mensagem"),
        ("de", "Schreiben Sie uns", "Ihre Nachricht"),
        ("fr", "Écrivez-nous", "Votre message"),
        ("ja", "Chat with us", "Your message"),
    ],
)
async def test_the_language_is_the_pages(
    browser: Browser, language: str, label: str, placeholder: str
) -> None:
    """The words are in the language of the page; where there are none, in English."""
    async with shop(browser, _desk(), language=language, width=360, height=640) as its:
        await its.button(label).click()
        await its.page.get_by_role("textbox", name=placeholder).wait_for()
        await expect(its.page.locator(".state")).not_to_be_empty()
        await screens.shoot(its.page, f"chat-{language[:2]}")
        assert its.seen.errors == []


async def test_without_javascript_there_is_the_form(browser: Browser) -> None:
    """Where nothing runs, the element's own link leads to the form."""
    async with shop(browser, _desk(), java_script_enabled=False, is_gone_to=False) as its:
        await its.page.goto(its.url)
        link = its.page.get_by_role("link", name="Write to us")
        await expect(link).to_be_visible()
        assert await link.get_attribute("href") == "/contact"


@pytest.mark.parametrize("late_s", [0.0, 0.7])
async def test_the_page_does_not_move(browser: Browser, late_s: float) -> None:
    """Showing, opening and closing the chat shifts nothing of the page, on a slow network either."""

    async def late(route: Route) -> None:
        await asyncio.sleep(late_s)
        await route.continue_()

    async with shop(browser, _desk(), is_gone_to=False) as its:
        await its.page.add_init_script(
            "window.shifts = []; new PerformanceObserver(list => { for (const each of list.getEntries()) if (!each.hadRecentInput)"
            "shifts.push(...each.sources.map(from => [from.previousRect, from.currentRect])); })"
            ".observe({type: 'layout-shift', buffered: true});"
        )
        await its.page.route("**/chat/**", late)
        await its.page.goto(its.url)
        await its.open()
        await expect(its.page.locator(".state")).not_to_be_empty()
        await its.say("Hello")
        await its.page.wait_for_timeout(600)  # what follows a key within half a second does not count
        await its.desk.type()
        for number in range(8):
            await its.desk.say(f"answer {number}\nin two lines")
        await expect(its.page.locator(".agent")).to_have_count(8)
        await its.page.keyboard.press("Escape")
        assert await its.page.evaluate("shifts") == []


async def test_a_policy_that_names_no_socket_still_gets_the_chat(browser: Browser) -> None:
    """Where connect-src names https alone, the chat goes over streams; the page is told of what its policy stopped."""
    async with shop(browser, _desk(), names_socket=False) as its:
        await its.open()
        await its.write("Hello")
        await expect(its.page.locator(".customer .mark")).to_contain_text("Sent", timeout=15_000)
        assert its.desk.written == ["Hello"]


async def test_a_daemon_that_is_away_at_first_is_asked_again(browser: Browser) -> None:
    """A panel that could not be loaded is loaded at the next press."""
    async with shop(browser, _desk()) as its:
        await its.page.route("**/panel.js", lambda route: route.abort())
        async with its.page.expect_event("requestfailed"):
            await its.button("Chat with us").click()
        await its.page.unroute("**/panel.js")
        await its.button("Chat with us").click()
        await its.text.wait_for()


async def test_colours_are_the_owners_and_can_be_read(browser: Browser) -> None:
    """The account's colour is taken, with black or white on it; a colour that the page has set wins."""
    for accent, ink in (("#ffe600", "rgb(0, 0, 0)"), ("#20124d", "rgb(255, 255, 255)")):
        async with shop(browser, _desk(accent=accent)) as its:
            await its.open()
            await expect(its.page.locator(".head")).to_have_css("color", ink)
            assert await screens.violations(its.page) == []
            await screens.shoot(its.page, f"chat-accent-{accent.strip('#')}")


def _desk(**settings: Any) -> Desk:
    desk = Desk()
    greeting = {"en": "Hello. How can we help?", "pl": "Dzień dobry. W czym pomóc?"}
    desk.settings = {"name": {"en": "The tea shop"}, "greeting": greeting, **settings}
    return desk


_ROUNDS = """async rounds => {
  for (let round = 0; round < rounds; round++) {
    const chat = document.createElement('chat-launcher');
    chat.setAttribute('account', 'website');
    document.body.append(chat);
    chat.on('message', () => {});
    await chat.open();
    if (round % 2) await chat.close();
    await chat.destroy();
  }
}"""
