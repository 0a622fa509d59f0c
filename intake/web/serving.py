"""Serves the pages and the channels' hooks. Imported late: aiohttp takes 0.4 s to import, and mail is taken without it.

Clients that are slow, silent or too many are bounded: headers have to be there within KEEPALIVE_S of the connection or of
the answer before (bodies: channels.hooks), and beyond MAX_CONNECTIONS a connection is closed at once.
"""

import asyncio
import logging
from collections.abc import Callable, Iterable, Mapping
from typing import Any, cast

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

from channels import hooks
from channels.contract import Gate
from intake.web import app as pages

# Longer than a proxy keeps its own end (nginx: 60 s), so that no request meets a connection that is being closed.
KEEPALIVE_S = 75.0
LINGER_S = 5.0  # for the rest of a body that is not wanted, so that its sender reads the answer
STOP_S = 10.0
BACKLOG = 512
MAX_CONNECTIONS = 2_000

log = logging.getLogger("intake.web.serving")


async def serve(
    state: pages.State,
    listen: str,
    *,
    channels: Mapping[str, Any],
    gate: Gate,
    mounts: Iterable[Callable[[web.Application], None]] = (),
    max_connections: int = MAX_CONNECTIONS,
    keepalive_s: float = KEEPALIVE_S,
) -> web.AppRunner:
    """Serve until the runner's cleanup(). listen: "host:port"; mounts: add further routes.

    Raises: OSError when the address is taken.
    """
    app = pages.make_app(state)
    for mount in mounts:
        mount(app)
    hooks.mount(app, channels, gate)
    _hush_protocol_errors()
    runner = _Runner(
        app,
        max_connections=max_connections,
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
        await web.TCPSite(runner, host.strip("[]"), int(port), backlog=BACKLOG).start()
    except OSError as error:
        await runner.cleanup()
        raise OSError(
            error.errno,
            f"http cannot listen on {listen}: {error.strerror}; stop what listens there, or set another address",
        ) from error
    return runner


class _Runner(web.AppRunner):
    """An AppRunner whose server takes so many connections and no more."""

    def __init__(self, app: web.Application, *, max_connections: int, **options: Any) -> None:
        super().__init__(app, **options)
        self._max_connections = max_connections

    @property
    def server(self) -> web.Server | None:
        server = super().server
        # A site only ever calls it, once for each connection.
        return None if server is None else cast("web.Server", self._protocol)

    def _protocol(self) -> asyncio.Protocol:
        server = super().server
        if server is None or len(server.connections) >= self._max_connections:
            log.warning("http_connection_refused most=%s", self._max_connections)
            return _Closed()
        return server()


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
