"""Writing at the desk in a real browser: the guard, taking back, drafts, keys, and what the pages look like."""

import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, BrowserContext, Page, expect

from tests.web import browser as browsers
from tests.web import screens
from tests.web.acting_site import RULES, public, receive, rows
from tests.web.site import Site, open_site

pytestmark = pytest.mark.slow
FORK = re.compile(r"^[A-Za-z0-9_-]{24}$")  # of the page's own making: its composer is ready


class Clock:
    """The real time: a browser counts down by its own."""

    def __call__(self) -> Any:
        from intake import instants

        return instants.now()


@pytest.fixture
async def site(tmp_path: Path, new_store: bytes) -> AsyncIterator[Site]:
    async with open_site(tmp_path, Clock(), new_store=new_store, rules=RULES) as opened:
        (tmp_path / "canned").mkdir()
        (tmp_path / "canned" / "hello.en.md").write_text(
            "Title: Hello there\n\nDear {{ customer.organization }}, this is {{ ticket.ref }}.\n"
        )
        yield opened


async def context_of(browser: Browser, site: Site, name: str, **options: Any) -> BrowserContext:
    """Open a browser of somebody who is signed in."""
    site.add(name)
    context = await browser.new_context(base_url=site.base, **options)
    token = site.session(name)
    await context.add_cookies([{"name": site.guard.cookie, "value": token, "url": site.base}])
    return context


async def open_ticket(context: BrowserContext, ref: str) -> tuple[Page, browsers.Seen]:
    page, seen = await browsers.watched(context)
    await page.goto(f"/tickets/{ref}")
    await expect(page.locator("#reply-form [name=fork]")).to_have_value(FORK)
    return page, seen


async def test_an_answer_by_keys_alone_is_stopped_by_news_then_sent_and_taken_back(
    browser: Browser, site: Site, tmp_path: Path
) -> None:
    """Nothing needs a mouse; the policy is never broken; axe finds nothing."""
    ticket = receive(site, message_id="first@customer.example")
    context = await context_of(browser, site, "ania")
    page, seen = await open_ticket(context, ticket["ref"])
    await page.keyboard.press("r")
    await expect(page.locator("#reply-text")).to_be_focused()
    await page.keyboard.type("Try water.")
    await expect(page.locator("#reply-saved")).to_contain_text("Saved")
    receive(site, body="It has stopped burning.", answers="first@customer.example")
    await page.keyboard.press("Control+Enter")
    await expect(page.locator(".news")).to_contain_text("It has stopped burning.")
    async with page.expect_response(
        "**/reply"
    ) as hurried:  # pressed twice: what is new cannot have been read yet
        await page.keyboard.press("Control+Enter")
    assert (await hurried.value).status == 409
    assert "Try water." not in public(site, ticket["ref"])
    await expect(page.locator("#reply-text")).to_have_value("Try water.")
    await page.screenshot(path=tmp_path / "news.png", full_page=True)
    await expect(page.locator("#reply-form [data-send]")).to_have_text("Send anyway")
    await page.locator("#reply-text").focus()
    await page.keyboard.press("Control+Enter")
    await expect(page.locator(".held")).to_contain_text(re.compile(r"leaves in \d+ s"))
    await expect(page.locator("#reply-text")).to_have_value("")
    await page.screenshot(path=tmp_path / "held.png", full_page=True)
    assert public(site, ticket["ref"])[-1] == "Try water."
    await page.keyboard.press("Escape")
    await page.locator("h1").click()
    await page.keyboard.press("z")
    await expect(page.locator("#reply-text")).to_have_value("Try water.")
    assert public(site, ticket["ref"])[-1] == "It has stopped burning."
    await expect(page.locator("#timeline")).not_to_contain_text("Try water.")
    await expect(page.locator(".news")).to_have_count(0)  # that one's own answer is gone is no news
    await page.locator("#reply-text").focus()
    async with page.expect_response("**/reply") as again:
        await page.keyboard.press("Control+Enter")
    assert (await again.value).status == 200
    await check(page, seen)
    await context.close()


