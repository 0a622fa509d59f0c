"""Pages of others that show the chat: with a strict policy, with a footer that sticks, as one page that changes itself."""

import html
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import msgspec
from aiohttp import web
from playwright.async_api import Browser, BrowserContext, CDPSession, Locator, Page, expect

from tests.web import browser as browsers
from tests.web import chat_desk
from tests.web.browser import Seen
from tests.web.chat_desk import Desk

ELEMENT = '<chat-launcher account="website"{attributes}><a href="/contact">Write to us</a></chat-launcher>'
SENT = re.compile("· (Sent|Seen)$")
STICKY = "footer { position: sticky; bottom: 0; background: #ddd; padding: 1rem; } main { height: 300vh; }"


def policy(origin: str, *, names_socket: bool = True) -> str:
    """Return the strictest policy that a page with a chat can have: our origin is named, and nothing is unsafe."""
    socket = origin.replace("http", "ws", 1) if names_socket else ""
    return (
        f"default-src 'none'; script-src {origin}; connect-src {origin} {socket}; img-src {origin}; style-src 'self'; "
        "base-uri 'none'; form-action 'self'; require-trusted-types-for 'script'; trusted-types 'none'"
    )


def document(
    origin: str, *, language: str = "en", body: str = "", query: str = "", direction: str = "ltr"
) -> str:
    """Return a shop's page. query: of the script's address."""
    return (
        f'<!doctype html><html lang="{language}" dir="{direction}"><head><meta charset="utf-8"><title>A shop</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1"><link rel="stylesheet" href="/style.css">'
        f'<script type="module" async src="{html.escape(origin)}/chat/widget.js{query}"></script></head>'
        '<body><main><h1>A shop</h1><p>Kettles, cups and <a href="/tea">tea</a>.</p><button id="buy">Buy</button></main>'
        f'{body}<footer><a href="/terms">Terms</a></footer></body></html>'
    )  # fmt: skip


class Shop(msgspec.Struct):
    """One visitor before one page, with the desk behind it. url: of the page."""

    desk: Desk
    page: Page
    seen: Seen
    context: BrowserContext
    url: str
    chat: str

    def button(self, name: str) -> Locator:
        return self.page.get_by_role("button", name=name, exact=True)

    @property
    def text(self) -> Locator:
        return self.page.get_by_role("textbox", name="Your message")

    async def open(self) -> None:
        """Open the panel by its button."""
        await self.button("Chat with us").click()
        await self.text.wait_for()

    async def write(self, text: str) -> None:
        await self.text.fill(text)
        await self.page.keyboard.press("Enter")

    async def say(self, text: str) -> None:
        """Write a line, and wait until the desk has it."""
        await self.write(text)
        await expect(self.page.locator(".customer .mark").last).to_have_text(SENT)
        await expect(self.page.locator(".customer .text").last).to_have_text(text)

    async def stored(self) -> dict[str, Any]:
        """Return all that the page keeps in the browser."""
        kept: dict[str, Any] = await self.page.evaluate(
            "async () => ({local: {...localStorage}, session: {...sessionStorage}, "
            "databases: (await indexedDB.databases()).length, caches: (await caches.keys()).length})"
        )
        return kept | {"cookies": len(await self.context.cookies())}


async def heap_bytes(cdp: CDPSession, *, below: float = 0) -> float:
    """Return what a page holds when nothing is held for nothing. below: is enough; a browser tidies up in its own time."""
    await cdp.send("Performance.enable")
    held = 0.0
    for _ in range(10):
        await cdp.send("HeapProfiler.collectGarbage")
        metrics = (await cdp.send("Performance.getMetrics"))["metrics"]
        held = next(float(each["value"]) for each in metrics if each["name"] == "JSHeapUsedSize")
        if held < below:
            break
    return held


EMPTY = {"local": {}, "session": {}, "databases": 0, "caches": 0, "cookies": 0}


@asynccontextmanager
async def shop(
    browser: Browser,
    desk: Desk | None = None,
    *,
    width: int = 1280,
    height: int = 800,
    attributes: str = "",
    is_bare: bool = False,
    is_gone_to: bool = True,
    names_socket: bool = True,
    language: str = "en",
    direction: str = "ltr",
    style: str = STICKY,
    sandbox: str = "",
    **context: Any,
) -> AsyncIterator[Shop]:
    """Serve a shop with a strict policy, and go there. is_bare: its page has the script's line alone.

    attributes: of the element. style: the page's style sheet. sandbox: of its policy (CSP3 §6.3.2), "" = none.
    context: further options of the browser's.
    """
    desk = desk or Desk()
    async with chat_desk.serve(desk) as chat:
        body = "" if is_bare else ELEMENT.format(attributes=attributes)
        query = "?account=website" if is_bare else ""
        text = document(chat, language=language, body=body, query=query, direction=direction)
        forbids = policy(chat, names_socket=names_socket) + sandbox
        async with chat_desk.serving(_host(text, forbids, style)) as url:
            opened = await browser.new_context(viewport={"width": width, "height": height}, **context)
            page, seen = await browsers.watched(opened)
            try:
                if is_gone_to:
                    await page.goto(url)
                    await page.locator("chat-launcher:defined").wait_for(state="attached")
                yield Shop(desk, page, seen, opened, url, chat)
            finally:
                await opened.close()


def _host(text: str, forbids: str, sheet: str = STICKY) -> web.Application:
    headers = {"Content-Security-Policy": forbids}

    async def show(request: web.Request) -> web.Response:
        return web.Response(text=text, content_type="text/html", headers=headers)

    async def style(request: web.Request) -> web.Response:
        return web.Response(text=sheet, content_type="text/css")

    async def icon(request: web.Request) -> web.Response:
        return web.Response(status=204)

    app = web.Application()
    app.add_routes([web.get("/style.css", style), web.get("/favicon.ico", icon), web.get("/{any:.*}", show)])
    return app
