"""GET /tickets/{ref}: a ticket's page: the conversation over all channels, the customer, the clocks, and what can be done."""

from typing import TYPE_CHECKING, Any

from aiohttp import web

from intake import desk_ticket, refs, tickets
from intake.store.engine import Tx
from intake.web import refusals
from intake.web.access import Action, Subject, Who
from intake.web.desk import around, sayings, subjects, text, when
from intake.web.desk.list import dumped
from intake.web.routes import Route

if TYPE_CHECKING:
    from intake.web.desk.desk import Desk

PATH = "/tickets/{ref:[0-9A-Za-z-]{7,15}}"
_RUNNING = ("running", "paused")


def routes(desk: "Desk") -> list[Route]:
    """The page, and an earlier part of it."""

    async def show(request: web.Request, who: Who) -> web.Response:
        return await _show(desk, request, who)

    return [Route("GET", PATH, Action.see_ticket, show, subject=subjects.of_ticket(desk), leads_on=True)]


async def _show(desk: "Desk", request: web.Request, who: Who) -> web.Response:
    ref, mark = refs.normalized(request.match_info["ref"]) or "", desk.live.mark()
    before = request.query.get("before")
    if ref != request.match_info["ref"]:
        raise web.HTTPFound(f"/tickets/{ref}")
    page = await desk.store.read(lambda tx: _page(tx, desk, who, ref, before))
    if page is None:
        return refusals.answer(request, 404, refusals.NOT_FOUND)
    if not refusals.wants_page(request):
        return web.json_response(
            {name: each for name, each in page.items() if name != "acting"}, dumps=dumped
        )
    return desk.render("ticket.html", who, mark=mark, **_shown(desk, who, page), is_newest=before is None)


def _page(tx: Tx, desk: "Desk", who: Who, ref: str, before: str | None) -> dict[str, Any] | None:
    """Read the page in one transaction; before: of an earlier part of the conversation."""
    page, ticket = desk_ticket.page(tx, who, ref), tickets.load_by_ref(tx, ref)
    if page is None or ticket is None:
        return None
    if before is not None:
        page |= desk_ticket.conversation(tx, who, ref, before=before) or {}
    return page | {"acting": around.of_ticket(tx, desk.context(), who, ticket, desk=desk)}


def _shown(desk: "Desk", who: Who, page: dict[str, Any]) -> dict[str, Any]:
    """Return what the template is given: the page with its days, its folded events and its clocks."""
    zone = desk.zone(who)
    items = sayings.fold(page["timeline"])
    newest = max((at for at, each in enumerate(items) if each["what"] == "message"), default=-1)
    for at, each in enumerate(items):
        each["on"] = when.instant_of(each["at"]).astimezone(zone).date().isoformat()
        each["starts_day"] = at == 0 or each["on"] != items[at - 1]["on"]
        each["is_newest"] = at == newest
    ticket = page["ticket"]
    return {
        **page,
        "items": items,
        "subject": Subject(team=ticket["team"], agent=ticket["agent"], ref=ticket["ref"]),
        "running": [each for each in page["clocks"] if each["state"] in _RUNNING],
        "ended": [each for each in page["clocks"] if each["state"] not in _RUNNING],
        "linked": text.linked,
        "meant": text.meant,
        "as_read": text.as_read,
        "beginning": text.beginning,
        "beginning_meant": text.beginning_meant,
        "size": text.size,
        "plain": text.plain,
        "LONG": text.LONG,
    }
