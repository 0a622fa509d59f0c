"""The turns of a call from a ticket: the agent hears which, presses 1, and is put through to the customer. Pure.

    out            the agent's leg: 1 = call the customer
    out/customer   what the customer hears before the two are connected: whether the talk is recorded
    out/leg        how far the customer's leg got; out/status: the agent's; out/recording: a recording is there

Nothing is recorded before a consent: recording is begun by REST when it has been kept (channels.twilio.calling), and where
none is given, or nobody asks for one, it never begins. The call is known by the agent's leg, whose child the customer's is.
The agent hears their language, the customer theirs.
Sources: twilio.com/docs/voice/twiml/dial (answerOnBridge, callerId), /number (url, statusCallback), checked 2026-11.
"""

import re
import urllib.parse
from collections.abc import Iterable, Mapping
from datetime import datetime

import msgspec

from channels import dial_outs
from channels.contract import CallEvent, Happened, Identity, RawMessage, Turn, View
from channels.dial_outs import DialOut, Leg
from channels.twilio.phone import out_turns, page_words, says
from channels.twilio.phone.out_turns import Request, Speaker
from channels.twilio.phone.voices import Voice

PATH, CUSTOMER_PATH, LEG_PATH = "out", "out/customer", "out/leg"
STATUS_PATH, RECORDING_PATH = "out/status", "out/recording"
MISSES_MAX = 3
RING_S = 30
CONSENT_TIMEOUT_S = 4
CHOOSE_S = 60  # what an agent hears, and thinks about
AFTER_TALK_S = 60
TALK_MAX_S = 14_400  # Twilio's own limit of a <Dial>

_ENDS = {  # Twilio's last words for a leg -> why the call ended, as docs/phone.md has it; None = the status says it
    "completed": "answered",
    "busy": None,
    "no-answer": None,
    "failed": "failed",
    "canceled": None,
}
_AFTER = {"busy": "line_busy", "no-answer": "no_answer", "failed": "call_failed"}
_NOTHING = '<?xml version="1.0" encoding="UTF-8"?><Response/>'

Sentences = Mapping[str, Mapping[str, str]]


class _Now(msgspec.Struct, frozen=True, kw_only=True):
    """A turn with all that it is decided by. sentences: of the account, see says."""

    request: Request
    out: DialOut
    speaker: Speaker
    sentences: Sentences

    def happened(self, what: str, **details: str) -> Happened:
        told = {"page": self.out.page, "call": self.request.call, **details}
        return Happened(what, self.request.raw.received_at, told)


def step(
    state: bytes | None,
    raw: RawMessage,
    view: View,
    *,
    voices: Mapping[str, Voice] | None = None,
    sentences: Sentences | None = None,
) -> Turn:
    """Return what one request of either leg comes to. view.out: whom to call, None = nothing is known of it."""
    out, request = view.out, out_turns.read(raw)
    is_customers = request.path == CUSTOMER_PATH
    language = page_words.DEFAULT if out is None else out.customers_language if is_customers else out.language
    speaker = Speaker.of(language, voices or {})
    if out is None:
        return Turn(state=None, reply=speaker.last(speaker.word("called_off")))
    now = _Now(request=request, out=out, speaker=speaker, sentences=sentences or {})
    turn = _customer(state, now) if is_customers else _agent(dial_outs.decoded(state, request.call), now)
    return _held(turn, out)


def _held(turn: Turn, out: DialOut) -> Turn:
    """Let no other call ring for the agent while this one goes on."""
    if turn.state is None or not out.is_free:
        return turn
    is_dialled = dial_outs.decoded(turn.state).is_dialled
    hold_s = RING_S + TALK_MAX_S + AFTER_TALK_S if is_dialled else CHOOSE_S
    return msgspec.structs.replace(turn, holds=(out.agent,), hold_s=hold_s)


def _agent(leg: Leg, now: _Now) -> Turn:
    digits, speaker = now.request.digits, now.speaker
    if leg.is_dialled:  # the talk is over, or nobody answered
        after = _AFTER.get(now.request.form.get("DialCallStatus", ""), "call_over")
        return Turn(state=None, reply=speaker.last(speaker.word(after)), happened=(_dial_ended(now),))
    if digits is None:
        return _ask(leg, now, happened=now.happened(dial_outs.STATUS, status="in-progress"))
    if digits == "1":
        return _dial(leg, now)
    leg = msgspec.structs.replace(leg, misses=leg.misses + (digits != "*"))
    if leg.misses < MISSES_MAX:
        return _ask(leg, now)
    reply = speaker.last(speaker.word("not_called"))
    return Turn(state=None, reply=reply, happened=(now.happened(dial_outs.DECLINED),))


def _ask(leg: Leg, now: _Now, *, happened: Happened | None = None) -> Turn:
    said = f"{now.out.said} {now.speaker.word('call_customer')}"
    reply = now.speaker.gather(said, _url(PATH, now.out, n=now.request.number + 1))
    told = () if happened is None else (happened,)
    return Turn(state=dial_outs.encoded(leg), reply=reply, happened=told)


