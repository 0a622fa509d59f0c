"""/presence: whether one is there, medium by medium, and where one is told of what happens."""

from typing import Any

from aiohttp import web

from intake import agents, instants, medium_presence, presence, push
from intake import desk as agents_desk
from intake.desk import DeskError
from intake.medium_presence import PRESENCES
from intake.model import Context
from intake.store.engine import Tx
from intake.web.access import Action, Who
from intake.web.desk import forms
from intake.web.desk.desk import Desk
from intake.web.desk.forms import Sent
from intake.web.desk.words import WORDS
from intake.web.routes import Route
from routing.moment_text import NoMoment

PATH = "/presence"


def routes(desk: Desk) -> list[Route]:
    """List the routes."""
    pages = Presences(desk)
    return [
        Route("GET", PATH, Action.presence, pages.show),
        Route("POST", PATH, Action.presence, pages.say),
        Route("POST", f"{PATH}/away", Action.presence, pages.go),
        Route("POST", f"{PATH}/back", Action.presence, pages.come_back),
    ]


class Presences:
    """The handlers."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def show(self, request: web.Request, who: Who) -> web.Response:
        """Show what holds now."""
        context = self._desk.context()
        found = await self._desk.store.read(lambda tx: _state(tx, context, who.name))
        if not forms.wants_page(request):
            return forms.done(request, found, to=PATH)
        return self._desk.render(
            "presence.html", who, **found, words=WORDS, presences=PRESENCES, here=PATH, sentence="",
            can_push=push.is_installed(),
        )  # fmt: skip

    async def say(self, request: web.Request, who: Who) -> web.Response:
        """Say what holds of one medium from now on."""
        return await self._do(request, who, _say)

    async def go(self, request: web.Request, who: Who) -> web.Response:
        """Be away altogether: what is theirs and waits for us goes on without them."""
        return await self._do(request, who, _go)

    async def come_back(self, request: web.Request, who: Who) -> web.Response:
        """Be there again."""
        return await self._do(request, who, _back)

    async def _do(self, request: web.Request, who: Who, act: Any) -> web.Response:
        sent, context = await forms.read(request), self._desk.context()
        try:
            await self._desk.store.write(lambda tx: act(tx, context, sent, who.name))
        except DeskError as error:
            if forms.wants_page(request):
                return self._desk.refusal(who, forms.REFUSED, forms.sentence(error))
            return forms.refused(request, error)
        found = await self._desk.store.read(lambda tx: _state(tx, context, who.name))
        return forms.done(request, found, to=PATH)


def _state(tx: Tx, context: Context, name: str) -> dict[str, Any]:
    """Return what holds of somebody: away or not, until when, and each medium that accounts have."""
    is_agent = name in context.rulebook.agents
    state = agents.state(tx, name) if is_agent else None
    said = medium_presence.of_agent(tx, name) if is_agent else {}
    media = dict.fromkeys(each.medium for each in context.accounts.values())
    return {
        "is_agent": is_agent,
        "is_away": state is not None and state.is_away,
        "until": instants.rfc3339_from_us(state.until) if state is not None and state.until else None,
        "media": [
            {
                "medium": each,
                "presence": said[each].presence if each in said else "available",
                "until": instants.rfc3339_from_us(said[each].until) if each in said else None,
            }
            for each in media
        ],
    }


def _say(tx: Tx, context: Context, sent: Sent, name: str) -> None:
    agents_desk.check_agent(context, name)
    medium, word = sent.text("medium"), sent.text("presence")
    known = sorted({each.medium for each in context.accounts.values()})
    if medium not in known:
        raise DeskError(f"'{medium}' is not a medium of this desk: {', '.join(known)}")
    if word not in PRESENCES:
        raise DeskError(f"'{word}' is not a presence: {', '.join(PRESENCES)}")
    until = _until(tx, context, name, sent.word("until"))
    medium_presence.say(tx, name, medium, word, by=name, until_us=until)


def _go(tx: Tx, context: Context, sent: Sent, name: str) -> None:
    agents_desk.check_agent(context, name)
    until = _until(tx, context, name, sent.word("until"))
    presence.go(tx, context, name, until_us=until, keep=sent.is_set("keep"), by=name)


def _back(tx: Tx, context: Context, sent: Sent, name: str) -> None:
    agents_desk.check_agent(context, name)
    presence.come_back(tx, name, by=name)


def _until(tx: Tx, context: Context, name: str, said: str | None) -> int | None:
    """Return a moment as they say it, microseconds UTC; None = no end. Raises: DeskError."""
    if said is None:
        return None
    try:
        return presence.until_us(context, name, said, now_us=tx.now)
    except NoMoment as error:
        raise DeskError(str(error)) from error
