"""GET /oncall/<token>.ics: the shifts of a schedule or an agent, for calendars that subscribe to them."""

from collections.abc import Callable

from aiohttp import web

from intake import feed_links, oncall_feed
from intake.model import Context
from intake.store.engine import Store
from intake.web.access import Action
from intake.web.routes import Route

CONTENT_TYPE = "text/calendar"
_HEADERS = {"Cache-Control": "private, no-cache", "Content-Disposition": 'inline; filename="oncall.ics"'}


class Feeds:
    """Answers who has a link of ours; everybody else gets 404, before the store is looked at."""

    def __init__(self, store: Store, context: Callable[[], Context]) -> None:
        self._store = store
        self._context = context

    def routes(self) -> list[Route]:
        """Return the route of the calendars."""
        path = feed_links.PATH + "/{token}.ics"
        return [Route("GET", path, Action.follow_link, self._get, authority="link")]

    async def _get(self, request: web.Request) -> web.Response:
        body = await self._calendar(request.match_info["token"])
        if body is None:
            raise web.HTTPNotFound(text="there is no such calendar: ask for the link anew\n")
        tag = oncall_feed.etag(body)
        headers = {**_HEADERS, "ETag": tag}
        if _has(request.headers.get("If-None-Match", ""), tag):
            return web.Response(status=304, headers=headers)
        return web.Response(text=body, content_type=CONTENT_TYPE, charset="utf-8", headers=headers)

    async def _calendar(self, token: str) -> str | None:
        context = self._context()
        known = feed_links.signed(context.keys, token)
        if known is None:
            return None
        feed, version = known
        return await self._store.read(
            lambda tx: oncall_feed.text(tx, context, feed) if feed_links.is_good(tx, feed, version) else None
        )


def _has(asked: str, tag: str) -> bool:
    """Whether If-None-Match names the tag, compared weakly (RFC 9110 §13.1.2)."""
    return asked.strip() == "*" or tag in (each.strip().removeprefix("W/") for each in asked.split(","))
