"""What tests of the desk's pages share: a desk with work on it, a browser of its agent, and what a page shows as plain values."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from playwright.async_api import Browser, Page

from tests.web import browser as browsers
from tests.web import screens
from tests.web.browser import Seen
from tests.web.shown import RULES, Shown
from tests.web.site import Site, open_site

WIDTHS = {"phone": (360, 740), "tablet": (768, 1000), "desk": (1280, 800)}
# What the daemon says, without what modules write for themselves and without the seconds that have gone by.
_SHOWN = """() => {
  const own = ["open", "tabindex", "hidden", "aria-selected", "aria-expanded", "aria-keyshortcuts", "data-look"];
  const plain = (node) => {
    if (node.nodeType === 3) return node.nodeValue.replace(/\\s+/g, " ").trim();
    if (node.nodeType !== 1 || node.hasAttribute("data-keep") || node.hasAttribute("data-own")) return "";
    if (node.matches(".left")) return "…";
    const kept = [...node.attributes].filter((each) => !own.includes(each.name) && !each.name.startsWith("data-own")
      && !(each.name === "title" && node.hasAttribute("data-command")));
    const said = kept.map((each) => `${each.name}=${each.value}`).sort().join(" ");
    return `<${node.localName} ${said}>${[...node.childNodes].map(plain).filter(Boolean).join("|")}</>`;
  };
  return [...document.querySelectorAll("[data-region]")].map(plain);
}"""


class Ticking:
    """A clock that goes on by itself, and can be moved."""

    def __init__(self, at: datetime) -> None:
        self._ahead = at - datetime.now(UTC)

    def __call__(self) -> datetime:
        return self.at

    @property
    def at(self) -> datetime:
        return datetime.now(UTC) + self._ahead

    @at.setter
    def at(self, moved: datetime) -> None:
        self._ahead = moved - datetime.now(UTC)


class Tab:
    """A tab of an agent. seen: what it told, asked and was forbidden."""

    def __init__(self, page: Page, seen: Seen, base: str) -> None:
        self.page, self.seen, self.base = page, seen, base

    async def go(self, path: str) -> "Tab":
        """Open a page, and wait until it is live."""
        await self.page.goto(self.base + path)
        await self.page.wait_for_function(
            "() => document.querySelector('#connection')?.dataset.state === 'live'"
        )
        return self

    async def press(self, *keys: str) -> None:
        for each in keys:
            await self.page.keyboard.press(each)

    async def at(self, path: str) -> None:
        """Wait until the address is this."""
        await self.page.wait_for_function("(path) => location.pathname + location.search === path", arg=path)

    async def shown(self) -> list[str]:
        """What its regions show."""
        found: list[str] = await self.page.evaluate(_SHOWN)
        return found

    async def faults(self) -> list[str]:
        """What axe finds wrong with it."""
        return await screens.violations(self.page)

    def check(self) -> None:
        """See that nothing broke, nothing was forbidden and nobody else was asked."""
        assert self.seen.errors == []
        assert self.seen.violations == []
        assert self.seen.outside(self.base) == []


class Opened:
    """A desk with work on it, and a browser to open tabs in."""

    def __init__(self, site: Site, shown: Shown, browser: Browser) -> None:
        self.site, self.shown, self._browser = site, shown, browser
        site.add("ania")
        self._token = site.session("ania")

    async def tab(self, width: str = "desk", **options: Any) -> Tab:
        """Open a tab of a browser of its own."""
        wide, high = WIDTHS[width]
        context = await self._browser.new_context(viewport={"width": wide, "height": high}, **options)
        cookie = {"name": self.site.guard.cookie, "value": self._token, "url": self.site.base}
        await context.add_cookies([cookie])  # type: ignore[list-item]
        page, seen = await browsers.watched(context)
        return Tab(page, seen, self.site.base)

    async def do(self, what: Any) -> Any:
        """Do something at the desk, as somebody else would."""
        return await asyncio.to_thread(what)


@asynccontextmanager
async def opened(folder: Path, browser: Browser, new_store: bytes | None = None) -> AsyncIterator[Opened]:
    """Open a desk with a day's work on it."""
    clock = Ticking(datetime(2026, 11, 21, 9, 12, tzinfo=UTC))
    async with open_site(folder, clock, rules=RULES, new_store=new_store) as site:
        shown = await asyncio.to_thread(Shown(site, clock).fill)
        yield Opened(site, shown, browser)
