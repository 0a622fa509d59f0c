"""The pages of rules and operations in a real browser: live, at every width, readable for everybody, and without JavaScript."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from playwright.async_api import Browser

from intake import events
from intake.store import schema
from intake.store.engine import Tx
from routing import rulebook
from tests.web import screens
from tests.web.desk_pages import Opened, Tab, opened
from tests.web.shown import RULES

PAGES = ("/rules", "/operations")
LOOKS = (
    ("phone", "light", PAGES),
    ("tablet", "dark", PAGES),
    ("desk", "light", (*PAGES, "/rules?only=never", "/rules?only=problems", "/operations?done=retried")),
)
pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]


@pytest.fixture
async def desk(tmp_path: Path, browser: Browser, new_store: bytes) -> AsyncIterator[Opened]:
    async with opened(tmp_path, browser, new_store) as found:
        found.site.add("root", "admin")
        found._token = found.site.session("root")
        yield found


def trouble(tx: Tx) -> None:
    """A message that was set aside, one that was given up, rules that were refused."""
    rows = tx.all(_JOURNAL)
    tx.update(
        schema.journal,
        {"id": rows[0][0]},
        state="quarantined",
        problem="settling failed 5 times: a clock is missing",
    )
    rows = tx.all(_OUTBOX)
    for row, error in zip(rows, ("550 5.1.1 no such mailbox", "the relay refuses the sender"), strict=False):
        tx.update(schema.outbox, {"id": row[0]}, state="failed", error=error, next_at=None, attempts=8)
    events.record(
        tx,
        "rules_refused",
        problems=["rules.yaml:12:5: error[unknown-team] 'suport' is not a team — did you mean 'support'?"],
    )


def _of(table: Any) -> Any:
    from sqlalchemy import select

    from intake.store.statements import Statement

    return Statement(select(table.c.id).order_by(table.c.id))


_JOURNAL, _OUTBOX = _of(schema.journal), _of(schema.outbox)


async def test_they_are_readable_for_everybody_at_every_width(desk: Opened) -> None:
    await asyncio.to_thread(lambda: desk.site.store.write_now(trouble))
    for width, scheme, paths in LOOKS:
        tab = await desk.tab(width, color_scheme=scheme)
        for path in paths:
            await tab.go(path)
            assert (path, width, await tab.faults()) == (path, width, [])
            beyond = await tab.page.evaluate("() => document.documentElement.scrollWidth - innerWidth")
            assert (path, width, beyond) == (path, width, 0)
            name = path.strip("/").replace("?", "-").replace("=", "-")
            await screens.shoot(tab.page, f"{name}-{width}-{scheme}")
        tab.check()
        await tab.page.context.close()


async def test_what_happens_is_shown_without_a_reload_and_an_opened_rule_stays_open(desk: Opened) -> None:
    rules, operations = await desk.tab(), await desk.tab()
    await rules.go("/rules")
    await operations.go("/operations")
    summary = rules.page.locator("summary", has_text="money")
    await summary.click()
    before = await _hits(rules, "money")
    await desk.do(lambda: desk.shown.mail("new@customer.example", "invoice", "Please send the invoice."))
    await desk.do(lambda: desk.site.store.write_now(trouble))
    await rules.page.wait_for_function(
        "(before) => Number([...document.querySelectorAll('tr')].find((row) => row.innerText.startsWith('money'))?.cells[1].innerText) > before",
        arg=before,
        timeout=15_000,
    )
    await operations.page.wait_for_function(
        "() => document.querySelector('#quarantine')?.innerText.includes('a clock is missing')",
        timeout=15_000,
    )
    assert await rules.page.locator("details[open] pre.rule").is_visible()
    for tab in (rules, operations):
        tab.check()


async def test_rules_that_are_loaded_while_the_page_is_open_are_shown(desk: Opened) -> None:
    """A rule that comes before an opened one leaves it open with its own words; what changed is shown as it is now."""
    tab = await desk.tab()
    await tab.go("/rules")
    await tab.page.locator("summary", has_text="money").click()
    before = desk.site.context.rulebook
    added = "route:\n  - {id: first, when: {text.words: [bill]}, then: {team: billing}}\n"
    changed = RULES.replace("route:\n", added).replace("[invoice, refund", "[invoice, rebate")
    found = rulebook.load({"rules.yaml": changed})
    desk.site.context = msgspec.structs.replace(desk.site.context, rulebook=found)
    await desk.do(lambda: desk.site.store.write_now(lambda tx: events.record(tx, "rules_loaded")))
    await tab.page.locator("summary", has_text="first").wait_for(timeout=15_000)
    text = await tab.page.locator("details[open] pre.rule").inner_text()
    assert ("id: money" in text, "rebate" in text) == (True, True)
    assert found.hash[:12] in await tab.page.locator("#in-force").inner_text()
    assert before.hash[:12] not in await tab.page.locator("main").inner_text()
    tab.check()


async def test_a_message_is_sent_again_with_a_key_and_the_page_says_so(desk: Opened) -> None:
    await asyncio.to_thread(lambda: desk.site.store.write_now(trouble))
    tab = await desk.tab()
    await tab.go("/operations")
    button = tab.page.get_by_role("button", name="Send again").first
    await button.focus()
    await tab.press("Enter")
    await tab.page.wait_for_url("**/operations?done=retried")
    assert await tab.page.locator(".said").inner_text() == "The message is sent once more."
    tab.check()


async def test_they_work_without_javascript(desk: Opened, browser: Browser) -> None:
    await asyncio.to_thread(lambda: desk.site.store.write_now(trouble))
    context = await browser.new_context(java_script_enabled=False)
    cookie: Any = {"name": desk.site.guard.cookie, "value": desk._token, "url": desk.site.base}
    await context.add_cookies([cookie])
    page = await context.new_page()
    await page.goto(f"{desk.site.base}/operations")
    await page.click("text=Read again")
    await page.wait_for_url("**/operations?done=replayed")
    await page.goto(f"{desk.site.base}/rules?only=never")
    assert await page.locator("h1").inner_text() == "Rules"
    await context.close()


async def _hits(tab: Tab, rule: str) -> int:
    row = tab.page.locator("tr", has=tab.page.locator(f"summary:text-is('{rule}')"))
    told = await row.locator("td").first.inner_text()
    return int(told) if told.isdecimal() else 0
