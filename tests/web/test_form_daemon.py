"""A form and a source on a real daemon: a browser without JavaScript writes, a shop posts, and tickets stand there to be answered."""

import asyncio
import itertools
import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from playwright.async_api import Browser, Page

from channels.webhook import signature
from intake import desk, instants, listing, settings, wiring
from intake.commands import run
from intake.daemon import Daemon
from intake.listing import Filters
from tests.web import browser as browsers
from tests.web import screens
from tests.web.forms import BOUNDARY, EVENT, FILLED, SECRET, multipart

RULES = """
version: 1
agents:
  ania: {email: ania@desk.example}
teams:
  support: {levels: {l1: [ania]}}
  billing: {levels: {l1: [ania]}}
route:
  - {id: bills, when: {header.about: bill}, then: {team: billing}}
default: {team: support, priority: normal, reply: {email: received}}
"""
SETTINGS = """
name: Example
folder: "{folder}"
http: {{listen: "127.0.0.1:0"}}
channels:
  support: {{kind: email.smtp, listen: "127.0.0.1:0", addresses: [support@example.com]}}
  contact:
    kind: form
    addresses: [support@example.com]
    ask: {{phone: optional}}
    fields:
      about: {{label: {{en: What is it about?, de: Worum geht es?}}, kind: choice, choices: {{bill: {{en: A bill, de: Eine Rechnung}}, other: Something else}}}}
      order: {{label: Order number}}
      urgent: {{label: It cannot wait, kind: tick}}
    consent: {{version: "2026-11", text: {{en: I agree that you keep what I wrote., de: Ich bin einverstanden.}}}}
  shop:
    kind: webhook
    secrets: ["{secret}"]
    mapping: {{id: /id, from: /customer/email, subject: "Order {{/order/number}}", text: /text}}
  website: {{kind: webchat, origins: ["https://shop.example"]}}
outgoing: {{folder: "{folder}/outgoing"}}
"""
WIDTHS = {"phone": 360, "tablet": 768, "desk": 1280}


class Running:
    """A daemon, and where it is."""

    def __init__(self, daemon: Daemon) -> None:
        self.daemon, self.store = daemon, daemon.wired.store
        assert daemon.upkeep.bound is not None
        host, port = daemon.upkeep.bound
        self.base = f"http://{host}:{port}"

    async def tickets(self, count: int) -> list[dict[str, Any]]:
        """Return the tickets, once there are so many."""
        async with asyncio.timeout(10):
            while True:
                found = await asyncio.to_thread(lambda: list(listing.tickets(self.store, Filters())))
                if len(found) >= count:
                    return found
                await asyncio.sleep(0.02)

    async def ticket(self, ref: str) -> dict[str, Any]:
        found = await self.store.read(lambda tx: listing.ticket(tx, ref))
        assert found is not None
        return found


@asynccontextmanager
async def running(folder: Path, new_store: bytes) -> AsyncIterator[Running]:
    (folder / "rules.yaml").write_text(RULES)
    (folder / "replies").mkdir()
    (folder / "replies" / "received.en.md").write_text("We have it.\n")
    (folder / "var").mkdir()
    (folder / "var" / "intake.db").write_bytes(new_store)
    (folder / "intake.yaml").write_text(SETTINGS.format(folder=folder / "var", secret=SECRET))
    wired = wiring.wire(settings.load(folder / "intake.yaml", {}))
    ready = asyncio.Event()
    daemon = Daemon(wired, ready=lambda _: ready.set())
    task = asyncio.create_task(daemon.run())
    waiting = asyncio.create_task(ready.wait())
    await asyncio.wait({task, waiting}, return_when=asyncio.FIRST_COMPLETED)
    try:
        yield Running(daemon)
    finally:
        waiting.cancel()
        daemon.stop()
        await task
        wired.store.close()


