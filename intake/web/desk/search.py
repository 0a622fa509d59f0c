"""GET /search: tickets by ref, address, number and words, each with where it was found; the search is its address."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from aiohttp import web

from intake import searching
from intake.search_query import TYPED_MAX
from intake.web import refusals
from intake.web.access import Action, Who
from intake.web.desk.list import dumped
from intake.web.routes import Route

if TYPE_CHECKING:
    from intake.web.desk.desk import Desk


def routes(desk: "Desk") -> list[Route]:
    """The page, or its results as JSON; of a ref that is exactly one ticket, the ticket."""

    async def show(request: web.Request, who: Who) -> web.Response:
        asked = " ".join(request.query.get("q", "").split())[:TYPED_MAX]
        cursor = request.query.get("cursor")
        found = (
            await desk.store.read(lambda tx: searching.find(tx, who, asked, cursor=cursor)) if asked else None
        )
        if not refusals.wants_page(request):
            return web.json_response(found or {"text": "", "tickets": [], "next": None}, dumps=dumped)
        if found is not None and is_one(found, cursor):
            raise web.HTTPSeeOther(f"/tickets/{found['tickets'][0]['ref']}")
        return desk.render("search.html", who, asked=asked, found=found, pieces=pieces)

    return [Route("GET", "/search", Action.see_desk, show)]


def is_one(found: dict[str, Any], cursor: str | None) -> bool:
    """Whether it is the ticket of a ref that was typed, and nothing else."""
    return cursor is None and len(found["tickets"]) == 1 and found["tickets"][0]["hit"]["where"] == "ref"


def pieces(hit: dict[str, Any]) -> Iterator[tuple[str, bool]]:
    """Give the line of a hit in parts: (text, whether it is a word that was searched for)."""
    text, end = hit["text"], 0
    for first, last in hit["marks"]:
        yield text[end:first], False
        yield text[first:last], True
        end = last
    yield text[end:], False
