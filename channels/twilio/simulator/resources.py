"""Resources as Twilio's JSON writes them: snake_case, dates by RFC 2822, numbers as text, None for what is not said.

Source: the response examples of twilio.com/docs/messaging/api/message-resource, media-resource, /docs/voice/api/
call-resource, recording, recording-transcription, /docs/phone-numbers/api/incomingphonenumber-resource (2026-11).
"""

from datetime import datetime
from email.utils import format_datetime
from typing import Any

from channels.twilio.simulator.provider import Call, Media, Number, Provider, Recording, Text, Transcription

VERSION = "2010-04-01"
_ENDED = ("completed", "busy", "no-answer", "failed", "canceled")
_GSM = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿"
    "abcdefghijklmnopqrstuvwxyzäöñüà"
)
_GSM_DOUBLE = frozenset("^{}\\[~]|€\f")  # GSM 03.38's extension table: an escape and a character


def rfc2822(at: datetime | None) -> str | None:
    return None if at is None else format_datetime(at)


def root(provider: Provider) -> str:
    return f"/{VERSION}/Accounts/{provider.account}"


def segments(body: str) -> int:
    """How many texts it is sent as: 160 or 153 septets each, 70 or 67 UTF-16 units when a character is not in GSM 03.38.

    Written apart from the product's own counting, so that one can be held against the other.
    """
    if all(each in _GSM or each in _GSM_DOUBLE for each in body):
        units, alone, each_of = sum(2 if each in _GSM_DOUBLE else 1 for each in body), 160, 153
    else:
        units, alone, each_of = len(body.encode("utf-16-be")) // 2, 70, 67
    return 1 if units <= alone else -(-units // each_of)


def text(provider: Provider, each: Text) -> dict[str, Any]:
    uri = f"{root(provider)}/Messages/{each.sid}"
    count = len(each.media) + len(each.media_urls)
    return {
        "account_sid": provider.account,
        "api_version": VERSION,
        "body": each.body,
        "date_created": rfc2822(each.created_at),
        "date_sent": rfc2822(each.sent_at),
        "date_updated": rfc2822(each.sent_at or each.created_at),
        "direction": each.direction,
        "error_code": each.code,
        "error_message": None if each.code is None else f"error {each.code}",
        "from": each.from_,
        "messaging_service_sid": each.service,
        "num_media": str(count),
        "num_segments": str(0 if each.service else segments(each.body)),
        "price": each.price,
        "price_unit": "USD",
        "sid": each.sid,
        "status": each.status,
        "subresource_uris": {"media": f"{uri}/Media.json", "feedback": f"{uri}/Feedback.json"},
        "to": each.to,
        "uri": f"{uri}.json",
    }


def media(provider: Provider, each: Media, *, parent: str) -> dict[str, Any]:
    return {
        "account_sid": provider.account,
        "content_type": each.content_type,
        "date_created": rfc2822(provider.at),
        "date_updated": rfc2822(provider.at),
        "parent_sid": parent,
        "sid": each.sid,
        "uri": f"{root(provider)}/Messages/{parent}/Media/{each.sid}.json",
    }


def call(provider: Provider, each: Call) -> dict[str, Any]:
    uri = f"{root(provider)}/Calls/{each.sid}"
    owned = provider.numbers.get(each.to if each.direction == "inbound" else each.from_)
    return {
        "account_sid": provider.account,
        "annotation": None,
        "answered_by": each.answered_by,
        "api_version": VERSION,
        "caller_name": "",
        "date_created": rfc2822(each.created_at),
        "date_updated": rfc2822(each.ended_at or each.started_at or each.created_at),
        "direction": each.direction,
        "duration": str(each.duration_s) if each.is_over else None,
        "end_time": rfc2822(each.ended_at),
        "forwarded_from": None,
        "from": each.from_,
        "from_formatted": each.from_,
        "group_sid": None,
        "parent_call_sid": each.parent,
        "phone_number_sid": owned.sid if owned else "",
        "price": each.price,
        "price_unit": "USD",
        "queue_time": "0",
        "sid": each.sid,
        "start_time": rfc2822(each.started_at),
        "status": each.status,
        "subresource_uris": {
            "recordings": f"{uri}/Recordings.json",
            "transcriptions": f"{uri}/Transcriptions.json",
        },
        "to": each.to,
        "to_formatted": each.to,
        "trunk_sid": "",
        "uri": f"{uri}.json",
    }


def recording(provider: Provider, each: Recording) -> dict[str, Any]:
    uri = f"{root(provider)}/Recordings/{each.sid}"
    return {
        "account_sid": provider.account,
        "api_version": VERSION,
        "call_sid": each.call,
        "channels": each.channels,
        "conference_sid": None,
        "date_created": rfc2822(each.created_at),
        "date_updated": rfc2822(each.created_at),
        "duration": str(each.duration_s),
        "encryption_details": None,
        "error_code": None,
        "media_url": f"https://api.twilio.com{uri}",
        "price": None,
        "price_unit": "USD",
        "sid": each.sid,
        "source": each.source,
        "start_time": rfc2822(each.created_at),
        "status": each.status,
        "subresource_uris": {"transcriptions": f"{uri}/Transcriptions.json"},
        "uri": f"{uri}.json",
    }


def transcription(provider: Provider, each: Transcription) -> dict[str, Any]:
    return {
        "account_sid": provider.account,
        "api_version": VERSION,
        "date_created": rfc2822(each.created_at),
        "date_updated": rfc2822(each.created_at),
        "duration": str(each.duration_s),
        "price": None,
        "price_unit": "USD",
        "recording_sid": each.recording,
        "sid": each.sid,
        "status": each.status,
        "transcription_text": each.text,
        "type": "fast",
        "uri": f"{root(provider)}/Transcriptions/{each.sid}.json",
    }


_NUMBER_SETTINGS = {
    "sms_application_sid": "",
    "sms_fallback_method": "POST",
    "sms_fallback_url": "",
    "sms_method": "POST",
    "sms_url": "",
    "status_callback": "",
    "status_callback_method": "POST",
    "trunk_sid": None,
    "voice_application_sid": "",
    "voice_caller_id_lookup": False,
    "voice_fallback_method": "POST",
    "voice_fallback_url": "",
    "voice_method": "POST",
    "voice_receive_mode": "voice",
    "voice_url": "",
}


def number(provider: Provider, each: Number) -> dict[str, Any]:
    return {
        "account_sid": provider.account,
        "address_requirements": "none",
        "api_version": VERSION,
        "beta": False,
        "capabilities": {name: name in each.can for name in ("fax", "mms", "sms", "voice")},
        "date_created": rfc2822(provider.at),
        "date_updated": rfc2822(provider.at),
        "emergency_status": "Inactive",
        "friendly_name": each.number,
        "origin": "twilio",
        "phone_number": each.number,
        "sid": each.sid,
        "status": "in-use",
        "uri": f"{root(provider)}/IncomingPhoneNumbers/{each.sid}.json",
        **_NUMBER_SETTINGS,
        **each.settings,
    }
