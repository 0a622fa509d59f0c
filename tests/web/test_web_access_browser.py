"""Signing in, one's account and who may sign in, in a real browser: by keys alone, without JavaScript, at every width."""

import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pyotp
import pytest
from playwright.async_api import Browser, Page

from intake import invitations, web_sessions
from tests.web import browser as browsers
from tests.web import screens
from tests.web.browser import Seen
from tests.web.desk_pages import WIDTHS, Ticking
from tests.web.site import PASSWORD, Site, open_site

_TOO_WIDE = """() => [...document.querySelectorAll("body *")]
  .filter(each => each.getBoundingClientRect().right > innerWidth && !each.closest(".scroll, pre"))
  .map(each => `${each.localName}.${each.className}`).slice(0, 8)"""

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]


@pytest.fixture
async def site(tmp_path: Path, new_store: bytes) -> AsyncIterator[Site]:
    clock = Ticking(datetime(2026, 11, 10, 9, 0, tzinfo=UTC))
    async with open_site(tmp_path, clock, new_store=new_store) as opened:
        yield opened


def first_link(site: Site) -> str:
    """The link that the first start prints."""
    token = invitations.new_token()
    site.store.write_now(
        lambda tx: invitations.make(
            tx, site.keys, token=token, name=invitations.FIRST, role="admin", hours=1, by="system"
        )
    )
    return f"{site.base}{invitations.path(token)}"


async def typed(page: Page, *texts: str) -> None:
    """Fill in fields one after the other, and press Enter in the last."""
    for number, text in enumerate(texts):
        if number:
            await page.keyboard.press("Tab")
        await page.keyboard.type(text)
    await page.keyboard.press("Enter")


