"""/push/…: a browser asks to be told of its agent's notices; /worker.js: what shows them when no page is open."""

from importlib import resources

import msgspec
from aiohttp import web

from intake import desk as agents_desk
from intake import push, pushing
from intake.desk import DeskError
from intake.push import NoBrowser
from intake.store.engine import Tx
from intake.web.access import Action, Who
from intake.web.desk import forms
from intake.web.desk.desk import Desk
from intake.web.refusals import Refused
from intake.web.routes import Route

NAME_MAX_CHARACTERS = 100
_WORKER = resources.files("intake.web.desk") / "worker.js"


class _Given(msgspec.Struct):
    """What the page sends."""

    endpoint: str = ""
    keys: dict[str, str] = {}


def routes(desk: Desk) -> list[Route]:
    """List the routes. The worker stands at the root: it is told of the whole desk's paths."""
    pages = Pushes(desk)
    return [
        Route("GET", "/worker.js", Action.load_asset, pages.worker, authority="public"),
        Route("GET", "/push/key", Action.presence, pages.key),
        Route("POST", "/push/subscribe", Action.presence, pages.subscribe),
        Route("POST", "/push/unsubscribe", Action.presence, pages.unsubscribe),
        Route("POST", "/push/state", Action.presence, pages.state),
    ]


class Pushes:
    """The handlers."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._worker = _WORKER.read_bytes()

    async def worker(self, request: web.Request) -> web.Response:
        """Send the worker; browsers look for a new one by themselves."""
        headers = {"Content-Type": "text/javascript; charset=utf-8", "Cache-Control": "no-cache"}
        return web.Response(body=self._worker, headers=headers)

    async def key(self, request: web.Request, who: Who) -> web.Response:
        """Say which key browsers are to take pushes from."""
        if not push.is_installed():
            raise Refused(404, "This installation sends no notices to browsers.")
        return forms.done(request, {"key": pushing.public_key(self._desk.keys)}, to="/presence")

    async def subscribe(self, request: web.Request, who: Who) -> web.Response:
        """Tell them here from now on."""
        given = await _given(request)
        name = request.headers.get("User-Agent", "")[:NAME_MAX_CHARACTERS]

        def keep(tx: Tx) -> None:
            agents_desk.check_agent(self._desk.context(), who.name)
            push.subscribe(tx, who.name, msgspec.to_builtins(given), session=who.session, name=name)

        try:
            await self._desk.store.write(keep)
        except (DeskError, NoBrowser) as error:
            return forms.refused(request, DeskError(str(error)))
        return forms.done(request, {"told": True}, to="/presence")

    async def unsubscribe(self, request: web.Request, who: Who) -> web.Response:
        """Tell them here no more."""
        given = await _given(request)
        await self._desk.store.write(lambda tx: push.unsubscribe(tx, who.name, given.endpoint))
        return forms.done(request, {"told": False}, to="/presence")

    async def state(self, request: web.Request, who: Who) -> web.Response:
        """Say whether they are told in that browser now: what a browser holds may be another's, or of an ended sign-in."""
        given = await _given(request)
        is_told = await self._desk.store.read(lambda tx: push.is_told(tx, who.name, given.endpoint))
        return forms.done(request, {"told": is_told}, to="/presence")


async def _given(request: web.Request) -> _Given:
    try:
        return msgspec.json.decode(await request.read(), type=_Given)
    except (msgspec.DecodeError, msgspec.ValidationError):
        raise Refused(400, "What was sent cannot be read.") from None
