"""Calls, as the REST API gives and takes them (twilio.com/docs/voice/api/call-resource, 2026-11)."""

from aiohttp import web

from channels.twilio.simulator import paging, resources, sending
from channels.twilio.simulator.provider import Call, Provider
from channels.twilio.simulator.refusals import ApiError
from channels.twilio.simulator.rest_resources import Pairs, Route, named, page


async def _call_somebody(_: web.Request, provider: Provider, pairs: Pairs) -> web.StreamResponse:
    events = [value for name, value in pairs if name == "StatusCallbackEvent"]
    taken = sending.call(provider, dict(pairs), events)
    return web.json_response(resources.call(provider, taken), status=201)


async def _calls(request: web.Request, provider: Provider, pairs: Pairs) -> web.StreamResponse:
    query = dict(pairs)
    found = [each for each in reversed(provider.calls.values()) if _is_wanted(query, each)]
    return page("calls", request, query, [resources.call(provider, each) for each in found])


def _is_wanted(query: dict[str, str], each: Call) -> bool:
    own = {"To": each.to, "From": each.from_, "ParentCallSid": each.parent, "Status": each.status}
    return (
        all(query.get(name, value) == value for name, value in own.items())
        and paging.is_between(query, "StartTime", each.started_at or each.created_at)
        and paging.is_between(query, "EndTime", each.ended_at)
    )


async def _call(request: web.Request, provider: Provider, _: Pairs) -> web.StreamResponse:
    return web.json_response(resources.call(provider, named(provider.calls, request)))


async def _change_call(request: web.Request, provider: Provider, pairs: Pairs) -> web.StreamResponse:
    found = sending.change_call(provider, named(provider.calls, request), dict(pairs))
    return web.json_response(resources.call(provider, found))


async def _delete_call(request: web.Request, provider: Provider, _: Pairs) -> web.StreamResponse:
    found = named(provider.calls, request)
    if not found.is_over:
        raise ApiError(21220)
    del provider.calls[found.sid]
    return web.Response(status=204)


ROUTES: tuple[Route, ...] = (
    ("POST", "/Calls.json", "Calls", _call_somebody),
    ("GET", "/Calls.json", "Calls", _calls),
    ("GET", "/Calls/{sid}.json", "Call", _call),
    ("POST", "/Calls/{sid}.json", "Call", _change_call),
    ("DELETE", "/Calls/{sid}.json", "Call", _delete_call),
)
