"""The widget and the daemon, both real: from a stranger's page under a strict policy to the ticket, and back."""

import asyncio
import gzip
import re
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from playwright.async_api import Browser, expect

from tests.web import browser as browsers
from tests.web import chat_desk, chat_pages, chat_world
from tests.web.chat_daemon import ChatDaemon, chatting
from tests.web.chat_pages import SENT
from tests.web.waiting import until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120), pytest.mark.asyncio(loop_scope="module")]
ACCOUNT = """    name: {en: The tea shop}
    greeting: {en: "Hello. How can we help?"}
    accent: "#7a1f5c"
    consent: {text: {en: "We keep what you write for 30 days."}}
    quick_replies:
      opening: [{en: "Where is my order?"}]
      confirm: [{en: "Yes, thank you"}, {en: "Not yet"}]
"""


RULES = chat_world.RULES.replace(
    "default:", "route:\n  - {id: gold, when: {header.context-plan: gold}, then: {team: gold}}\ndefault:"
).replace("sla:\n", "  gold: {levels: {l1: [ania]}}\nsla:\n")


class Elsewhere:
    """A page of another origin, whose daemon's address is known only once the page's own is."""

    def __init__(self) -> None:
        self.chat = ""

    def app(self) -> web.Application:
        async def show(request: web.Request) -> web.Response:
            element = chat_pages.ELEMENT.format(attributes="")
            headers = {"Content-Security-Policy": chat_pages.policy(self.chat)}
            text = chat_pages.document(self.chat, body=element)
            return web.Response(text=text, content_type="text/html", headers=headers)

        async def nothing(request: web.Request) -> web.Response:
            return web.Response(text="", content_type="text/css")

        app = web.Application()
        app.add_routes([web.get("/", show), web.get("/style.css", nothing), web.get("/favicon.ico", nothing)])
        return app


browser = browsers.of_module


async def test_a_chat_from_page_to_ticket_and_back(browser: Browser, tmp_path: Path) -> None:
    """Agree, write, attach; the ticket has it; the agent's answer comes, is got and read; a cut and a reload lose nothing."""
    page_of = Elsewhere()
    async with (
        chat_desk.serving(page_of.app()) as site,
        chatting(tmp_path, account=ACCOUNT, rules=RULES, site=site) as daemon,
    ):
        page_of.chat = daemon.root
        context = await browser.new_context()
        page, seen = await browsers.watched(context)
        await page.goto(site)
        await page.evaluate("document.querySelector('chat-launcher').setContext({plan: 'gold'})")
        await page.get_by_role("button", name="Chat with us").click()
        await page.get_by_role("button", name="Where is my order?").click()
        await page.get_by_role("button", name="Agree and send").click()
        await expect(page.locator(".customer .mark")).to_have_text(SENT)
        await page.locator("input[type=file]").set_input_files(
            {"name": "bill.txt", "mimeType": "text/plain", "buffer": "Two kettles, 42 złotych\n".encode()}
        )
        await page.get_by_role("textbox", name="Your message").fill("See the bill")
        await page.keyboard.press("Enter")
        await expect(page.locator(".customer .file")).to_have_count(1)
        ref = await daemon.ref()
        (ticket,) = daemon.rows("SELECT team FROM tickets")
        assert ticket["team"] == "gold"  # by what the page says of the visitor
        outbox = await daemon.reply("It left yesterday. Did it come?\n[[confirm]]", ref=ref)
        await expect(page.locator(".agent .text")).to_have_text("It left yesterday. Did it come?")
        await until(lambda: _state(daemon, outbox) == "read")
        await page.get_by_role("button", name="Not yet").click()
        async with page.expect_download() as download:
            await page.locator(".customer .file").click()
        assert (await download.value).suggested_filename == "bill.txt"
        await context.set_offline(offline=True)
        await page.get_by_role("textbox", name="Your message").fill("I will wait")
        await page.keyboard.press("Enter")
        await daemon.reply("Another day, then", ref=ref)
        await context.set_offline(offline=False)
        texts = ["Where is my order?", "See the bill", "It left yesterday. Did it come?", "Not yet"]
        await expect(page.locator(".customer .mark").last).to_have_text(SENT, timeout=15_000)
        await page.reload()
        shown = page.locator(".line .text")
        await expect(shown).to_have_count(6)
        assert (await shown.all_text_contents())[:4] == texts
        assert sorted((await shown.all_text_contents())[4:]) == ["Another day, then", "I will wait"]
        assert await context.cookies() == []
        assert seen.violations == []
        assert seen.outside(site, daemon.root, daemon.root.replace("http", "ws", 1)) == []
        await context.close()