@pytest.mark.slow
async def test_what_the_start_says_leads_somewhere(
    tmp_path: Path, new_store: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whoever copies an address of it has a page, a script or a hook, and no 404."""
    async with running(tmp_path, new_store) as found, aiohttp.ClientSession() as session:
        run.welcome(found.daemon)
        said = dict(re.findall(r"^(\S+) +takes \S+ on (http\S+)$", capsys.readouterr().out, re.MULTILINE))
        statuses = {}
        for account, url in said.items():
            async with session.get(url) as answer:
                statuses[account] = answer.status
    assert statuses == {"contact": 200, "shop": 405, "website": 200}


async def test_what_is_posted_becomes_tickets_that_rules_route_and_mail_answers(
    tmp_path: Path, new_store: bytes
) -> None:
    async with running(tmp_path, new_store) as found, aiohttp.ClientSession() as session:
        filled = FILLED | {"about": "bill", "order": "A-7", "consent": "2026-11"}
        body = multipart(filled, ("bill.pdf", "application/pdf", b"%PDF-1.4"))
        headers = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}", "Origin": found.base}
        async with session.post(f"{found.base}/form/contact", data=body, headers=headers) as answer:
            assert (answer.status, "Thank you" in await answer.text()) == (200, True)
        event = json.dumps(EVENT).encode()
        now_s = int(instants.now().timestamp())
        made = signature.sign("intake", event, SECRET, at=now_s) | {"Content-Type": "application/json"}
        async with session.post(f"{found.base}/hooks/shop", data=event, headers=made) as answer:
            assert answer.status == 200
        first, second = await found.tickets(2)
        assert (first["channel"], first["team"], first["subject"]) == ("form", "billing", "Order")
        assert (second["channel"], second["team"], second["subject"]) == ("webhook", "support", "Order 7")
        told = await found.ticket(first["ref"])
        assert [each["name"] for each in told["conversation"][0]["attachments"]] == ["bill.pdf"]
        assert told["conversation"][0]["text"].endswith("What is it about?: A bill\nOrder number: A-7")
        context = found.daemon.reloader.context()
        number = await found.store.write(
            lambda tx: desk.reply(tx, context, second["ref"], agent="ania", text="On its way.")
        )
        assert number


async def test_how_many_a_network_sends_goes_by_whom_the_proxy_names(
    tmp_path: Path, new_store: bytes
) -> None:
    """A proxy on this machine is believed; what somebody wrote in front of its word is not."""
    async with running(tmp_path, new_store) as found, aiohttp.ClientSession() as session:

        async def send(number: int, forwarded: str) -> int:
            body = multipart(FILLED | {"message": f"number {number}", "consent": "2026-11"})
            headers = {
                "Content-Type": f"multipart/form-data; boundary={BOUNDARY}",
                "Origin": found.base,
                "X-Forwarded-For": forwarded,
            }
            url = f"{found.base}/form/contact"
            async with session.post(url, data=body, headers=headers, allow_redirects=False) as answer:
                return answer.status

        statuses = [await send(number, f"198.51.100.{number}, 203.0.113.1") for number in range(21)]
        assert statuses == [303] * 20 + [429]
        assert await send(22, "203.0.113.2") == 303


@asynccontextmanager
async def plain_page(browser: Browser, width: int, *, locale: str = "en") -> AsyncIterator[Page]:
    """A browser that runs no JavaScript of pages."""
    context = await browser.new_context(
        java_script_enabled=False, viewport={"width": width, "height": 900}, locale=locale
    )
    try:
        page = await context.new_page()
        page.set_default_timeout(browsers.WAIT_MS)
        yield page
    finally:
        await context.close()


@pytest.mark.slow
async def test_a_browser_without_javascript_sends_it(
    tmp_path: Path, browser: Browser, new_store: bytes
) -> None:
    """By keys alone, with a fault on the way, in German, with a file; a reload afterwards sends nothing."""
    async with running(tmp_path, new_store) as found, plain_page(browser, 360, locale="de-DE") as page:
        await page.goto(f"{found.base}/form/contact")
        assert await page.locator("h1").inner_text() == "Schreiben Sie uns"
        await page.focus("#name")
        for typed in ("Jörg Müller", "joerg", "", "Rechnung"):
            await page.keyboard.type(typed)
            await page.keyboard.press("Tab")
        await page.select_option("#about", "bill")
        await page.fill("#message", "Wo ist meine Rechnung?")
        await page.check("#consent")
        await page.click("button")
        await page.wait_for_selector('[role="alert"]')
        assert await page.input_value("#message") == "Wo ist meine Rechnung?"
        assert await page.input_value("#about") == "bill"
        assert await page.is_checked("#consent")
        await page.fill("#email", "joerg@example.de")
        await page.set_input_files(
            "#files", {"name": "rechnung.pdf", "mimeType": "application/pdf", "buffer": b"%PDF"}
        )
        await page.press("#email", "Enter")
        await page.wait_for_selector('[role="status"]')
        await page.reload()
        (ticket,) = await found.tickets(1)
        told = await found.ticket(ticket["ref"])
        assert (ticket["team"], ticket["language"], len(told["conversation"])) == ("billing", "de", 1)
        assert told["customer"]["name"] == "Jörg Müller"
        assert told["conversation"][0]["attachments"][0]["size"] == 4


@pytest.mark.slow
async def test_who_goes_back_has_the_same_message_before_them(
    tmp_path: Path, browser: Browser, new_store: bytes
) -> None:
    """What was written still stands there, and sent again it is known: the page is the one that they had."""
    async with running(tmp_path, new_store) as found, plain_page(browser, 768) as page:
        await page.goto(f"{found.base}/form/contact")
        before = await page.input_value("input[name=form]")
        await page.fill("#email", "ola@example.pl")
        await page.fill("#message", "Twice")
        for _ in range(2):
            await page.check("#consent")
            await page.click("button")
            await page.wait_for_selector('[role="status"]')
            await page.go_back()
            await page.wait_for_selector("#message")
            assert await page.input_value("#message") == "Twice"
            assert await page.input_value("input[name=form]") == before


@pytest.mark.slow
async def test_a_page_of_another_site_posts_only_where_it_is_named(
    tmp_path: Path, browser: Browser, new_store: bytes
) -> None:
    form = '<form method="post" action="{url}"><input name="email" value="a@b.example"><textarea name="message">x</textarea><button>Send</button></form>'
    async with running(tmp_path, new_store) as found:
        context = await browser.new_context()
        page = await context.new_page()
        await page.route(
            "http://other.localhost/*",
            lambda route: route.fulfill(
                body=form.format(url=f"{found.base}/form/contact"), content_type="text/html"
            ),
        )
        await page.goto("http://other.localhost/")
        async with page.expect_response("**/form/contact") as answered:
            await page.click("button")
        assert (await answered.value).status == 403
        await context.close()


@pytest.mark.slow
async def test_the_page_is_readable_for_everybody_at_every_width(
    tmp_path: Path, browser: Browser, new_store: bytes
) -> None:
    async with running(tmp_path, new_store) as found:
        for (width, wide), scheme in itertools.product(WIDTHS.items(), ("light", "dark")):
            context = await browser.new_context(
                viewport={"width": wide, "height": 900},
                color_scheme=scheme,  # type: ignore[arg-type]
                bypass_csp=True,
            )
            page = await context.new_page()
            for name, path in (("form", ""), ("thanks", "?sent"), ("faults", "")):
                await page.goto(f"{found.base}/form/contact{path}")
                if name == "faults":
                    await page.fill("#email", "ann")
                    await page.click("button")
                    await page.wait_for_selector('[role="alert"]')
                assert await screens.violations(page) == []
                beyond = await page.evaluate("() => document.documentElement.scrollWidth - innerWidth")
                assert beyond <= 0
                await screens.shoot(page, f"form-{name}-{width}-{scheme}")
            await context.close()
