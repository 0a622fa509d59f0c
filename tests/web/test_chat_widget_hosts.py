"""The widget on pages that are not kind: rules for all elements, frozen prototypes, no storage, translators, two scripts."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import web
from playwright.async_api import Browser, CDPSession, Page, expect

from tests.web import browser as browsers
from tests.web import chat_desk, screens
from tests.web.chat_desk import Desk
from tests.web.chat_pages import ELEMENT, SENT, shop

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180), pytest.mark.asyncio(loop_scope="module")]
# What style sheets do to all elements, or to all children of the body.
HOSTILE = """* { all: unset; display: block; position: relative; inline-size: 300px; block-size: 90vh; min-inline-size: 50vw; margin: 20px;
  padding: 30px; background: #fcc; font: 40px serif; line-height: 3; letter-spacing: 9px; text-transform: uppercase;
  z-index: 0; }
body * { transform: translateY(-50px); filter: blur(2px); } body > * { position: static; max-inline-size: 10em; } button, div, section, span, textarea, form, ol { display: none; }
:where(button) { pointer-events: none; }"""
ROUNDS = 100
_SCRIPT = '<script type="module" async src="{chat}/chat/widget.js?account='
_TWO_SCRIPTS = f'{_SCRIPT}other"></script>{_SCRIPT}website"></script>'
browser = browsers.of_module


async def test_no_rule_of_a_page_for_all_its_elements_reaches_the_chat(browser: Browser) -> None:
    """Button, panel and text stand where they stand on a plain page, as large, and cover nothing else of it."""
    looks: list[Any] = []
    for style in ("", HOSTILE):
        async with shop(browser, style=style) as its:
            await its.open()
            await its.say("Hello")
            await screens.shoot(its.page, f"chat-host-{'hostile' if style else 'plain'}")
            looks.append(await its.page.evaluate(_LOOKS))
            assert await its.page.evaluate("document.elementFromPoint(20, 20).localName") != "chat-launcher"
            assert its.seen.violations == []
    assert looks[0] == looks[1]


async def test_a_page_may_hide_the_chat(browser: Browser) -> None:
    """`display: none`, and the attribute hidden, take the button away."""
    async with shop(browser, style="@media (max-width: 40em) { chat-launcher { display: none; } }") as its:
        button = its.page.locator(".launch")
        await expect(button).to_be_visible()
        await its.page.set_viewport_size({"width": 360, "height": 640})
        await expect(button).to_be_hidden()
        await its.page.set_viewport_size({"width": 1280, "height": 800})
        await its.page.evaluate("document.querySelector('chat-launcher').hidden = true")
        await expect(button).to_be_hidden()


async def test_prototypes_may_be_frozen(browser: Browser) -> None:
    """On a page that freezes what it is made of, a chat goes on: text, file, answer, menu."""
    async with shop(browser, is_gone_to=False) as its:
        await its.page.add_init_script(_FREEZE)
        await its.page.goto(its.url)
        await its.open()
        await its.say("Hello")
        await its.page.locator("input[type=file]").set_input_files(
            {"name": "a.txt", "mimeType": "text/plain", "buffer": b"1"}
        )
        await its.say("See the file")
        await its.desk.say("Thank you", replies=("Yes", "No"))
        await its.button("Yes").click()
        await expect(its.page.locator(".customer .text")).to_have_text(["Hello", "See the file", "Yes"])
        await its.page.evaluate("document.querySelector('chat-launcher').setLocale('pl')")
        await its.page.get_by_role("textbox", name="Twoja wiadomość").wait_for()
        assert its.seen.errors == []


async def test_without_storage_a_chat_lasts_as_long_as_the_page(browser: Browser) -> None:
    """Where storage, locks and cookies are forbidden (a page of an opaque origin), lines go out and come in, cuts too."""
    async with shop(browser, sandbox="; sandbox allow-scripts allow-forms") as its:
        assert await its.page.evaluate(_IS_FORBIDDEN) == [True, True]
        await its.open()
        await its.say("Hello")
        await its.desk.say("Good evening")
        await its.desk.cut()
        await its.say("Still here")
        await expect(its.page.locator(".line .text")).to_have_text(["Hello", "Good evening", "Still here"])
        assert len(its.desk.chats) == 1
        assert its.seen.errors == []


async def test_storage_that_is_full_loses_nothing(browser: Browser) -> None:
    """What storage no longer takes, the page keeps as long as it is there."""
    async with shop(browser) as its:
        await its.page.evaluate(
            "() => { for (let size = 4e6; size >= 1; size = Math.floor(size / 2)) try { for (;;)"
            " localStorage.setItem(`full${Math.random()}`, 'x'.repeat(size)); } catch {} }"
        )
        await its.open()
        await its.say("One")
        await its.context.set_offline(offline=True)
        await its.write("Two")
        await its.write("Three")
        await its.context.set_offline(offline=False)
        await expect(its.page.locator(".customer .mark").last).to_have_text(SENT)
        assert its.desk.written == ["One", "Two", "Three"]
        assert its.seen.errors == []


async def test_no_cookie_goes_with_it(browser: Browser) -> None:
    """What a browser keeps for the daemon's address goes with no script, no setting and no file."""
    async with shop(browser) as its:
        await its.context.add_cookies([{"name": "intake", "value": "secret", "url": its.chat}])
        asked: list[Any] = []
        its.page.on("request", lambda request: asked.append(request))  # noqa: PLW0108 - playwright takes no built-in
        await its.page.reload()
        await its.open()
        await its.page.locator("input[type=file]").set_input_files(
            {"name": "a.txt", "mimeType": "text/plain", "buffer": b"1"}
        )
        await its.say("Hello")
        own = [each for each in asked if each.url.startswith(its.chat) and each.resource_type != "websocket"]
        assert len(own) > 4
        assert ["cookie" in await each.all_headers() for each in own] == [False] * len(own)


