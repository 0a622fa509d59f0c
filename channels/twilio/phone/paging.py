"""The turns of a call that tells an agent of something (channels.page_calls), as a pure step, with its TwiML.

One sentence is read, then keys are taken: 1 = I look at it, 2 = pass it on, * = say it again. Three times anything else,
or nothing, and the call ends without an acknowledgement: that is all an answering machine ever does. What a key has come
to is said by the turn after it: intake settles the key meanwhile, which takes less than the pause between the two.

Each turn has a number in its URL, so a request that Twilio makes again is the same key, and gets the same answer.
Sources: twilio.com/docs/voice/twiml/gather (numDigits, finishOnKey, actionOnEmptyResult), /say, /pause, /redirect, all
checked 2026-11. A relative URL in TwiML is resolved against the document's own (/docs/voice/twiml, same day).
"""

import urllib.parse
from typing import Any

import msgspec

from channels import page_calls
from channels.contract import CallEvent, Happened, RawMessage, Turn, View
from channels.page_calls import PageCall

PATH = "page"
STATUS_PATH = "page/status"
MISSES_MAX = 3
REPEATS_MAX = 9
WAITS_MAX = 8  # of a second each, for what a key has come to
KEY_TIMEOUT_S = 6

_KEYS = "Press 1 to take it on. Press 2 to pass it on. Press star to hear it again."
_SPOKEN = {
    "yours": "Thank you. You have it. Goodbye.",
    "passed_on": "It is passed on. Goodbye.",
    "over": "This is done already. There is nothing left to do. Goodbye.",
}
_NOT_KNOWN_YET = {
    "1": "Thank you. It is noted, and you will be told by text or by mail. Goodbye.",
    "2": "It is noted that you pass it on. Goodbye.",
}
_NOTHING_PRESSED = "Nothing was chosen. You will be told in another way. Goodbye."


def step(state: bytes | None, raw: RawMessage, view: View) -> Turn:
    """Return what one request of a page call comes to. state: of the session that intake has begun, None = it is over."""
    call = page_calls.decoded(state)
    if call is None:
        return Turn(state=None, reply=_last(_SPOKEN["over"], "en-GB"))
    form, number = _form(raw), _number(raw)
    if call.outcome:
        return _end(call, raw, _said_of(call), pressed=form.get("Digits", ""))
    if call.pressed:
        return _wait(call, raw, number)
    digits = form.get("Digits")
    if digits is None:  # the first turn, or one that was lost: nothing was asked yet
        return _ask(call, raw, number, said=f"{call.said} {_KEYS}")
    if digits in ("1", "2"):
        return _press(call, raw, number, digits)
    if digits == "*" and call.repeats < REPEATS_MAX:
        call = msgspec.structs.replace(call, repeats=call.repeats + 1)
        return _ask(call, raw, number, said=f"{call.said} {_KEYS}")
    return _miss(call, raw, number)


def _ask(call: PageCall, raw: RawMessage, number: int, *, said: str) -> Turn:
    happened = () if call.is_heard else (_happened(raw, page_calls.STATUS, call, status="in-progress"),)
    heard = msgspec.structs.replace(call, is_heard=True)
    return Turn(
        state=page_calls.encoded(heard),
        reply=_gather(said, call, url(call.page, number + 1)),
        happened=happened,
    )


def _press(call: PageCall, raw: RawMessage, number: int, digit: Any) -> Turn:
    what = page_calls.ACKNOWLEDGED if digit == "1" else page_calls.PASSED_ON
    pressed = msgspec.structs.replace(call, pressed=digit)
    return Turn(
        state=page_calls.encoded(pressed),
        reply=_pause(url(call.page, number + 1)),
        happened=(_happened(raw, what, call),),
    )


def _wait(call: PageCall, raw: RawMessage, number: int) -> Turn:
    """A key was pressed and nobody knows yet what it has come to: a moment more, and then it is noted all the same."""
    if call.waits >= WAITS_MAX:
        return Turn(state=None, reply=_last(_NOT_KNOWN_YET[call.pressed], call.language))
    waiting = msgspec.structs.replace(call, waits=call.waits + 1)
    return Turn(state=page_calls.encoded(waiting), reply=_pause(url(call.page, number + 1)))


