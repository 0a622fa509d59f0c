"""The pages behind the links of notices: a real server on a real store, asked as browsers and mail scanners ask."""

from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import msgspec
import pytest
from aiohttp import web

from intake import acknowledging, assigning, merging, notice_links
from intake.acknowledging import Said
from intake.metrics import Metrics
from intake.web import app, guesses, notice_pages, routes
from tests.domain.test_domain_acknowledge import PAGING
from tests.domain.world import World
from tests.rows import every_row

HOUSE = "https://help.example.com"


class State:
    metrics = Metrics()


class Browser:
    """Asks a running server. paths of links: as the notice has them."""

    def __init__(self, world: World, base: str, session: aiohttp.ClientSession) -> None:
        self.world, self._base, self._session = world, base, session

    async def ask(self, method: str, path: str, **headers: str) -> tuple[int, str]:
        async with self._session.request(method, self._base + path, headers=headers) as answer:
            self.headers = answer.headers
            return answer.status, await answer.text()

    def link(self, purpose: str, to: str = "ewa@desk.example") -> str:
        """The path of a link in the newest notice to an address."""
        text = self.world.sent(to)[-1].text
        return next(word for word in text.split() if f"/n/{purpose}/" in word).removeprefix(HOUSE)


@pytest.fixture
def ticket(world: World) -> dict[str, Any]:
    """A ticket whose second level has just been told."""
    world.context = msgspec.structs.replace(world.context, public_url=HOUSE)
    world.use_rules(PAGING)
    ticket = world.ticket(world.receive(subject="My <b>printer</b>"))
    world.advance(hours=1)
    world.fire_due()
    return ticket


@pytest.fixture
async def browser(world: World, ticket: dict[str, Any]) -> AsyncIterator[Browser]:
    pages = notice_pages.Pages(world.store, lambda: world.context, clock=lambda: 0.0)
    served = app.make_app(State())  # type: ignore[arg-type]
    routes.mount(served, pages.routes(), None)
    runner = web.AppRunner(served)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0][:2]
    async with aiohttp.ClientSession() as session:
        yield Browser(world, f"http://{host}:{port}", session)
    await runner.cleanup()


def acknowledge(world: World, ticket: dict[str, Any], agent: str) -> None:
    said = Said(agent=agent)
    world.store.write_now(lambda tx: acknowledging.acknowledge(tx, world.context, ticket["ref"], said))


@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_opening_a_link_changes_nothing(browser: Browser, ticket: dict[str, Any], method: str) -> None:
    """Mail scanners open every link, some several times."""
    before = browser.world.events(ticket)
    for purpose in notice_links.PURPOSES:
        status, _ = await browser.ask(method, browser.link(purpose), **{"Sec-Purpose": "prefetch"})
        assert status == 200
    assert browser.world.events(ticket) == before


async def test_page_says_what_the_notice_said(browser: Browser, ticket: dict[str, Any]) -> None:
    """The ref, what happened, whom it is for, both buttons; what the customer wrote is text and nothing else."""
    _, text = await browser.ask("GET", browser.link("ack"))
    assert ticket["ref"] in text
    assert "is due at 11:00 UTC" in text
    assert "in an hour" in text
    assert "<strong>ewa</strong>" in text
    assert "My &lt;b&gt;printer&lt;/b&gt;" in text
    assert "on fire" not in text
    assert text.count('<form method="post"') == 2


async def test_button_acknowledges(browser: Browser, ticket: dict[str, Any]) -> None:
    """Nobody else is told ten minutes later, and the event says how it was said."""
    status, text = await browser.ask("POST", browser.link("ack"))
    assert (status, "You look at it." in text) == (200, True)
    (event,) = browser.world.rows("events", "kind = 'acknowledged'")
    assert (event["actor"], '"how":"link"' in event["details"]) == ("agent:ewa", True)
    browser.world.advance(minutes=9)
    browser.world.fire_due()
    assert not browser.world.sent("tomek@desk.example")


async def test_button_takes(browser: Browser, ticket: dict[str, Any]) -> None:
    status, text = await browser.ask("POST", browser.link("take"))
    assert (status, "The ticket is yours." in text) == (200, True)
    assert browser.world.row("tickets", ticket["id"])["agent"] == "ewa"


