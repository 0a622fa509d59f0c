"""Sessions that end while something goes on, and the first start of a house."""

import asyncio
import contextlib
import stat
from collections.abc import AsyncIterator, Iterable
from pathlib import Path
from typing import Any

import aiohttp
import msgspec
import pytest
from aiohttp import web

from intake import credentials, first_start, invitations, web_sessions
from intake.web import browsers, streams
from intake.web.access import Who
from intake.web.routes import Route
from tests.conftest import ManualClock
from tests.rows import every_row
from tests.web.site import PASSWORD, Site, open_site

WITHIN_S = 5.0


async def endless(request: web.Request, who: Who) -> web.StreamResponse:
    """Stand in for a stream that would go on for ever."""
    response = web.StreamResponse()
    await response.prepare(request)
    await response.write(b"on\n")
    await asyncio.Event().wait()
    return response


def with_endless(routes: Iterable[Route]) -> list[Route]:
    return [
        msgspec.structs.replace(each, handler=endless) if each.path == "/live" else each for each in routes
    ]


@pytest.fixture
async def site(tmp_path: Path, clock: ManualClock, new_store: bytes) -> AsyncIterator[Site]:
    async with open_site(tmp_path, clock, new_store=new_store, changed=with_endless) as opened:
        opened.guard._look_s = 0.02
        yield opened


def _revoke(site: Site, clock: ManualClock) -> None:
    site.store.write_now(lambda tx: web_sessions.end_all(tx, "ania", by="system"))


def _disable(site: Site, clock: ManualClock) -> None:
    site.store.write_now(lambda tx: credentials.disable(tx, "ania", by="system"))


def _expire(site: Site, clock: ManualClock) -> None:
    clock.advance(hours=13)


def _leave_rules(site: Site, clock: ManualClock) -> None:
    del site.context.rulebook.agents["ania"]


def _leave_team(site: Site, clock: ManualClock) -> None:
    team = site.context.rulebook.teams["support"]
    changed = msgspec.structs.replace(team, levels={**team.levels, "l1": ()})
    site.context.rulebook.teams["support"] = changed


@pytest.mark.parametrize("ending", [_revoke, _disable, _expire, _leave_rules, _leave_team])
async def test_a_stream_ends_with_what_it_was_opened_by(site: Site, clock: ManualClock, ending: Any) -> None:
    """The session, its time, its owner's place in the rules or in a team: none is looked at only once."""
    browser = site.signed_in("ania")
    async with browser._session.get(f"{site.base}/live") as answer:
        assert await answer.content.readline() == b"on\n"
        ending(site, clock)
        with contextlib.suppress(aiohttp.ClientError):  # it breaks off: it had no end of its own
            assert await asyncio.wait_for(answer.content.read(), WITHIN_S) == b""


def _other_role(site: Site, clock: ManualClock) -> None:
    site.store.write_now(lambda tx: credentials.set_role(tx, site.context, "ania", "auditor", by="system"))


def _new_password(site: Site, clock: ManualClock) -> None:
    site.store.write_now(lambda tx: credentials.set_password(tx, "ania", "a hash", by="system"))


@pytest.mark.parametrize("ending", [_revoke, _disable, _other_role, _new_password])
async def test_a_stream_is_cut_the_moment_its_session_ends(
    site: Site, clock: ManualClock, ending: Any
) -> None:
    """Not at its next look, which is hours away here; those of others go on."""
    site.guard._look_s = 10_000
    browser, other = site.signed_in("ania"), site.signed_in("ewa")
    async with (
        browser._session.get(f"{site.base}/live") as answer,
        other._session.get(f"{site.base}/live") as others,
    ):
        assert [await each.content.readline() for each in (answer, others)] == [b"on\n"] * 2
        ending(site, clock)
        with contextlib.suppress(aiohttp.ClientError):
            assert await asyncio.wait_for(answer.content.read(), WITHIN_S) == b""
        assert not others.content.at_eof()
    site.guard._look_s = 0.02
    site.store.write_now(lambda tx: web_sessions.end_all(tx, "ewa", by="system"))


