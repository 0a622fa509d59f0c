"""Serves the pages and the channels' hooks. Imported late: aiohttp takes 0.4 s to import, and mail is taken without it.

Clients that are slow, silent or too many are bounded: headers have to be there within KEEPALIVE_S of the connection or of
the answer before (bodies: channels.hooks), and beyond MAX_CONNECTIONS a connection is closed at once.
"""

import asyncio
import logging
import ssl
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any, cast

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

from channels import hooks
from channels.contract import Gate
from intake.web import app as pages
from intake.web import routes as table
from intake.web.access import Action
from intake.web.guard import Guard
from intake.web.guesses import Networks, asker
from intake.web.routes import Route

# Longer than a proxy keeps its own end (nginx: 60 s), so that no request meets a connection that is being closed.
KEEPALIVE_S = 75.0
LINGER_S = 5.0  # for the rest of a body that is not wanted, so that its sender reads the answer
STOP_S = 10.0
BACKLOG = 512
BROKEN = 500
_NOT_HTTP, _BROKEN = "this is not a request that can be read\n", "the fault is ours\n"
MAX_CONNECTIONS = 2_000

log = logging.getLogger("intake.web.serving")


async def serve(
    state: pages.State,
    listen: str,
    *,
    channels: Mapping[str, Any],
    gate: Gate,
    routes: Iterable[Route] = (),
    guard: Guard | None = None,
    tls: ssl.SSLContext | None = None,
    ending: Iterable[Callable[[], None]] = (),
    proxies: Networks = (),
    max_connections: int = MAX_CONNECTIONS,
    keepalive_s: float = KEEPALIVE_S,
) -> web.AppRunner:
    """Serve until the runner's cleanup(). listen: "host:port"; routes: beside those of the channels and of the health.

    guard: stands before all of them; ending: called when we stop, while streams are still open; proxies: those that are
    believed who asks. Raises: OSError when the address is taken, RouteError.
    """
    app = pages.make_app(state, is_secure=guard is not None and guard.is_secure)
    table.mount(app, [*pages.routes(), *routes, *of_channels(channels, gate, proxies)], guard)
    app.on_shutdown.extend(_calling(each) for each in ending)
    app.on_shutdown.extend(_hanging_up(each) for each in channels.values() if hasattr(each, "hang_up"))
    _hush_protocol_errors()
    runner = _Runner(
        app,
        max_connections=max_connections,
        beside=lambda: sum(getattr(each, "open_count", 0) for each in channels.values()),
        access_log=None,
        handle_signals=False,
        auto_decompress=False,  # a hook's signature is over the bytes that were sent
        keepalive_timeout=keepalive_s,
        lingering_time=LINGER_S,
        shutdown_timeout=STOP_S,
    )
    await runner.setup()
    host, _, port = listen.rpartition(":")
    try:
        await web.TCPSite(runner, host.strip("[]"), int(port), backlog=BACKLOG, ssl_context=tls).start()
    except OSError as error:
        await runner.cleanup()
        raise OSError(
            error.errno,
            f"http cannot listen on {listen}: {error.strerror}; stop what listens there, or set another address",
        ) from error
    return runner


def _calling(end: Callable[[], None]) -> Callable[[web.Application], Awaitable[None]]:
    async def ended(app: web.Application) -> None:
        end()

    return ended


def _hanging_up(channel: Any) -> Callable[[web.Application], Awaitable[None]]:
    """Return what ends the long-lived requests of a channel: the server would wait for them."""

    async def ended(app: web.Application) -> None:
        await channel.hang_up()

    return ended


def of_channels(channels: Mapping[str, Any], gate: Gate, proxies: Networks = ()) -> list[Route]:
    """Return the routes of the channels: each says by whose proof it is taken."""
    actions = {"signature": Action.take_hook, "visitor": Action.chat, "public": Action.open_form}
    return [
        Route(
            each.method,
            each.path,
            actions[each.authority],
            _of_client(each.handler, proxies),
            authority=each.authority,
            is_cross_site=each.authority == "public",
        )
        for each in hooks.routes(channels, gate)
    ]


def _of_client(handler: hooks.Handler, proxies: Networks) -> hooks.Handler:
    """Return a handler whose requests are from whom they are from, not from a proxy of ours."""

    async def answer(request: web.Request) -> web.StreamResponse:
        client = asker(request, proxies)
        # A copy is held for as long as the request lasts: the open chats of those who come directly need none.
        return await handler(request if client == request.remote else request.clone(remote=client))

    return answer


class _Runner(web.AppRunner):
    """An AppRunner whose server takes so many connections and no more. beside: how many others bound themselves."""

    def __init__(
        self, app: web.Application, *, max_connections: int, beside: Callable[[], int], **options: Any
    ) -> None:
        super().__init__(app, **options)
        self._max_connections, self._beside = max_connections, beside

    @property
    def server(self) -> web.Server | None:
        server = super().server
        # A site only ever calls it, once for each connection.
        return None if server is None else cast("web.Server", self._protocol)

    def _protocol(self) -> asyncio.Protocol:
        server = super().server
        if server is None or len(server.connections) - self._beside() >= self._max_connections:
            log.warning("http_connection_refused most=%s", self._max_connections)
            return _Closed()
        answering = server()
        answering.__class__ = _Answering
        return answering


class _Answering(web.RequestHandler):
    """Reads requests off one connection, and says to what is not HTTP that it is not.

    The library would repeat what was sent and name its own version, and knows nothing of our headers.
    """

    __slots__ = ()

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        told = super().handle_error(request, status, exc, message)
        headers = {**pages.SECURITY_HEADERS, "Server": pages.SERVER}
        answer = web.Response(
            status=told.status, text=_NOT_HTTP if status < BROKEN else _BROKEN, headers=headers
        )
        answer.force_close()
        return answer


class _Closed(asyncio.Protocol):
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        cast("asyncio.Transport", transport).abort()


def _hush_protocol_errors() -> None:
    """Keep what is not HTTP out of the log: anybody can send it, and the library writes a trace for each."""
    logger = logging.getLogger("aiohttp.server")
    if not any(isinstance(each, _Hush) for each in logger.filters):
        logger.addFilter(_Hush())


class _Hush(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        error = record.exc_info[1] if record.exc_info else None
        return not isinstance(error, HttpProcessingError)
