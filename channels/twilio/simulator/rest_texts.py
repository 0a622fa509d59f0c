"""Messages and their files, as the REST API gives and takes them (twilio.com/docs/messaging/api, 2026-11)."""

from aiohttp import web

from channels.twilio.simulator import paging, resources, sending
from channels.twilio.simulator.provider import Provider
from channels.twilio.simulator.refusals import ApiError
from channels.twilio.simulator.rest_resources import PROVIDER, Pairs, Route, named, page


async def _send(_: web.Request, provider: Provider, pairs: Pairs) -> web.StreamResponse:
    media = [value for name, value in pairs if name == "MediaUrl"]
    taken = sending.text(provider, dict(pairs), media)
    return web.json_response(resources.text(provider, taken), status=201)


async def _texts(request: web.Request, provider: Provider, pairs: Pairs) -> web.StreamResponse:
    query = dict(pairs)
    found = [
        each
        for each in reversed(provider.texts.values())
        if query.get("To", each.to) == each.to
        and query.get("From", each.from_) == each.from_
        and paging.is_between(query, "DateSent", each.sent_at)
    ]
    rows = [resources.text(provider, each) for each in found]
    return page("messages", request, query, rows)


async def _text(request: web.Request, provider: Provider, _: Pairs) -> web.StreamResponse:
    return web.json_response(resources.text(provider, named(provider.texts, request)))


async def _change_text(request: web.Request, provider: Provider, pairs: Pairs) -> web.StreamResponse:
    """Redact a text (Body=) or cancel one that was not sent yet."""
    found, asked = named(provider.texts, request), dict(pairs)
    if "Body" in asked:
        if asked["Body"]:
            raise ApiError(21710, "Body")
        found.body = ""
    if "Status" in asked:
        if asked["Status"] != "canceled" or found.status not in ("accepted", "scheduled"):
            raise ApiError(21710, f"Status={asked['Status']}")
        found.status = "canceled"
    return web.json_response(resources.text(provider, found))


async def _delete_text(request: web.Request, provider: Provider, _: Pairs) -> web.StreamResponse:
    del provider.texts[named(provider.texts, request).sid]
    return web.Response(status=204)


async def _text_media(request: web.Request, provider: Provider, pairs: Pairs) -> web.StreamResponse:
    text = named(provider.texts, request)
    rows = [resources.media(provider, each, parent=text.sid) for each in text.media]
    return page("media_list", request, dict(pairs), rows)


async def _media(request: web.Request, provider: Provider, _: Pairs) -> web.StreamResponse:
    """Give a file: its JSON when asked for, else a redirect to where its bytes are, without authentication."""
    name = request.match_info["media"]
    file = next(
        (each for each in named(provider.texts, request).media if each.sid == name.removesuffix(".json")),
        None,
    )
    if file is None or file.sid not in provider.files:
        raise ApiError(20404, request.path)
    if name.endswith(".json"):
        return web.json_response(resources.media(provider, file, parent=request.match_info["sid"]))
    if provider.redirects_media:
        return web.Response(status=307, headers={"Location": f"/media/{file.sid}"})
    return web.Response(body=file.content, content_type=file.content_type)


async def _delete_media(request: web.Request, provider: Provider, _: Pairs) -> web.StreamResponse:
    if provider.files.pop(request.match_info["media"].removesuffix(".json"), None) is None:
        raise ApiError(20404, request.path)
    return web.Response(status=204)


async def media_elsewhere(request: web.Request) -> web.StreamResponse:
    """Play the store that media URLs lead to; it wants no authentication, and is told none."""
    provider = request.app[PROVIDER]
    file = provider.files.get(request.match_info["sid"])
    if file is None:
        return web.Response(status=404)
    return web.Response(body=file.content, content_type=file.content_type)


ROUTES: tuple[Route, ...] = (
    ("POST", "/Messages.json", "Messages", _send),
    ("GET", "/Messages.json", "Messages", _texts),
    ("GET", "/Messages/{sid}/Media.json", "MessageMedia", _text_media),
    ("GET", "/Messages/{sid}/Media/{media}", "Media", _media),
    ("DELETE", "/Messages/{sid}/Media/{media}", "Media", _delete_media),
    ("GET", "/Messages/{sid}.json", "Message", _text),
    ("POST", "/Messages/{sid}.json", "Message", _change_text),
    ("DELETE", "/Messages/{sid}.json", "Message", _delete_text),
)
