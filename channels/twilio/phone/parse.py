"""A raw message of a call -> CallEvent: what the turn has said happened, or what the request itself tells.

The reconciler's raw messages, and callbacks that were taken without a turn, say it in their own fields.
"""

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import msgspec

from channels.contract import CallEvent, Happened, Identity, RawMessage
from channels.twilio.phone import ending, moment
from channels.twilio.phone.moment import Request
from channels.twilio.phone.options import Options

_LEGS = frozenset({"call/whisper", "call/accept", "call/connected", "call/leg"})


def parse(raw: RawMessage, options: Options, evidence: Any = None) -> CallEvent:
    """Say what happened. A request about an agent's leg names neither the caller nor our number."""
    request = moment.read(raw)
    is_leg = request.path in _LEGS
    is_out = not is_leg and request.form.get("Direction", "inbound").startswith("outbound")
    ours, theirs = ("From", "To") if is_out else ("To", "From")
    caller = None if is_leg else _caller(request, theirs)
    told = raw.envelope.get("happened")
    happened = _kept(told) if told is not None else None
    return CallEvent(
        kind="voice",
        call=request.call or _session_call(raw),
        direction="out" if is_out else "in",
        caller=caller,
        own="" if is_leg else request.form.get(ours, "")[:20],
        happened=_derived(request) if happened is None else happened,
        language=_language(happened or (), request, options),
    )


def _caller(request: Request, field: str) -> Identity | None:
    said = request.form.get(field, "").strip()
    if not moment.is_number(said) or said in moment.HIDDEN:
        return None
    return Identity("phone", said)


def _session_call(raw: RawMessage) -> str:
    return str(raw.envelope.get("session", "")).rpartition(":")[2][:64]


def _kept(told: Any) -> tuple[Happened, ...] | None:
    try:
        return msgspec.convert(told, tuple[Happened, ...])
    except msgspec.ValidationError:
        return None


def _language(happened: tuple[Happened, ...], request: Request, options: Options) -> str | None:
    """The language of the caller: chosen in this turn, or the one the address carries; None where it is a guess."""
    for each in reversed(happened):
        if each.what == "language" and isinstance(each.details.get("language"), str):
            return None if each.details.get("by") == "default" else str(each.details["language"])
    carried = None if request.query.get("g") else request.query.get("l")
    return carried if carried in options.languages else None


def _derived(request: Request) -> tuple[Happened, ...]:
    """Tell it from the request's own fields."""
    if request.path == "call/recording":
        return ending.recorded(request)
    if request.path == "call/transcription":
        return ending.transcribed(request)
    if request.path == "call":
        return (_started(request),)
    if request.path != "call/status":
        return ()
    said = request.form.get("CallStatus", "")
    if said not in moment.FINAL:
        return (_started(request),)
    ended = ending.ended(request, why=ending.why(None, said))
    ended = msgspec.structs.replace(ended, at=_time(request, "EndTime"))
    return (_started(request), ended, *_priced(request))


def _started(request: Request) -> Happened:
    form = request.form
    told = {"to": form.get("To", "")[:20], "country": form.get("FromCountry", "")[:8], "known": False}
    number = request.caller
    return Happened("started", _time(request, "StartTime"), told | ({"from": number} if number else {}))


def _priced(request: Request) -> tuple[Happened, ...]:
    price, unit = request.form.get("Price", "")[:20], request.form.get("PriceUnit", "")[:8]
    if not price:
        return ()
    return (Happened("priced", request.at, {"price": f"{price} {unit}".strip()}),)


def _time(request: Request, field: str) -> datetime:
    """The time of a REST resource (RFC 2822), or when the request came."""
    try:
        said = parsedate_to_datetime(request.form.get(field, ""))
    except (ValueError, TypeError, OverflowError):
        return request.at
    return (said if said.tzinfo is not None else said.replace(tzinfo=UTC)).astimezone(UTC)
