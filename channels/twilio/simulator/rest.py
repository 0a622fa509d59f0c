"""Twilio's REST API, version 2010-04-01, played by aiohttp: strict, with the codes and the JSON of the real one.

    app = rest.application(provider)            # an aiohttp application, to be served on 127.0.0.1
    async with rest.serving(provider) as url:   # "http://127.0.0.1:PORT", for api_url

Source: twilio.com/docs/usage/api, /docs/messaging/api, /docs/voice/api (2026-11). What it does not play answers 404 with
20404, as the real one does for a resource that is not there.
"""

import base64
import binascii
import contextlib
import hmac
from collections.abc import AsyncIterator, Awaitable, Callable
from email.utils import format_datetime

from aiohttp import web

from channels.twilio.simulator import (
    parameters,
    rest_account,
    rest_calls,
    rest_content,
    rest_recordings,
    rest_texts,
)
from channels.twilio.simulator.provider import Asked, Provider
from channels.twilio.simulator.refusals import ApiError
from channels.twilio.simulator.rest_resources import PROVIDER, Answer, Pairs

ROOT = "/2010-04-01/Accounts/{account}"
_FORM = "application/x-www-form-urlencoded"
_ROUTES = (*rest_texts.ROUTES, *rest_calls.ROUTES, *rest_recordings.ROUTES, *rest_account.ROUTES)


def application(provider: Provider) -> web.Application:
    """Make the application. Everything it is asked is kept in provider.asked."""
    app = web.Application(client_max_size=1 << 20)
    app[PROVIDER] = provider
    for method, path, resource, answer in _ROUTES:
        app.router.add_route(method, ROOT + path, _taken(resource, answer))
    for method, path, resource, answer in rest_content.ROUTES:
        app.router.add_route(method, path, _taken(resource, answer))
    app.router.add_get("/media/{sid}", rest_texts.media_elsewhere)
    app.router.add_route("*", "/{rest:.*}", _taken("", rest_account.nowhere))
    return app


@contextlib.asynccontextmanager
async def serving(provider: Provider, *, host: str = "127.0.0.1", port: int = 0) -> AsyncIterator[str]:
    """Serve it; its URL, as api_url wants it."""
    runner = web.AppRunner(application(provider), access_log=None)
    await runner.setup()
    try:
        site = web.TCPSite(runner, host, port)
        await site.start()
        bound = runner.addresses[0][1]
        yield f"http://{f'[{host}]' if ':' in host else host}:{bound}"
    finally:
        await runner.cleanup()


def _taken(resource: str, answer: Answer) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    """Wrap an answer: who asks, what stands in the way, the parameters it knows; then keep what was asked."""

    async def respond(request: web.Request) -> web.StreamResponse:
        provider = request.app[PROVIDER]
        pairs = await _pairs(request)
        code = 0
        try:
            _authenticate(request, provider)
            _check_way(provider)
            if resource:
                parameters.check(request.method, resource, pairs)
            response = await answer(request, provider, pairs)
        except ApiError as error:
            code = error.code
            response = web.json_response(error.body(), status=error.status)
            if code == 20003:
                response.headers["WWW-Authenticate"] = 'Basic realm="Twilio API"'
        response.headers["Date"] = format_datetime(provider.at, usegmt=True)  # of the played clock
        asked = Asked(request.method, request.path, tuple(pairs), response.status, code)
        provider.asked.append(asked)
        return response

    return respond


async def _pairs(request: web.Request) -> Pairs:
    """Read the parameters, order kept, doubled ones both: of the query of a GET, of the form of a POST."""
    if request.method == "GET":
        return list(request.query.items())
    if request.content_type != _FORM:
        return []
    return [(name, str(value)) for name, value in (await request.post()).items()]


def _authenticate(request: web.Request, provider: Provider) -> None:
    scheme, _, encoded = request.headers.get("Authorization", "").partition(" ")
    try:
        given = base64.b64decode(encoded, validate=True)
    except binascii.Error:
        given = b""
    logins = {provider.account: provider.token} | provider.keys
    right = (f"{user}:{secret}".encode() for user, secret in logins.items())
    if scheme.lower() != "basic" or not any(hmac.compare_digest(given, each) for each in right):
        raise ApiError(20003)
    if request.match_info.get("account", provider.account).removesuffix(".json") != provider.account:
        raise ApiError(20404, request.path)


def _check_way(provider: Provider) -> None:
    refused = provider.next_refusal()
    if refused is not None:
        raise refused