def _miss(call: PageCall, raw: RawMessage, number: int) -> Turn:
    missed = msgspec.structs.replace(call, misses=call.misses + 1)
    if missed.misses < MISSES_MAX:
        return _ask(missed, raw, number, said=f"{call.said} {_KEYS}")
    return Turn(
        state=None,
        reply=_last(_NOTHING_PRESSED, call.language),
        happened=(_happened(raw, page_calls.UNANSWERED, call),),
    )


def _end(call: PageCall, raw: RawMessage, said: str, *, pressed: str) -> Turn:
    """Say what became of it. A key that comes after somebody else's is told as well: it is part of what happened."""
    late = {"1": page_calls.ACKNOWLEDGED, "2": page_calls.PASSED_ON}.get("" if call.pressed else pressed)
    happened = () if late is None else (_happened(raw, late, call),)
    return Turn(state=None, reply=_last(said, call.language), happened=happened)


def _said_of(call: PageCall) -> str:
    if call.outcome == "theirs":
        return f"{call.by or 'Somebody else'} has it already. There is nothing left to do. Goodbye."
    return _SPOKEN[call.outcome]


# -- what the rest of the channel needs -------------------------------------------------------------------------------


def url(page: str, number: int) -> str:
    """Return the URL of a turn, relative to the turn before."""
    return f"{PATH}?o={page}&n={number}"


def page_of(query: dict[str, str]) -> str | None:
    """Return the outbox id that a request is about; None = it names none."""
    page = query.get("o", "")
    return page if page.isascii() and page.isdecimal() and len(page) <= 20 else None


def unavailable(page: str, number: int, *, tries: int) -> str:
    """Return the answer while nothing can be kept: the same turn again in a moment, and in the end goodbye."""
    if tries >= WAITS_MAX:
        return _last(
            "The desk cannot be reached at this moment. You will be told in another way. Goodbye.", "en-GB"
        )
    return _pause(f"{url(page, number)}&again={tries + 1}", pause_s=2)


def parse(raw: RawMessage) -> CallEvent:
    """Return what a request of a page call tells. Never raises."""
    form = _form(raw)
    told = raw.envelope.get("happened") or ()
    try:
        happened = msgspec.convert(told, tuple[Happened, ...])
    except msgspec.ValidationError:
        happened = ()
    if str(raw.envelope.get("path", "")).startswith(STATUS_PATH):
        details = {
            "page": page_of(raw.envelope.get("query") or {}) or "",
            "status": form.get("CallStatus", ""),
        }
        code = form.get("SipResponseCode") or form.get("ErrorCode") or ""
        happened = (
            Happened(
                page_calls.STATUS, raw.received_at, details | {"code": code, "call": form.get("CallSid", "")}
            ),
        )
    return CallEvent(
        kind="voice",
        call=form.get("CallSid", ""),
        direction="out",
        caller=None,
        own=form.get("From", ""),
        happened=happened,
    )


def _happened(raw: RawMessage, what: str, call: PageCall, **details: str) -> Happened:
    sid = _form(raw).get("CallSid", "")
    return Happened(what, raw.received_at, {"page": call.page, "call": sid, **details})


def _form(raw: RawMessage) -> dict[str, str]:
    fields = urllib.parse.parse_qsl(raw.body.decode("utf-8", "replace"), keep_blank_values=True)
    return dict(reversed(fields))


def _number(raw: RawMessage) -> int:
    text = str((raw.envelope.get("query") or {}).get("n", "0"))
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 6 else 0


# -- TwiML ------------------------------------------------------------------------------------------------------------


def _gather(said: str, call: PageCall, action: str) -> str:
    from twilio.twiml.voice_response import Gather, VoiceResponse

    gather = Gather(
        input="dtmf",
        num_digits=1,
        finish_on_key="",  # "#" is a wrong key like any other
        timeout=KEY_TIMEOUT_S,
        action=action,
        method="POST",
        action_on_empty_result=True,
    )
    gather.say(said, language=call.language)
    return str(_response(VoiceResponse(), gather))


def _pause(redirect: str, *, pause_s: int = 1) -> str:
    from twilio.twiml.voice_response import VoiceResponse

    response = VoiceResponse()
    response.pause(length=pause_s)
    response.redirect(redirect, method="POST")
    return str(response)


def _last(said: str, language: str) -> str:
    from twilio.twiml.voice_response import VoiceResponse

    response = VoiceResponse()
    response.say(said, language=language)
    response.hangup()
    return str(response)


def _response(response: Any, *verbs: Any) -> Any:
    for verb in verbs:
        response.append(verb)
    return response