async def judged(page: Page, name: str) -> None:
    """See that a page has no fault at any width, and keep a picture of each."""
    for width, (wide, high) in WIDTHS.items():
        await page.set_viewport_size({"width": wide, "height": high})
        assert await screens.violations(page) == [], f"{name} at {width}"
        overflow = await page.evaluate(
            "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        )
        assert overflow <= 0, f"{name} is {overflow} px too wide at {width}: {await page.evaluate(_TOO_WIDE)}"
        await page.screenshot(
            path=screens.FOLDER / f"access-{name}-{width}.png", animations="disabled", full_page=True
        )


def clean(seen: Seen, site: Site) -> None:
    """See that nothing was forbidden, broke, or was asked of others."""
    refusals = ("403", "422")  # which a browser tells the console as well
    assert [each for each in seen.errors if not any(code in each for code in refusals)] == []
    assert seen.violations == []
    assert seen.outside(site.base) == []


async def test_from_the_first_link_to_the_first_invitation(site: Site, browser: Browser) -> None:
    """By the keyboard: choose a password, sign in, set up the second factor, invite somebody, sign out."""
    page, seen = await browsers.watched(await browser.new_context(color_scheme="light"))
    await page.goto(first_link(site))
    await judged(page, "welcome")
    await page.focus("#name")
    await typed(page, "boss", "passwordpassword", "passwordpassword")
    await page.wait_for_selector("[role=alert]")
    await judged(page, "welcome-refused")
    await page.focus("#password")
    await typed(page, PASSWORD, PASSWORD)
    await page.wait_for_selector("[role=status]")
    assert await page.evaluate("document.activeElement.id") == "password"
    await typed(page, "not the password")
    await page.wait_for_selector("[role=alert]")
    await judged(page, "sign-in-refused")
    await page.focus("#password")
    told = len(seen.errors)
    await typed(page, PASSWORD)
    await page.wait_for_url("**/account")
    await judged(page, "account-enrolment")
    assert await page.get_by_role("navigation").count() == 0  # there is nowhere else to go yet
    assert seen.errors[told:] == []
    await page.focus("#factor-current")
    await typed(page, PASSWORD)
    await page.wait_for_selector(".square svg")
    await judged(page, "account-square")
    app = pyotp.TOTP((await page.inner_text("code")).replace(" ", ""))
    await page.focus("#code")
    await typed(page, app.at(int(site.store.clock().timestamp())))
    await page.wait_for_selector("#codes-title")
    await judged(page, "account-codes")
    await page.goto(f"{site.base}/agents")
    await judged(page, "agents")
    await page.focus("#name")
    await typed(page, "eye")
    await page.wait_for_selector("[role=alert]")  # the rules name nobody of that name, and the role is agent
    await page.focus("#name")
    await page.keyboard.type("eye")
    await page.keyboard.press("Tab")
    await page.keyboard.type("auditor")
    await page.keyboard.press("Tab")
    await page.keyboard.press("Enter")
    await page.wait_for_selector("#link-title")
    await judged(page, "agents-link")
    await page.goto(f"{site.base}/account")
    await page.click("text=Sign out")
    await page.wait_for_url("**/sign-in")
    await judged(page, "sign-in")
    await page.goto(f"{site.base}/agents")
    assert page.url.endswith("/sign-in?next=%2Fagents")
    clean(seen, site)


async def test_without_javascript_and_in_the_dark_all_of_it_works(site: Site, browser: Browser) -> None:
    """Pages and forms are whole without scripts."""
    site.add("ania")
    context = await browser.new_context(java_script_enabled=False, color_scheme="dark")
    page = await context.new_page()
    await page.goto(f"{site.base}/account")
    await page.fill("#name", "ania")
    await page.fill("#password", PASSWORD)
    await page.screenshot(path=screens.FOLDER / "access-sign-in-dark.png")
    await page.press("#password", "Enter")
    assert page.url == f"{site.base}/account"
    await page.fill("#factor-current", PASSWORD)
    await page.press("#factor-current", "Enter")
    typed_secret = re.sub(r"\s", "", await page.inner_text("code"))
    await page.fill("#code", pyotp.TOTP(typed_secret).at(int(site.store.clock().timestamp())))
    await page.press("#code", "Enter")
    codes = (await page.inner_text("pre")).split()
    await page.screenshot(path=screens.FOLDER / "access-codes-dark.png", full_page=True)
    assert len(codes) == 10
    await page.click("text=Sign out")
    await page.fill("#name", "ania")
    await page.fill("#password", PASSWORD)
    await page.press("#password", "Enter")
    await page.wait_for_selector("#code")  # a page that is on its way cannot be taken a picture of
    await page.screenshot(path=screens.FOLDER / "access-code-dark.png")
    await page.fill("#code", codes[0])
    await page.press("#code", "Enter")
    assert page.url == f"{site.base}/"


async def test_a_cookie_stays_at_home_when_another_site_posts_or_frames(site: Site, browser: Browser) -> None:
    """A page of another site: its form is not taken, its frame stays empty, and its link finds who is signed in."""
    site.add("ania")
    token = site.session("ania")
    context = await browser.new_context()
    cookie = {
        "name": site.guard.cookie, "value": token, "url": site.base, "sameSite": "Strict", "httpOnly": True,
    }  # fmt: skip
    await context.add_cookies([cookie])  # type: ignore[list-item]
    page = await context.new_page()
    evil = f"""<form method="post" action="{site.base}/account/sessions/end-others"><button>win</button></form>
      <a href="{site.base}/account">look</a><iframe src="{site.base}/sign-in"></iframe>"""
    await context.route(
        "http://evil.localhost/**", lambda route: route.fulfill(body=evil, content_type="text/html")
    )
    await page.goto("http://evil.localhost/")
    frame = page.frames[1]
    assert "Sign in" not in await frame.content()
    await page.click("button")
    await page.wait_for_url(f"{site.base}/**")
    assert "not sent from a page of yours" in await page.content()
    await page.goto("http://evil.localhost/")
    await page.click("a")
    await page.wait_for_selector("text=Your account")


async def test_an_open_page_says_that_its_session_is_over(site: Site, browser: Browser) -> None:
    """Without a click, and without anything that happens: its stream is cut at once, and the page asks why."""
    context = await browser.new_context()
    site.add("ania")
    cookie = {"name": site.guard.cookie, "value": site.session("ania"), "url": site.base}
    await context.add_cookies([cookie])  # type: ignore[list-item]
    page = await context.new_page()
    await page.goto(site.base)
    await page.wait_for_selector("#connection[data-state=live]")
    site.store.write_now(lambda tx: web_sessions.end_all(tx, "ania", by="system"))
    await page.wait_for_selector("#banner:has-text('You are signed out.')")
    assert await page.get_attribute("#banner a", "href") == "/sign-in?next=%2F"
