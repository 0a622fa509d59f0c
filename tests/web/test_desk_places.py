"""Who is where on the desk: for as long as their stream is open, in lists and on tickets, whichever daemon serves the page."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import ExitStack, closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, Route, expect

from intake.store import opening
from intake.web.access import Subject, Who
from intake.web.desk import streaming
from intake.web.desk.live import Live
from intake.web.desk.places import Places
from tests.conftest import ManualClock
from tests.web.acting_site import RULES, page, post, receive
from tests.web.desk_pages import opened
from tests.web.site import Site, open_site

ANIA = Who(kind="agent", name="ania", teams=frozenset({"support"}))
ZOE = Who(kind="agent", name="zoe", teams=frozenset({"billing"}))
OURS = Subject(team="support", ref="AAAAAA1")
_BEAT = """() => new Promise((done) => {
  const stream = new EventSource("/live");
  stream.addEventListener("beat", () => { stream.close(); done(); });
})"""


@pytest.fixture
def places(tmp_path: Path, clock: ManualClock, new_store: bytes) -> Any:
    (tmp_path / "intake.db").write_bytes(new_store)
    with ExitStack() as stack:
        store = stack.enter_context(closing(opening.open_store("", tmp_path, clock=clock)))
        found = Places(store, Live(store))
        stack.callback(found.close)
        yield found


@pytest.fixture
async def site(tmp_path: Path, clock: ManualClock, new_store: bytes) -> AsyncIterator[Site]:
    async with open_site(tmp_path, clock, rules=RULES, new_store=new_store) as opened_site:
        for name in ("ania", "ewa"):
            opened_site.add(name)
        yield opened_site


async def test_it_holds_while_the_stream_is_open_and_half_a_minute_more(
    places: Places, clock: ManualClock
) -> None:
    with places.stream() as stream:
        await places.say("AAAAAA1", "ewa", "looking", page="p", stream=stream, subject=OURS)
        for _ in range(100):
            clock.at += timedelta(seconds=20)
            await places.look()
        assert places.others("AAAAAA1", "ania") == [{"agent": "ewa", "doing": "looking"}]
    clock.at += timedelta(seconds=29)
    await places.look()
    assert places.others("AAAAAA1", "ania") != []
    clock.at += timedelta(seconds=2)
    await places.look()
    assert places.others("AAAAAA1", "ania") == []


async def test_a_stream_that_is_not_open_keeps_nothing(places: Places, clock: ManualClock) -> None:
    """Whoever makes up a name is there for half a minute, as without one."""
    await places.say("AAAAAA1", "ewa", "looking", page="p", stream="made up", subject=OURS)
    clock.at += timedelta(seconds=31)
    await places.look()
    assert places.others("AAAAAA1", "ania") == []


async def test_of_two_pages_of_somebody_what_matters_most_is_told(places: Places) -> None:
    """Closing one of them does not make them go."""
    await places.say("AAAAAA1", "ewa", "replying", page="one", stream="", subject=OURS)
    await places.say("AAAAAA1", "ewa", "looking", page="two", stream="", subject=OURS)
    assert places.others("AAAAAA1", "ania") == [{"agent": "ewa", "doing": "replying"}]
    await places.end("AAAAAA1", "ewa", page="one", subject=OURS)
    assert places.others("AAAAAA1", "ania") == [{"agent": "ewa", "doing": "looking"}]


async def test_each_change_is_told_once_to_those_who_see_the_ticket(places: Places) -> None:
    live = places._live
    with live.listening(ANIA, after="") as ania, live.listening(ZOE, after="") as zoe:
        for doing in ("looking", "looking", "noting"):
            await places.say("AAAAAA1", "ewa", doing, page="p", stream="", subject=OURS)
        await places.end("AAAAAA1", "ewa", page="p", subject=OURS)
        assert re.findall(rb'"doing":"(\w+)"', await ania.next(1.0)) == [b"looking", b"noting", b"gone"]
        assert zoe._waiting == type(zoe._waiting)()


async def test_nobody_ends_anothers_page(places: Places) -> None:
    await places.say("AAAAAA1", "ewa", "looking", page="p", stream="", subject=OURS)
    await places.end("AAAAAA1", "ania", page="p", subject=OURS)
    assert places.others("AAAAAA1", "ania") != []


async def test_the_list_says_who_is_there(site: Site) -> None:
    """Also to a browser without scripts; nobody is told of themselves."""
    ewa, ania, ref = site.signed_in("ewa"), site.signed_in("ania"), receive(site)["ref"]
    await post(ewa, f"/tickets/{ref}/here", doing="replying", page="p")
    told = (
        f'data-people="{ref}"><span data-agent="ewa" data-key="ewa" data-doing="replying">ewa answers</span>'
    )
    assert told in (await page(ania, "/?view=all"))[1]
    assert f'data-people="{ref}"></span>' in (await page(ewa, "/?view=all"))[1]
    await post(ewa, f"/tickets/{ref}/here", doing="gone", page="p")
    assert f'data-people="{ref}"></span>' in (await page(ania, "/?view=all"))[1]


@pytest.mark.slow
@pytest.mark.timeout(120)
async def test_an_idle_page_asks_nothing_beside_its_stream(
    tmp_path: Path, browser: Browser, new_store: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Three minutes of a ticket that nothing happens to: at most one request in each."""
    monkeypatch.setattr(streaming, "BEAT_S", 0.05)
    async with opened(tmp_path, browser, new_store) as desk:
        tab = await desk.tab()
        await tab.page.clock.install()
        await tab.go(f"/tickets/{desk.shown.main}")
        asked: list[str] = []

        def count(url: str) -> None:
            if "/live" not in url:
                asked.append(url)

        await tab.page.clock.run_for(5_000)
        await tab.page.evaluate(_BEAT)
        tab.page.on("request", lambda request: count(request.url))
        for _ in range(18):
            await tab.page.clock.run_for(10_000)
            await tab.page.evaluate(_BEAT)
        assert len(asked) <= 3, asked


