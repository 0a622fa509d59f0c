"""What Twilio does with a request to send a text or to call: refuses it with its code, or takes it.

Source: twilio.com/docs/messaging/api/message-resource, /docs/voice/api/call-resource and the pages of the codes
(2026-11). WhatsApp free text outside the window is taken, and fails later with 63016. A WhatsApp user without a number is
addressed by the id that their message came from (Twilio's changelog and Meta's "Business-scoped user IDs", 2026-05-28).
"""

import json
import re
import urllib.parse
from collections.abc import Mapping, Sequence

import phonenumbers

from channels.twilio.simulator import grammar
from channels.twilio.simulator import provider as provider_
from channels.twilio.simulator.provider import Call, Provider, Text
from channels.twilio.simulator.refusals import ApiError

MAX_CHARACTERS = 1_600
MAX_FILES = 10
MAX_TWIML_CHARACTERS = 4_000
MAX_URL_CHARACTERS = 4_000
EVENTS = ("initiated", "ringing", "answered", "completed")
WHATSAPP = "whatsapp:"
_USER = re.compile(r"whatsapp:[A-Z]{2}\.(ENT\.)?[A-Za-z0-9]{1,128}")
_FINALS: dict[int | None, str] = {None: "delivered", 21610: "failed", 63016: "failed"}


def text(provider: Provider, asked: Mapping[str, str], media: Sequence[str]) -> Text:
    """Take a text. Raises: ApiError."""
    sender, to = asked.get("From", ""), asked.get("To", "")
    _check_ends(provider, sender, to, service=asked.get("MessagingServiceSid", ""))
    _check_content(provider, asked, media)
    check_url(asked.get("StatusCallback"), 21609)
    own = sender or next(iter(provider.numbers))
    number = to.removeprefix(WHATSAPP)
    sort = provider.sorts.get(to) or provider.sorts.get(number)
    if sort in provider_.EARLY_CODES:
        raise ApiError(provider_.EARLY_CODES[sort], number)
    is_opted_out = (own, to) in provider.opted_out
    if is_opted_out and not provider.reports_late_opt_outs:
        raise ApiError(21610)
    taken = Text(
        sid=provider.sid("MM" if media else "SM"),
        direction="outbound-api",
        from_=own,
        to=to,
        body=asked.get("Body", ""),
        status="queued",
        created_at=provider.at,
        media_urls=tuple(media),
        status_callback=asked.get("StatusCallback", ""),
        service=asked.get("MessagingServiceSid"),
        content_sid=asked.get("ContentSid"),
        content_variables=asked.get("ContentVariables", ""),
    )
    taken.final_code = 21610 if is_opted_out else _late_code(provider, taken, sort)
    taken.final = _FINALS.get(taken.final_code, "undelivered")
    provider.texts[taken.sid] = taken
    for each in provider.on_text:
        each(taken)
    return taken


def _late_code(provider: Provider, taken: Text, sort: str | None) -> int | None:
    is_free = taken.content_sid is None and taken.to.startswith(WHATSAPP)
    if is_free and not provider.is_in_window(taken.from_, taken.to):
        return 63016
    return provider_.LATE_CODES.get(sort or "")


def _check_ends(provider: Provider, sender: str, to: str, *, service: str) -> None:
    if not to:
        raise ApiError(21604)
    if not sender and not service:
        raise ApiError(21603)
    if service and service not in provider.services:
        raise ApiError(21701, service)
    if sender and sender.startswith(WHATSAPP) != to.startswith(WHATSAPP):
        raise ApiError(21910)
    if not _is_dialable(to.removeprefix(WHATSAPP)) and not _is_user(to):
        raise ApiError(21211, to)
    if sender:
        _check_sender(provider, sender)
    if sender == to:
        raise ApiError(21266, to)


def _is_user(address: str) -> bool:
    """Whether it is a WhatsApp user who hides their number: country, a point, and what Meta calls them."""
    return _USER.fullmatch(address) is not None


def _check_sender(provider: Provider, sender: str) -> None:
    own = sender.removeprefix(WHATSAPP)
    if own != sender:
        if own not in provider.senders:
            raise ApiError(63007)
        return
    if not _is_dialable(own):
        raise ApiError(21212, own)
    if own not in provider.numbers:
        raise ApiError(21659, own)
    if "sms" not in provider.numbers[own].can:
        raise ApiError(21606, own)


