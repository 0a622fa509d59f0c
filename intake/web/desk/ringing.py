"""GET /calls/mine: the call that rings for who asks, so that its ticket is on the screen before the phone is at the ear."""

from typing import Any

from aiohttp import web

from intake import my_calls
from intake.web.access import Action, Who
from intake.web.desk import forms
from intake.web.desk.desk import Desk
from intake.web.routes import Route


def routes(desk: Desk) -> list[Route]:
    """List the routes."""

    async def mine(request: web.Request, who: Who) -> web.Response:
        told: dict[str, Any] = {"has_phone": my_calls.has_phone(desk.context(), who.name), "call": None}
        if told["has_phone"]:
            told["call"] = await desk.store.read(lambda tx: my_calls.now(tx, who.name))
        return forms.done(request, told, to="/")

    return [Route("GET", "/calls/mine", Action.presence, mine)]