async def test_a_tab_that_is_left_open_keeps_no_session_alive(site: Site, clock: ManualClock) -> None:
    """What it asks for by itself is nobody's click: its stream, what it shows anew, that it is still there."""
    site.add("ania")
    idle, busy = (site.browser(site.session("ania")) for _ in range(2))
    by_itself = {"Sec-Fetch-Mode": "cors", "Sec-Fetch-Site": "same-origin"}
    clicked = {"Sec-Fetch-Mode": "navigate", "Sec-Fetch-Site": "same-origin"}
    for _ in range(3):
        clock.advance(minutes=50)
        await idle.ask("GET", "/account", headers=by_itself)
        await idle.ask("POST", "/tickets/2222222/here", data={"doing": "looking"})
        async with idle._session.get(f"{site.base}/live", headers=by_itself) as answer:
            if answer.status == 200:
                await answer.content.readline()
        await busy.ask("GET", "/account", headers=clicked)
    assert [(await each.ask("GET", "/account"))[0] for each in (idle, busy)] == [401, 200]


async def test_a_stream_goes_on_while_its_session_does(site: Site, clock: ManualClock) -> None:
    browser = site.signed_in("ania")
    async with browser._session.get(f"{site.base}/live") as answer:
        assert await answer.content.readline() == b"on\n"
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(answer.content.read(), 0.2)
    _revoke(site, clock)


# -- the first start --------------------------------------------------------------------------------------------------


async def test_a_new_house_has_one_link_and_no_password(site: Site, tmp_path: Path) -> None:
    """It is for the daemon's user alone, and gone once there is an admin; each start makes another."""
    path = tmp_path / first_start.FILE
    links = []
    for _ in range(2):
        await first_start.tell(site.store, site.keys, folder=tmp_path, house=site.base)
        links.append(path.read_text().strip())
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    browser = site.browser()
    opened = [(await browser.ask("GET", each.removeprefix(site.base)))[0] for each in links]
    assert opened == [404, 200]
    chosen = {"name": "boss", "password": PASSWORD, "again": PASSWORD}
    assert (await browser.ask("POST", links[1].removeprefix(site.base), data=chosen))[0] == 200
    await first_start.tell(site.store, site.keys, folder=tmp_path, house=site.base)
    assert not path.exists()
    assert [each.role for each in site.store.read_now(credentials.everybody)] == ["admin"]


async def test_the_first_link_is_worth_nothing_once_there_is_an_admin(site: Site, tmp_path: Path) -> None:
    """Although nobody has used it."""
    await first_start.tell(site.store, site.keys, folder=tmp_path, house=site.base)
    link = (tmp_path / first_start.FILE).read_text().strip()
    site.add("boss", "admin")
    assert (await site.browser().ask("GET", link.removeprefix(site.base)))[0] == 404


async def test_the_first_link_ends_after_a_day(site: Site, clock: ManualClock, tmp_path: Path) -> None:
    await first_start.tell(site.store, site.keys, folder=tmp_path, house=site.base)
    link = (tmp_path / first_start.FILE).read_text().strip()
    clock.advance(hours=25)
    assert (await site.browser().ask("GET", link.removeprefix(site.base)))[0] == 404


async def test_an_invitation_makes_nobody_an_admin(site: Site) -> None:
    """Whoever adds a name to the form of a link that is for somebody is still that somebody."""
    token = invitations.new_token()
    site.store.write_now(
        lambda tx: invitations.invite(tx, site.context, "ewa", None, token=token, hours=1, by="system")
    )
    data = {"name": "boss", "role": "admin", "password": PASSWORD, "again": PASSWORD}
    assert (await site.browser().ask("POST", invitations.path(token), data=data))[0] == 200
    assert [(each.name, each.role) for each in site.store.read_now(credentials.everybody)] == [
        ("ewa", "agent")
    ]


@every_row(
    ("user_agent", "name"),
    [
        ("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", "Firefox on Linux"),
        (
            "Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/150.0 Safari/537.36 Edg/150.0",
            "Edge on Windows",
        ),
        (
            "Mozilla/5.0 (Linux; Android 16) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/150.0 Mobile Safari/537.36",
            "Chrome on Android",
        ),
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 Version/18.5 Mobile Safari/604.1",
            "Safari on iPhone",
        ),
        ("curl/8.14", "curl/8.14"),
        ("", "unknown"),
    ],
)
def test_a_browser_is_called_by_its_name(user_agent: str, name: str) -> None:
    assert browsers.called(user_agent) == name


async def test_a_stream_that_loses_a_cancellation_ends_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    """As Python 3.11's wait_for loses one that comes when what it waits for is done."""
    monkeypatch.setattr(streams, "AGAIN_S", 0.01)

    async def stubborn() -> None:
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.Event().wait()
        await asyncio.Event().wait()

    stream = asyncio.ensure_future(stubborn())
    await asyncio.sleep(0)
    await streams.end(stream)
    assert stream.cancelled()