async def test_a_translator_may_rewrite_its_words(browser: Browser) -> None:
    """Where every text is taken apart and wrapped, as translators do, the chat goes on, and lines go out as they were written."""
    async with shop(browser) as its:
        await its.open()
        await its.say("Hello")
        await its.page.evaluate(_TRANSLATE)
        await its.desk.say("Good evening")
        await its.say("And again")
        await its.page.evaluate(_TRANSLATE)
        await its.desk.type()
        await expect(its.page.locator(".typing")).to_have_text("Ana is writing")
        await its.button("Close the chat").click()
        await its.desk.say("Are you there?")
        await its.button("Chat, one new message").click()
        await expect(its.page.locator(".agent .text")).to_have_count(2)
        assert its.desk.written == ["Hello", "And again"]
        assert its.seen.errors == []


async def test_a_script_that_stands_there_twice_makes_one_button(browser: Browser) -> None:
    """Two scripts, of two accounts, and an element further down the page: one button, of the element."""
    rest = asyncio.Event()
    async with _written(browser, _TWO_SCRIPTS, rest) as page:
        await page.wait_for_function("Boolean(customElements.get('chat-launcher'))")
        rest.set()
        await page.wait_for_load_state()
        launchers = page.locator("chat-launcher")
        await expect(launchers).to_have_count(1)
        assert await launchers.get_attribute("account") == "website"
        await page.get_by_role("button", name="Chat with us").click()
        await page.get_by_role("textbox", name="Your message").wait_for()


async def test_a_page_whose_addresses_lead_elsewhere_takes_links_too(browser: Browser) -> None:
    """With a <base> of another origin a link from a mail is taken up, and out of the address bar."""
    rest = asyncio.Event()
    rest.set()
    async with _written(
        browser, '<base href="https://cdn.example/">' + _TWO_SCRIPTS, rest, "#chat=forged"
    ) as page:
        await page.get_by_text("This link no longer opens a chat.").wait_for()
        assert "chat=" not in page.url


@asynccontextmanager
async def _written(browser: Browser, head: str, rest: asyncio.Event, part: str = "") -> AsyncIterator[Page]:
    """Serve a page whose end comes when it may, and go there. head: {chat} is the daemon's origin. part: of the address."""
    async with chat_desk.serve(Desk()) as chat:

        async def show(request: web.Request) -> web.StreamResponse:
            answer = web.StreamResponse(headers={"Content-Type": "text/html"})
            await answer.prepare(request)
            await answer.write(
                f'<!doctype html><html lang="en">{head.format(chat=chat)}<body><h1>A shop</h1>'.encode()
            )
            await rest.wait()
            await answer.write(ELEMENT.format(attributes="").encode())
            return answer

        app = web.Application()
        app.add_routes([web.get("/", show)])
        async with chat_desk.serving(app) as url:
            context = await browser.new_context()
            page, _ = await browsers.watched(context)
            await page.goto(f"{url}/{part}", wait_until="commit")
            yield page
            await context.close()


async def test_pressing_twice_while_it_loads_opens_once(browser: Browser) -> None:
    """An impatient second press does not close what the first one opens."""
    async with shop(browser) as its:
        loads = asyncio.Event()

        async def slowly(route: Any) -> None:
            await loads.wait()
            await route.continue_()

        await its.page.route("**/panel.js", slowly)
        button = its.button("Chat with us")
        await button.click()
        await button.click()
        loads.set()
        await its.text.wait_for()
        await expect(its.button("Close the chat")).to_have_attribute("aria-expanded", "true")
        await its.say("Hello")


