"""HTTP: /healthz (the loop turns), /readyz (the work can be done, part by part), /metrics (Prometheus)."""

from typing import Protocol

import msgspec
from aiohttp import web

from intake.metrics import CONTENT_TYPE, Metrics
from intake.web.health import Readiness

MAX_BODY_BYTES = 1024 * 1024
_SECURITY_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
}


class State(Protocol):
    """What the pages ask of the daemon."""

    @property
    def metrics(self) -> Metrics: ...

    async def readiness(self) -> Readiness:
        """Look at every part now; quick, and never raises."""
        ...


_STATE = web.AppKey("state", State)


def make_app(state: State) -> web.Application:
    """Build the application; the daemon adds the channels' own routes before it starts it."""
    app = web.Application(client_max_size=MAX_BODY_BYTES)
    app[_STATE] = state
    app.router.add_get("/healthz", _healthz)
    app.router.add_get("/readyz", _readyz)
    app.router.add_get("/metrics", _metrics)
    app.on_response_prepare.append(_add_security_headers)
    return app


async def _add_security_headers(request: web.Request, response: web.StreamResponse) -> None:
    for name, value in _SECURITY_HEADERS.items():
        response.headers.setdefault(name, value)  # a page that may be kept says so itself
    response.headers["Server"] = "intake"  # not the library's name and version


async def _healthz(request: web.Request) -> web.Response:
    return web.Response(text="alive\n")


async def _readyz(request: web.Request) -> web.Response:
    readiness = await request.app[_STATE].readiness()
    request.app[_STATE].metrics.ready.set(readiness.is_ready)
    status = 200 if readiness.is_ready else 503
    body = msgspec.json.encode(readiness.body())
    return web.Response(body=body, status=status, content_type="application/json")


async def _metrics(request: web.Request) -> web.Response:
    body = request.app[_STATE].metrics.exposition()
    return web.Response(body=body, headers={"Content-Type": CONTENT_TYPE})
