"""HTTP: /healthz (the loop turns), /readyz (the work can be done, part by part), /metrics (Prometheus)."""

from typing import Protocol

import msgspec
from aiohttp import web

from intake.metrics import CONTENT_TYPE, Metrics
from intake.web.access import Action
from intake.web.health import Readiness
from intake.web.routes import Route

MAX_BODY_BYTES = 1024 * 1024
SECURITY_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}
SERVER = "intake"  # not the library's name and version
_HSTS = "max-age=31536000; includeSubDomains"  # OWASP ASVS 5.0 row 3.4.1 (2026-11)


class State(Protocol):
    """What the pages ask of the daemon."""

    @property
    def metrics(self) -> Metrics: ...

    async def readiness(self) -> Readiness:
        """Look at every part now; quick, and never raises."""
        ...


_STATE = web.AppKey("state", State)


def make_app(state: State, *, is_secure: bool = False) -> web.Application:
    """Build the application, without routes. is_secure: it is reached by https, and by nothing else from now on."""
    app = web.Application(client_max_size=MAX_BODY_BYTES)
    app[_STATE] = state

    async def add_headers(request: web.Request, response: web.StreamResponse) -> None:
        for name, value in SECURITY_HEADERS.items():
            response.headers.setdefault(
                name, value
            )  # a page that may be kept, or shown elsewhere, says so itself
        if is_secure:
            response.headers["Strict-Transport-Security"] = _HSTS
        response.headers["Server"] = SERVER

    app.on_response_prepare.append(add_headers)
    return app


def routes() -> list[Route]:
    """Return the routes that tell how the daemon is."""
    look = Action.look_at_health
    return [
        Route("GET", "/healthz", look, _healthz, authority="public"),
        Route("GET", "/readyz", look, _readyz, authority="public"),
        Route("GET", "/metrics", look, _metrics, authority="public"),
    ]


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
