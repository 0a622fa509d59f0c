"""GET /tickets/{ref}/why: every rule that looked at a ticket, with what it saw then, and why others did not match."""

from typing import TYPE_CHECKING, Any

from aiohttp import web

from intake import explaining, refs
from intake.web import refusals
from intake.web.access import Action, Who
from intake.web.desk import subjects, text
from intake.web.desk.list import dumped
from intake.web.desk.words import HAPPENED
from intake.web.routes import Route

if TYPE_CHECKING:
    from intake.web.desk.desk import Desk

MOST = 20  # of each kind, the newest: a ticket can have thousands, and every rule is tried again for each

Told = dict[str, Any]


def routes(desk: "Desk") -> list[Route]:
    """The page, or the same as `intake rules explain --json` prints."""

    async def show(request: web.Request, who: Who) -> web.Response:
        ref = refs.normalized(request.match_info["ref"]) or ""
        found = await desk.store.read(lambda tx: explaining.of_ticket(tx, ref, most=MOST))
        if not refusals.wants_page(request):
            return web.json_response(found, dumps=dumped)
        shown = None if found is None else _shown(found)
        return desk.render("why.html", who, ref=ref, found=shown, plain=text.plain, happened=HAPPENED)

    return [Route("GET", "/tickets/{ref}/why", Action.see_ticket, show, subject=subjects.of_ticket(desk))]


def _shown(found: Told) -> Told:
    """Return it with the newest first, and rules that were tried apart from those that waited for something else."""
    return {
        **found,
        "decisions": [_sorted(each) for each in (found, *reversed(found["earlier"]))],
        "reactions": [_sorted(each) for each in reversed(found["reactions"])],
        "assignments": found["assignments"][::-1],
    }


def _sorted(each: Told) -> Told:
    tried = [reason for reason in each["why_not"] if reason["conditions"]]
    waiting = [reason for reason in each["why_not"] if not reason["conditions"]]
    return {**each, "tried": tried, "waiting": waiting}
