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
from typing import Any

from aiohttp import web

from channels.twilio.simulator import paging, parameters, resources, sending
from channels.twilio.simulator.provider import Asked, Call, Provider, Recording, Transcription
from channels.twilio.simulator.refusals import ApiError

ROOT = "/2010-04-01/Accounts/{account}"
PROVIDER: web.AppKey[Provider] = web.AppKey("provider", Provider)
_FORM = "application/x-www-form-urlencoded"

Pairs = list[tuple[str, str]]
Answer = Callable[[web.Request, Provider, Pairs], Awaitable[web.StreamResponse]]


def application(provider: Provider) -> web.Application:
    """Make the application. Everything it is asked is kept in provider.asked."""
    app = web.Application(client_max_size=1 << 20)
    app[PROVIDER] = provider
    for method, path, resource, answer in _ROUTES:
        app.router.add_route(method, ROOT + path, _taken(resource, answer))
    app.router.add_get("/media/{sid}", _media_elsewhere)
    app.router.add_route("*", "/{rest:.*}", _taken("", _nowhere))
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
                parameters.check(request.method, resource, [name for name, _ in pairs])
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
    right = f"{provider.account}:{provider.token}".encode()
    if scheme.lower() != "basic" or not hmac.compare_digest(given, right):
        raise ApiError(20003)
    if request.match_info.get("account", provider.account).removesuffix(".json") != provider.account:
        raise ApiError(20404, request.path)


def _check_way(provider: Provider) -> None:
    refused = provider.next_refusal()
    if refused is not None:
        raise refused


# -- texts ------------------------------------------------------------------------------------------------------------


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
    return _page("messages", request, query, rows)


async def _text(request: web.Request, provider: Provider, _: Pairs) -> web.StreamResponse:
    return web.json_response(resources.text(provider, _found(provider.texts, request)))


async def _change_text(request: web.Request, provider: Provider, pairs: Pairs) -> web.StreamResponse:
    """Redact a text (Body=) or cancel one that was not sent yet."""
    found, asked = _found(provider.texts, request), dict(pairs)
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
    del provider.texts[_found(provider.texts, request).sid]
    return web.Response(status=204)


async def _text_media(request: web.Request, provider: Provider, pairs: Pairs) -> web.StreamResponse:
    text = _found(provider.texts, request)
    rows = [resources.media(provider, each, parent=text.sid) for each in text.media]
    return _page("media_list", request, dict(pairs), rows)