async def test_what_is_taken_off_the_page_ends_whatever_it_does(browser: Browser) -> None:
    """A hundred chats, taken away while they load, ask, listen, count and speak: no timer, listener, line, request or panel stays."""
    async with shop(browser, is_gone_to=False) as its:
        await its.page.add_init_script(_COUNT)
        await its.page.goto(its.url)
        await its.open()
        await its.say("Hello")
        await its.page.evaluate("document.querySelector('chat-launcher').destroy()")
        began = await its.page.evaluate("held()")
        its.desk.tells_status.clear()  # whoever is gone waits for no answer
        cdp = await its.context.new_cdp_session(its.page)
        for _ in range(ROUNDS // 4):
            await its.page.evaluate(_FOUR_LIVES)
        its.desk.tells_status.set()
        assert (
            await its.page.evaluate("held()")
            == began
            == {"timers": 0, "listeners": 0, "requests": 0, "lines": 0}
        )
        assert await _alive(its.page, cdp) <= 2  # of a hundred: what had the focus last is the browser's
        assert its.seen.errors == []


async def _alive(page: Any, cdp: CDPSession) -> int:
    """Count the panels that something still holds, once all that nothing holds has been taken away."""
    alive = ROUNDS
    for _ in range(20):
        await cdp.send("HeapProfiler.collectGarbage")
        alive = int(await page.evaluate("panels.filter(each => each.deref()).length"))
        if alive <= 2:
            break
    return alive


_LOOKS = """() => { const root = document.querySelector('chat-launcher').shadowRoot;
  return ['.launch', '.panel', '.title', '.customer .text', 'textarea', '.write .main'].map(each => {
    const at = root.querySelector(each), { x, y, width, height } = at.getBoundingClientRect(), style = getComputedStyle(at);
    return [each, x, y, width, height, style.fontSize, style.textTransform, style.letterSpacing, style.visibility]; }); }"""
_FREEZE = """for (const name of ['Object', 'Array', 'Function', 'String', 'Number', 'Promise', 'Map', 'Set', 'Error', 'RegExp', 'Date', 'Event',
  'CustomEvent', 'EventTarget', 'Node', 'Element', 'HTMLElement', 'Document', 'ShadowRoot', 'AbortController', 'XMLHttpRequest',
  'WebSocket', 'Storage', 'CSSStyleSheet']) { Object.freeze(globalThis[name].prototype); Object.freeze(globalThis[name]); }"""
_IS_FORBIDDEN = """async () => { const isRefused = act => Promise.resolve().then(act).then(() => false, () => true);
  return Promise.all([isRefused(() => localStorage.length), isRefused(() => navigator.locks.request('a', () => 1))]); }"""
_TRANSLATE = """() => { const root = document.querySelector('chat-launcher').shadowRoot;
  const texts = document.createTreeWalker(root, NodeFilter.SHOW_TEXT), all = [];
  while (texts.nextNode()) if (!texts.currentNode.parentNode.closest('textarea')) all.push(texts.currentNode);
  for (const each of all) { const outer = document.createElement('font'), inner = document.createElement('font');
    inner.append(each.data.toUpperCase()); outer.append(inner); each.replaceWith(outer); } }"""
# What outlives an element: timers, what listens to the page, requests and lines that are open.
_COUNT = """(() => {
  const timers = new Set(), listeners = new Set(), requests = new Set(), lines = [];
  const { setTimeout: set, clearTimeout: clear, fetch: ask, WebSocket: Line } = window;
  window.setTimeout = (act, ms, ...more) => {
    const id = set(() => { timers.delete(id); act(...more); }, ms);
    if (new Error().stack.includes('/chat/')) timers.add(id);
    return id;
  };
  window.clearTimeout = id => { timers.delete(id); clear(id); };
  window.fetch = (...given) => {
    const asked = ask(...given);
    requests.add(asked);
    const done = () => requests.delete(asked);
    asked.then(done, done);
    return asked;
  };
  window.WebSocket = class extends Line { constructor(...given) { super(...given); lines.push(new WeakRef(this)); } };
  const listen = EventTarget.prototype.addEventListener;
  EventTarget.prototype.addEventListener = function (type, act, options) {
    const isLasting = this === window || this === document || this === window.visualViewport || this === undefined;
    if (isLasting && new Error().stack.includes('/chat/') && !options?.signal?.aborted) {
      const kept = { type };
      listeners.add(kept);
      options?.signal && listen.call(options.signal, 'abort', () => listeners.delete(kept));
    }
    return listen.call(this ?? window, type, act, options);
  };
  window.panels = [];
  window.held = async () => {
    for (let turn = 0; turn < 5; turn++) await new Promise(done => set(done, 0)); // an end is heard of in a later turn
    const open = lines.filter(each => each.deref() && each.deref().readyState < WebSocket.CLOSING).length;
    return { timers: timers.size, listeners: listeners.size, requests: requests.size, lines: open };
  };
})()"""
_FOUR_LIVES = """async () => {
  const begin = () => {
    const chat = document.createElement('chat-launcher');
    chat.setAttribute('account', 'website');
    document.body.append(chat);
    chat.on('message', () => {});
    return chat;
  };
  const note = chat => panels.push(new WeakRef(chat.shadowRoot.querySelector('.panel')));
  const hasted = begin();
  hasted.open().then(() => note(hasted), () => {});
  await hasted.destroy();
  const closed = begin();
  await closed.open();
  await closed.close();
  note(closed);
  await closed.destroy();
  const open = begin();
  await open.open();
  await new Promise(done => { const look = () => open.shadowRoot.querySelector('.line') ? done() : requestAnimationFrame(look); look(); });
  note(open);
  open.remove();
  await 0;
  document.body.append(open);
  await open.open();
  note(open);
  await open.destroy();
}"""
