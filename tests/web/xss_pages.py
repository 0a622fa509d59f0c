"""Opens the desk's pages on what was fed, and sees whether anything ran, was asked for outside, or became markup."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
from playwright.async_api import Browser, BrowserContext, Dialog, Error, Page, Route

from tests.domain.world import World
from tests.web import browser as browsers
from tests.web.browser import Seen
from tests.web.desk_pages import Ticking
from tests.web.site import Site, open_site
from tests.web.xss_feed import KINDS, RULES, Feed, query
from tests.web.xss_payloads import OUTSIDE

NAME_SHOWN = 100  # letters of a name that every channel keeps
# Whatever stands in the page now that nobody of ours writes: handlers, scripts and frames, addresses of others, styles.
_STRANGE = """() => {
  const found = [];
  const own = location.origin + "/";
  for (const each of document.querySelectorAll("*")) {
    const name = each.localName;
    const said = each.outerHTML.slice(0, 160);
    if (["iframe", "object", "embed", "base", "frame", "applet", "portal", "template", "style", "marquee", "math", "foreignobject"].includes(name)) found.push(said);
    if (name === "script" && !(each.src.startsWith(own + "desk/assets/"))) found.push(said);
    if (name === "meta" && each.httpEquiv) found.push(said);
    for (const { name: attribute, value } of each.attributes) {
      if (attribute.startsWith("on") || attribute === "style" || attribute === "srcdoc" || attribute === "srcset") found.push(said);
      if (["src", "data", "action", "formaction", "poster", "background", "href", "xlink:href"].includes(attribute)) {
        const isLink = name === "a" && /^https?:\\/\\//i.test(value);
        const leads = new URL(value, location.href);
        if (!isLink && leads.origin !== location.origin) found.push(said);
        if (isLink && each.rel.split(" ").includes("noopener") === false && leads.origin !== location.origin) found.push(said);
      }
    }
  }
  return found;
}"""
_TEXT = "() => document.body.innerText + [...document.querySelectorAll('[title],input,textarea')].map((each) => each.title + each.value).join(' ')"
_REGIONS = "async () => { const { hurry, isFresh } = await import(document.querySelector('script[type=module]').src.replace(/[^/]+$/, 'regions.js')); hurry(); return isFresh(); }"


class Escaped(msgspec.Struct):
    """What got out. ran: numbers of texts that ran."""

    ran: list[Any] = []
    dialogues: list[str] = []
    strange: list[str] = []
    places: list[str] = []
    missing: list[str] = []
    shown: int = 0

    def is_clean(self) -> bool:
        return not (self.ran or self.dialogues or self.strange or self.places)


class Looking:
    """One browser of an agent who looks at everything. refused: pages that were not there."""

    def __init__(self, context: BrowserContext, page: Page, seen: Seen, base: str) -> None:
        self.context, self.page, self.seen, self.base = context, page, seen, base
        self.escaped, self.refused = Escaped(), list[str]()

    async def begin(self) -> "Looking":
        """Listen for what a text does when it runs."""
        await self.page.expose_function("xssRan", lambda *told: self.escaped.ran.append(told))
        self.page.on("dialog", self._dialogue)
        self.context.on("page", lambda page: self.escaped.places.append(page.url))
        self.page.on("framenavigated", lambda frame: self._went(frame.url))
        return self

    async def look(self, path: str, *, texts: Sequence[str] = (), is_morphed: bool = False) -> None:
        """Open a page; see what stands in it, again after its regions were fetched anew, and how many of the texts it shows."""
        answer = await self.page.goto(self.base + path)
        if answer is None or answer.status != 200:
            self.refused.append(f"{path}: {answer.status if answer is not None else 'nothing'}")
            return
        await self._judge(path)
        if is_morphed:
            await self.page.evaluate(_REGIONS)
            await asyncio.sleep(0)
            await self.page.wait_for_load_state("networkidle")
            await self._judge(path)
        if texts:
            shown = _letters(await self.page.evaluate(_TEXT))
            missing = [each for each in texts if _letters(each)[:NAME_SHOWN] not in shown]
            self.escaped.shown += len(texts) - len(missing)
            self.escaped.missing += missing

    async def _judge(self, path: str) -> None:
        try:
            found = await self.page.evaluate(_STRANGE)
        except Error as error:  # a text has led the page elsewhere
            found = [f"the page went away: {error.message[:100]}"]
        self.escaped.strange += [f"{path}: {each}" for each in found]

    def problems(self) -> list[Any]:
        """Return everything that a page may never do."""
        outside = self.seen.outside(self.base)
        escaped = self.escaped
        return [
            *escaped.ran,
            *escaped.dialogues,
            *escaped.strange,
            *escaped.places,
            *outside,
            *self.seen.violations,
        ]

    async def _dialogue(self, dialog: Dialog) -> None:
        self.escaped.dialogues.append(dialog.message)
        await dialog.dismiss()

    def _went(self, url: str) -> None:
        if not url.startswith(self.base) and url != "about:blank":
            self.escaped.places.append(url)


@asynccontextmanager
async def looking(browser: Browser, site: Site, name: str = "root") -> AsyncIterator[Looking]:
    """Open a browser for somebody who may see everything."""
    site.add(name, "admin")
    context = await browser.new_context(viewport={"width": 1280, "height": 900}, accept_downloads=True)
    cookie: Any = {"name": site.guard.cookie, "value": site.session(name), "url": site.base}
    await context.add_cookies([cookie])
    page, seen = await browsers.watched(context)
    try:
        yield await Looking(context, page, seen, site.base).begin()
    finally:
        await context.close()


@asynccontextmanager
async def fed_desk(folder: Path, new_store: bytes | None = None) -> AsyncIterator[tuple[Site, Feed]]:
    clock = Ticking(datetime(2026, 11, 21, 9, 12, tzinfo=UTC))
    async with open_site(folder, clock, rules=RULES, new_store=new_store) as site:
        world = World(site.store, site.wired.settings.folder, clock, rules=RULES)
        feed = Feed(world)
        site.context = world.context
        yield site, feed


async def sweep(found: Looking, feed: Feed, texts: Sequence[str], *, kinds: Sequence[str] = KINDS) -> int:
    """Feed the texts by every channel, about a hundred a page, and open what shows them; how many pages were opened."""
    pages = 0
    for kind in kinds:
        batches = await asyncio.to_thread(lambda kind=kind: list(feed.batches(kind, texts)))  # type: ignore[misc]
        for number, batch in enumerate(batches):
            await found.look(f"/tickets/{batch.ref}", texts=batch.shown, is_morphed=number % 5 == 0)
            pages += 1
            if number % 5 == 0:
                await found.look(f"/tickets/{batch.ref}/why")
                await found.look("/?view=all")
                await found.look(f"/search?{query(batch.texts[0])}")
                pages += 3
    return pages


async def sweep_desk(found: Looking, feed: Feed, texts: Sequence[str]) -> None:
    """Have agents and providers say the texts, and open what shows those."""
    for start in range(0, len(texts), 100):
        batch = texts[start : start + 100]
        (fed,) = await asyncio.to_thread(lambda: list(feed.batches("sms", ["hello"])))
        await asyncio.to_thread(feed.by_agents, fed.ref, batch)
        await found.look(f"/tickets/{fed.ref}", is_morphed=start == 0)
    await asyncio.to_thread(feed.operations, texts[:100])
    for path in ("/operations", "/rules", "/", "/drafts", "/presence", "/agents", "/account", "/new"):
        await found.look(path, is_morphed=path in ("/operations", "/rules"))
    for text in texts[:20]:
        await found.look(f"/search?{query(text)}")
        await found.look(f"/?view=all&{query(text).replace('q=', 'tag=')}")


def _letters(text: str) -> str:
    """Return what is left of a text whatever brackets, spaces and separators of folders a page leaves away or replaces."""
    return "".join(each for each in text if each.isalnum())


@asynccontextmanager
async def bare_page(browser: Browser) -> AsyncIterator[tuple[Callable[[str], Awaitable[None]], list[Any]]]:
    """What shows markup without any policy, and what it did."""
    context = await browser.new_context()
    ran, shown = list[Any](), [""]

    async def dismiss(dialog: Dialog) -> None:
        ran.append(dialog.message)
        with contextlib.suppress(Error):  # the page may be on another already
            await dialog.dismiss()

    async def answer(route: Route) -> None:
        if OUTSIDE in route.request.url:
            ran.append(route.request.url)
            await route.abort()
        else:
            await route.fulfill(body=shown[0], content_type="text/html; charset=utf-8")

    async def show(markup: str) -> None:
        shown[0], before = markup, len(ran)
        page = await context.new_page()  # of its own: the last text may have led its page elsewhere
        page.on("dialog", dismiss)
        with contextlib.suppress(Error):
            await page.goto("http://bare.localhost/", wait_until="commit")
            for _ in range(25):  # what moves, plays or takes the focus does so after the page is there
                if len(ran) > before:
                    break
                await page.wait_for_timeout(10)
        for each in context.pages:
            await each.close()

    await context.expose_function("xssRan", lambda *told: ran.append(told))
    await context.route("**/*", answer)
    try:
        yield show, ran
    finally:
        await context.close()
