"""The account itself, its numbers and what else is asked of it (twilio.com/docs/iam/api/account, 2026-11)."""

from typing import Any

from aiohttp import web

from channels.twilio.simulator import resources, sending
from channels.twilio.simulator.provider import Provider
from channels.twilio.simulator.refusals import ApiError
from channels.twilio.simulator.rest_resources import Pairs, Route, named, page


async def _account(request: web.Request, provider: Provider, _: Pairs) -> web.StreamResponse:
    if not request.path.endswith(f"{provider.account}.json"):
        raise ApiError(20404, request.path)
    body = {
        "auth_token": "[Redacted]",
        "date_created": resources.rfc2822(provider.at),
        "date_updated": resources.rfc2822(provider.at),
        "friendly_name": "A played account",
        "owner_account_sid": provider.account,
        "sid": provider.account,
        "status": "active",
        "type": "Full",
        "uri": f"{resources.root(provider)}.json",
    }
    return web.json_response(body)


async def _balance(_: web.Request, provider: Provider, __: Pairs) -> web.StreamResponse:
    return web.json_response({"account_sid": provider.account, "balance": "100.00", "currency": "USD"})


async def _numbers(request: web.Request, provider: Provider, pairs: Pairs) -> web.StreamResponse:
    query = dict(pairs)
    rows = [
        resources.number(provider, each)
        for each in provider.numbers.values()
        if query.get("PhoneNumber", "").strip("*") in each.number
    ]
    return page("incoming_phone_numbers", request, query, rows)


async def _number(request: web.Request, provider: Provider, _: Pairs) -> web.StreamResponse:
    return web.json_response(resources.number(provider, _found_number(request, provider)))


async def _change_number(request: web.Request, provider: Provider, pairs: Pairs) -> web.StreamResponse:
    found = _found_number(request, provider)
    for name, value in pairs:
        if name.endswith(("Url", "Callback")) and value:
            sending.check_url(value, 21502)
        found.settings[_snake(name)] = value
    return web.json_response(resources.number(provider, found))


def _snake(name: str) -> str:
    return "".join(f"_{each.lower()}" if each.isupper() else each for each in name).lstrip("_")


def _found_number(request: web.Request, provider: Provider) -> Any:
    return named({each.sid: each for each in provider.numbers.values()}, request)


async def _none(request: web.Request, _: Provider, pairs: Pairs) -> web.StreamResponse:
    return page("conferences", request, dict(pairs), [])


async def nowhere(request: web.Request, _: Provider, __: Pairs) -> web.StreamResponse:
    raise ApiError(20404, request.path)


ROUTES: tuple[Route, ...] = (
    ("GET", "/IncomingPhoneNumbers.json", "IncomingPhoneNumbers", _numbers),
    ("GET", "/IncomingPhoneNumbers/{sid}.json", "IncomingPhoneNumber", _number),
    ("POST", "/IncomingPhoneNumbers/{sid}.json", "IncomingPhoneNumber", _change_number),
    ("GET", "/Conferences.json", "Conferences", _none),
    ("GET", "/Balance.json", "Balance", _balance),
    ("GET", ".json", "Account", _account),
)
