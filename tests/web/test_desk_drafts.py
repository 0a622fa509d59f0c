"""Twelve ways of losing what one writes, in a real browser: none of them does."""

import os
import shutil
import signal
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, async_playwright, expect

from intake import assigning, merging, web_sessions
from tests.web import browser as browsers
from tests.web import drafting
from tests.web.acting_site import public, receive
from tests.web.drafting import TEXT, opened, ready, signed_in, stored, text_of, write
from tests.web.site import Site

pytestmark = pytest.mark.slow
site, ticket = drafting.site, drafting.ticket


async def test_01_saved_within_a_second_and_there_after_a_reload(
    browser: Browser, site: Site, ticket: dict[str, Any]
) -> None:
    context = await browser.new_context()
    await signed_in(context, site)
    page = await opened(context, site, ticket["ref"])
    await page.fill("#reply-text", TEXT)
    await expect(page.locator("#reply-saved")).to_contain_text("Saved", timeout=1_500)
    assert stored(site) == [TEXT]
    await page.reload()
    await expect(page.locator("#reply-text")).to_have_value(TEXT)
    await context.close()


async def test_02_reload_before_anything_was_saved(
    browser: Browser, site: Site, ticket: dict[str, Any]
) -> None:
    """The very last word is in the browser before the desk has it."""
    context = await browser.new_context()
    await signed_in(context, site)
    page = await opened(context, site, ticket["ref"])
    await context.route("**/tickets/*/drafts", lambda route: route.abort())
    await write(page, is_saved=False)
    await page.reload()
    await expect(page.locator("#reply-text")).to_have_value(TEXT)
    await context.unroute("**/tickets/*/drafts")
    await expect(page.locator("#reply-saved")).to_contain_text("Saved")
    assert stored(site) == [TEXT]
    await context.close()


async def test_03_browser_that_is_killed(site: Site, ticket: dict[str, Any], tmp_path: Path) -> None:
    """By the signal that lets nothing end; another start finds the text."""
    async with async_playwright() as playwright:
        path = shutil.which("chromium")
        options: dict[str, Any] = {"executable_path": path, "args": list(browsers.ARGUMENTS)}
        context = await playwright.chromium.launch_persistent_context(str(tmp_path / "profile"), **options)
        await signed_in(context, site)
        page = await opened(context, site, ticket["ref"])
        await write(page)
        for number in _children_of(str(tmp_path / "profile")):
            os.kill(number, signal.SIGKILL)
        again = await playwright.chromium.launch_persistent_context(str(tmp_path / "profile"), **options)
        await signed_in(again, site)
        page = await opened(again, site, ticket["ref"])
        assert TEXT in await text_of(page) or TEXT in await page.inner_text("#reply-form [data-forks]")
        await again.close()


def _children_of(profile: str) -> list[int]:
    """Return the processes of the browser that uses a profile: ours, by their command line."""
    found = []
    for each in Path("/proc").iterdir():
        if each.name.isdigit():
            try:
                command = (each / "cmdline").read_bytes().decode(errors="replace")
            except OSError:
                continue
            if f"--user-data-dir={profile}" in command and "--type=" not in command:
                found.append(int(each.name))
    return found


async def test_04_merge_of_its_ticket(browser: Browser, site: Site, ticket: dict[str, Any]) -> None:
    """It is where the conversation goes on; and what is written on goes there."""
    other = receive(site, "eva@customer.example", subject="Another")
    context = await browser.new_context()
    await signed_in(context, site)
    page = await opened(context, site, ticket["ref"])
    await write(page)
    site.store.write_now(lambda tx: merging.merge(tx, site.context, ticket["ref"], other["ref"], agent="ewa"))
    await write(page, f"{TEXT} More.")
    await page.goto(f"{site.base}/tickets/{other['ref']}")
    await ready(page)
    await expect(page.locator("#reply-form")).to_be_visible()
    shown = await text_of(page) + await page.inner_text("#reply-form [data-forks]")
    assert f"{TEXT} More." in shown
    await context.close()


async def test_05_ticket_that_goes_to_another_team(
    browser: Browser, site: Site, ticket: dict[str, Any]
) -> None:
    """The page may not be theirs any more; the text is."""
    context = await browser.new_context()
    await signed_in(context, site)
    page = await opened(context, site, ticket["ref"])
    await write(page)
    site.store.write_now(lambda tx: assigning.assign(tx, site.context, ticket["ref"], "billing", agent="ewa"))
    await page.fill("#reply-text", f"{TEXT} More.")
    await expect(page.locator("#reply-saved")).to_contain_text("Saved", timeout=8_000)
    await expect(page.locator("#reply-text")).to_have_value(f"{TEXT} More.")
    await page.goto(f"{site.base}/drafts")
    await expect(page.locator("main")).to_contain_text(f"{TEXT} More.")
    await context.close()


