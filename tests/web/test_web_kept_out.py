"""Auditors change nothing, and who is put out is out: by every route, and by links that they still have."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from intake import credentials, feed_links, notice_links
from intake.notice_links import Link
from tests.conftest import ManualClock
from tests.web.site import Browser, Site, open_site
from tests.web.test_web_access_matrix import CHANNELS, filled, of_sessions, seed

JSON = {"Accept": "application/json"}
# Sessions and limits: that somebody was there is theirs to change.
BESIDE = {"web_sessions", "counters"}
# One form that fits every button, as far as possible.
FORM = {
    "text": "x", "kind": "ticket", "revision": "9", "to": "ania", "status": "solved", "nature": "other", "outcome": "solved",
    "priority": "low", "when": "tomorrow 9:00", "into": "2222222", "accept": "1", "doing": "replying", "page": "1", "medium": "chat",
    "state": "busy", "name": "boss", "role": "auditor", "endpoint": "https://push.example/x",
}  # fmt: skip


@pytest.fixture
async def site(tmp_path: Path, clock: ManualClock, new_store: bytes) -> AsyncIterator[Site]:
    async with open_site(tmp_path, clock, new_store=new_store, channels=CHANNELS) as opened:
        yield opened


def rows_of(site: Site) -> dict[str, list[str]]:
    """Every row of every table."""

    def look(tx: Any) -> dict[str, list[str]]:
        sql = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
        names = {row[0] for row in tx._execute(sql, ()).fetchall()} - BESIDE
        return {
            name: sorted(map(repr, tx._execute(f'SELECT * FROM "{name}"', ()).fetchall())) for name in names
        }

    return site.store.read_now(look)


def made_auditor(site: Site, name: str) -> Browser:
    site.store.write_now(lambda tx: credentials.set_role(tx, site.context, name, "auditor", by="system"))
    return site.browser(site.session(name))


@pytest.mark.slow
async def test_an_auditor_changes_no_row_by_any_route(site: Site) -> None:
    """Handlers and all; one who was an agent and has a text under way, of whom more could be thought to be theirs."""
    seeded, fork = seed(site), "f" * 20
    draft = {"fork": fork, "kind": "reply", "text": "mine", "revision": "0"}
    agent = site.signed_in("ania")
    assert (await agent.ask("POST", f"/tickets/{seeded.ref}/drafts", data=draft, headers=JSON))[0] == 200
    auditor = made_auditor(site, "ania")
    before, tried = rows_of(site), 0
    for route in of_sessions(site):
        if route.path == "/live" or route.path.startswith("/account"):  # their own sessions and password
            continue
        path = filled(route, seeded).replace("abcdefghijklmnop", fork)
        for form in ({}, {**FORM, "fork": fork}):
            data = form if route.method == "POST" else None
            await auditor.ask(route.method, path, data=data, headers=JSON)
            tried += 1
        assert rows_of(site) == before, route.name
    assert tried > 100


@pytest.mark.parametrize("kept_out", ["disabled", "auditor"])
async def test_who_is_kept_out_does_nothing_by_the_link_of_a_notice(site: Site, kept_out: str) -> None:
    """Although it was good when it was sent, and the rules still name them."""
    seeded = seed(site)
    until_s = site.store.now_us() // 1_000_000 + 3_600
    link = Link(purpose="take", ref=seeded.ref, agent="ania", notice=17, until_s=until_s)
    path = notice_links.path(site.keys, link)
    assert (await site.browser().ask("GET", path))[0] == 200
    site.add("ania")
    if kept_out == "auditor":
        made_auditor(site, "ania")
    else:
        site.store.write_now(lambda tx: credentials.disable(tx, "ania", by="system"))
    before = rows_of(site)
    status, text, _ = await site.browser().ask("POST", path)
    assert (status, "this link does nothing" in text) == (410, True)
    assert rows_of(site) == before


async def test_the_calendar_of_who_was_put_out_is_not_there_any_more(site: Site) -> None:
    site.add("ania")
    path = site.store.read_now(lambda tx: feed_links.path(tx, site.keys, "agent", "ania"))
    assert (await site.browser().ask("GET", path))[0] == 200
    site.store.write_now(lambda tx: credentials.disable(tx, "ania", by="system"))
    assert (await site.browser().ask("GET", path))[0] == 404
