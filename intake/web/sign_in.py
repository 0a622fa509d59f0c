"""The pages before a session: signing in and out, the second factor, and the link by which a password is chosen.

They are whole without JavaScript. Every answer to a wrong try is the same; where somebody goes afterwards is a path of ours
and nothing else.
"""

from collections.abc import Callable
from hashlib import sha256
from importlib import resources
from typing import Any
from urllib.parse import quote

from aiohttp import web
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from intake import credentials, invitations, passwords, web_sessions
from intake.credentials import CredentialError
from intake.model import Context
from intake.passwords import Hasher
from intake.sections import Access
from intake.signing_in import SigningIn
from intake.store.engine import Store
from intake.web import bodies, entering, refusals, styles
from intake.web.access import Action
from intake.web.entering import Entering
from intake.web.guard import Guard
from intake.web.guesses import Guesses
from intake.web.refusals import SIGN_IN, Refused
from intake.web.routes import Route

CODE = f"{SIGN_IN}/code"
SIGN_OUT = "/sign-out"
STYLE = f"{SIGN_IN}/style/access.css"
BODY_MAX_BYTES = 16 * 1024
_FOLDER = resources.files("intake.web") / "pages"
_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; img-src data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Robots-Tag": "noindex, nofollow",
}
_WRONG = "The name or the password is not right."
_WRONG_CODE = "This code is not right, or was used before: type the one that the app shows now."
_TOO_MANY = "Too many tries. Wait a quarter of an hour, then try again."
_USED_UP = "This link has been used, or has run out. Ask for another one."


