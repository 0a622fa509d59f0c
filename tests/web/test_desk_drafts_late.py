"""More ways of losing what one writes: all of them at a moment when nobody looks. None of them does."""

import asyncio
from typing import Any

import pytest
from playwright.async_api import Browser, FilePayload, Route, expect

from intake import assigning, web_sessions
from tests.web import browser as browsers
from tests.web import drafting
from tests.web.acting_site import public, rows, sent
from tests.web.drafting import TEXT, opened, signed_in, stored, text_of, write
from tests.web.site import Site

pytestmark = pytest.mark.slow
site, ticket = drafting.site, drafting.ticket


class Gate:
    """Holds what a page asks until it is opened."""

    def __init__(self) -> None:
        self.came, self.open = asyncio.Event(), asyncio.Event()

    async def __call__(self, route: Route) -> None:
        self.came.set()
        await self.open.wait()
        await route.continue_()


@pytest.mark.parametrize("before", ["", "What I wrote yesterday."])
async def test_14_typed_while_the_page_still_looks_for_older_texts(
    browser: Browser, site: Site, ticket: dict[str, Any], before: str
) -> None:
    context, gate = await browser.new_context(), Gate()
    await signed_in(context, site)
    if before:
        page = await opened(context, site, ticket["ref"])
        await write(page, before)
        await page.close()
    page, _ = await browsers.watched(context)
    await page.route("**/drafts", gate)
    await page.goto(f"{site.base}/tickets/{ticket['ref']}")
    await gate.came.wait()
    await page.locator("#reply-text").press("End")
    await page.locator("#reply-text").press_sequentially(" Early words.")
    gate.open.set()
    await expect(page.locator("#reply-saved")).to_contain_text("Saved")
    assert (await text_of(page)).strip() == f"{before} Early words.".strip()
    assert stored(site) == [await text_of(page)]
    await context.close()


async def test_15_typed_while_an_answer_is_on_its_way(
    browser: Browser, site: Site, ticket: dict[str, Any]
) -> None:
    """What was sent is sent; what came after it is the next text."""
    context, gate = await browser.new_context(), Gate()
    await signed_in(context, site)
    page = await opened(context, site, ticket["ref"])
    await write(page)
    await page.route("**/reply", gate)
    await page.locator("#reply-text").press("Control+Enter")
    await gate.came.wait()
    await page.locator("#reply-text").press_sequentially(" And one thing more.")
    gate.open.set()
    await expect(page.locator("#reply-text")).to_have_value("And one thing more.")
    await expect(page.locator("#reply-saved")).to_contain_text("Saved")
    assert (public(site, ticket["ref"])[1:], stored(site)) == ([TEXT], ["And one thing more."])
    await context.close()


async def test_16_signed_in_again_in_another_tab(
    browser: Browser, site: Site, ticket: dict[str, Any]
) -> None:
    """The page that was open all the time saves and sends, as it says it will."""
    context = await browser.new_context()
    await signed_in(context, site)
    page = await opened(context, site, ticket["ref"])
    site.store.write_now(lambda tx: web_sessions.end_all(tx, "ania", by="system"))
    await write(page, is_saved=False)
    await expect(page.locator("#reply-saved")).to_contain_text("sign in again")
    await signed_in(context, site)
    await expect(page.locator("#reply-saved")).to_contain_text("Saved", timeout=8_000)
    assert stored(site) == [TEXT]
    await page.locator("#reply-text").press("Control+Enter")
    await expect(page.locator("#reply-text")).to_have_value("")
    await expect(page.locator("#banner")).to_have_text("")
    assert public(site, ticket["ref"])[1:] == [TEXT]
    await context.close()


async def test_17_somebody_else_signs_in_in_another_tab(
    browser: Browser, site: Site, ticket: dict[str, Any]
) -> None:
    """Nothing of the page is kept or sent in their name; the text waits for its writer."""
    context = await browser.new_context()
    await signed_in(context, site)
    page = await opened(context, site, ticket["ref"])
    await signed_in(context, site, "ewa")
    await write(page, is_saved=False)
    await expect(page.locator("#reply-saved")).to_contain_text("Kept in this browser")
    await page.locator("#reply-text").press("Control+Enter")
    await expect(page.locator("#banner")).to_contain_text("You are signed out")
    assert (stored(site), public(site, ticket["ref"])[1:]) == ([], [])
    await signed_in(context, site)
    await expect(page.locator("#reply-saved")).to_contain_text("Saved", timeout=8_000)
    assert [(each["agent"], each["body"]) for each in rows(site, "drafts")] == [("ania", TEXT)]
    await context.close()


async def test_18_ticket_that_goes_before_the_first_save(
    browser: Browser, site: Site, ticket: dict[str, Any]
) -> None:
    """It is nobody's page any more, and the text is among one's drafts."""
    context = await browser.new_context()
    await signed_in(context, site)
    page = await opened(context, site, ticket["ref"])
    await context.set_offline(True)
    await write(page, is_saved=False)
    site.store.write_now(lambda tx: assigning.assign(tx, site.context, ticket["ref"], "billing", agent="ewa"))
    await expect(page.locator("#reply-saved")).to_contain_text("Kept in this browser")
    await page.close()
    await context.set_offline(False)
    page, seen = await browsers.watched(context)
    await page.goto(f"{site.base}/drafts")
    await expect(page.locator("main")).to_contain_text(TEXT)
    assert stored(site) == [TEXT]
    assert seen.violations == []
    await context.close()


