"""HTTP of channels: mounts what their `routes(gate)` give under /hooks/<account>/…, and answers for all of them.

    def routes(self, gate):
        return [web.post("/mime", functools.partial(self._take, gate))]      # POST /hooks/support/mime

A handler answers 2xx itself, after the gate's receipt, and raises everything else: this module is the one place where
errors become HTTP. The sender's fault is 4xx, ours is 503 with Retry-After, and nobody outside sees a reason of ours or
a trace. Bodies are read raw and bounded (`Bodies`); compressed ones are refused, for a signature is over what was sent.
"""

import asyncio
import logging
import re
import time
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from types import FunctionType
from typing import Any, Literal, NamedTuple

from aiohttp import web

from channels import contract

PREFIX = "/hooks"
MAX_REQUESTS = 512  # under way at one time, of all accounts
BUSY_RETRY_S = 5
CRASHED_RETRY_S = 60
SAID_EVERY_S = 60.0
_MAX_SAID = 1_000
_UNPRINTABLE = re.compile(r"[^\x20-\x7e]+")

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
# By whose proof a request is taken: a provider's signature, a visitor's token, or nobody's, for what shows nothing of anybody.
Authority = Literal["signature", "visitor", "public"]
_LONG_LIVED = "is_long_lived"


class Refused(Exception):
    """The sender's fault. said: the short answer, which repeats nothing of the request; reason: for the operator's log."""

    def __init__(self, status: int, said: str, *, reason: str = "") -> None:
        super().__init__(reason or said)
        self.status, self.said, self.reason = status, said, reason


