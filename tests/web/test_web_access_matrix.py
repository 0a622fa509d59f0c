"""Every route of the router, asked by everybody: what the guard lets through, and what it does not.

Handlers of sessions are replaced by one that says that it was reached; all else (routes, guard, store, tickets) is real.
"""

import re
from collections.abc import AsyncIterator, Iterable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from aiohttp import web
from sqlalchemy import bindparam, select

from intake import desk, new_tickets, web_sessions
from intake.new_tickets import Placing
from intake.store import schema
from intake.store.engine import Tx
from intake.store.statements import Statement
from intake.web.access import Who
from intake.web.routes import Route
from intake.written_down import Written
from tests.conftest import ManualClock
from tests.web.access_rows import EXPECTED, PROOFS, ROWS
from tests.web.site import Browser, Site, open_site

CHANNELS = """
  shop: {kind: webchat, origins: ["https://shop.example.com"]}
  page: {kind: form}
  posted: {kind: email.webhook, secrets: ["0123456789abcdef"], addresses: [help@example.com]}
  other: {kind: webhook, secrets: ["0123456789abcdef"], mapping: {id: /id, text: /text}}
  texts: {kind: twilio.sms, account_sid: AC00000000000000000000000000000000, auth_token: "0123456789abcdef0123456789abcdef", numbers: ["+48221234567"], public_url: "https://help.example.com"}
  phone: {kind: twilio.voice, account_sid: AC00000000000000000000000000000000, auth_token: "0123456789abcdef0123456789abcdef", numbers: ["+48221234568"], public_url: "https://help.example.com"}
"""
PEOPLE: dict[str, tuple[str, Any]] = {
    "agent": ("ania", "agent"),
    "other": ("ewa", "agent"),
    "lead": ("tomek", "lead"),
    "other_lead": ("olga", "lead"),
    "admin": ("boss", "admin"),
    "auditor": ("eye", "auditor"),
}
OUT = ("nobody", "visitor_a", "visitor_b", "expired", "revoked", "disabled", "gone", "half")
# What stands in a path, by name; {ref} is that of the ticket.
EXAMPLES = {
    "name": "thanks.en",
    "fork": "abcdefghijklmnop",
    "message": "1",
    "number": "0",
    "token": "x" * 43,
    "purpose": "ack",
    "seq": "1",
    "n": "0",
    "path": "send",
    "version": "0" * 16,
}
REACHED = 204
_JOURNAL = Statement(
    select(schema.journal.c.id).where(schema.journal.c.ticket_id == bindparam("ticket_id")).limit(1)
)


async def reached(request: web.Request, who: Who) -> web.Response:
    """Stand in for what a page does once it is asked."""
    return web.Response(status=REACHED)


def standing_in(routes: Iterable[Route]) -> list[Route]:
    """Replace the handlers of sessions; the rest of each route stays as it is."""
    return [
        msgspec.structs.replace(each, handler=reached, is_long_lived=False)
        if each.authority == "session"
        else each
        for each in routes
    ]


@pytest.fixture
async def site(tmp_path: Path, clock: ManualClock, new_store: bytes) -> AsyncIterator[Site]:
    async with open_site(
        tmp_path, clock, new_store=new_store, channels=CHANNELS, changed=standing_in
    ) as opened:
        yield opened


class Seeded(msgspec.Struct, frozen=True):
    """A ticket of the team support, which nobody has, and rows of it by the beginning of the paths that name them."""

    ref: str
    ids: dict[str, int]


@pytest.fixture
def seeded(site: Site) -> Seeded:
    return seed(site)


def seed(site: Site) -> Seeded:
    """Make the ticket, with an answer on its way."""
    written = new_tickets.checked(
        Written(
            way="phone",
            by="ania",
            name="Jan",
            address="jan@customer.example",
            subject="Printer",
            text="It burns.",
        )
    )
    blob = new_tickets.prepare(written, folder=site.wired.blob_folder)

    def make(tx: Tx) -> Seeded:
        placing = Placing(to="support")
        made = new_tickets.write_down(tx, site.context, written, blob, placing, agent="ania")
        outbox = desk.reply(tx, site.context, made.ref, agent="ania", text="We come.")
        tx.update(schema.tickets, {"ref": made.ref}, agent=None)
        row = tx.one(_JOURNAL, ticket_id=made.id)
        assert row is not None
        return Seeded(made.ref, {"replay": row[0], "retry": outbox, "drop": outbox})

    return site.store.write_now(make)


def filled(route: Route, seeded: Seeded, ref: str | None = None) -> str:
    """The path of a route, with examples for what stands in it. ref: another than that of the ticket."""

    def example(found: re.Match[str]) -> str:
        if found[1] == "id":
            return str(next(number for name, number in seeded.ids.items() if f"/{name}/" in route.path))
        return (ref or seeded.ref) if found[1] == "ref" else EXAMPLES[found[1]]

    return re.sub(r"\{(\w+)(?::(?:[^{}]|\{[^{}]*\})*)?\}", example, route.path)


