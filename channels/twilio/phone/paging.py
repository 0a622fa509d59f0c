"""The turns of a call that tells an agent of something (channels.page_calls), as a pure step, with its TwiML.

One sentence is read, then keys are taken: 1 = I look at it, 2 = pass it on, * = say it again. Three times anything else,
or nothing, and the call ends without an acknowledgement: that is all an answering machine ever does. What a key has come
to is said by the turn after it: intake settles the key meanwhile, which takes less than the pause between the two.

Each turn has a number in its URL, so a request that Twilio makes again is the same key, and gets the same answer.
Sources: twilio.com/docs/voice/twiml/gather (numDigits, finishOnKey, actionOnEmptyResult), /say, /pause, /redirect, all
checked 2026-11. A relative URL in TwiML is resolved against the document's own (/docs/voice/twiml, same day).
"""

import re
import urllib.parse
from typing import Any

import msgspec

from channels import page_calls
from channels.contract import CallEvent, Happened, RawMessage, Turn, View
from channels.page_calls import PageCall, Paged

PATH = "page"
STATUS_PATH = "page/status"
MISSES_MAX = 3
REPEATS_MAX = 9
WAITS_MAX = 8  # of a second each, for what a key has come to
KEY_TIMEOUT_S = 6

ENGLISH = "en-GB"
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_TOLD = {"1": page_calls.ACKNOWLEDGED, "2": page_calls.PASSED_ON}
_KEYS = "Press 1 to take it on. Press 2 to pass it on. Press star to hear it again."
_SPOKEN = {
    "yours": "Thank you. You have it. Goodbye.",
    "passed_on": "It is passed on. Goodbye.",
    "alone": "There is nobody else to tell now. It stays with you. Goodbye.",
    "over": "This is done already. There is nothing left to do. Goodbye.",
}
_NOT_KNOWN_YET = {
    "1": "Thank you. It is noted, and you will be told by text or by mail. Goodbye.",
    "2": "It is noted that you pass it on. Goodbye.",
}
_NOTHING_PRESSED = "Nothing was chosen. You will be told in another way. Goodbye."


def step(state: bytes | None, raw: RawMessage, view: View) -> Turn:
    """Return what one request of a page call comes to. view.page: what it tells of, None = nothing is known of it."""
    now = _Now(call=page_calls.decoded(state), paged=view.page, raw=raw, form=_form(raw))
    if now.paged is None:
        return Turn(state=None, reply=_last(_SPOKEN["over"], ENGLISH))
    if now.paged.outcome == "alone" and now.call.pressed != "2":  # of an earlier call: they are rung again
        now = msgspec.structs.replace(now, paged=msgspec.structs.replace(now.paged, outcome=""))
    if now.page.outcome:
        return _end(now, _said_of(now.page))
    if now.call.pressed:
        return _wait(now)
    digits = now.form.get("Digits")
    if digits is None:  # the first turn: nothing was asked yet
        return _ask(now, now.call)
    if digits in ("1", "2"):
        return _press(now, digits)
    if digits == "*" and now.call.repeats < REPEATS_MAX:
        return _ask(now, msgspec.structs.replace(now.call, repeats=now.call.repeats + 1))
    return _miss(now)


class _Now(msgspec.Struct, frozen=True, kw_only=True):
    """A turn with all that it is decided by."""

    call: PageCall
    paged: Paged | None
    raw: RawMessage
    form: dict[str, str]

    @property
    def page(self) -> Paged:
        assert self.paged is not None  # noqa: S101 - `step` has looked
        return self.paged

    @property
    def next_url(self) -> str:
        return url(self.page.page, _number(self.raw) + 1)

    def happened(self, what: str, **details: str) -> Happened:
        told = {"page": self.page.page, "call": self.form.get("CallSid", "")}
        return Happened(what, self.raw.received_at, {**told, **details})


def _ask(now: _Now, call: PageCall) -> Turn:
    happened = () if call.is_heard else (now.happened(page_calls.STATUS, status="in-progress"),)
    heard = msgspec.structs.replace(call, is_heard=True)
    reply = _gather(f"{now.page.said} {_KEYS}", now.page.language, now.next_url)
    return Turn(state=page_calls.encoded(heard), reply=reply, happened=happened)


def _press(now: _Now, digit: Any) -> Turn:
    pressed = msgspec.structs.replace(now.call, pressed=digit)
    return Turn(
        state=page_calls.encoded(pressed), reply=_pause(now.next_url), happened=(now.happened(_TOLD[digit]),)
    )


