"""/choices: the keys that somebody has changed or turned off, for every page of theirs; kept with their account."""

from aiohttp import web

from intake import choices
from intake.choices import Choices
from intake.desk import DeskError
from intake.store.engine import Tx
from intake.web.access import Action, Who
from intake.web.desk import forms
from intake.web.desk.desk import Desk
from intake.web.desk.forms import Sent
from intake.web.desk.list import dumped
from intake.web.routes import Route

PATH = "/choices"


def routes(desk: Desk) -> list[Route]:
    """What is chosen, as JSON, and one choice more."""

    async def show(request: web.Request, who: Who) -> web.Response:
        return _told(await desk.store.read(lambda tx: choices.of(tx, who.name)))

    async def choose(request: web.Request, who: Who) -> web.Response:
        sent = await forms.read(request)
        try:
            return _told(await desk.store.write(lambda tx: _choose(tx, who.name, sent)))
        except DeskError as error:
            return forms.refused(request, error)

    own = Action.own_account
    return [Route("GET", PATH, own, show), Route("POST", PATH, own, choose)]


def _choose(tx: Tx, name: str, sent: Sent) -> Choices:
    """Do what was sent: `single` or `announce`, or a `command` with its `keys`, without them its own again."""
    single, announce = (sent.is_set(each) if each in sent.fields else None for each in ("single", "announce"))
    choices.turn(tx, name, single=single, announce=announce)
    command = sent.word("command")
    if command is not None:
        choices.give(tx, name, command, sent.text("keys") if "keys" in sent.fields else None)
    return choices.of(tx, name)


def _told(found: Choices) -> web.Response:
    return web.json_response(found, dumps=dumped, headers={"Cache-Control": "no-store"})