def _dial(leg: Leg, now: _Now) -> Turn:
    """Call the customer, unless they have said since that nobody may."""
    out = now.out
    if out.refusal:
        happened = now.happened(dial_outs.DECLINED, reason=out.refusal)
        return Turn(state=None, reply=now.speaker.last(now.speaker.word("may_not")), happened=(happened,))
    return Turn(
        state=dial_outs.encoded(msgspec.structs.replace(leg, is_dialled=True)),
        reply=_dialled(now),
        happened=(now.happened(dial_outs.DIALLED, agent=out.agent, to=out.number),),
    )


def _dial_ended(now: _Now) -> Happened:
    """Tell the end as the agent's leg knows it: of a number that could not be dialled at all nothing else does."""
    form = now.request.form
    status, duration = form.get("DialCallStatus", "")[:20], form.get("DialCallDuration", "")
    return _ended(now.request.raw.received_at, status, duration)


def _ended(at: datetime, status: str, duration: str) -> Happened:
    why = {"why": _ENDS[status]} if _ENDS.get(status) else {}
    return Happened("ended", at, {"status": status, "duration_s": out_turns.small(duration), **why})


def _customer(state: bytes | None, now: _Now) -> Turn:
    """Tell the customer of a recording, or ask for it; then the two are connected, whatever they say."""
    digits, out = now.request.digits, now.out
    if out.record == "off":
        return Turn(state=state, reply=_NOTHING)
    said = says.sentence(now.sentences, out.customers_language, f"record_{out.record}")
    if out.record == "notice":
        return Turn(state=state, reply=now.speaker.say(said), happened=(_consent(now, is_given=True),))
    if digits is None:
        reply = now.speaker.gather(said, _url("customer", out, n=1), timeout_s=CONSENT_TIMEOUT_S)
        return Turn(state=state, reply=reply)
    return Turn(state=state, reply=_NOTHING, happened=(_consent(now, is_given=digits == "1"),))


def _consent(now: _Now, *, is_given: bool) -> Happened:
    return Happened("consent", now.request.raw.received_at, {"given": is_given})


def may_record(happened: Iterable[Happened]) -> bool:
    """Whether a turn says that the customer agrees to be recorded."""
    return any(each.what == "consent" and each.details.get("given") is True for each in happened)


# -- what was told ----------------------------------------------------------------------------------------------------


def parse(raw: RawMessage) -> CallEvent:
    """Return what a request of either leg tells. Never raises."""
    request = out_turns.read(raw)
    form = request.form
    number = form.get("To", "") if request.path in (LEG_PATH, CUSTOMER_PATH) else ""
    return CallEvent(
        kind="voice",
        call=(form.get("ParentCallSid") or form.get("CallSid", ""))[:64],
        direction="out",
        caller=Identity("phone", number) if re.fullmatch(r"\+[0-9]{6,15}", number) else None,
        own=form.get("From", "")[:20],
        happened=_told(request),
    )


def _told(request: Request) -> tuple[Happened, ...]:
    raw, form, page = request.raw, request.form, {"page": request.page}
    status = form.get("CallStatus", "")[:20]
    if request.path == STATUS_PATH:
        return (Happened(dial_outs.STATUS, raw.received_at, {**page, "status": status}),)
    if request.path == LEG_PATH:
        return _leg(raw.received_at, form, status, agent=request.query.get("a", "")[:64])
    if request.path == RECORDING_PATH:
        return _recorded(raw.received_at, form)
    try:
        happened = msgspec.convert(raw.envelope.get("happened") or (), tuple[Happened, ...])
    except msgspec.ValidationError:
        happened = ()
    return happened or (Happened(dial_outs.HEARD, raw.received_at, page),)


def _leg(at: datetime, form: dict[str, str], status: str, *, agent: str) -> tuple[Happened, ...]:
    """What the customer's leg tells: that they speak, and how it ended."""
    if status == "in-progress":
        return (Happened("connected", at, {"agent": agent}),)
    if status not in _ENDS:
        return (Happened(dial_outs.HEARD, at, {"page": ""}),)
    return (_ended(at, status, form.get("CallDuration", "")),)


def _recorded(at: datetime, form: dict[str, str]) -> tuple[Happened, ...]:
    if form.get("RecordingStatus", "completed") != "completed":
        return (Happened(dial_outs.HEARD, at, {"page": ""}),)
    told = {"recording": form.get("RecordingSid", "")[:64], "why": "call"}
    told["duration_s"] = out_turns.small(form.get("RecordingDuration", ""))  # type: ignore[assignment]
    return (Happened("recorded", at, told),)


# -- TwiML ------------------------------------------------------------------------------------------------------------


def _url(path: str, out: DialOut, **query: object) -> str:
    """Return an address below the document's own: "out" from out, "customer" from out/customer."""
    return f"{path}?{urllib.parse.urlencode({'o': out.page, **query})}"


def _dialled(now: _Now) -> str:
    from twilio.twiml.voice_response import Dial, VoiceResponse

    out = now.out
    dial = Dial(
        action=_url(PATH, out, n=now.request.number + 1),
        method="POST",
        answer_on_bridge=True,
        caller_id=out.own,
        timeout=RING_S,
        time_limit=TALK_MAX_S,
    )
    heard = {} if out.record == "off" else {"url": _url(CUSTOMER_PATH, out, n=0)}
    dial.number(
        out.number,
        status_callback=_url(LEG_PATH, out, a=out.agent),
        status_callback_event="answered completed",
        status_callback_method="POST",
        **heard,
    )
    response = VoiceResponse()
    response.append(dial)
    return str(response)