async def test_19_browser_whose_tabs_cannot_hold_a_text(
    browser: Browser, site: Site, ticket: dict[str, Any]
) -> None:
    """A tab that was duplicated has the other's fork: what each writes is kept all the same."""
    context = await browser.new_context()
    await context.add_init_script("Object.defineProperty(navigator, 'locks', {value: undefined})")
    await signed_in(context, site)
    one = await opened(context, site, ticket["ref"])
    await write(one, "Of both")
    async with context.expect_page() as coming:
        await one.evaluate("void window.open(location.href)")
    two = await coming.value
    await expect(two.locator("#reply-saved")).to_contain_text("Saved")
    await write(one, "Of the first")
    await two.fill("#reply-text", "Of the second")
    await expect(two.locator(".fork")).to_contain_text("Of the first")
    await expect(two.locator("#reply-saved")).to_contain_text("Saved")
    assert sorted(stored(site)) == ["Of the first", "Of the second"]
    await context.close()


async def test_20_browser_that_has_no_room(browser: Browser, site: Site, ticket: dict[str, Any]) -> None:
    """It does not say that the text is safe where it is not."""
    context = await browser.new_context()
    await signed_in(context, site)
    page = await opened(context, site, ticket["ref"])
    await page.evaluate("() => { Storage.prototype.setItem = () => { throw new Error('full'); }; }")
    await context.set_offline(True)
    await write(page, is_saved=False)
    await expect(page.locator("#reply-saved")).to_contain_text("do not leave it")
    await context.close()


async def test_21_new_ticket_with_its_files_and_fields(browser: Browser, site: Site) -> None:
    """A reload finds the text, who it is for and the files; /drafts shows them; once it is made nothing is left."""
    context = await browser.new_context()
    await signed_in(context, site)
    page, seen = await browsers.watched(context)
    form = page.locator("#ticket-form")
    await page.goto(f"{site.base}/new")
    await expect(form.locator("[name=fork]")).not_to_have_value("")
    await page.get_by_label("We write to them first").check()
    await page.get_by_label("Email").fill("new@customer.example")
    bill = FilePayload(name="bill.pdf", mimeType="application/pdf", buffer=b"%PDF-1.4 a bill")
    await form.locator("[name=files]").set_input_files(bill)
    await form.locator("textarea").fill("Your bill is attached.")
    await expect(form.locator("[data-saved]")).to_contain_text("Saved")
    await page.goto(f"{site.base}/drafts")
    await expect(page.locator("main")).to_contain_text("bill.pdf")
    await page.goto(f"{site.base}/new")
    await expect(form.locator("textarea")).to_have_value("Your bill is attached.")
    await expect(form.locator("[data-attached]")).to_contain_text("bill.pdf")
    assert await page.get_by_label("Email").input_value() == "new@customer.example"
    await form.locator("textarea").press("Control+Enter")
    await page.wait_for_url("**/tickets/*")
    (message,) = sent(site)
    assert [each.name for each in message.attachments] == ["bill.pdf"]
    assert (stored(site), seen.violations) == ([], [])
    await context.close()


async def test_22_sent_while_the_page_still_looks_for_older_texts(
    browser: Browser, site: Site, ticket: dict[str, Any]
) -> None:
    """What was found is what is sent, once, and does not come back."""
    context, gate = await browser.new_context(), Gate()
    await signed_in(context, site)
    page = await opened(context, site, ticket["ref"])
    await write(page)
    await page.route("**/drafts", gate)
    await page.reload()
    await gate.came.wait()
    await page.locator("#reply-text").press("Control+Enter")
    gate.open.set()
    await expect(page.locator(".held")).to_be_visible()
    await expect(page.locator("#reply-text")).to_have_value("")
    assert (public(site, ticket["ref"])[1:], stored(site)) == ([TEXT], [])
    await context.close()


async def test_23_files_of_a_page_that_cannot_ask_for_its_drafts(
    browser: Browser, site: Site, ticket: dict[str, Any]
) -> None:
    """They stand on the page, and leave with the answer."""
    context = await browser.new_context()
    await signed_in(context, site)
    page = await opened(context, site, ticket["ref"])
    bill = FilePayload(name="bill.pdf", mimeType="application/pdf", buffer=b"%PDF-1.4 a bill")
    await page.locator("#reply-form [name=files]").set_input_files(bill)
    await write(page)
    await page.route("**/drafts", lambda route: route.abort())
    await page.reload()
    await expect(page.locator("#reply-form [data-attached]")).to_contain_text("bill.pdf")
    await page.locator("#reply-text").press("Control+Enter")
    await expect(page.locator(".held")).to_be_visible()
    (message,) = sent(site)
    assert [each.name for each in message.attachments] == ["bill.pdf"]
    await context.close()


async def test_24_new_ticket_for_another_customer(
    browser: Browser, site: Site, ticket: dict[str, Any]
) -> None:
    """What was begun for somebody else is shown beside, not put into theirs."""
    context = await browser.new_context()
    await signed_in(context, site)
    page, _ = await browsers.watched(context)
    await page.goto(f"{site.base}/new")
    await page.locator("#ticket-form textarea").fill("For Ewa alone")
    await expect(page.locator("#ticket-form [data-saved]")).to_contain_text("Saved")
    await page.goto(f"{site.base}/new?for={ticket['ref']}")
    await expect(page.locator(".fork")).to_contain_text("For Ewa alone")
    await expect(page.locator("#ticket-form textarea")).to_have_value("")
    assert await page.get_by_label("Email").input_value() == "jan@customer.example"
    await context.close()