async def test_06_session_that_ends_while_one_writes(
    browser: Browser, site: Site, ticket: dict[str, Any]
) -> None:
    """The text stays in the page, says so, and is saved after signing in again in another tab."""
    context = await browser.new_context()
    await signed_in(context, site)
    page = await opened(context, site, ticket["ref"])
    await write(page)
    site.store.write_now(lambda tx: web_sessions.end_all(tx, "ania", by="system"))
    await page.fill("#reply-text", f"{TEXT} More.")
    await expect(page.locator("#reply-saved")).to_contain_text("sign in again")
    await page.locator("#reply-text").press("Control+Enter")
    await expect(page.locator("#reply-form [data-said]")).to_contain_text("your text is kept")
    assert public(site, ticket["ref"]) == ["My printer is on fire."]
    await context.clear_cookies()
    await signed_in(context, site)
    await page.reload()
    await ready(page)
    await expect(page.locator("#reply-text")).to_have_value(f"{TEXT} More.")
    await context.close()


async def test_07_two_tabs(browser: Browser, site: Site, ticket: dict[str, Any]) -> None:
    """Each keeps its own and shows the other's; neither writes over it."""
    context = await browser.new_context()
    await signed_in(context, site)
    one = await opened(context, site, ticket["ref"])
    await write(one, "Of the first tab")
    two = await opened(context, site, ticket["ref"])
    await expect(two.locator(".fork")).to_contain_text("Of the first tab")
    await expect(two.locator("#reply-text")).to_have_value("")
    await write(two, "Of the second tab")
    await write(one, "Of the first tab, longer")
    assert sorted(stored(site)) == ["Of the first tab, longer", "Of the second tab"]
    await two.get_by_role("button", name="Put it below my text").click()
    await expect(two.locator("#reply-text")).to_have_value("Of the second tab\n\nOf the first tab")
    await context.close()


async def test_08_tab_that_is_closed(browser: Browser, site: Site, ticket: dict[str, Any]) -> None:
    """The next one goes on with its text."""
    context = await browser.new_context()
    await signed_in(context, site)
    page = await opened(context, site, ticket["ref"])
    await page.fill("#reply-text", TEXT)
    await page.close(run_before_unload=True)
    again = await opened(context, site, ticket["ref"])
    await expect(again.locator("#reply-text")).to_have_value(TEXT)
    await context.close()


async def test_09_offline_and_back(browser: Browser, site: Site, ticket: dict[str, Any]) -> None:
    """It is kept here, and saved as soon as somebody answers."""
    context = await browser.new_context()
    await signed_in(context, site)
    page = await opened(context, site, ticket["ref"])
    await context.set_offline(True)
    await write(page, is_saved=False)
    await expect(page.locator("#reply-saved")).to_contain_text("Kept in this browser")
    assert stored(site) == []
    await context.set_offline(False)
    await expect(page.locator("#reply-saved")).to_contain_text("Saved")
    assert stored(site) == [TEXT]
    await context.close()


async def test_10_another_browser(browser: Browser, site: Site, ticket: dict[str, Any]) -> None:
    """What was begun at the office is shown at home."""
    office, home = await browser.new_context(), await browser.new_context()
    for each in (office, home):
        await signed_in(each, site)
    await write(await opened(office, site, ticket["ref"]))
    page = await opened(home, site, ticket["ref"])
    await expect(page.locator(".fork")).to_contain_text(TEXT)
    for each in (office, home):
        await each.close()


async def test_11_changes_of_others_and_live_updates(
    browser: Browser, site: Site, ticket: dict[str, Any]
) -> None:
    """Whatever the page takes in, what is written stays, with the cursor in it."""
    context = await browser.new_context()
    await signed_in(context, site)
    page = await opened(context, site, ticket["ref"])
    await write(page)
    for number in range(3):
        receive(site, body=f"More {number}", subject=f"Other {number}")
        site.store.write_now(
            lambda tx: assigning.assign(tx, site.context, ticket["ref"], "ewa", agent="tomek")
        )
        site.store.write_now(
            lambda tx: assigning.assign(tx, site.context, ticket["ref"], "ania", agent="tomek")
        )
    await expect(page.locator("#timeline")).to_contain_text("tomek")
    assert await text_of(page) == TEXT
    assert await page.evaluate("document.activeElement.id") == "reply-text"
    await context.close()


async def test_12_answer_whose_answer_is_never_heard(
    browser: Browser, site: Site, ticket: dict[str, Any]
) -> None:
    """The desk sent it, the browser does not know: sent again it is not sent twice, and what was written since stays."""
    context = await browser.new_context()
    await signed_in(context, site)
    page = await opened(context, site, ticket["ref"])
    await write(page)

    async def lost(route: Any) -> None:
        await route.fetch()
        await route.abort()

    await page.route("**/reply", lost)
    await page.locator("#reply-text").press("Control+Enter")
    await expect(page.locator("#reply-form [data-said]")).to_contain_text("Your text is kept")
    assert public(site, ticket["ref"])[1:] == [TEXT]
    await page.unroute("**/reply")
    await page.locator("#reply-text").press("Control+Enter")
    await expect(page.locator("#reply-text")).to_have_value("")
    assert public(site, ticket["ref"])[1:] == [TEXT]
    await context.close()


async def test_13_thrown_away_by_mistake(browser: Browser, site: Site, ticket: dict[str, Any]) -> None:
    context = await browser.new_context()
    await signed_in(context, site)
    page = await opened(context, site, ticket["ref"])
    await write(page)
    await page.locator("#reply-form [data-discard]").click()
    await expect(page.locator("#reply-text")).to_have_value("")
    await page.get_by_role("button", name="Bring it back").click()
    await expect(page.locator("#reply-text")).to_have_value(TEXT)
    await context.close()
