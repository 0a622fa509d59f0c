"""/account: one's own password, second factor and sessions. What guards an account is changed with the password typed anew.

OWASP ASVS 5.0 rows 6.2.2, 6.2.3, 7.4.3, 7.4.4, 7.5.1 and 7.5.2 (2026-11).
"""

import asyncio
from typing import Any

import segno
from aiohttp import web
from markupsafe import Markup

from intake import credentials, passwords, second_factor, web_sessions
from intake.credentials import Credential
from intake.passwords import Hasher
from intake.sections import Access
from intake.signing_in import SigningIn
from intake.store.engine import Tx
from intake.web import bodies, browsers
from intake.web import entering as entrance
from intake.web.access import Action, Who
from intake.web.desk.desk import Desk
from intake.web.entering import Entering
from intake.web.guard import Guard
from intake.web.refusals import ACCOUNT, SIGNED_OUT, Refused
from intake.web.routes import Route
from intake.web_sessions import Session

_WRONG = "The password is not right."
_TOO_MANY = "Too many tries. Wait a quarter of an hour, then try again."
_DONE = {
    "password": "Your password is changed. You are signed out everywhere else.",
    "ended": "That session is over.",
    "others": "You are signed out everywhere else.",
    "removed": "The second factor is gone.",
}


class Pages:
    """The page of one's own account."""

    def __init__(
        self,
        desk: Desk,
        guard: Guard,
        *,
        signing: SigningIn,
        entering: Entering,
        settings: Access,
        hasher: Hasher,
    ) -> None:
        self._desk, self._guard, self._signing, self._entering = desk, guard, signing, entering
        self._settings, self._hasher = settings, hasher

    def routes(self) -> list[Route]:
        own = Action.own_account
        return [
            Route("GET", ACCOUNT, own, self.show),
            Route("POST", f"{ACCOUNT}/password", own, self.change_password),
            Route("POST", f"{ACCOUNT}/second-factor", own, self.begin),
            Route("POST", f"{ACCOUNT}/second-factor/confirm", own, self.confirm),
            Route("POST", f"{ACCOUNT}/second-factor/remove", own, self.remove),
            Route("POST", f"{ACCOUNT}/recovery-codes", own, self.renew_codes),
            Route("POST", f"{ACCOUNT}/sessions/end", own, self.end_session),
            Route("POST", f"{ACCOUNT}/sessions/end-others", own, self.end_others),
        ]

    async def show(self, request: web.Request, who: Who) -> web.Response:
        return await self._page(who, done=_DONE.get(request.query.get("done", ""), ""))

    async def change_password(self, request: web.Request, who: Who) -> web.Response:
        form = await bodies.form(request)
        problem = await self._unproven(request, who)
        password = str(form.get("password", ""))
        if problem is None and password != str(form.get("again", "")):
            problem = "The two new passwords are not the same."
        if problem is None:
            words = (who.name, self._desk.context().organization, "intake")
            fault = passwords.fault(password, length_min=self._settings.password_length, words=words)
            problem = fault and f"This password cannot be taken. {fault}"
        if problem is not None:
            return await self._page(who, problem=problem, status=422)
        hashed, actor = await self._hasher.hashed(password), _actor(who)
        await self._desk.store.write(
            lambda tx: credentials.set_password(tx, who.name, hashed, by=actor, but=who.session)
        )
        answer = entrance.moved(f"{ACCOUNT}?done=password")
        session = await self._guard.session(request)
        if session is not None:
            by = self._entering.by(request)
            token = await self._signing.anew(self._desk.context(), session, by, stage=session.stage)
            self._entering.keep(answer, token)
        return answer

    async def begin(self, request: web.Request, who: Who) -> web.Response:
        """Show a new secret, to be confirmed by a code of it; the one in use stays until then."""
        problem = await self._unproven(request, who)
        if problem is not None:
            return await self._page(who, problem=problem, status=422)
        salt = second_factor.new_salt()
        await self._desk.store.write(lambda tx: second_factor.begin(tx, who.name, salt))
        return await self._page(who, pending=True)

    async def confirm(self, request: web.Request, who: Who) -> web.Response:
        code = str((await bodies.form(request)).get("code", ""))
        keys, codes, actor = self._desk.keys, second_factor.new_codes(), _actor(who)
        is_set = await self._desk.store.write(
            lambda tx: second_factor.confirm(tx, keys, who.name, code, codes=codes, by=actor)
        )
        if not is_set:
            problem = "This is not the code that the app shows now: try the next one."
            return await self._page(who, problem=problem, pending=True, status=422)
        await self._end_others(who)
        session = await self._guard.session(request)
        if session is None:
            raise Refused(401, SIGNED_OUT)
        return await self._entered_anew(request, session, codes)

    async def remove(self, request: web.Request, who: Who) -> web.Response:
        problem = await self._unproven(request, who)
        if problem is None and self._signing.is_asked_of(who.role):
            problem = "Your role is asked for a second factor. A new phone? Set it up anew."
        if problem is not None:
            return await self._page(who, problem=problem, status=422)
        await self._desk.store.write(lambda tx: second_factor.remove(tx, who.name, by=_actor(who)))
        return entrance.moved(f"{ACCOUNT}?done=removed")

    async def renew_codes(self, request: web.Request, who: Who) -> web.Response:
        problem = await self._unproven(request, who)
        if problem is not None:
            return await self._page(who, problem=problem, status=422)
        keys, codes = self._desk.keys, second_factor.new_codes()
        await self._desk.store.write(
            lambda tx: second_factor.renew_codes(tx, keys, who.name, codes, by=_actor(who))
        )
        return await self._page(who, codes=codes)

    async def end_session(self, request: web.Request, who: Who) -> web.Response:
        given = str((await bodies.form(request)).get("session", ""))
        if not (given.isascii() and given.isdigit() and len(given) < 20):
            raise Refused(400, "The form does not say which session.")
        await self._desk.store.write(
            lambda tx: web_sessions.end(tx, int(given), name=who.name, by=_actor(who))
        )
        return entrance.moved(f"{ACCOUNT}?done=ended")

    async def end_others(self, request: web.Request, who: Who) -> web.Response:
        await self._end_others(who)
        return entrance.moved(f"{ACCOUNT}?done=others")

    async def _end_others(self, who: Who) -> None:
        await self._desk.store.write(
            lambda tx: web_sessions.end_all(tx, who.name, by=_actor(who), but=who.session)
        )

    async def _unproven(self, request: web.Request, who: Who) -> str | None:
        """Return why it is not done: whoever sits there has not shown that they know the password."""
        current = str((await bodies.form(request)).get("current", ""))
        is_theirs = await self._signing.is_theirs(who.name, current)
        return None if is_theirs else _TOO_MANY if is_theirs is None else _WRONG

    async def _entered_anew(
        self, request: web.Request, session: Session, codes: tuple[str, ...]
    ) -> web.Response:
        """Show the recovery codes in a whole session of its own: the one that asked for them has ended."""
        context, by = self._desk.context(), self._entering.by(request)
        token = await self._signing.anew(context, session, by, stage="full")
        known_by = web_sessions.hashed(self._desk.keys, token)
        begun = await self._desk.store.read(lambda tx: web_sessions.find(tx, known_by))
        if begun is None:  # the one before had ended meanwhile
            raise Refused(401, SIGNED_OUT)
        answer = await self._page(web_sessions.who(context, begun, sees_all=False), codes=codes)
        self._entering.keep(answer, token)
        return answer

    async def _page(
        self, who: Who, *, status: int = 200, pending: bool = False, **values: Any
    ) -> web.Response:
        known, sessions, left = await self._desk.store.read(lambda tx: _own(tx, who))
        salt = known.totp_pending if pending and known is not None else None
        given = {"problem": "", "done": "", "codes": (), **values}
        is_asked = self._signing.is_asked_of(who.role)
        return self._desk.render(
            "account.html",
            who,
            status=status,
            here=ACCOUNT,
            known=known,
            sessions=sessions,
            called=browsers.called,
            codes_left=left,
            is_asked=is_asked,
            is_enrolling=is_asked and (known is None or not known.has_second_factor),
            length_min=self._settings.password_length,
            secret=await self._secret(who.name, salt) if salt else None,
            **given,
        )

    async def _secret(self, name: str, salt: str) -> dict[str, Any]:
        """Return what the authenticator app is told: as a square code, and to be typed."""
        keys = self._desk.keys
        uri = second_factor.uri(keys, name, salt, house=self._desk.context().organization)
        drawn = await asyncio.to_thread(_drawn, uri)
        typed = second_factor.secret(keys, name, salt)
        return {"drawn": drawn, "typed": " ".join(typed[at : at + 4] for at in range(0, len(typed), 4))}


def _own(tx: Tx, who: Who) -> tuple[Credential | None, list[Session], int]:
    return (
        credentials.find(tx, who.name),
        web_sessions.of_name(tx, who.name, who.role),
        second_factor.codes_left(tx, who.name),
    )


def _drawn(uri: str) -> Markup:
    """Draw a square code as an SVG without style or script, dark on light whatever the page's colours are."""
    svg = segno.make(uri, error="m").svg_inline(
        scale=5, dark="#000", light="#fff", svgclass=None, lineclass=None
    )
    return Markup(svg)  # noqa: S704 - drawn by us


def _actor(who: Who) -> str:
    return f"agent:{who.name}"
