"""/agents: who may sign in and as what, for admins: invite, roles, resets, and the door. OWASP ASVS 5.0 rows 6.4.6, 7.4.5."""

from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
from aiohttp import web
from multidict import MultiDictProxy

from intake import credentials, invitations, second_factor, web_sessions
from intake.credentials import Credential, CredentialError
from intake.model import Context
from intake.sections import Access
from intake.store.engine import Tx
from intake.web import bodies
from intake.web import entering as entrance
from intake.web.access import ROLES, Action, Who
from intake.web.desk.desk import Desk
from intake.web.routes import Route

PATH = "/agents"
_DONE = {
    "role": "The role is changed; they sign in anew.",
    "disabled": "They are out, and stay out.",
    "enabled": "They may sign in again.",
    "ended": "They are signed out everywhere.",
    "removed": "Their second factor is gone.",
}

Form = MultiDictProxy[Any]
Act = Callable[[Tx, str, Form, str], None]


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One line. known: None = the rules name them, but they may not sign in yet; sessions: that go on now."""

    name: str
    known: Credential | None
    teams: tuple[str, ...]
    sessions: int
    is_in_rules: bool


class Pages:
    """The page of who may sign in."""

    def __init__(self, desk: Desk, *, settings: Access) -> None:
        self._desk, self._settings = desk, settings

    def routes(self) -> list[Route]:
        administer = Action.administer
        return [
            Route("GET", PATH, administer, self.show),
            Route("POST", f"{PATH}/invite", administer, self.invite),
            Route("POST", f"{PATH}/role", administer, self._doing("role", self._set_role)),
            Route("POST", f"{PATH}/disable", administer, self._doing("disabled", _disable)),
            Route("POST", f"{PATH}/enable", administer, self._doing("enabled", _enable)),
            Route("POST", f"{PATH}/sign-out", administer, self._doing("ended", _sign_out)),
            Route("POST", f"{PATH}/second-factor", administer, self._doing("removed", _remove_factor)),
        ]

    async def show(self, request: web.Request, who: Who) -> web.Response:
        return await self._page(who, done=_DONE.get(request.query.get("done", ""), ""))

    async def invite(self, request: web.Request, who: Who) -> web.Response:
        """Make a link by which somebody chooses a password; it is shown once."""
        form = await bodies.form(request)
        name, role = str(form.get("name", "")).strip(), str(form.get("role", "")) or None
        context, token, by = self._desk.context(), invitations.new_token(), f"agent:{who.name}"
        hours = self._settings.invitation_hours
        try:
            await self._desk.store.write(
                lambda tx: invitations.invite(tx, context, name, role, token=token, hours=hours, by=by)  # type: ignore[arg-type]
            )
        except CredentialError as error:
            return await self._page(who, problem=_sentence(error), status=422)
        house = context.public_url or f"{request.scheme}://{request.host}"
        link = {"name": name, "url": f"{house}{invitations.path(token)}", "hours": f"{hours:g}"}
        return await self._page(who, link=link)

    def _doing(self, done: str, act: Act) -> Callable[[web.Request, Who], Awaitable[web.StreamResponse]]:
        """Return a handler that does one thing to somebody whom the form names."""

        async def take(request: web.Request, who: Who) -> web.StreamResponse:
            form = await bodies.form(request)
            name, by = str(form.get("name", "")), f"agent:{who.name}"
            try:
                await self._desk.store.write(lambda tx: act(tx, name, form, by))
            except CredentialError as error:
                return await self._page(who, problem=_sentence(error), status=422)
            return entrance.moved(f"{PATH}?done={done}")

        return take

    def _set_role(self, tx: Tx, name: str, form: Form, by: str) -> None:
        role: Any = str(form.get("role", ""))  # the function refuses what is none
        credentials.set_role(tx, self._desk.context(), name, role, by=by)

    async def _page(self, who: Who, *, status: int = 200, **values: Any) -> web.Response:
        context = self._desk.context()
        rows = await self._desk.store.read(lambda tx: everybody(tx, context))
        given = {"problem": "", "done": "", "link": None, **values}
        return self._desk.render(
            "agents.html", who, status=status, here=PATH, rows=rows, roles=ROLES, **given
        )


def everybody(tx: Tx, context: Context) -> list[Row]:
    """Return all who may sign in, and the agents of the rules who may not yet, by name."""
    known = {each.name: each for each in credentials.everybody(tx)}
    counts = web_sessions.counts(tx)
    return [
        Row(
            name=name,
            known=known.get(name),
            teams=tuple(sorted(web_sessions.teams_of(context, name))),
            sessions=counts.get(name, 0),
            is_in_rules=name in context.rulebook.agents,
        )
        for name in sorted({*known, *context.rulebook.agents})
    ]


def _disable(tx: Tx, name: str, form: Form, by: str) -> None:
    credentials.disable(tx, name, by=by)


def _enable(tx: Tx, name: str, form: Form, by: str) -> None:
    credentials.enable(tx, name, by=by)


def _sign_out(tx: Tx, name: str, form: Form, by: str) -> None:
    web_sessions.end_all(tx, name, by=by)


def _remove_factor(tx: Tx, name: str, form: Form, by: str) -> None:
    """Take away the second factor of a lost phone; who is asked for one sets up another when they sign in next."""
    second_factor.remove(tx, name, by=by)
    web_sessions.end_all(tx, name, by=by)


def _sentence(error: CredentialError) -> str:
    text = str(error)
    return f"{text[:1].upper()}{text[1:].rstrip('.')}."