class Complaints:
    """Says the same thing to the operator once a minute, with how often it happened meanwhile. clock: monotonic s."""

    def __init__(self, log: logging.Logger, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._log, self._clock = log, clock
        self._said: dict[tuple[str, ...], tuple[float, int]] = {}

    def say(self, event: str, account: str, reason: str, *, level: int = logging.WARNING) -> None:
        key, now = (event, account, reason), self._clock()
        at, unsaid = self._said.pop(key, (-SAID_EVERY_S, 0))
        if now - at < SAID_EVERY_S:
            self._said[key] = (at, unsaid + 1)
            return
        if len(self._said) >= _MAX_SAID:
            del self._said[next(iter(self._said))]
        self._said[key] = (now, 0)
        self._log.log(level, f"{event} account=%s reason=%s unsaid=%s", account, reason, unsaid)


class Bodies:
    """Reads the bodies of one account's requests. max_in_flight_bytes: of all those under way at one time."""

    def __init__(self, *, max_size_bytes: int, max_in_flight_bytes: int, timeout_s: float) -> None:
        self._max_size_bytes, self._max_in_flight_bytes = max_size_bytes, max_in_flight_bytes
        self._timeout_s = timeout_s
        self._in_flight_bytes = 0

    def read(self, request: web.Request) -> "_Reading":
        """Give the body as it was sent, as `async with`; its bytes count as under way until the block ends.

        Entering raises: Refused (too large, too slow, compressed), Unavailable (too many bytes under way).
        """
        return _Reading(self, request)

    async def begin(self, reading: "_Reading") -> bytes:
        request = reading.request
        encodings = request.headers.getall("Content-Encoding", [])
        if any(each.lower() != "identity" for each in encodings):
            raise Refused(415, "send the body without compression")
        if (request.content_length or 0) > self._max_size_bytes:
            raise Refused(413, "too large")
        if (
            request.content.is_eof()
        ):  # it came in one piece with its head, as all short ones do: no clock is needed
            body = request.content.read_nowait()
            self._count(reading, len(body))
            return body
        try:
            # Only the reading is on the sender's account: a timeout of ours inside the block is a fault of ours.
            async with asyncio.timeout(self._timeout_s):
                return await self._joined(reading)
        except TimeoutError:
            raise Refused(408, "the body came too slowly") from None

    def end(self, reading: "_Reading") -> None:
        self._in_flight_bytes -= reading.counted_bytes

    async def _joined(self, reading: "_Reading") -> bytes:
        chunks: list[bytes] = []
        async for chunk in reading.request.content.iter_any():
            self._count(reading, len(chunk))
            chunks.append(chunk)
        return b"".join(chunks)

    def _count(self, reading: "_Reading", size_bytes: int) -> None:
        reading.counted_bytes += size_bytes
        self._in_flight_bytes += size_bytes
        self._check_bounds(reading.counted_bytes)

    def _check_bounds(self, size_bytes: int) -> None:
        if size_bytes > self._max_size_bytes:
            raise Refused(413, "too large")
        if self._in_flight_bytes > self._max_in_flight_bytes:
            raise contract.Unavailable("too many bytes are being received", retry_after_s=BUSY_RETRY_S)


class _Reading:
    """One body under way."""

    __slots__ = ("_bodies", "counted_bytes", "request")

    def __init__(self, bodies: Bodies, request: web.Request) -> None:
        self._bodies, self.request, self.counted_bytes = bodies, request, 0

    async def __aenter__(self) -> bytes:
        try:
            return await self._bodies.begin(self)
        except BaseException:
            self._bodies.end(self)
            raise

    async def __aexit__(self, *_: object) -> None:
        self._bodies.end(self)


def long_lived(handler: Handler) -> Handler:
    """Mark a handler whose requests stay open (a WebSocket): they do not count as under way, its channel bounds them."""
    if isinstance(handler, FunctionType):  # a wrapper would be held for as long as the request is open
        setattr(handler, _LONG_LIVED, True)
        return handler

    async def answer(request: web.Request) -> web.StreamResponse:
        return await handler(request)

    setattr(answer, _LONG_LIVED, True)
    return answer


class Mounted(NamedTuple):
    """One route of an account, as it is served. method, path: as web.RouteDef has them."""

    method: str
    path: str
    handler: Handler
    authority: Authority
    account: str


def routes(
    channels: Mapping[str, Any],
    gate: contract.Gate,
    *,
    log: logging.Logger | None = None,
    max_requests: int = MAX_REQUESTS,
) -> Iterator[Mounted]:
    """Give the routes of every account that has any.

    A channel whose routes stand elsewhere than under /hooks has a `prefix`; one that asks for another proof than a
    signature says so as `authority`.
    """
    desk = _Desk(log or logging.getLogger("channels.hooks"), max_requests)
    for account, channel in channels.items():
        if not hasattr(channel, "routes"):
            continue
        prefix: str = getattr(channel, "prefix", PREFIX)
        own: Authority = getattr(channel, "authority", "signature")
        given: Iterable[web.RouteDef] = channel.routes(gate)
        for route in given:
            answer = desk.answering(account, route.handler)
            yield Mounted(route.method, f"{prefix}/{account}{route.path}", answer, own, account)


def mount(
    app: web.Application,
    channels: Mapping[str, Any],
    gate: contract.Gate,
    *,
    log: logging.Logger | None = None,
    max_requests: int = MAX_REQUESTS,
) -> None:
    """Add the routes of every account that has any, before the application starts."""
    for each in routes(channels, gate, log=log, max_requests=max_requests):
        app.router.add_route(each.method, each.path, each.handler)


class _Desk:
    """What all mounted routes share: the number of requests under way, and what the operator was told."""

    def __init__(self, log: logging.Logger, max_requests: int) -> None:
        self._log, self._max_requests = log, max_requests
        self._complaints = Complaints(log)
        self._under_way = 0

    def answering(self, account: str, handler: Any) -> Handler:
        """Wrap a handler so that whatever it raises becomes an answer."""
        weight = 0 if getattr(handler, _LONG_LIVED, False) else 1

        async def answer(request: web.Request) -> web.StreamResponse:
            if weight and self._under_way >= self._max_requests:
                return _later(BUSY_RETRY_S)
            self._under_way += weight
            try:
                response: web.StreamResponse = await handler(request)
            except (web.HTTPException, asyncio.CancelledError):
                raise
            except Exception as error:  # noqa: BLE001 - whatever it was, the sender hears it in HTTP
                return self._answer_to(error, account)
            else:
                return response
            finally:
                self._under_way -= weight

        return answer

    def _answer_to(self, error: Exception, account: str) -> web.Response:
        """Say it to the sender in one short line, and to the operator in full."""
        if isinstance(error, Refused):
            if error.reason:
                self._complaints.say("request_refused", account, error.reason)
            return _plain(error.status, error.said)
        if isinstance(error, contract.Rejected):
            return _plain(403, _UNPRINTABLE.sub(" ", error.reason)[:200])
        if isinstance(error, contract.Unavailable):
            self._complaints.say("request_put_off", account, error.reason)
            return _later(error.retry_after_s)
        if isinstance(error, ConnectionError | web.RequestPayloadError):
            return _plain(400, "the body broke off")  # nobody is there to read it
        self._log.error("request_not_taken account=%s", account, exc_info=error)
        return _later(CRASHED_RETRY_S)


def _plain(status: int, said: str) -> web.Response:
    return web.Response(status=status, text=f"{said}\n")


def _later(retry_after_s: int) -> web.Response:
    answer = _plain(503, "not now, please try again later")
    answer.headers["Retry-After"] = str(max(1, retry_after_s))
    return answer