async def test_what_pages_load_is_kept_by_browsers_and_costs_no_query(tmp_path: Path) -> None:
    """The launcher for five minutes, the rest for ever, packed; a hundred page views read nothing of the store."""
    async with chatting(tmp_path) as daemon, aiohttp.ClientSession(auto_decompress=False) as pages:
        asked = 0
        read = daemon.store.read

        def counted(*given: Any, **more: Any) -> Any:
            nonlocal asked
            task = asyncio.current_task()  # what the daemon reads meanwhile for itself is no page's
            asked += task is not None and "RequestHandler" in repr(task.get_coro())
            return read(*given, **more)

        async with pages.get(f"{daemon.root}/chat/widget.js") as answer:
            text = gzip.decompress(await answer.read()).decode()
            assert answer.headers["Cache-Control"] == "public, max-age=300, stale-while-revalidate=86400"
            assert answer.headers["Access-Control-Allow-Origin"] == "*"
        (path,) = re.findall(r'"(assets/[0-9a-f]{16}/)"', text)
        vars(daemon.store)["read"] = counted
        for _ in range(50):
            for name in ("widget.js", f"{path}panel.js"):
                async with pages.get(f"{daemon.root}/chat/{name}") as answer:
                    assert answer.status == 200
        assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
        assert answer.headers["Content-Encoding"] == "gzip"
        assert asked == 0


async def test_without_websockets_the_daemon_serves_streams(browser: Browser, tmp_path: Path) -> None:
    """The same over a streamed answer and posts, where no WebSocket comes through."""
    page_of = Elsewhere()
    async with chat_desk.serving(page_of.app()) as site, chatting(tmp_path, site=site) as daemon:
        page_of.chat = daemon.root
        context = await browser.new_context()
        page, _ = await browsers.watched(context)
        await page.add_init_script(
            "window.WebSocket = class { constructor() { setTimeout(() => this.onclose?.({code: 1006})); } close() {} }"
        )
        await page.goto(site)
        await page.get_by_role("button", name="Chat with us").click()
        await page.get_by_role("textbox", name="Your message").fill("Hello")
        await page.keyboard.press("Enter")
        await expect(page.locator(".customer .mark")).to_have_text(SENT, timeout=15_000)
        outbox = await daemon.reply("Good evening")
        await expect(page.locator(".agent .text")).to_have_text("Good evening")
        await until(lambda: _state(daemon, outbox) == "read")
        await context.close()


async def test_a_page_that_is_not_ours_gets_no_chat(browser: Browser, tmp_path: Path) -> None:
    """From an origin that the account does not name a line stays on the page, and nothing of it comes to the desk."""
    page_of = Elsewhere()
    async with chat_desk.serving(page_of.app()) as site, chatting(tmp_path) as daemon:
        page_of.chat = daemon.root
        context = await browser.new_context()
        page, _ = await browsers.watched(context)
        await page.goto(site)
        await page.get_by_role("button", name="Chat with us").click()
        await page.get_by_role("textbox", name="Your message").fill("Hello")
        await page.keyboard.press("Enter")
        await expect(page.locator(".customer .mark")).to_have_text("Kept, waits for the connection")
        await page.get_by_text("No connection.").wait_for()
        assert daemon.rows("SELECT id FROM journal") == []
        await context.close()


def _state(daemon: ChatDaemon, outbox: int) -> Any:
    (row,) = daemon.rows(f"SELECT state FROM outbox WHERE id = {outbox}")
    return row["state"]
