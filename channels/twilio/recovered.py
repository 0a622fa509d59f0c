"""What the REST API says, in the form in which a webhook would have said it: rows of lists become raw messages.

Key, lane and form are those of the webhook, so that one that comes late is the same message. A webhook says more (the
sender's city, a WhatsApp profile's name, where a location is): what REST does not know is left out.
Source: twilio.com/docs/messaging/guides/webhook-request, /docs/messaging/api/message-resource, media-resource (2026-11).
"""

import urllib.parse
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec

from channels.contract import RawMessage
from channels.twilio.listing import Row, instant

WHATSAPP = "whatsapp:"
OUT, OUT_STATUS, OUT_LEG, OUT_RECORDING = "out", "out/status", "out/leg", "out/recording"
CALL_STATUS, RECORDING, TRANSCRIPTION = "call/status", "call/recording", "call/transcription"
BY = "reconciler"
# What a status says nothing about: it is on its way, and the next one will tell.
UNSAID = frozenset(("accepted", "scheduled", "queued", "sending", "receiving", "received"))
ENDED = frozenset(("delivered", "undelivered", "failed", "read", "canceled", "partially_delivered"))


def message_key(account_sid: str, sid: str) -> str:
    return f"twilio:{account_sid}:{sid}"


def status_key(account_sid: str, sid: str, status: str) -> str:
    return f"twilio:{account_sid}:{sid}:{status}"


def call_key(account_sid: str, call: str, path: str, name: str) -> str:
    """Return the key of something that was told of a call. name: what tells it from others of the same path."""
    return f"twilio:{account_sid}:{call}:{path}:{name}"


def lane(number: str) -> str:
    """Return the lane of a customer, as the API writes them."""
    return number if number.startswith(WHATSAPP) else f"phone:{number}"


def happened_at(row: Row) -> datetime | None:
    """Return when a message was sent; one that is still on its way has only been made."""
    return instant(row.get("date_sent")) or instant(row.get("date_created"))


def as_of(raw: RawMessage) -> RawMessage:
    """Return what was brought late with the time when it happened instead of the time when it was brought."""
    at = raw.envelope.get("sent_at") if raw.envelope.get("by") == BY else None
    if at is None:
        return raw
    return msgspec.structs.replace(raw, received_at=min(raw.received_at, datetime.fromisoformat(at)))


def message(
    row: Row,
    media: Sequence[Row],
    *,
    kind: str,
    account: str,
    received_at: datetime,
    api_url: str,
    problems: Sequence[str] = (),
) -> RawMessage:
    """Make what the message's webhook would have brought. media: rows of its Media subresource, in order."""
    named = _named(row) | {
        "SmsMessageSid": row["sid"],
        "SmsStatus": "received",
        "Body": _text(row, "body"),
        "NumSegments": _text(row, "num_segments") or "1",
        "NumMedia": str(len(media)),
    }
    for number, each in enumerate(media):
        named[f"MediaUrl{number}"] = api_url.rstrip("/") + str(each.get("uri", "")).removesuffix(".json")
        named[f"MediaContentType{number}"] = _text(each, "content_type")
    said: dict[str, Any] = {"path": "message", "by": BY, **_dated(row)}
    return RawMessage(
        kind=kind,
        account=account,
        lane=lane(_text(row, "from")),
        keys=(message_key(_text(row, "account_sid"), row["sid"]),),
        body=urllib.parse.urlencode(named).encode(),
        envelope=said | ({"problems": list(problems)} if problems else {}),
        received_at=received_at,
    )


def status(row: Row, *, kind: str, account: str, received_at: datetime) -> RawMessage:
    """Make what the last status callback of a message of ours would have brought."""
    word = _text(row, "status")
    named = _named(row) | {"MessageStatus": word, "SmsStatus": word}
    if row.get("error_code"):
        named |= {"ErrorCode": _text(row, "error_code"), "ErrorMessage": _text(row, "error_message")}
    return RawMessage(
        kind=kind,
        account=account,
        lane=lane(_text(row, "to")),
        keys=(status_key(_text(row, "account_sid"), row["sid"], word),),
        body=urllib.parse.urlencode(named).encode(),
        envelope={"path": "status", "by": BY, **_dated(row)},
        received_at=received_at,
    )


def call(row: Row, *, account: str, key: str, received_at: datetime) -> RawMessage:
    """Make what the last status callback of a call would have brought, with when it was and what it cost."""
    return _of_call(
        _leg(row), CALL_STATUS, account=account, key=key, received_at=received_at, at=ended_at(row)
    )


def leg(row: Row, *, account: str, key: str, received_at: datetime) -> RawMessage:
    """Make what the last callback of the customer's leg of a call from a ticket would have brought."""
    named = _leg(row) | {"ParentCallSid": _text(row, "parent_call_sid")}
    return _of_call(named, OUT_LEG, account=account, key=key, received_at=received_at, at=ended_at(row))


