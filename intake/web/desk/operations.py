"""GET /operations: how the daemon fares, live; and what mends what is stuck: replay, retry, drop.

Who may see tickets of some teams only sees what is stuck of those; what is of nobody's ticket is seen by all who may come
here. What is done is done by the functions of the command line, and is an event with its actor.
"""

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import msgspec
from aiohttp import web
from sqlalchemy import bindparam, select

from intake import operations
from intake.desk_scope import scope_of
from intake.operations import Overview
from intake.operations_lists import NAMES, List, Row
from intake.store import schema
from intake.store.engine import Tx
from intake.store.statements import Statement
from intake.web import refusals
from intake.web.access import Action, Subject, Who, may
from intake.web.routes import Route

if TYPE_CHECKING:
    from intake.web.desk.desk import Desk

PATH = "/operations"
DONE = {
    "replayed": "The message is read and settled again.",
    "retried": "The message is sent once more.",
    "dropped": "The message will not be sent.",
    "gone": "Somebody was quicker: there is nothing left to do for it.",
}

_t = schema.tickets.c
_OWNERS = {
    name: Statement(
        select(_t.ref, _t.team, _t.agent, table.c.id)
        .select_from(table.outerjoin(schema.tickets, _t.id == table.c.ticket_id))
        .where(table.c.id == bindparam("id"))
    )
    for name, table in (("journal", schema.journal), ("outbox", schema.outbox))
}

Change = Callable[..., bool]
_KEY = re.compile(r"[0-9]{1,18}\.[0-9]{1,18}")


def routes(desk: "Desk") -> list[Route]:
    """The page, and what can be done on it."""

    async def show(request: web.Request, who: Who) -> web.Response:
        return await _show(desk, request, who)

    def doing(path: str, action: Action, change: Change, done: str, table: str) -> Route:
        async def act(request: web.Request, who: Who) -> web.Response:
            return await _changed(desk, request, who, change, done)

        return Route("POST", f"{PATH}/{path}/{{id:[0-9]{{1,19}}}}", action, act, subject=_owner(desk, table))

    return [
        Route("GET", PATH, Action.see_operations, show),
        doing("replay", Action.replay, operations.replay, "replayed", "journal"),
        doing("retry", Action.retry, operations.retry, "retried", "outbox"),
        doing("drop", Action.retry, operations.drop, "dropped", "outbox"),
    ]


def _owner(desk: "Desk", table: str) -> Callable[[web.Request], Awaitable[Subject | None]]:
    """Return what finds whose a row is: of its ticket, else nobody's."""

    async def find(request: web.Request) -> Subject | None:
        number = int(request.match_info["id"])
        row = await desk.store.read(lambda tx: tx.one(_OWNERS[table], id=number))
        return None if row is None else Subject(ref=row[0] or "", team=row[1], agent=row[2])

    return find


async def _show(desk: "Desk", request: web.Request, who: Who) -> web.Response:
    mark = desk.live.mark()
    accounts, troubles = desk.context().accounts, _troubles(desk)
    pages, scope = _pages(request.query), scope_of(who)
    found = await asyncio.to_thread(
        lambda: operations.look(desk.store, accounts, troubles=troubles, scope=scope, pages=pages)
    )
    seen = msgspec.structs.replace(found, timers=_seen(who, found.timers))
    if not refusals.wants_page(request):
        return web.json_response(seen.to_json(), dumps=lambda value: msgspec.json.encode(value).decode())
    return desk.render(
        "operations.html",
        who,
        mark=mark,
        here=PATH,
        found=seen,
        pages=pages,
        done=DONE.get(request.query.get("done", ""), ""),
        counts=_counts(found),
    )


def _troubles(desk: "Desk") -> dict[str, str]:
    """Return what the channels say is wrong with them now: a mail server that is away."""
    said: dict[str, list[str]] = {
        name: getattr(each, "troubles", list)() for name, each in desk.channels.items()
    }
    return {name: "; ".join(each) for name, each in said.items() if each}


def _counts(found: Overview) -> list[tuple[str, int, bool]]:
    """Return what stands at the top: what, how many, and whether somebody has to look."""
    late = sum(bool(row.told["is_late"]) for row in found.timers.rows)
    missing = sum(int(each["missing"]) for each in found.ledger)
    return [
        ("set aside", found.quarantine.count, found.quarantine.count > 0),
        ("given up", found.dead_letters.count, found.dead_letters.count > 0),
        ("waiting to go out", found.queued.count, False),
        ("timers late", late, late > 0),
        ("missing here", missing, missing > 0),
    ]


def _pages(given: Mapping[str, Any]) -> dict[str, str]:
    """Return where each list's page begins, of an address or a form; a list that is on its first page is not named."""
    return {name: str(given[name]) for name in NAMES if _KEY.fullmatch(str(given.get(name, "")))}


def _seen(who: Who, rows: List) -> List:
    theirs = tuple(each for each in rows.rows if _is_theirs(who, each))
    return List(rows.count, len(theirs), theirs)


def _is_theirs(who: Who, row: Row) -> bool:
    if row.ref is None:
        return True
    return may(who, Action.see_ticket, Subject(team=row.team, agent=row.agent, ref=row.ref))


async def _changed(desk: "Desk", request: web.Request, who: Who, change: Change, done: str) -> web.Response:
    number = int(request.match_info["id"])

    def write(tx: Tx) -> bool:
        return change(tx, number, agent=who.name)

    is_done = await desk.store.write(write)
    if not refusals.wants_page(request):
        return web.json_response({"done": is_done}, status=200 if is_done else 409)
    # Where they were on the lists: whoever mends the third page goes on with it.
    here = urlencode({"done": done if is_done else "gone"} | _pages(await request.post()))
    return web.Response(status=303, headers={"Location": f"{PATH}?{here}", "Cache-Control": "no-store"})
