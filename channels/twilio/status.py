"""Status callbacks: what Twilio says became of a message, as it was posted, and as a DeliveryReport.

Source: twilio.com/docs/messaging/guides/outbound-message-status-in-status-callbacks and track-outbound-message-status
(checked 2026-11). They come in any order, and several times; the first may come before the answer to the request that
sent the message. `o` in the URL is OutboundMessage.reference, so that even such a one finds its message.
"""

import re

import msgspec

from channels import contract
from channels.twilio import codes, recovered, signature, webhook

PATH = "status"
_STATES: dict[str, contract.DeliveryState] = {
    "accepted": "queued",
    "scheduled": "queued",
    "queued": "queued",
    "sending": "queued",
    "sent": "sent",
    "delivered": "delivered",
    "partially_delivered": "delivered",
    "read": "read",
    "undelivered": "failed",
    "failed": "failed",
    "canceled": "failed",
}
_REFERENCE = "o"
_SAID_MAX = 300
_SID = re.compile(r"[A-Z]{2}[0-9a-f]{32}")


def raw(verified: webhook.Verified, *, kind: str) -> contract.RawMessage:
    """Make the raw message of a callback; the same status of the same message is the same key."""
    form = verified.form
    sid, account = _sid(form), form.get("AccountSid", "")
    return verified.raw(
        kind,
        lane=recovered.lane(form.get("To", "")),
        keys=(recovered.status_key(account, sid, _status(form)),) if sid else (),
    )


def parse(raw: contract.RawMessage) -> contract.DeliveryReport:
    """Read a callback. A status that nobody knows moves nothing; a code that nobody knows is told in general words."""
    form = _form(raw.body)
    reference = str(dict(raw.envelope.get("query") or {}).get(_REFERENCE, ""))
    told = report(_sid(form), _status(form), code=_code(form.get("ErrorCode", "")), said=_said(form))
    return msgspec.structs.replace(told, at=raw.received_at, reference=reference)


def report(sid: str, status: str, *, code: int, said: str = "") -> contract.DeliveryReport:
    """Return what a status of Twilio's means. code: 0 = none; it says something only of what failed."""
    state = _STATES.get(status, "queued")
    if state != "failed":
        return contract.DeliveryReport(provider_id=sid, state=state)
    known = codes.of(code)
    return contract.DeliveryReport(
        provider_id=sid,
        state=state,
        code=str(code) if code else "",
        detail=codes.sentence(code, said=said),
        address_problem=known.address,
        may_be_resent=known.kind == "transient",
    )


def _form(body: bytes) -> dict[str, str]:
    try:
        return dict(reversed(signature.fields_of(body)))
    except ValueError:
        return {}


def _sid(form: dict[str, str]) -> str:
    sid = form.get("MessageSid") or form.get("SmsSid", "")
    return sid if _SID.fullmatch(sid) else ""


def _status(form: dict[str, str]) -> str:
    return (form.get("MessageStatus") or form.get("SmsStatus", "")).lower()


def _code(text: str) -> int:
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else 0


def _said(form: dict[str, str]) -> str:
    said = form.get("ChannelStatusMessage") or form.get("ErrorMessage", "")
    return said[:_SAID_MAX].encode("utf-8", "replace").decode()
