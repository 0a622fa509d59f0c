"""Nothing runs either that stands elsewhere than in tickets: names of people and of the house, rules, canned replies, public pages.

Names of agents, teams and rules are letters, digits and `_.-` alone (routing.naming): nothing can be written into them.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest
from playwright.async_api import Browser, expect

from intake import credentials, desk, events, new_tickets, notice_links, web_sessions
from intake.new_tickets import Placing
from intake.notice_links import Link
from intake.store.engine import Tx
from intake.written_down import Written
from tests.web.chat_desk import Desk
from tests.web.chat_pages import shop
from tests.web.desk_pages import Ticking
from tests.web.site import RULES, Site, open_site
from tests.web.test_chat_widget import SETTINGS as CHAT
from tests.web.xss_pages import looking
from tests.web.xss_payloads import OUTSIDE, payloads

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]
TEXTS = 500
A_PAGE = 100
NAME_MAX = 64
FORM = "  contact: {kind: form}\n"


def names(texts: Sequence[str]) -> list[str]:
    """Those that can be somebody's name, as an admin may have any."""
    cut = (each[:NAME_MAX].strip() for each in texts)
    return list(dict.fromkeys(each for each in cut if each.isprintable() and each))


def rules(texts: Sequence[str]) -> str:
    """Rules that look for such texts, with such words in what they say."""
    routes = "".join(
        f"  - {{id: r{number}, when: {{header.about: {json.dumps('x' + text)}}}, then: {{team: billing}}}}\n"
        for number, text in enumerate(texts)
        if text.isprintable() and "*" not in text
    )
    return RULES.replace("route:\n", f"route:\n{routes}")


@asynccontextmanager
async def house(folder: Path, texts: Sequence[str], new_store: bytes) -> AsyncIterator[Site]:
    """A desk where all that whoever runs it may write is such a text."""
    clock = Ticking(datetime(2026, 11, 21, 9, 12, tzinfo=UTC))
    (folder / "canned").mkdir()
    for number, text in enumerate(texts[:20]):
        (folder / "canned" / f"c{number}.en.md").write_text(f"{text}\n", encoding="utf-8", errors="replace")
    async with open_site(folder, clock, rules=rules(texts), channels=FORM, new_store=new_store) as site:
        called = " ".join(each for each in texts[:20] if each.isprintable())
        site.context = msgspec.structs.replace(site.context, organization=called)
        yield site


def ticket(site: Site, subject: str, *, by: Sequence[str] = ()) -> str:
    """Make a ticket; its ref. by: who did something to it."""
    written = new_tickets.checked(
        Written(
            way="phone",
            by="ania",
            name=subject,
            address="jan@customer.example",
            subject=subject,
            text=subject,
        )
    )
    blob = new_tickets.prepare(written, folder=site.wired.blob_folder)

    def make(tx: Tx) -> str:
        made = new_tickets.write_down(tx, site.context, written, blob, Placing(to="support"), agent="ania")
        found = desk.find(tx, made.ref)
        for name in by:
            events.of_ticket(tx, found, "delivery_failed", actor=f"agent:{name}", reason=name)
        return made.ref

    return site.store.write_now(make)


def people(site: Site, called: Sequence[str]) -> None:
    """Let people of such names in, from browsers that call themselves so."""

    def add(tx: Tx) -> None:
        for name in called:
            credentials.add(tx, site.context, name, "admin", by=f"agent:{name}")
            credentials.set_password(tx, name, "a hash", by=f"agent:{name}")
            for who in (name, "root"):
                token = web_sessions.new_token()
                web_sessions.start(
                    tx, site.keys, token=token, name=who, stage="full", times=site.guard.times, browser=name, client=name
                )  # fmt: skip

    site.store.write_now(add)