def price(row: Row, price: str, *, account: str, key: str, received_at: datetime) -> RawMessage:
    """Make what tells the price of a call from a ticket, which no callback does. row: of the agent's leg."""
    told = {"what": "priced", "at": received_at.isoformat(), "details": {"price": price}}
    raw = _of_call(_leg(row), OUT, account=account, key=key, received_at=received_at)
    return msgspec.structs.replace(raw, envelope=raw.envelope | {"happened": [told]})


def agents_price(
    call: str, row: Row, price: str, *, account: str, key: str, received_at: datetime
) -> RawMessage:
    """Make what tells what the agents' legs of a customer's call cost, which no callback does. row: of one of them."""
    told = {"what": "priced", "at": received_at.isoformat(), "details": {"price": price, "of": "agents"}}
    named = {"CallSid": call, "AccountSid": _text(row, "account_sid"), "CallStatus": "completed"}
    raw = _of_call(named, CALL_STATUS, account=account, key=key, received_at=received_at)
    return msgspec.structs.replace(raw, envelope=raw.envelope | {"happened": [told]})


def _leg(row: Row) -> dict[str, str]:
    return {
        "CallSid": row["sid"],
        "AccountSid": _text(row, "account_sid"),
        "From": _text(row, "from"),
        "To": _text(row, "to"),
        "CallStatus": _text(row, "status"),
        "Direction": _text(row, "direction"),
        "ApiVersion": _text(row, "api_version"),
        "CallDuration": _text(row, "duration") or "0",
        "StartTime": _text(row, "start_time") or _text(row, "date_created"),
        "EndTime": _text(row, "end_time") or _text(row, "date_updated"),
        "Price": _text(row, "price"),
        "PriceUnit": _text(row, "price_unit"),
    }


def ended_at(row: Row) -> datetime | None:
    """Return when a call that is over ended."""
    return instant(row.get("end_time")) or instant(row.get("date_updated"))


def _recorded_at(row: Row) -> datetime | None:
    """Return when a recording was at its end, about when its callback would have come."""
    at = instant(row.get("start_time")) or instant(row.get("date_created"))
    seconds = _text(row, "duration")
    return at if at is None or not seconds.isdecimal() else at + timedelta(seconds=int(seconds))


def recording(
    row: Row, *, account: str, key: str, received_at: datetime, path: str = RECORDING
) -> RawMessage:
    """Make what the callback of a recording would have brought; that of a talk says so in its address."""
    named = {
        "CallSid": _text(row, "call_sid"),
        "AccountSid": _text(row, "account_sid"),
        "RecordingSid": row["sid"],
        "RecordingStatus": _text(row, "status"),
        "RecordingDuration": _text(row, "duration") or "0",
        "RecordingSource": _text(row, "source"),
        "RecordingStartTime": _text(row, "start_time"),
    }
    query = {} if _text(row, "source") == "RecordVerb" else {"why": "call"}
    return _of_call(
        named, path, account=account, key=key, received_at=received_at, at=_recorded_at(row), query=query
    )


def transcription(row: Row, *, call: str, account: str, key: str, received_at: datetime) -> RawMessage:
    """Make what the callback of a transcription would have brought."""
    named = {
        "CallSid": call,
        "AccountSid": _text(row, "account_sid"),
        "RecordingSid": _text(row, "recording_sid"),
        "TranscriptionSid": row["sid"],
        "TranscriptionStatus": _text(row, "status"),
        "TranscriptionText": _text(row, "transcription_text"),
    }
    at = instant(row.get("date_updated")) or instant(row.get("date_created"))
    return _of_call(named, TRANSCRIPTION, account=account, key=key, received_at=received_at, at=at)


def _of_call(
    named: dict[str, str],
    path: str,
    *,
    account: str,
    key: str,
    received_at: datetime,
    at: datetime | None = None,
    query: dict[str, str] | None = None,
) -> RawMessage:
    """Make a raw message of a call, in the lane that its webhooks have. at: when it happened."""
    told: dict[str, Any] = {"path": path, "by": BY} | ({} if at is None else {"sent_at": at.isoformat()})
    return RawMessage(
        kind="twilio.voice",
        account=account,
        lane=f"call:{named.get('ParentCallSid') or named['CallSid']}",
        keys=(key,),
        body=urllib.parse.urlencode(named).encode(),
        envelope=told | ({"query": query} if query else {}),
        received_at=received_at,
    )


def _named(row: Row) -> dict[str, str]:
    named = {
        "MessageSid": row["sid"],
        "SmsSid": row["sid"],
        "AccountSid": _text(row, "account_sid"),
        "From": _text(row, "from"),
        "To": _text(row, "to"),
        "ApiVersion": _text(row, "api_version"),
    }
    service = _text(row, "messaging_service_sid")
    return named | ({"MessagingServiceSid": service} if service else {})


def _dated(row: Row) -> dict[str, str]:
    at = happened_at(row)
    return {} if at is None else {"sent_at": at.isoformat()}


def _text(row: Row, name: str) -> str:
    value = row.get(name)
    return "" if value is None else str(value)