def _wait(now: _Now) -> Turn:
    """A key was pressed and nobody knows yet what it has come to: a moment more, and then it is noted all the same."""
    call = now.call
    if call.waits >= WAITS_MAX:
        return Turn(state=None, reply=_last(_NOT_KNOWN_YET[call.pressed], now.page.language))
    waiting = msgspec.structs.replace(call, waits=call.waits + 1)
    return Turn(state=page_calls.encoded(waiting), reply=_pause(now.next_url))


def _miss(now: _Now) -> Turn:
    missed = msgspec.structs.replace(now.call, misses=now.call.misses + 1)
    if missed.misses < MISSES_MAX:
        return _ask(now, missed)
    reply = _last(_NOTHING_PRESSED, now.page.language)
    return Turn(state=None, reply=reply, happened=(now.happened(page_calls.UNANSWERED),))


def _end(now: _Now, said: str) -> Turn:
    """Say what became of it. A key that comes after somebody else's is told as well: it is part of what happened."""
    late = None if now.call.pressed else _TOLD.get(now.form.get("Digits", ""))
    happened = () if late is None else (now.happened(late),)
    return Turn(state=None, reply=_last(said, now.page.language), happened=happened)


def _said_of(paged: Paged) -> str:
    if paged.outcome == "theirs":
        return f"{paged.by or 'Somebody else'} has it already. There is nothing left to do. Goodbye."
    return _SPOKEN[paged.outcome]


# -- what the rest of the channel needs -------------------------------------------------------------------------------


def url(page: str, number: int) -> str:
    """Return the URL of a turn, relative to the turn before."""
    return f"{PATH}?o={page}&n={number}"


def page_of(query: dict[str, str]) -> str | None:
    """Return the outbox id that a request is about; None = it names none."""
    page = str(query.get("o", ""))
    return page if page.isascii() and page.isdecimal() and len(page) <= 20 else None


def unavailable(what: str, page: str, number: int, *, tries: int) -> str:
    """Return the answer while nothing can be kept: the same turn again in a moment, and in the end goodbye.

    what: the path of the call's turns.
    """
    if tries >= WAITS_MAX:
        return _last(
            "The desk cannot be reached at this moment. You will be told in another way. Goodbye.", ENGLISH
        )
    return _pause(f"{what}?o={page}&n={number}&again={tries + 1}", pause_s=2)


def parse(raw: RawMessage) -> CallEvent:
    """Return what a request of a page call tells. Never raises."""
    form = _form(raw)
    return CallEvent(
        kind="voice",
        call=form.get("CallSid", "")[:64],
        direction="out",
        caller=None,
        own=form.get("From", "")[:20],
        happened=_told(raw, form),
    )


def _told(raw: RawMessage, form: dict[str, str]) -> tuple[Happened, ...]:
    query = raw.envelope.get("query")
    page = {"page": page_of(query if isinstance(query, dict) else {}) or ""}
    if str(raw.envelope.get("path", "")) == STATUS_PATH:
        status = form.get("CallStatus", "")[:20]
        return (Happened(page_calls.STATUS, raw.received_at, page | {"status": status}),)
    try:
        happened = msgspec.convert(raw.envelope.get("happened") or (), tuple[Happened, ...])
    except msgspec.ValidationError:
        happened = ()
    # A sentence was heard, and that is all.
    return happened or (Happened(page_calls.HEARD, raw.received_at, page),)


def _form(raw: RawMessage) -> dict[str, str]:
    fields = urllib.parse.parse_qsl(raw.body.decode("utf-8", "replace"), keep_blank_values=True)
    return dict(reversed(fields))


def _number(raw: RawMessage) -> int:
    query = raw.envelope.get("query")
    return small(query.get("n") if isinstance(query, dict) else None)


def small(text: object) -> int:
    """Return a small whole number of a query, 0 = it is none."""
    said = str(text)
    return int(said) if said.isascii() and said.isdecimal() and len(said) < 6 else 0


# -- TwiML ------------------------------------------------------------------------------------------------------------


def _gather(said: str, language: str, action: str) -> str:
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
    gather.say(_speakable(said), language=language)
    response = VoiceResponse()
    response.append(gather)
    return str(response)


def _pause(redirect: str, *, pause_s: int = 1) -> str:
    from twilio.twiml.voice_response import VoiceResponse

    response = VoiceResponse()
    response.pause(length=pause_s)
    response.redirect(redirect, method="POST")
    return str(response)


def _last(said: str, language: str) -> str:
    from twilio.twiml.voice_response import VoiceResponse

    response = VoiceResponse()
    response.say(_speakable(said), language=language)
    response.hangup()
    return str(response)


def _speakable(said: str) -> str:
    """Return a text without what XML 1.0 has no place for."""
    return _NOT_XML.sub(" ", said)