@pytest.mark.slow
@pytest.mark.timeout(120)
async def test_list_and_ticket_show_who_is_there_as_it_changes(
    tmp_path: Path, browser: Browser, new_store: bytes
) -> None:
    """In the row at once, without a request; gone with the page; and a page that comes back is there again."""
    async with opened(tmp_path, browser, new_store) as desk:
        desk.site.add("tomek")
        ref, tab = desk.shown.main, await desk.tab()
        await tab.go("/?view=all")
        other = await browser.new_context(base_url=desk.site.base)
        token = desk.site.session("tomek")
        await other.add_cookies([{"name": desk.site.guard.cookie, "value": token, "url": desk.site.base}])
        theirs = await other.new_page()
        await theirs.goto(f"/tickets/{ref}")
        row = tab.page.locator(f'[data-people="{ref}"]')
        await expect(row).to_have_text("tomek looks")
        await theirs.locator("#reply-text").press_sequentially("Dear")
        await expect(row).to_have_text("tomek answers")
        await tab.page.screenshot(path=tmp_path / "list.png")
        assert await tab.faults() == []
        await theirs.goto("/presence")
        await expect(row).to_have_text("")
        await theirs.go_back()
        await expect(row).to_have_text(re.compile("tomek (looks|answers)"))
        await other.close()
        tab.check()


@pytest.mark.slow
@pytest.mark.timeout(120)
async def test_who_comes_while_an_answer_is_on_its_way_is_shown(
    tmp_path: Path, browser: Browser, new_store: bytes
) -> None:
    """The answer to a page's own word is older than what the stream has told meanwhile."""
    async with opened(tmp_path, browser, new_store) as desk:
        desk.site.add("tomek")
        ref, tab, has_come = desk.shown.main, await desk.tab(), asyncio.Event()
        is_asked = asyncio.Event()

        async def late(route: Route) -> None:
            answer = await route.fetch()
            is_asked.set()
            await has_come.wait()
            await route.fulfill(response=answer)

        await tab.page.route("**/here", late)
        await tab.go(f"/tickets/{ref}")
        await is_asked.wait()
        tomek, here = desk.site.browser(desk.site.session("tomek")), tab.page.locator("#here")
        await tomek.ask("POST", f"/tickets/{ref}/here", data={"doing": "replying", "page": "1"})
        await expect(here).to_contain_text("tomek")
        async with tab.page.expect_response("**/here"):
            has_come.set()
        await tab.page.evaluate("new Promise(requestAnimationFrame)")
        await expect(here).to_contain_text("tomek")
