"""What the answers of the played REST API share: parameters in order, resources by their SID, pages of lists."""

from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

from channels.twilio.simulator import paging
from channels.twilio.simulator.provider import Provider
from channels.twilio.simulator.refusals import ApiError

PROVIDER: web.AppKey[Provider] = web.AppKey("provider", Provider)

Pairs = list[tuple[str, str]]
Answer = Callable[[web.Request, Provider, Pairs], Awaitable[web.StreamResponse]]
Route = tuple[str, str, str, Answer]  # method, path below the account, what of parameters.KNOWN, the answer


def named(rows: dict[str, Any], request: web.Request) -> Any:
    """Find the resource that the path names. Raises: ApiError 20404."""
    found = rows.get(request.match_info["sid"].removesuffix(".json"))
    if found is None:
        raise ApiError(20404, request.path)
    return found


def page(name: str, request: web.Request, query: dict[str, str], rows: list[dict[str, Any]]) -> web.Response:
    return web.json_response(paging.page(name, request.path, query, rows))