async def test_either_link_shows_a_button_for_both(browser: Browser, ticket: dict[str, Any]) -> None:
    """The second button of the page acts too, under a signature of its own."""
    _, text = await browser.ask("GET", browser.link("ack"))
    action = next(part.split('"')[0] for part in text.split('action="..') if part.startswith("/take/"))
    status, _ = await browser.ask("POST", f"/n{action}")
    assert status == 200
    assert browser.world.row("tickets", ticket["id"])["agent"] == "ewa"


async def test_pressing_it_twice_is_harmless(browser: Browser, ticket: dict[str, Any]) -> None:
    path = browser.link("ack")
    await browser.ask("POST", path)
    status, text = await browser.ask("POST", path)
    assert (status, "You have looked at it since 10:00 UTC." in text) == (200, True)
    assert browser.world.events(ticket).count("acknowledged") == 1


async def test_who_is_second_reads_who_was_first(browser: Browser, ticket: dict[str, Any]) -> None:
    acknowledge(browser.world, ticket, "ania")
    _, text = await browser.ask("POST", browser.link("ack"))
    assert "ania looks at it since 10:00 UTC." in text


async def test_time_is_that_of_the_agent(world: World, browser: Browser, ticket: dict[str, Any]) -> None:
    """An agent of Warsaw reads an hour later than one without hours, whose ticket counts by UTC."""
    world.use_rules(
        PAGING.replace("ewa: {email: ewa@desk.example}", "ewa: {email: ewa@desk.example, hours: office}")
    )
    _, text = await browser.ask("GET", browser.link("ack"))
    assert "12:00 CET" in text


async def test_late_ticket_says_since_when(browser: Browser) -> None:
    path = browser.link("ack")
    browser.world.advance(hours=3)
    _, text = await browser.ask("GET", path)
    assert '<dt>Late</dt><dd class="late">first answer, due at 11:00 UTC, 2 hours ago</dd>' in text


async def test_done_ticket_says_so(browser: Browser, ticket: dict[str, Any]) -> None:
    """By whom and when; there is no button, and an old page's button does nothing."""
    browser.world.set_status(ticket, "solved", agent="tomek")
    _, shown = await browser.ask("GET", browser.link("ack"))
    assert "was solved by tomek at 10:00 UTC" in shown
    assert "<form" not in shown
    status, text = await browser.ask("POST", browser.link("take"))
    assert (status, "Nothing was changed." in text) == (409, True)


async def test_merged_ticket_says_where_it_went(browser: Browser, ticket: dict[str, Any]) -> None:
    other = browser.world.ticket(browser.world.receive())
    browser.world.store.write_now(
        lambda tx: merging.merge(tx, browser.world.context, ticket["ref"], other["ref"], agent="ania")
    )
    _, text = await browser.ask("GET", browser.link("ack"))
    assert f"part of {other['ref']} by now" in text


async def test_link_ends(browser: Browser) -> None:
    """After seven days it is gone."""
    path = browser.link("ack")
    browser.world.advance(days=7)
    status, text = await browser.ask("POST", path)
    assert (status, "has run out" in text) == (410, True)


async def test_agent_who_left_cannot_use_it(world: World, browser: Browser, ticket: dict[str, Any]) -> None:
    path = browser.link("ack")
    agents = dict(world.context.rulebook.agents)
    del agents["ewa"]
    book = msgspec.structs.replace(world.context.rulebook, agents=agents)
    world.context = msgspec.structs.replace(world.context, rulebook=book)
    status, text = await browser.ask("POST", path)
    assert (status, "not in the rules any more" in text) == (410, True)


async def test_wrong_link_is_refused_in_one_sentence(browser: Browser, ticket: dict[str, Any]) -> None:
    path = browser.link("ack")
    for wrong in (path[:-1], path.replace("/ack/", "/take/"), "/n/ack/x"):
        status, text = await browser.ask("POST", wrong)
        assert (status, "not one of ours" in text) == (404, True)
    assert "acknowledged" not in browser.world.events(ticket)


