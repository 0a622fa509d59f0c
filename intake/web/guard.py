"""Stands before every route: who asks, by what proof, from which page, and whether they may. Handlers decide none of it.

A session's cookie is HttpOnly, SameSite=Strict and, over https, Secure with the prefix __Host- (OWASP ASVS 5.0 rows 3.3.1
to 3.3.4, 2026-11). A browser that follows a link from another site leaves a strict cookie at home: it is asked once more,
by a page of ours, before somebody who is signed in is told to sign in.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import TypeVar

from aiohttp import web

from intake import web_sessions
from intake.model import Context
from intake.store.engine import Store, StoreError, Tx
from intake.web import access, bodies, csrf, origins, refusals, streams
from intake.web.access import NOBODY, Action, Subject, Who
from intake.web.refusals import Refused
from intake.web.routes import SAFE_METHODS, Route
from intake.web_sessions import Session, Times

BODY_S = 60.0  # for a form to come in
LOOK_S = 10.0  # how soon a stream notices what ended elsewhere than here
_ID_MAX = 2**63 - 1

log = logging.getLogger("intake.web.guard")

T = TypeVar("T")
Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]
Look = Callable[[Tx], Subject | None]


class Guard:
    """Guards the routes of one application. own: our origins; is_secure: we are reached by https.

    sees_all: agents see every team's tickets.
    """

    def __init__(
        self,
        store: Store,
        context: Callable[[], Context],
        *,
        times: Times,
        own: frozenset[str] = frozenset(),
        is_secure: bool = False,
        sees_all: bool = False,
        look_s: float = LOOK_S,
    ) -> None:
        self._store, self._context, self.times = store, context, times
        self._own, self.is_secure, self._sees_all = own, is_secure, sees_all
        self._look_s, self._streams = look_s, streams.Streams(store)
        self.cookie = "__Host-intake" if is_secure else "intake"

    def answering(self, route: Route) -> Answer:
        """Return what answers for the route."""

        async def answer(request: web.Request) -> web.StreamResponse:
            try:
                if route.authority == "session":
                    return await self._in_session(route, request)
                return await self._by_other_proof(route, request)
            except Refused as refused:
                return refusals.answer(request, refused.status, refused.sentence)
            except StoreError as error:
                log.warning("request_not_answered route=%s reason=%s", route.name, error.sentence)
                return refusals.later(request)
            except (web.HTTPException, ConnectionError):
                raise
            except Exception:
                # The last resort: whoever asked hears that it is our fault, and nothing of why.
                log.exception("request_failed route=%s", route.name)
                if route.is_long_lived:  # its answer has begun, and can only break off
                    raise
                return refusals.answer(request, 500, refusals.BROKEN)

        return answer

    async def session(self, request: web.Request) -> Session | None:
        """Return the session of a request, whatever its stage; None = there is none that holds."""
        session, _ = await self._looked_up(request, None)
        return session

    async def _looked_up(
        self, request: web.Request, look: Look | None
    ) -> tuple[Session | None, Subject | None]:
        """Return the session of a request, and with a whole one what the request is about: one look at the store."""
        token = request.cookies.get(self.cookie, "")
        if not token or not token.isascii() or len(token) > 2 * web_sessions.TOKEN_BYTES:
            return None, None
        known_by = web_sessions.hashed(self._context().keys, token)

        def found(tx: Tx) -> tuple[Session | None, Subject | None]:
            session = web_sessions.find(tx, known_by)
            is_asked = look is not None and session is not None and session.stage == "full"
            return session, look(tx) if look is not None and is_asked else None

        return await self._store.read(found)

    async def _who(self, session: Session, *, is_click: bool) -> Who:
        if is_click and web_sessions.is_to_be_touched(session, self._store.now_us()):
            await self._store.write(lambda tx: web_sessions.touch(tx, session, self.times))
        return web_sessions.who(self._context(), session, sees_all=self._sees_all)

    def _check_origin(self, route: Route, request: web.Request) -> None:
        """See that a request comes from a page of ours. Raises: Refused."""
        reason = origins.refusal(request, self._own)
        if reason is not None:
            # Never the path itself: some end with a link's secret, which is still good then.
            log.warning("request_of_another_site route=%s reason=%s", route.name, reason)
            raise Refused(403, refusals.FORGED, reason=reason)

    async def _by_other_proof(self, route: Route, request: web.Request) -> web.StreamResponse:
        if route.authority == "public" and request.method not in SAFE_METHODS and not route.is_cross_site:
            self._check_origin(route, request)
            request = request.clone(client_max_size=route.max_body_bytes)
            is_form = request.content_type in bodies.TYPES
            await _in_time(
                bodies.form(request) if is_form else request.read()
            )  # kept, for the handler to ask for again
            return await route.handler(request)
        return await route.handler(request)

    async def _in_session(self, route: Route, request: web.Request) -> web.StreamResponse:
        is_unsafe = request.method not in SAFE_METHODS or _is_upgrade(request)
        if is_unsafe:
            self._check_origin(route, request)
        look = _early_look(route, request)
        session, subject = await self._looked_up(request, look)
        if (
            session is not None
            and session.stage == "enrolment"
            and not request.path.startswith(refusals.ACCOUNT)
        ):
            return refusals.to_account(request)
        is_whole = session is not None and session.stage != "second_factor"
        is_click = _is_click(route, request)
        who = await self._who(session, is_click=is_click) if session is not None and is_whole else NOBODY
        if who.kind != "agent":
            return refusals.signed_out(request)
        if is_unsafe and not _is_upgrade(request):
            request = await self._checked_form(request, who, route)
        if look is None:
            subject = await _subject(route, request)
        self._check(route, who, subject)
        if route.is_long_lived:
            return await self._until_it_ends(route, request, who)
        return await route.handler(request, who)

    async def _checked_form(self, request: web.Request, who: Who, route: Route) -> web.Request:
        """See that a form or a script of this session sent it. Raises: Refused."""
        request = request.clone(client_max_size=route.max_body_bytes)
        given: object = request.headers.get(csrf.FIELD)
        if given is None and request.content_type in bodies.TYPES:
            given = (await _in_time(bodies.form(request))).get(csrf.FIELD)
        if not csrf.is_good(self._context().keys, who, given):
            raise Refused(403, refusals.FORGED)
        return request

    def _check(self, route: Route, who: Who, subject: Subject | None) -> None:
        """Decide whether they may. Raises: Refused."""
        if route.subject is not None and subject is None:
            raise Refused(404, refusals.NOT_FOUND)
        if access.may(who, route.action, subject):
            return
        if subject is not None and not access.may(who, Action.see_ticket, subject):
            if route.leads_on and subject.into and access.may(who, Action.see_ticket, subject.into):
                raise web.HTTPFound(f"/tickets/{subject.into.ref}")
            raise Refused(404, refusals.NOT_FOUND)
        log.warning("access_refused agent=%s role=%s route=%s", who.name, who.role, route.name)
        raise Refused(403, refusals.FORBIDDEN)

    async def _until_it_ends(self, route: Route, request: web.Request, who: Who) -> web.StreamResponse:
        """Let a stream go on while its session holds and its owner is who they were."""
        stream = asyncio.ensure_future(route.handler(request, who))
        try:
            with self._streams.opened(who.name) as woken:
                while not stream.done():
                    await streams.ended_or_woken(stream, woken, within_s=self._look_s)
                    if not stream.done() and not await self._is_still(request, who):
                        break
        finally:
            await streams.end(stream)
        if stream.cancelled() and request.transport is not None:
            request.transport.close()
        return stream.result()

    async def _is_still(self, request: web.Request, who: Who) -> bool:
        """Whether they would be let in now as they were; while the store cannot say so, nobody is put out."""
        try:
            session = await self.session(request)
        except StoreError:
            return True
        return web_sessions.who(self._context(), session, sees_all=self._sees_all) == who


async def _in_time(reading: Awaitable[T]) -> T:
    """Read a form, whoever sends it slowly or sends none. Raises: Refused."""
    try:
        async with asyncio.timeout(BODY_S):
            return await reading
    except TimeoutError:
        raise Refused(408, "The form came too slowly.") from None
    except ValueError:
        raise Refused(400, "The form cannot be read.") from None


def _early_look(route: Route, request: web.Request) -> Look | None:
    """Return how what a request is about is found along with its session; None = apart, once its form has come in."""
    look = getattr(route.subject, "look", None)
    has_waited = request.method not in SAFE_METHODS and csrf.FIELD not in request.headers
    if look is None or has_waited or any(map(_is_no_row, request.match_info.values())):
        return None
    found: Look = look(request)
    return found


async def _subject(route: Route, request: web.Request) -> Subject | None:
    """Return what a request is about, None = it is about nothing. Raises: Refused."""
    if any(map(_is_no_row, request.match_info.values())):
        raise Refused(404, refusals.NOT_FOUND)
    return None if route.subject is None else await route.subject(request)


def _is_upgrade(request: web.Request) -> bool:
    """Whether it begins a WebSocket: a GET, which has no form (RFC 6455 §4.1)."""
    return request.method == "GET" and request.headers.get("Upgrade", "").lower() == "websocket"


def _is_click(route: Route, request: web.Request) -> bool:
    """Whether somebody does something: opens a page, or sends something.

    What an open tab asks for by itself keeps no session alive: else none would end while a tab is open.
    """
    if route.is_by_itself or route.is_long_lived:
        return False
    return request.method not in SAFE_METHODS or request.headers.get("Sec-Fetch-Mode") in (None, "navigate")


def _is_no_row(text: str) -> bool:
    """Whether it is a number that no row can have: stores would fail on it."""
    return text.isascii() and text.isdigit() and int(text[:20]) > _ID_MAX