async def test_no_name_rule_or_canned_reply_runs_at_the_desk(
    tmp_path: Path, browser: Browser, new_store: bytes
) -> None:
    """People, the house, rules' words, canned replies, browsers of sessions; and who looks, as a stream tells it."""
    texts = payloads(TEXTS)
    called = names(texts)[:A_PAGE]
    async with house(tmp_path, texts, new_store) as site, looking(browser, site) as found:
        await asyncio.to_thread(people, site, called)
        ref = await asyncio.to_thread(ticket, site, texts[0], by=called)
        for path in (
            "/agents",
            "/account",
            "/rules",
            "/operations",
            "/",
            "/presence",
            "/new",
            f"/tickets/{ref}",
        ):
            await found.look(path, texts=called if path in ("/agents", f"/tickets/{ref}") else ())
        here = f"/tickets/{ref}/here"
        for name in called[:20]:
            other = site.browser(site.session(name))
            await other.ask(
                "POST", here, data={"doing": "replying", "page": "1"}, headers={"Accept": "application/json"}
            )
            await expect(found.page.locator("#here")).to_contain_text(" ".join(name.split())[:5])
        await found._judge(here)
        assert (found.problems(), found.refused) == ([], [])
        assert found.escaped.shown >= len(found.escaped.missing)


async def test_no_text_runs_on_a_page_that_needs_no_session(
    tmp_path: Path, browser: Browser, new_store: bytes
) -> None:
    """What is shown again to who typed it, and what a notice's link shows of a ticket."""
    texts = payloads(TEXTS)
    async with house(tmp_path, texts, new_store) as site, looking(browser, site) as found:
        page = found.page
        await found.context.clear_cookies()
        for text in texts[:20]:
            await page.goto(f"{site.base}/sign-in")
            await page.fill("#name", text)
            await page.fill("#password", "x")
            await page.press("#password", "Enter")
            await page.wait_for_selector("[role=alert]")
            await found._judge("/sign-in")
        for text in texts[:30]:
            await page.goto(f"{site.base}/form/contact")
            for field in ("name", "subject", "message"):
                await page.fill(f"[name={field}]", text)
            await page.evaluate("document.querySelector('form').noValidate = true")
            await page.click("button[type=submit], form button")
            await page.wait_for_load_state()
            assert await page.input_value("[name=message]") != ""
            await found._judge("/form/contact")
        until_s = site.store.now_us() // 1_000_000 + 3_600
        for text in texts[:30]:
            ref = await asyncio.to_thread(ticket, site, text)
            link = Link(purpose="ack", ref=ref, agent="ania", notice=17, until_s=until_s)
            await found.look(notice_links.path(site.keys, link))
        assert (found.problems(), found.refused) == ([], [])


async def test_no_text_runs_in_a_visitors_chat(browser: Browser) -> None:
    """Five hundred of an agent's, by a name of the same kind, and what the house says in it: a hundred a chat."""
    texts = payloads(TEXTS)
    for start in range(0, TEXTS, A_PAGE):
        batch = texts[start : start + A_PAGE]
        desk_ = Desk()
        said = {"en": " ".join(batch[:5])}
        desk_.settings = {**CHAT, "name": said, "greeting": said, "openings": {"en": list(batch[:4])}}
        ran: list[Any] = []
        async with shop(browser, desk_) as its:
            await its.page.expose_function("xssRan", lambda *told: ran.append(told))  # noqa: B023
            its.page.on("dialog", lambda dialog: ran.append(dialog.message))  # noqa: B023
            await its.open()
            await its.say(batch[0][:150].replace("\n", " ").strip())
            for text in batch:
                await desk_.say(text, name=text[:NAME_MAX], replies=(text[:40],))
            await expect(its.page.locator(".agent .text")).to_have_count(len(batch))
            shown = await its.page.locator(".agent .text").all_inner_texts()
            assert sum(bool(each.strip()) for each in shown) == len(batch)
            assert (ran, its.seen.violations) == ([], [])
            assert [each for each in its.seen.requests if OUTSIDE in each and each.startswith("http")] == []
            assert its.page.url.startswith(its.url)
