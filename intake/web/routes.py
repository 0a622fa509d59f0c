"""The table of routes: each says what it is for and by whose proof it is taken, or the application does not start.

    Route("GET", "/tickets/{ref}", Action.see_ticket, page, subject=ticket_of)

`session` routes are called as `handler(request, who)`, all others as `handler(request)`. A subject is looked for, and
asked about, before the handler runs: what somebody may not see does not exist for them (404), what they may see but not
do is refused (403). Of an unsafe method the origin and the `csrf` field or header are checked as well (intake.web.guard).
"""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Literal

import msgspec
from aiohttp import web

from intake.web import access
from intake.web.access import Action, Subject

if TYPE_CHECKING:
    from intake.web.guard import Guard

# public: everybody; link: who holds a signed link of ours; signature: a provider that signs; visitor: a chat's token.
Authority = Literal["session", "public", "link", "signature", "visitor"]
Finder = Callable[[web.Request], Awaitable[Subject | None]]

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
MAX_BODY_BYTES = 1024 * 1024

_BY_AUTHORITY: dict[str, frozenset[Action]] = {
    "public": access.OPEN,
    "link": frozenset({Action.follow_link, Action.see_file, Action.acknowledge}),
    "signature": frozenset({Action.take_hook}),
    "visitor": frozenset({Action.chat}),
}


class _Place(msgspec.Struct, frozen=True):
    method: str
    path: str
    action: Action
    handler: Callable[..., Awaitable[web.StreamResponse]]
    subject: Finder | None = None


class Route(_Place, frozen=True, kw_only=True):
    """One route. subject: finds what it is about, None = nothing; max_body_bytes: of what is posted to it.

    is_long_lived: a stream; it is cut when its session ends (intake.web.guard). is_cross_site: a public form that pages of
    other sites post to; its handler looks at where it comes from. is_by_itself: what pages send without anybody's doing.
    leads_on: the page of a ticket; who may only see the one that it is merged into is sent there.
    """

    authority: Authority = "session"
    max_body_bytes: int = MAX_BODY_BYTES
    is_long_lived: bool = False
    is_cross_site: bool = False
    is_by_itself: bool = False
    leads_on: bool = False

    @property
    def name(self) -> str:
        """How the table calls it: "GET /tickets/{ref}"."""
        return f"{self.method} {self.path}"


class RouteError(Exception):
    """The table of routes is wrong: a bug of ours, told before anything is served."""


TABLE = web.AppKey("routes", list[Route])
_MOUNTED = web.AppKey("mounted", set[web.AbstractRoute])


def mount(app: web.Application, routes: Iterable[Route], guard: "Guard | None") -> None:
    """Add routes to the application, which starts with no others than those added here. Raises: RouteError.

    guard: None only where every proof is the handlers' own.
    """
    if TABLE not in app:
        app[TABLE], app[_MOUNTED] = [], set()
        app.on_startup.append(_check_complete)
    for route in routes:
        _check(route)
        app[TABLE].append(route)
        answer = route.handler if guard is None else guard.answering(route)
        if (
            guard is None
            and route.authority not in ("link", "signature", "visitor")
            and not _is_harmless(route)
        ):
            raise RouteError(f"{route.name} has nobody who stands before it")
        methods = ("GET", "HEAD") if route.method == "GET" else (route.method,)
        app[_MOUNTED].update(app.router.add_route(method, route.path, answer) for method in methods)


def table(app: web.Application) -> Sequence[Route]:
    """Return every route that the application has."""
    return app.get(TABLE) or ()


def _check(route: Route) -> None:
    allowed = _BY_AUTHORITY.get(route.authority)
    if allowed is not None and route.action not in allowed:
        raise RouteError(f"{route.name} does {route.action}, which {route.authority} is no proof for")
    if route.authority == "session" and route.action in access.OPEN | access.PROVEN:
        raise RouteError(f"{route.name} does {route.action}, which needs no session: say its authority")
    if route.authority == "session" and route.action in access.OF_TICKET and route.subject is None:
        raise RouteError(f"{route.name} does {route.action}, and does not say how its ticket is found")


def _is_harmless(route: Route) -> bool:
    """Whether nobody has to stand before it: it changes nothing, or looks by itself at where it comes from."""
    return route.authority == "public" and (route.method in SAFE_METHODS or route.is_cross_site)


async def _check_complete(app: web.Application) -> None:
    """Compare the router with what was mounted. Raises: RouteError."""
    for each in app.router.routes():
        if each not in app[_MOUNTED]:
            path = each.resource.canonical if each.resource is not None else "?"
            raise RouteError(
                f"{each.method} {path} stands in no table of routes: who may take it is not said"
            )