async def test_a_ticket_is_worked_by_keys_alone(browser: Browser, site: Site, tmp_path: Path) -> None:
    """Assign, note, a canned reply with a gap, and solving with how it came out."""
    ticket = receive(site)
    context = await context_of(browser, site, "ania")
    page, seen = await open_ticket(context, ticket["ref"])
    await page.keyboard.press("a")
    await expect(page.locator("details.menu[open] select[name=to]")).to_be_focused()
    await page.screenshot(path=tmp_path / "assign.png", full_page=True)
    await page.keyboard.type("ewa")
    await page.keyboard.press("Tab")
    await page.keyboard.press("Enter")
    await expect(page.locator("#title")).to_contain_text("ewa")
    await page.keyboard.press("n")
    await expect(page.locator("#note-text")).to_be_focused()
    await page.keyboard.type("He is impatient.")
    await page.screenshot(path=tmp_path / "note.png", full_page=True)
    await check(page, seen)
    await page.keyboard.press("Control+Enter")
    await expect(page.locator("#timeline")).to_contain_text("He is impatient.")
    await page.locator("h1").click()
    await page.keyboard.press("m")
    await page.keyboard.type("hello")
    await page.screenshot(path=tmp_path / "canned.png", full_page=True)
    await page.keyboard.press("Enter")
    await expect(page.locator("#reply-text")).to_have_value(
        f"Dear [[customer.organization]], this is {ticket['ref']}."
    )
    await page.keyboard.type("all")  # the gap is chosen, and written over
    await expect(page.locator("#reply-text")).to_have_value(f"Dear all, this is {ticket['ref']}.")
    await page.locator("#reply-form select[name=status]").select_option("solved")
    await page.locator("#reply-text").focus()
    await page.keyboard.press("Control+Enter")
    await expect(page.locator("#reply-form [name=outcome]")).to_be_focused()
    await page.screenshot(path=tmp_path / "outcome.png", full_page=True)
    await page.keyboard.type("Solved")
    await page.keyboard.press("Control+Enter")
    await expect(page.locator("#title")).to_contain_text("Solved")
    (after,) = rows(site, "tickets", "id = :id", id=ticket["id"])
    assert (after["status"], after["outcome"], after["agent"]) == ("solved", "solved", "ewa")
    await check(page, seen)
    await context.close()


async def test_who_else_writes_is_shown(browser: Browser, site: Site) -> None:
    """Within two seconds, in the other's page."""
    ticket = receive(site)
    ania, ewa = [await context_of(browser, site, name) for name in ("ania", "ewa")]
    page, _ = await open_ticket(ania, ticket["ref"])
    other, _ = await open_ticket(ewa, ticket["ref"])
    await other.locator("#reply-text").press_sequentially("Dear")
    await expect(page.locator("#here")).to_contain_text("ewa is writing an answer", timeout=2_000)
    await other.close()
    await expect(page.locator("#here")).to_have_text("", timeout=5_000)
    for each in (ania, ewa):
        await each.close()


@pytest.mark.parametrize("width", [360, 768, 1280])
async def test_pages_hold_at_every_width(browser: Browser, site: Site, tmp_path: Path, width: int) -> None:
    """Nothing is wider than the screen; axe finds nothing."""
    ticket = receive(site)
    context = await context_of(browser, site, "ania", viewport={"width": width, "height": 800})
    page, seen = await browsers.watched(context)
    for number, path in enumerate((f"/tickets/{ticket['ref']}", "/new", "/drafts", "/presence")):
        await page.goto(path)
        await page.screenshot(path=tmp_path / f"{width}-{number}.png", full_page=True)
        wide = await page.evaluate("document.documentElement.scrollWidth - innerWidth")
        assert wide <= 0, path
        await check(page, seen)
    await context.close()


async def check(page: Page, seen: browsers.Seen) -> None:
    """Nothing was thrown, forbidden or asked of others; axe finds nothing."""
    assert await screens.violations(page) == []
    assert seen.violations == []
    assert [each for each in seen.errors if "409" not in each] == []


