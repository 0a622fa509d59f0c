"""The turns of a call that tells an agent of something (channels.page_calls), as a pure step, with its TwiML.

One sentence is read, then keys are taken: 1 = I look at it, 2 = pass it on, * = say it again. Three times anything else,
or nothing, and the call ends without an acknowledgement: that is all an answering machine ever does. What a key has come
to is said by the turn after it: intake settles the key meanwhile, which takes less than the pause between the two. A test
knows 1 and * only.

Each turn has a number in its URL, so a request that Twilio makes again is the same key, and gets the same answer.
"""

from collections.abc import Mapping
from typing import Any

import msgspec

from channels import page_calls
from channels.contract import CallEvent, Happened, RawMessage, Turn, View
from channels.page_calls import PageCall, Paged
from channels.twilio.phone import out_turns, page_words
from channels.twilio.phone.out_turns import Request, Speaker
from channels.twilio.phone.voices import Voice

PATH = "page"
STATUS_PATH = "page/status"
MISSES_MAX = 3
REPEATS_MAX = 9
LISTEN_S = 60  # to one sentence, and for the key after it
WAITS_MAX = 8  # of a second each, for what a key has come to

_TOLD = {"1": page_calls.ACKNOWLEDGED, "2": page_calls.PASSED_ON}


def step(
    state: bytes | None, raw: RawMessage, view: View, *, voices: Mapping[str, Voice] | None = None
) -> Turn:
    """Return what one request of a page call comes to. view.page: what it tells of, None = nothing is known of it."""
    request, paged = out_turns.read(raw), view.page
    speaker = Speaker.of(page_words.DEFAULT if paged is None else paged.language, voices or {})
    if paged is None:
        return Turn(state=None, reply=speaker.last(speaker.word("over")))
    now = _Now(call=page_calls.decoded(state, request.call), page=paged, request=request, speaker=speaker)
    return _held(_turn(now), paged)


def _held(turn: Turn, paged: Paged) -> Turn:
    """Let no other call ring for the agent while they listen."""
    if turn.state is None or not paged.is_free or not paged.agent:
        return turn
    return msgspec.structs.replace(turn, holds=(paged.agent,), hold_s=LISTEN_S)


def _turn(now: "_Now") -> Turn:
    request, paged = now.request, now.page
    if paged.outcome and not now.is_rung_again:
        return _end(now)
    if now.call.pressed:
        return _wait(now)
    digits = request.digits
    if digits is None:  # the first turn: nothing was asked yet
        return _ask(now, now.call)
    if digits in now.keys:
        return _press(now, digits)
    if digits == "*" and now.call.repeats < REPEATS_MAX:
        return _ask(now, msgspec.structs.replace(now.call, repeats=now.call.repeats + 1))
    return _miss(now)


class _Now(msgspec.Struct, frozen=True, kw_only=True):
    """A turn with all that it is decided by."""

    call: PageCall
    page: Paged
    request: Request
    speaker: Speaker

    @property
    def keys(self) -> tuple[str, ...]:
        return ("1",) if self.page.is_test else ("1", "2")

    @property
    def is_rung_again(self) -> bool:
        """Whether there was nobody else when it was to be passed on, in an earlier call: they are asked again."""
        return self.page.outcome == "alone" and self.call.pressed != "2"

    @property
    def next_url(self) -> str:
        return url(self.page.page, self.request.number + 1)

    def happened(self, what: str, **details: str) -> Happened:
        told = {"page": self.page.page, "call": self.request.call}
        return Happened(what, self.request.raw.received_at, {**told, **details})


def _ask(now: _Now, call: PageCall) -> Turn:
    happened = () if call.is_heard else (now.happened(page_calls.STATUS, status="in-progress"),)
    heard = msgspec.structs.replace(call, is_heard=True)
    keys = now.speaker.word("test_keys" if now.page.is_test else "keys")
    reply = now.speaker.gather(f"{now.page.said} {keys}", now.next_url)
    return Turn(state=page_calls.encoded(heard), reply=reply, happened=happened)


def _press(now: _Now, digit: Any) -> Turn:
    pressed = msgspec.structs.replace(now.call, pressed=digit)
    reply = out_turns.pause(now.next_url)
    return Turn(state=page_calls.encoded(pressed), reply=reply, happened=(now.happened(_TOLD[digit]),))


def _wait(now: _Now) -> Turn:
    """A key was pressed and nobody knows yet what it has come to: a moment more, and then it is noted all the same."""
    call = now.call
    if call.waits >= WAITS_MAX:
        return Turn(state=None, reply=now.speaker.last(now.speaker.word("noted")))
    waiting = msgspec.structs.replace(call, waits=call.waits + 1)
    return Turn(state=page_calls.encoded(waiting), reply=out_turns.pause(now.next_url))


def _miss(now: _Now) -> Turn:
    missed = msgspec.structs.replace(now.call, misses=now.call.misses + 1)
    if missed.misses < MISSES_MAX:
        return _ask(now, missed)
    reply = now.speaker.last(now.speaker.word("nothing"))
    return Turn(state=None, reply=reply, happened=(now.happened(page_calls.UNANSWERED),))


def _end(now: _Now) -> Turn:
    """Say what became of it. A key that comes after somebody else's is told as well: it is part of what happened."""
    digits = now.request.digits or ""
    late = None if now.call.pressed or digits not in now.keys else _TOLD[digits]
    happened = () if late is None else (now.happened(late),)
    key = "test_yours" if now.page.is_test else now.page.outcome
    return Turn(
        state=None, reply=now.speaker.last(now.speaker.word(key, name=now.page.by)), happened=happened
    )


# -- what the rest of the channel needs -------------------------------------------------------------------------------


def url(page: str, number: int) -> str:
    """Return the URL of a turn, relative to the turn before."""
    return f"{PATH}?o={page}&n={number}"


def parse(raw: RawMessage) -> CallEvent:
    """Return what a request of a page call tells. Never raises."""
    request = out_turns.read(raw)
    return CallEvent(
        kind="voice",
        call=request.call,
        direction="out",
        caller=None,
        own=request.form.get("From", "")[:20],
        happened=_told(request),
    )


def _told(request: Request) -> tuple[Happened, ...]:
    raw, page = request.raw, {"page": request.page}
    if request.path == STATUS_PATH:
        status = request.form.get("CallStatus", "")[:20]
        return (Happened(page_calls.STATUS, raw.received_at, page | {"status": status}),)
    try:
        happened = msgspec.convert(raw.envelope.get("happened") or (), tuple[Happened, ...])
    except msgspec.ValidationError:
        happened = ()
    # A sentence was heard, and that is all.
    return happened or (Happened(page_calls.HEARD, raw.received_at, page),)
