"""Each verb of a WebSocket, said by everybody who has some other proof than the chat's own token: none is heard.

The askers are those of the routes' matrix, the verbs those of the protocol: a new one of either has its row by itself.
"""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, get_args

import aiohttp
import msgspec
import pytest
from yarl import URL

from channels.webchat import protocol
from tests.conftest import ManualClock
from tests.web.chat_daemon import Visitor
from tests.web.site import Site, open_site
from tests.web.test_chat_verbs import ID, SECRETS, VERBS, all_said
from tests.web.test_web_access_matrix import CHANNELS, OUT, PEOPLE, browser_of
from tests.web.test_web_kept_out import rows_of

SHOP = "https://shop.example.com"
# Whose socket a session opens: its cookie is of no use to a chat, whatever its owner may do at the desk.
ASKERS = (*PEOPLE, *OUT)
NO_TOKEN = 1008


@pytest.fixture
async def site(tmp_path: Path, clock: ManualClock, new_store: bytes) -> AsyncIterator[Site]:
    async with open_site(tmp_path, clock, new_store=new_store, channels=CHANNELS) as opened:
        yield opened


def cookies_of(site: Site, asker: str, clock: ManualClock) -> tuple[dict[str, str], dict[str, str]]:
    """What an asker's browser brings along: cookies, and other headers."""
    if asker in PEOPLE:
        name, role = PEOPLE[asker]
        site.add(name, role)
        return {site.guard.cookie: site.session(name)}, {}
    browser, headers = browser_of(site, asker, clock)
    cookies = browser._session.cookie_jar.filter_cookies(URL(site.base))
    return {name: morsel.value for name, morsel in cookies.items()}, headers


async def heard_of(
    site: Site, verb: str, cookies: dict[str, str], headers: dict[str, str]
) -> tuple[str, int | None]:
    """Open a socket as a page of the shop does, say one verb first; all that is heard, and how it ended."""
    async with (
        aiohttp.ClientSession(cookies=cookies, cookie_jar=aiohttp.CookieJar(unsafe=True)) as session,
        session.ws_connect(f"{site.base}/chat/shop/socket", origin=SHOP, headers=headers) as socket,
    ):
        await socket.send_str(msgspec.json.encode({"t": verb, **VERBS[verb]}).decode())
        return await all_said(socket)


@pytest.mark.slow
@pytest.mark.parametrize("asker", ASKERS)
async def test_no_verb_is_heard_from_who_has_not_the_chats_token(
    site: Site, clock: ManualClock, asker: str
) -> None:
    """Neither a session of any role, nor one that does not hold, nor another visitor's token where it does not belong."""
    async with aiohttp.ClientSession() as session:
        ola = Visitor(f"{site.base}/chat/shop", session, origin=SHOP)
        await ola.connect()
        assert (await ola.write(SECRETS[0], line_id=ID))["t"] == "ack"
        await ola.leave()
    cookies, headers = cookies_of(site, asker, clock)
    before = rows_of(site)
    for verb in (each.__struct_config__.tag for each in get_args(protocol.Visitor)):
        said, code = await heard_of(site, verb, cookies, headers)
        assert code in (NO_TOKEN, 4401), (asker, verb, said)
        assert not any(each in said for each in SECRETS), (asker, verb)
        status, body = await _posted(site, verb, cookies)
        assert (status, any(each in body for each in SECRETS)) == (401, False), (asker, verb)
    assert rows_of(site) == before


async def _posted(site: Site, verb: str, cookies: dict[str, str]) -> tuple[int, Any]:
    """The same verb by POST, without a token."""
    async with (
        aiohttp.ClientSession(cookies=cookies, cookie_jar=aiohttp.CookieJar(unsafe=True)) as session,
        session.post(
            f"{site.base}/chat/shop/send", json={"t": verb, **VERBS[verb]}, headers={"Origin": SHOP}
        ) as answer,
    ):
        return answer.status, await answer.text()


async def test_what_the_desk_sets_is_asked_for_by_no_chat(site: Site) -> None:
    """The other way about: a visitor's token opens no page of the desk, as a cookie or in a header."""
    token = "v" * 43
    for browser, headers in (
        (site.browser(token), {}),
        (site.browser(), {"Authorization": f"Bearer {token}"}),
    ):
        assert (await browser.ask("GET", "/account", headers=headers))[0] == 401
