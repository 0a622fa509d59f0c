"""Templates of WhatsApp as Twilio's content API tells of them (twilio.com/docs/content/content-api-resources, 2026-11).

Those of the provider are there and approved; of their words nothing is known, so nothing is told.
"""

from aiohttp import web

from channels.twilio.simulator.provider import Provider
from channels.twilio.simulator.refusals import ApiError
from channels.twilio.simulator.rest_resources import Pairs, Route


async def _content(request: web.Request, provider: Provider, _: Pairs) -> web.StreamResponse:
    return web.json_response({"account_sid": provider.account, "sid": _known(request, provider), "types": {}})


async def _approval(request: web.Request, provider: Provider, _: Pairs) -> web.StreamResponse:
    sid = _known(request, provider)
    return web.json_response(
        {"account_sid": provider.account, "sid": sid, "whatsapp": {"status": "approved"}}
    )


def _known(request: web.Request, provider: Provider) -> str:
    """Return the template that the path names. Raises: ApiError 20404."""
    sid = request.match_info["sid"]
    if sid not in provider.templates:
        raise ApiError(20404, request.path)
    return sid


ROUTES: tuple[Route, ...] = (
    ("GET", "/v1/Content/{sid}", "", _content),
    ("GET", "/v1/Content/{sid}/ApprovalRequests", "", _approval),
)
