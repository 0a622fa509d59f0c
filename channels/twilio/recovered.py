"""What the REST API says, in the form in which a webhook would have said it: rows of lists become raw messages.

Key, lane and form are those of the webhook, so that one that comes late is the same message. A webhook says more (the
sender's city, a WhatsApp profile's name, where a location is): what REST does not know is left out.
Source: twilio.com/docs/messaging/guides/webhook-request, /docs/messaging/api/message-resource, media-resource (2026-11).
"""

import urllib.parse
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from channels.contract import RawMessage
from channels.twilio.listing import Row, instant

WHATSAPP = "whatsapp:"
BY = "reconciler"
# What a status says nothing about: it is on its way, and the next one will tell.
UNSAID = frozenset(("accepted", "scheduled", "queued", "sending", "receiving", "received"))
ENDED = frozenset(("delivered", "undelivered", "failed", "read", "canceled", "partially_delivered"))


def message_key(account_sid: str, sid: str) -> str:
    return f"twilio:{account_sid}:{sid}"


def status_key(account_sid: str, sid: str, status: str) -> str:
    return f"twilio:{account_sid}:{sid}:{status}"


def lane(number: str) -> str:
    """Return the lane of a customer, as the API writes them."""
    return number if number.startswith(WHATSAPP) else f"phone:{number}"


def happened_at(row: Row) -> datetime | None:
    """Return when a message was sent; one that is still on its way has only been made."""
    return instant(row.get("date_sent")) or instant(row.get("date_created"))


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
