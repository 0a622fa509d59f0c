"""Recordings and transcriptions, as the REST API gives and takes them (twilio.com/docs/voice/api/recording, 2026-11)."""

from aiohttp import web

from channels.twilio.simulator import paging, resources, sending
from channels.twilio.simulator.provider import Provider, Recording, Transcription
from channels.twilio.simulator.refusals import ApiError
from channels.twilio.simulator.rest_resources import Pairs, Route, named, page


async def _recordings(request: web.Request, provider: Provider, pairs: Pairs) -> web.StreamResponse:
    query = dict(pairs)
    call = request.match_info.get("sid") or query.get("CallSid")
    rows = [
        resources.recording(provider, each)
        for each in reversed(provider.recordings.values())
        if call in (None, each.call) and paging.is_between(query, "DateCreated", each.created_at)
    ]
    return page("recordings", request, query, rows)


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
    del provider.recordings[named(provider.recordings, request).sid]
    return web.Response(status=204)


async def _record(request: web.Request, provider: Provider, pairs: Pairs) -> web.StreamResponse:
    call = named(provider.calls, request)
    if call.status != "in-progress":
        raise ApiError(21220)
    sending.check_url(dict(pairs).get("RecordingStatusCallback"), 21710)
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
    call = named(provider.calls, request)
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
    return page(
        "transcriptions", request, dict(pairs), [resources.transcription(provider, each) for each in found]
    )


async def _transcription(request: web.Request, provider: Provider, __: Pairs) -> web.StreamResponse:
    found: Transcription = named(provider.transcriptions, request)
    return web.json_response(resources.transcription(provider, found))


ROUTES: tuple[Route, ...] = (
    ("GET", "/Calls/{sid}/Recordings.json", "CallRecordings", _recordings),
    ("POST", "/Calls/{sid}/Recordings.json", "CallRecordings", _record),
    ("POST", "/Calls/{sid}/Recordings/{recording}", "CallRecording", _change_recording),
    ("GET", "/Recordings.json", "Recordings", _recordings),
    ("GET", "/Recordings/{sid}/Transcriptions.json", "RecordingTranscriptions", _transcriptions),
    ("GET", "/Recordings/{sid}", "Recording", _recording),
    ("DELETE", "/Recordings/{sid}", "Recording", _delete_recording),
    ("GET", "/Transcriptions.json", "Transcriptions", _transcriptions),
    ("GET", "/Transcriptions/{sid}.json", "Transcription", _transcription),
)
