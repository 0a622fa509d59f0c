"""GET /: the list of tickets, by view, filter and page; every state of it is an address."""

from typing import TYPE_CHECKING, Any, get_args
from urllib.parse import urlencode

import msgspec
from aiohttp import web

from intake import desk_list
from intake.desk_counts import Counts
from intake.desk_list import Asked, ListError
from intake.model import STATUSES
from intake.web import refusals
from intake.web.access import Action, Who
from intake.web.routes import Route
from routing.targets import PRIORITIES

if TYPE_CHECKING:
    from intake.web.desk.desk import Desk

VIEWS = {
    "mine": ("Mine", "m"),
    "team": ("My teams", "t"),
    "unassigned": ("Unassigned", "u"),
    "breaching": ("Due next", "n"),
    "all": ("All", "e"),
}
EMPTY = {
    "mine": "Nothing of yours is open.",
    "team": "Nothing is open in your teams.",
    "unassigned": "Everything open has somebody.",
    "breaching": "No clock is running.",
    "all": "There is no open ticket.",
}
MEDIA = ("email", "chat", "sms", "whatsapp", "voice", "form", "webhook", "counter", "letter", "other")
_FILTERS = ("status", "team", "agent", "channel", "priority", "tag", "order")


def routes(desk: "Desk") -> list[Route]:
    """The list, as a page or as JSON."""
    counts = Counts(desk.store)

    async def show(request: web.Request, who: Who) -> web.Response:
        return await _show(desk, counts, request, who)

    return [Route("GET", "/", Action.see_desk, show)]


async def _show(desk: "Desk", counts: Counts, request: web.Request, who: Who) -> web.Response:
    asked, mark = _asked(request, who), desk.live.mark()
    try:
        page = await desk.store.read(lambda tx: desk_list.page(tx, who, asked))
    except ListError as problem:
        return refusals.answer(request, 400, f"{str(problem)[:1].upper()}{str(problem)[1:]}.")
    counted = await counts.of(who)
    if not refusals.wants_page(request):
        return web.json_response(page | {"counts": counted}, dumps=dumped)
    return desk.render(
        "list.html",
        who,
        mark=mark,
        page=page,
        asked_for=asked,
        counts=counted,
        views=VIEWS,
        nothing=_nothing(asked),
        choices=_choices(desk, who),
        filters=_filters(asked),
        url=lambda **changes: url(asked, **changes),
    )


def _asked(request: web.Request, who: Who) -> Asked:
    """Read the address: an empty choice of a form is none."""
    given: dict[str, Any] = {
        name: request.query[name] for name in (*_FILTERS, "view", "cursor") if request.query.get(name)
    }
    given.setdefault("view", "mine" if who.teams else "all")
    return Asked(**given)  # what is no view or order of ours desk_list refuses


def url(asked: Asked, **changes: str | None) -> str:
    """Write the address of the list with something changed; another view or filter begins at its first page."""
    kept = {name: getattr(asked, name) for name in ("view", *_FILTERS)} | changes
    return f"/?{urlencode({name: value for name, value in kept.items() if value})}"


def _filters(asked: Asked) -> list[tuple[str, str]]:
    """Return what narrows the list: (name, value)."""
    found = [(name, getattr(asked, name)) for name in _FILTERS if name != "order"]
    return [(name, value) for name, value in found if value]


def _nothing(asked: Asked) -> str:
    return "No ticket is like that." if _filters(asked) else EMPTY[asked.view]


def _choices(desk: "Desk", who: Who) -> dict[str, list[str]]:
    """Return what a filter can be set to."""
    book = desk.context().rulebook
    teams = sorted(who.teams) if who.role in ("agent", "lead") and not who.sees_all else sorted(book.teams)
    return {
        "status": [*STATUSES, desk_list.ANY],
        "team": [*teams, desk_list.NO_TEAM],
        "channel": list(MEDIA),
        "priority": list(PRIORITIES),
        "order": list(get_args(desk_list.Order)),
    }


def dumped(value: Any) -> str:
    return msgspec.json.encode(value).decode()