def _check_content(provider: Provider, asked: Mapping[str, str], media: Sequence[str]) -> None:
    body, template = asked.get("Body", ""), asked.get("ContentSid")
    if not body and not media and template is None:
        raise ApiError(21602)
    if len(body) > MAX_CHARACTERS:
        raise ApiError(21617)
    if len(media) > MAX_FILES:
        raise ApiError(21623)
    for each in media:
        check_url(each, 21620)
    if template is not None and template not in provider.templates:
        raise ApiError(21655, template)
    if asked.get("ContentVariables") and (template is None or not _is_json_object(asked["ContentVariables"])):
        raise ApiError(21656)


def _is_json_object(text_: str) -> bool:
    try:
        return isinstance(json.loads(text_), dict)
    except ValueError:
        return False


def _is_dialable(number: str) -> bool:
    """Whether it is a number of some country's plan, written as E.164."""
    if not number.startswith("+") or not number[1:].isdecimal():
        return False
    try:
        return phonenumbers.is_possible_number(phonenumbers.parse(number))
    except phonenumbers.NumberParseException:
        return False


def check_url(url: str | None, code: int) -> None:
    """Refuse what is no absolute URL, too long, or has a host name with an underscore."""
    if url is None:
        return
    parts = urllib.parse.urlsplit(url)
    is_absolute = parts.scheme in ("http", "https") and bool(parts.hostname)
    if not is_absolute or len(url) > MAX_URL_CHARACTERS or "_" in (parts.hostname or ""):
        raise ApiError(code, url)


# -- calls ------------------------------------------------------------------------------------------------------------


def call(provider: Provider, asked: Mapping[str, str], events: Sequence[str]) -> Call:
    """Take a call that we ask for. Raises: ApiError."""
    sender, to = asked.get("From", ""), asked.get("To", "")
    if not to:
        raise ApiError(21201)
    if not sender:
        raise ApiError(21213)
    if not _is_dialable(to):
        raise ApiError(21211, to)
    if not _is_dialable(sender):
        raise ApiError(21212, sender)
    if sender not in provider.numbers or "voice" not in provider.numbers[sender].can:
        raise ApiError(21210, sender)
    if sender == to:
        raise ApiError(21266, to)
    _check_instructions(asked)
    _check_events(events)
    _check_seconds(asked)
    if provider.sorts.get(to) == "no_region":
        raise ApiError(21215, to)
    taken = Call(
        sid=provider.sid("CA"),
        direction="outbound-api",
        from_=sender,
        to=to,
        status="queued",
        created_at=provider.at,
        asked=dict(asked),
        events=tuple(events) or ("completed",),
    )
    provider.calls[taken.sid] = taken
    for each in provider.on_call:
        each(taken)
    return taken


def _check_instructions(asked: Mapping[str, str]) -> None:
    if not asked.get("Url") and not asked.get("Twiml") and not asked.get("ApplicationSid"):
        raise ApiError(21205, "")
    _check_changes(asked)


def _check_changes(asked: Mapping[str, str]) -> None:
    """Refuse what is wrong in instructions, those of a call under way as well."""
    for name in ("Url", "FallbackUrl"):
        check_url(asked.get(name), 21205)
    check_url(asked.get("StatusCallback"), 21609)
    if "Twiml" in asked:
        _check_twiml(asked["Twiml"])


def _check_twiml(twiml: str) -> None:
    """Refuse TwiML that is too long. What is wrong in it Twilio says only when it plays it; here it is refused at once."""
    if len(twiml) > MAX_TWIML_CHARACTERS:
        raise ApiError(21710, "Twiml")
    try:
        grammar.read(twiml.encode())
    except grammar.Flawed as flawed:
        raise ApiError(21710, f"Twiml: {flawed}") from None


def _check_events(events: Sequence[str]) -> None:
    unknown = [each for each in events if each not in EVENTS]
    if unknown:
        raise ApiError(21710, f"StatusCallbackEvent={' '.join(unknown)}")


def _check_seconds(asked: Mapping[str, str]) -> None:
    for name, most in (("Timeout", 600), ("TimeLimit", 86_400)):
        given = asked.get(name)
        if given is not None and not (given.isdecimal() and int(given) <= most):
            raise ApiError(21710, f"{name}={given}")


def change_call(provider: Provider, found: Call, asked: Mapping[str, str]) -> Call:
    """End a call under way, or have it go on with other instructions. Raises: ApiError."""
    status = asked.get("Status")
    if status not in (None, "completed", "canceled"):
        raise ApiError(21710, f"Status={status}")
    _check_changes(asked)
    if found.is_over:
        if status is None:
            raise ApiError(21220)
        return found
    if status == "canceled" and found.status not in ("queued", "ringing", "initiated"):
        raise ApiError(21710, "Status=canceled")
    for each in provider.on_change:
        each(found, dict(asked))
    if status is not None and not found.is_over:
        found.status, found.ended_at = status, provider.at
    return found