async def _media(request: web.Request, provider: Provider, _: Pairs) -> web.StreamResponse:
    """Give a file: its JSON when asked for, else a redirect to where its bytes are, without authentication."""
    name = request.match_info["media"]
    file = next(
        (each for each in _found(provider.texts, request).media if each.sid == name.removesuffix(".json")),
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


async def _media_elsewhere(request: web.Request) -> web.StreamResponse:
    """Play the store that media URLs lead to; it wants no authentication, and is told none."""
    provider = request.app[PROVIDER]
    file = provider.files.get(request.match_info["sid"])
    if file is None:
        return web.Response(status=404)
    return web.Response(body=file.content, content_type=file.content_type)


# -- calls ------------------------------------------------------------------------------------------------------------


async def _call_somebody(_: web.Request, provider: Provider, pairs: Pairs) -> web.StreamResponse:
    events = [value for name, value in pairs if name == "StatusCallbackEvent"]
    taken = sending.call(provider, dict(pairs), events)
    return web.json_response(resources.call(provider, taken), status=201)


async def _calls(request: web.Request, provider: Provider, pairs: Pairs) -> web.StreamResponse:
    query = dict(pairs)
    found = [each for each in reversed(provider.calls.values()) if _is_wanted(query, each)]
    return _page("calls", request, query, [resources.call(provider, each) for each in found])


def _is_wanted(query: dict[str, str], each: Call) -> bool:
    own = {"To": each.to, "From": each.from_, "ParentCallSid": each.parent, "Status": each.status}
    return (
        all(query.get(name, value) == value for name, value in own.items())
        and paging.is_between(query, "StartTime", each.started_at or each.created_at)
        and paging.is_between(query, "EndTime", each.ended_at)
    )


async def _call(request: web.Request, provider: Provider, _: Pairs) -> web.StreamResponse:
    return web.json_response(resources.call(provider, _found(provider.calls, request)))


async def _change_call(request: web.Request, provider: Provider, pairs: Pairs) -> web.StreamResponse:
    found = sending.change_call(provider, _found(provider.calls, request), dict(pairs))
    return web.json_response(resources.call(provider, found))


async def _delete_call(request: web.Request, provider: Provider, _: Pairs) -> web.StreamResponse:
    found = _found(provider.calls, request)
    if not found.is_over:
        raise ApiError(21220)
    del provider.calls[found.sid]
    return web.Response(status=204)


# -- recordings -------------------------------------------------------------------------------------------------------


async def _recordings(request: web.Request, provider: Provider, pairs: Pairs) -> web.StreamResponse:
    query = dict(pairs)
    call = request.match_info.get("sid") or query.get("CallSid")
    rows = [
        resources.recording(provider, each)
        for each in reversed(provider.recordings.values())
        if call in (None, each.call) and paging.is_between(query, "DateCreated", each.created_at)
    ]
    return _page("recordings", request, query, rows)


async def _recording(request: web.Request, provider: Provider, _: Pairs) -> web.StreamResponse:
    """Give a recording: its JSON, or the sound (.wav, .mp3 or neither) while it is there."""
    name = request.match_info["sid"]
    stem, ending = name.partition(".")[::2]
    found = provider.recordings.get(stem)
    if found is None or ending not in ("", "json", "wav", "mp3"):
        raise ApiError(20404, request.path)
    if ending == "json":
        return web.json_response(resources.recording(provider, found))
    if found.status != "completed":
        raise ApiError(20404, request.path)
    return web.Response(body=found.content, content_type="audio/mpeg" if ending == "mp3" else "audio/x-wav")


async def _delete_recording(request: web.Request, provider: Provider, _: Pairs) -> web.StreamResponse:
    del provider.recordings[_found(provider.recordings, request).sid]
    return web.Response(status=204)


async def _record(request: web.Request, provider: Provider, pairs: Pairs) -> web.StreamResponse:
    call = _found(provider.calls, request)
    if call.status != "in-progress":
        raise ApiError(21220)
    made = Recording(
        sid=provider.sid("RE"),
        call=call.sid,
        created_at=provider.at,
        status="in-progress",
        source="StartCallRecordingAPI",
        channels=2 if dict(pairs).get("RecordingChannels") == "dual" else 1,
        asked=dict(pairs),
    )
    provider.recordings[made.sid] = made
    return web.json_response(resources.recording(provider, made), status=201)


async def _change_recording(request: web.Request, provider: Provider, pairs: Pairs) -> web.StreamResponse:
    """Pause, go on with, or stop a recording under way; "Twilio.CURRENT" is the one of the call."""
    call = _found(provider.calls, request)
    name, status = request.match_info["recording"].removesuffix(".json"), dict(pairs).get("Status", "")
    own = [each for each in provider.recordings.values() if each.call == call.sid]
    running = [each for each in own if each.status in ("in-progress", "paused")]
    found = running[-1:] if name == "Twilio.CURRENT" else [each for each in own if each.sid == name]
    if not found:
        raise ApiError(20404, request.path)
    if status not in ("in-progress", "paused", "stopped") or found[0] not in running:
        raise ApiError(21710, f"Status={status}")
    found[0].status = status
    return web.json_response(resources.recording(provider, found[0]))


async def _transcriptions(request: web.Request, provider: Provider, pairs: Pairs) -> web.StreamResponse:
    of = request.match_info.get("sid")
    found = [each for each in reversed(provider.transcriptions.values()) if of in (None, each.recording)]
    return _page(
        "transcriptions", request, dict(pairs), [resources.transcription(provider, each) for each in found]
    )


async def _transcription(request: web.Request, provider: Provider, __: Pairs) -> web.StreamResponse:
    found: Transcription = _found(provider.transcriptions, request)
    return web.json_response(resources.transcription(provider, found))


# -- the account ------------------------------------------------------------------------------------------------------


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
    return _page("incoming_phone_numbers", request, query, rows)


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
    return _found({each.sid: each for each in provider.numbers.values()}, request)


async def _none(request: web.Request, _: Provider, pairs: Pairs) -> web.StreamResponse:
    return _page("conferences", request, dict(pairs), [])


async def _nowhere(request: web.Request, _: Provider, __: Pairs) -> web.StreamResponse:
    raise ApiError(20404, request.path)


def _found(rows: dict[str, Any], request: web.Request) -> Any:
    """Find the resource that the path names. Raises: ApiError 20404."""
    found = rows.get(request.match_info["sid"].removesuffix(".json"))
    if found is None:
        raise ApiError(20404, request.path)
    return found


def _page(name: str, request: web.Request, query: dict[str, str], rows: list[dict[str, Any]]) -> web.Response:
    return web.json_response(paging.page(name, request.path, query, rows))


_ROUTES: tuple[tuple[str, str, str, Answer], ...] = (
    ("POST", "/Messages.json", "Messages", _send),
    ("GET", "/Messages.json", "Messages", _texts),
    ("GET", "/Messages/{sid}/Media.json", "MessageMedia", _text_media),
    ("GET", "/Messages/{sid}/Media/{media}", "Media", _media),
    ("DELETE", "/Messages/{sid}/Media/{media}", "Media", _delete_media),
    ("GET", "/Messages/{sid}.json", "Message", _text),
    ("POST", "/Messages/{sid}.json", "Message", _change_text),
    ("DELETE", "/Messages/{sid}.json", "Message", _delete_text),
    ("POST", "/Calls.json", "Calls", _call_somebody),
    ("GET", "/Calls.json", "Calls", _calls),
    ("GET", "/Calls/{sid}/Recordings.json", "CallRecordings", _recordings),
    ("POST", "/Calls/{sid}/Recordings.json", "CallRecordings", _record),
    ("POST", "/Calls/{sid}/Recordings/{recording}", "CallRecording", _change_recording),
    ("GET", "/Calls/{sid}.json", "Call", _call),
    ("POST", "/Calls/{sid}.json", "Call", _change_call),
    ("DELETE", "/Calls/{sid}.json", "Call", _delete_call),
    ("GET", "/Recordings.json", "Recordings", _recordings),
    ("GET", "/Recordings/{sid}/Transcriptions.json", "RecordingTranscriptions", _transcriptions),
    ("GET", "/Recordings/{sid}", "Recording", _recording),
    ("DELETE", "/Recordings/{sid}", "Recording", _delete_recording),
    ("GET", "/Transcriptions.json", "Transcriptions", _transcriptions),
    ("GET", "/Transcriptions/{sid}.json", "Transcription", _transcription),
    ("GET", "/IncomingPhoneNumbers.json", "IncomingPhoneNumbers", _numbers),
    ("GET", "/IncomingPhoneNumbers/{sid}.json", "IncomingPhoneNumber", _number),
    ("POST", "/IncomingPhoneNumbers/{sid}.json", "IncomingPhoneNumber", _change_number),
    ("GET", "/Conferences.json", "Conferences", _none),
    ("GET", "/Balance.json", "Balance", _balance),
    ("GET", ".json", "Account", _account),
)