async def test_the_other_flows_by_keys_alone(browser: Browser, site: Site, tmp_path: Path) -> None:
    """Promise, priority, merge and taking it back, spam and taking it back, a new ticket, presence: no mouse."""
    ticket, other = receive(site), receive(site, "eva@customer.example", subject="Another")
    context = await context_of(browser, site, "ania")
    page, seen = await open_ticket(context, ticket["ref"])
    keys = page.keyboard

    await keys.press("w")
    await expect(page.locator("input[name=when]")).to_be_focused()
    await keys.type("in 2h")
    await keys.press("Tab")
    await keys.press("Space")  # the customer knows already
    await keys.press("Tab")
    await keys.press("Enter")
    await expect(page.locator("#about-clocks")).to_contain_text("Promised")

    await keys.press("p")
    await expect(page.locator("details[open] select[name=priority]")).to_be_focused()
    await keys.press("u")
    await keys.press("Tab")
    await keys.press("Enter")
    await expect(page.locator("#title")).to_contain_text("urgent")

    await command(page, "Spam")
    await keys.press("Space")  # never hear from them again
    await keys.press("Tab")
    await keys.press("Enter")
    await expect(page.locator("#title")).to_contain_text("Closed")
    assert [each["value"] for each in rows(site, "list_values")] == ["jan@customer.example"]
    await page.screenshot(path=tmp_path / "spam.png", full_page=True)
    await command(page, "No spam")
    await keys.press("Enter")
    await expect(page.locator("#title")).not_to_contain_text("Closed")
    assert rows(site, "list_values") == []

    await command(page, "Merge")
    await keys.type(other["ref"])
    await keys.press("Enter")
    await page.wait_for_url(f"**/tickets/{other['ref']}")
    await expect(page.locator("#timeline")).to_contain_text("My printer is on fire.")
    await expect(page.locator("#reply-form [name=fork]")).to_have_value(FORK)
    await command(page, "Merge")
    await page.screenshot(path=tmp_path / "merge.png", full_page=True)
    await keys.press("Tab")
    await keys.press("Tab")
    await keys.press("Enter")
    await page.wait_for_url(f"**/tickets/{ticket['ref']}")
    await check(page, seen)

    await command(page, "New ticket")
    await page.wait_for_url("**/new*")
    await page.locator("input[name=way]:checked").focus()
    for _ in range(4):
        await keys.press("Tab")
    await keys.type("She has a question")
    await keys.press("Tab")
    await keys.type("What does it cost?")
    await keys.press("Control+Enter")
    await page.wait_for_url("**/tickets/*")
    await expect(page.locator("#title")).to_contain_text("She has a question")

    await keys.press("g")
    await keys.press("p")
    await page.wait_for_url("**/presence")
    await page.locator("input[name=presence]:checked").focus()
    await keys.press("ArrowRight")
    await keys.press("Tab")
    await keys.type("in 2h")
    await keys.press("Enter")
    await expect(page.locator("#presence")).to_contain_text("Until")
    await check(page, seen)
    await context.close()


async def command(page: Page, name: str) -> None:
    """Find something by its name, and do it."""
    await page.keyboard.press("Control+k")
    await page.keyboard.type(name)
    await page.keyboard.press("Enter")
    if name != "New ticket":
        await expect(page.locator("details.menu[open] [data-first]")).to_be_focused()


async def test_a_file_is_attached_through_a_reload_and_taken_back_with_its_answer(
    browser: Browser, site: Site
) -> None:
    """It is at the desk as soon as it is chosen, and leaves with the answer once."""
    ticket = receive(site)
    context = await context_of(browser, site, "ania")
    page, seen = await open_ticket(context, ticket["ref"])
    file: Any = {"name": "bill.pdf", "mimeType": "application/pdf", "buffer": b"the bill"}
    async with page.expect_response(re.compile("/files$")):
        await page.locator("#reply-form [name=files]").set_input_files(file)
    await page.reload()
    attached = page.locator("[data-attached] li")
    await expect(attached).to_have_count(1)
    await expect(attached).to_contain_text("bill.pdf, 1 KB")
    await page.locator("#reply-text").fill("Here it is")
    await page.keyboard.press("Control+Enter")
    await expect(page.locator(".held")).to_be_visible()
    await expect(attached).to_have_count(0)
    await page.locator(".held").get_by_role("button", name="Undo").click()
    await expect(attached).to_have_count(1)
    await check(page, seen)
    await context.close()