async def test_guessing_is_slow(browser: Browser) -> None:
    """After thirty wrong links within a minute nothing is looked at; behind a proxy each client is counted apart."""
    for _ in range(guesses.WRONG_PER_MINUTE):
        await browser.ask("GET", "/n/ack/x", **{"X-Forwarded-For": "203.0.113.9"})
    status, _ = await browser.ask("GET", browser.link("ack"), **{"X-Forwarded-For": "203.0.113.9"})
    assert (status, browser.headers["Retry-After"]) == (429, "60")
    status, _ = await browser.ask("GET", browser.link("ack"), **{"X-Forwarded-For": "203.0.113.10"})
    assert status == 200


async def test_page_is_for_nobody_else(browser: Browser) -> None:
    """It is not kept, not indexed, not framed, names no referrer, runs nothing."""
    await browser.ask("GET", browser.link("ack"))
    headers = browser.headers
    assert headers["Cache-Control"] == "no-store"
    assert headers["Referrer-Policy"] == "no-referrer"
    policy = headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert "script" not in policy
    assert "Set-Cookie" not in headers


async def test_page_needs_no_script_and_nothing_from_elsewhere(browser: Browser) -> None:
    _, text = await browser.ask("GET", browser.link("ack"))
    assert "<script" not in text
    assert "style=" not in text
    assert "http" not in text
    assert (await browser.ask("GET", "/n/style/notice.css"))[0] == 200


async def test_full_agent_is_told_why(world: World, browser: Browser, ticket: dict[str, Any]) -> None:
    """What the desk refuses is one sentence on the page, and nothing is changed."""
    link = browser.link("take")
    world.use_rules(
        PAGING.replace("lead: [tomek]}}", "lead: [tomek]}, assign: {by: least_loaded, capacity: {email: 1}}}")
    )
    other = world.ticket(world.receive("eva@customer.example"))
    world.store.write_now(lambda tx: assigning.assign(tx, world.context, other["ref"], "ewa", agent="ania"))
    status, text = await browser.ask("POST", link)
    assert (status, "Nothing was changed." in text) == (409, True)
    assert "acknowledged" not in world.events(ticket)


def test_bare_address_gets_no_link(world: World) -> None:
    """Whoever reads there is nobody whom the rules know."""
    world.context = msgspec.structs.replace(world.context, public_url=HOUSE)
    world.use_rules(PAGING.replace("notify: l2, ack", "notify: boss@else.example, ack"))
    world.receive()
    world.advance(hours=1)
    world.fire_due()
    (mail,) = world.sent("boss@else.example")
    assert "/n/ack/" not in mail.text


def test_without_a_public_address_there_are_no_links(world: World) -> None:
    world.use_rules(PAGING)
    world.receive()
    world.advance(hours=1)
    world.fire_due()
    assert "/n/ack/" not in world.sent("ewa@desk.example")[-1].text


@every_row(
    ("remote", "forwarded", "client"),
    [
        ("93.184.215.14", "198.51.100.1", "93.184.215.14"),
        ("127.0.0.1", "198.51.100.1, 198.51.100.2", "198.51.100.2"),
        ("10.0.0.2", "198.51.100.1", "10.0.0.2"),
        ("10.1.0.2", "2001:db8:1:2:3::9", "2001:db8:1:2::/64"),
        ("10.1.0.2", "198.51.100.1, 198.51.100.2, 10.1.0.3", "198.51.100.2"),
        ("127.0.0.1", "nonsense", "127.0.0.1"),
        ("::ffff:93.184.215.14", None, "93.184.215.14"),
        (None, None, ""),
    ],
)
def test_who_asks(remote: str | None, forwarded: str | None, client: str) -> None:
    """Only this machine's proxy is believed, and those that are named."""
    assert guesses.client_of(remote, forwarded, guesses.networks("10.1.0.0/16")) == client


def test_guesses_are_forgotten(world: World) -> None:
    """A minute later one may try again; and only so many clients are remembered."""
    now = [0.0]
    counted = guesses.Guesses(lambda: now[0], most=1)
    counted.note("a")
    assert counted.are_enough("a")
    now[0] = 60.0
    assert not counted.are_enough("a")
    for number in range(guesses.CLIENTS_MAX + 1):
        counted.note(str(number))
    assert not counted.are_enough("0")