class Pages:
    """The pages on a store. settings: how long passwords and links are."""

    def __init__(
        self,
        store: Store,
        context: Callable[[], Context],
        guard: Guard,
        *,
        signing: SigningIn,
        entering: Entering,
        settings: Access,
        hasher: Hasher,
        clock: Callable[[], float],
    ) -> None:
        self._store, self._context, self._guard = store, context, guard
        self._signing, self._entering = signing, entering
        self._settings, self._hasher, self._guesses = settings, hasher, Guesses(clock)
        self._templates = Environment(
            loader=FileSystemLoader(str(_FOLDER)),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
        )
        self._css = styles.sheet("access.css")
        self._etag = f'"{sha256(self._css).hexdigest()[:16]}"'

    def routes(self) -> list[Route]:
        """Return the routes of the pages."""
        open_, welcome = Action.sign_in, f"{invitations.PATH}/{{token}}"
        return [
            Route("GET", SIGN_IN, open_, self.ask, authority="public"),
            Route("POST", SIGN_IN, open_, self.take, authority="public", max_body_bytes=BODY_MAX_BYTES),
            Route("GET", CODE, open_, self.ask_code, authority="public"),
            Route("POST", CODE, open_, self.take_code, authority="public", max_body_bytes=BODY_MAX_BYTES),
            Route("POST", SIGN_OUT, open_, self.leave, authority="public", max_body_bytes=BODY_MAX_BYTES),
            Route("GET", welcome, open_, self.welcome, authority="public"),
            Route("POST", welcome, open_, self.choose, authority="public", max_body_bytes=BODY_MAX_BYTES),
            Route("GET", STYLE, Action.load_asset, self.style, authority="public"),
        ]

    async def style(self, request: web.Request) -> web.Response:
        headers = {"Cache-Control": "public, max-age=3600", "ETag": self._etag}
        return web.Response(body=self._css, content_type="text/css", charset="utf-8", headers=headers)

    async def ask(self, request: web.Request) -> web.Response:
        after = refusals.own_path(request.query.get("next", "/"))
        session = await self._guard.session(request)
        if session is not None and session.stage == "full":
            raise web.HTTPSeeOther(after)
        return self._page("sign_in.html", after=after)

    async def take(self, request: web.Request) -> web.StreamResponse:
        form = await bodies.form(request)
        after = refusals.own_path(str(form.get("next", "/")))
        name, password = str(form.get("name", "")).strip(), form.get("password", "")
        if not isinstance(password, str):
            raise Refused(400, "The form cannot be read.")
        outcome = await self._signing.with_password(
            self._context(), name, password, self._entering.by(request)
        )
        if outcome.result in ("refused", "too_many"):
            problem, status = (_WRONG, 403) if outcome.result == "refused" else (_TOO_MANY, 429)
            return self._page("sign_in.html", status=status, after=after, name=name, problem=problem)
        await self._end_session(request)
        ways = {"code": f"{CODE}?next={quote(after, safe='')}", "enrolment": "/account", "in": after}
        return self._entering.entered(
            outcome.token, ways[outcome.result], name=name, is_half=outcome.result == "code"
        )

    async def ask_code(self, request: web.Request) -> web.Response:
        session = await self._guard.session(request)
        if session is None or session.stage != "second_factor":
            raise web.HTTPSeeOther(SIGN_IN)
        return self._page("second_factor.html", after=refusals.own_path(request.query.get("next", "/")))

    async def take_code(self, request: web.Request) -> web.StreamResponse:
        session = await self._guard.session(request)
        if session is None or session.stage != "second_factor":
            raise web.HTTPSeeOther(SIGN_IN)
        form = await bodies.form(request)
        after = refusals.own_path(str(form.get("next", "/")))
        outcome = await self._signing.with_code(
            self._context(), session, str(form.get("code", "")), self._entering.by(request)
        )
        if outcome.result != "in":
            problem, status = (_TOO_MANY, 429) if outcome.result == "too_many" else (_WRONG_CODE, 403)
            return self._page("second_factor.html", status=status, after=after, problem=problem)
        return self._entering.entered(outcome.token, after, name=session.name)

    async def leave(self, request: web.Request) -> web.StreamResponse:
        """End the session; what the browser has cached of us goes, what somebody was writing stays."""
        await self._end_session(request)
        answer = entering.moved(SIGN_IN)
        answer.headers["Clear-Site-Data"] = '"cache"'
        self._entering.forget(answer)
        return answer

    async def welcome(self, request: web.Request) -> web.Response:
        invitation = await self._invitation(request)
        return self._page("welcome.html", invitation=invitation, length_min=self._settings.password_length)

    async def choose(self, request: web.Request) -> web.StreamResponse:
        invitation = await self._invitation(request)
        form = await bodies.form(request)
        name = invitation.name or str(form.get("name", "")).strip()
        password = str(form.get("password", ""))
        problem = await self._fault(invitation.name, name, password, str(form.get("again", "")))
        if problem is None:
            hashed = await self._hasher.hashed(password)
            context = self._context()
            try:
                await self._store.write(
                    lambda tx: invitations.accept(tx, context, invitation, name=name, password_hash=hashed)
                )
            except CredentialError as error:
                problem = str(error)
        if problem is not None:
            given = {"invitation": invitation, "name": name, "problem": problem}
            return self._page("welcome.html", status=422, length_min=self._settings.password_length, **given)
        return self._page("sign_in.html", after="/", name=name, done="Your password is set. Sign in with it.")

    async def _fault(self, invited: str, name: str, password: str, again: str) -> str | None:
        """Return what is wrong with what somebody chose. invited: "" = they choose their name as well."""
        if not invited:
            try:
                credentials.check_name(self._context(), name, "admin")
            except CredentialError as error:
                return f"The name cannot be used: {error}."
        if password != again:
            return "The two passwords are not the same."
        words = (name, self._context().organization, "intake")
        found = passwords.fault(password, length_min=self._settings.password_length, words=words)
        return found and f"This password cannot be taken. {found}"

    async def _invitation(self, request: web.Request) -> invitations.Invitation:
        """Find what a link stands for; wrong ones are counted. Raises: Refused."""
        client = self._entering.by(request).client
        if self._guesses.are_enough(client):
            raise Refused(429, "Too many wrong links came from your network. Wait a minute.")
        keys, token = self._context().keys, request.match_info["token"]
        found = await self._store.read(lambda tx: invitations.find(tx, keys, token))
        if found is None:
            self._guesses.note(client)
            raise Refused(404, _USED_UP)
        return found

    async def _end_session(self, request: web.Request) -> None:
        """End the session that a browser came with: another one takes its place, or none."""
        session = await self._guard.session(request)
        if session is not None:
            actor = f"agent:{session.name}"
            await self._store.write(lambda tx: web_sessions.end(tx, session.id, name=session.name, by=actor))

    def _page(self, template: str, *, status: int = 200, **values: Any) -> web.Response:
        house = self._context().organization
        given = {
            "house": house,
            "style": STYLE,
            "problem": "",
            "done": "",
            "name": "",
            "after": "/",
            **values,
        }
        text = self._templates.get_template(template).render(**given)
        return web.Response(text=text, status=status, content_type="text/html", headers=_HEADERS)