def browser_of(site: Site, asker: str, clock: ManualClock) -> tuple[Browser, dict[str, str]]:
    """The browser of somebody whose session does not hold, or is none; and what it sends beside."""
    if asker.startswith("visitor"):
        return site.browser(), {"Authorization": f"Bearer {asker[-1] * 43}"}
    if asker == "nobody":
        return site.browser(), {}
    site.add("boss", "admin")
    site.add("second", "admin")
    token = site.session("boss", stage="second_factor" if asker == "half" else "full")
    browser = site.browser(token)
    if asker == "expired":
        clock.advance(hours=13)
    elif asker == "revoked":
        site.store.write_now(lambda tx: web_sessions.end_all(tx, "boss", by="system"))
    elif asker == "disabled":
        site.store.write_now(lambda tx: tx.update(schema.credentials, {"name": "boss"}, disabled_at=1))
    elif asker == "gone":
        site.store.write_now(lambda tx: tx.update(schema.credentials, {"name": "boss"}, role="agent"))
    return browser, {}


def named(route: Route) -> str:
    """The name of a route, where a hash of a file stands in it without that."""
    return re.sub(r"-[0-9a-f]{12}\b", "-HASH", route.name)


def of_sessions(site: Site) -> list[Route]:
    return [each for each in site.table if each.authority == "session"]


def test_every_route_has_its_row(site: Site) -> None:
    """Who adds a route says who may take it, in tests/web/access_rows.py as well; a row without a route is one too many."""
    assert {each.name for each in of_sessions(site)} ^ set(ROWS) == set()
    others = {named(each): each.authority for each in site.table if each.authority != "session"}
    assert others == PROOFS


@pytest.mark.parametrize("asker", list(PEOPLE))
async def test_a_session_opens_what_its_row_says(site: Site, seeded: Seeded, asker: str) -> None:
    """Nothing more and nothing less; who may not see a ticket gets the answer to one that there is not."""
    name, role = PEOPLE[asker]
    browser = site.signed_in(name, role)
    for route in of_sessions(site):
        status, _, _ = await browser.ask(route.method, filled(route, seeded))
        wanted = EXPECTED[ROWS[route.name]][asker]
        assert str(status) == wanted.replace("in", str(REACHED)), f"{route.name} as {asker}"


@pytest.mark.parametrize("asker", OUT)
async def test_without_a_session_that_holds_nothing_opens(
    site: Site, seeded: Seeded, clock: ManualClock, asker: str
) -> None:
    """Expired, ended, disabled, gone from the rules, half signed in, a visitor's token: all the same."""
    browser, headers = browser_of(site, asker, clock)
    for route in of_sessions(site):
        status, _, _ = await browser.ask(route.method, filled(route, seeded), headers=headers)
        assert status == 401, f"{route.name} as {asker}"


async def test_a_ticket_that_is_not_there_is_answered_like_one_of_others(site: Site, seeded: Seeded) -> None:
    """Letter by letter: nobody finds out which refs there are."""
    browser = site.signed_in("ewa")
    for route in of_sessions(site):
        if ROWS[route.name].startswith("ticket") and "{ref" in route.path:
            theirs = await browser.ask(route.method, filled(route, seeded))
            nobodys = await browser.ask(route.method, filled(route, seeded, "2222222"))
            assert theirs[:2] == nobodys[:2], route.name


@pytest.mark.parametrize("asker", ["nobody", "visitor_a", "admin"])
async def test_a_session_is_no_substitute_for_another_proof(
    site: Site, seeded: Seeded, clock: ManualClock, asker: str
) -> None:
    """A link that is not ours, a hook without its signature, a chat without its token: refused, whoever asks."""
    browser, headers = (
        (site.signed_in("boss", "admin"), {}) if asker == "admin" else browser_of(site, asker, clock)
    )
    for route in site.table:
        if route.authority in ("link", "signature") or (
            route.authority == "visitor" and asker != "visitor_a"
        ):
            status, _, _ = await browser.ask(route.method, filled(route, seeded), headers=headers)
            assert status in (400, 401, 403, 404, 405, 415, 426), f"{route.name} as {asker}: {status}"


async def test_with_all_to_see_agents_of_other_teams_may_do_what_they_see(
    tmp_path: Path, clock: ManualClock, new_store: bytes
) -> None:
    """desk.agents_see: all."""
    more = "desk: {agents_see: all}"
    async with open_site(tmp_path, clock, new_store=new_store, more=more, changed=standing_in) as opened:
        browser = opened.signed_in("ewa")
        assert (await browser.ask("POST", f"/tickets/{seed(opened).ref}/note"))[0] == REACHED


async def test_a_number_that_no_row_can_have_is_not_found(site: Site, seeded: Seeded) -> None:
    """Without a fault in the log: whoever types long numbers finds nothing, as with short ones."""
    browser = site.signed_in("boss", "admin")
    for path in (
        f"/tickets/{seeded.ref}/files/9223372036854775808/0",
        "/operations/retry/9999999999999999999",
    ):
        method = "GET" if "files" in path else "POST"
        assert (await browser.ask(method, path))[0] == 404
