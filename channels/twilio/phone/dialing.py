"""The turns of a call from a ticket: the agent hears which, presses 1, and is put through to the customer. Pure.

    out            the agent's leg: 1 = call the customer
    out/customer   what the customer hears before the two are connected: whether the talk is recorded
    out/leg        how far the customer's leg got; out/status: the agent's; out/recording: a recording is there

Nothing is recorded before a consent: recording is begun by REST when it has been kept (channels.twilio.calling), and where
none is given, or nobody asks for one, it never begins. The call is known by the agent's leg, whose child the customer's is.
Sources: twilio.com/docs/voice/twiml/dial (answerOnBridge, callerId), /number (url, statusCallback), checked 2026-11.
"""

import re
import urllib.parse
from collections.abc import Iterable
from datetime import datetime
from typing import Any

import msgspec

from channels import dial_outs
from channels.contract import CallEvent, Happened, Identity, RawMessage, Turn, View
from channels.dial_outs import DialOut
from channels.twilio.phone import paging

PATH, CUSTOMER_PATH, LEG_PATH = "out", "out/customer", "out/leg"
STATUS_PATH, RECORDING_PATH = "out/status", "out/recording"
MISSES_MAX = 3
RING_S = 30
TALK_MAX_S = 14_400  # Twilio's own limit of a <Dial>
CHOOSE_S = 60  # what an agent hears, and thinks about
AFTER_TALK_S = 60

_KEYS = "Press 1 to call the customer."
_GONE = "This call was called off. Goodbye."
_NOT_CHOSEN = "Nobody was called. Goodbye."
_NOTICE = "This call is recorded."
_ASK = "May we record this call? Press 1 to agree, or stay on the line."
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_ENDS = {  # Twilio's last words for a leg -> why the call ended, as docs/phone.md has it; None = the status says it
    "completed": "answered",
    "busy": None,
    "no-answer": None,
    "failed": "failed",
    "canceled": None,
}


def step(state: bytes | None, raw: RawMessage, view: View) -> Turn:
    """Return what one request of either leg comes to. view.out: whom to call, None = nothing is known of it."""
    if view.out is None:
        return Turn(state=None, reply=_last(_GONE, paging.ENGLISH))
    if raw.envelope.get("path") == CUSTOMER_PATH:
        return _held(_customer(state, raw, view.out), view.out)
    return _held(_agent(dial_outs.decoded(state), raw, view.out), view.out)


def _held(turn: Turn, out: DialOut) -> Turn:
    """Let no other call ring for the agent while this one goes on."""
    if turn.state is None or not out.is_free:
        return turn
    is_dialled = dial_outs.decoded(turn.state).is_dialled
    hold_s = RING_S + TALK_MAX_S + AFTER_TALK_S if is_dialled else CHOOSE_S
    return msgspec.structs.replace(turn, holds=(out.agent,), hold_s=hold_s)


def _agent(leg: dial_outs.Leg, raw: RawMessage, out: DialOut) -> Turn:
    form = _form(raw)
    if leg.is_dialled:  # the talk is over, or nobody answered
        return Turn(state=None, reply=_last(_after(form), out.language), happened=(_dial_ended(raw, form),))
    if "Digits" not in form:
        return _ask(leg, raw, out, happened=_happened(raw, out, dial_outs.STATUS, status="in-progress"))
    if form["Digits"] == "1":
        return _dial(raw, out)
    leg = msgspec.structs.replace(leg, misses=leg.misses + (form["Digits"] != "*"))
    if leg.misses < MISSES_MAX:
        return _ask(leg, raw, out)
    happened = (_happened(raw, out, dial_outs.DECLINED),)
    return Turn(state=None, reply=_last(_NOT_CHOSEN, out.language), happened=happened)


def _ask(leg: dial_outs.Leg, raw: RawMessage, out: DialOut, *, happened: Happened | None = None) -> Turn:
    reply = _gather(f"{out.said} {_KEYS}", out.language, _url(PATH, out, n=_number(raw) + 1))
    told = () if happened is None else (happened,)
    return Turn(state=dial_outs.encoded(leg), reply=reply, happened=told)


def _dial(raw: RawMessage, out: DialOut) -> Turn:
    """Call the customer, unless they have said since that nobody may."""
    if out.refusal:
        happened = _happened(raw, out, dial_outs.DECLINED, reason=out.refusal)
        return Turn(state=None, reply=_last(f"{out.refusal} Goodbye.", out.language), happened=(happened,))
    return Turn(
        state=dial_outs.encoded(dial_outs.Leg(is_dialled=True)),
        reply=_dialled(raw, out),
        happened=(_happened(raw, out, dial_outs.DIALLED, agent=out.agent, to=out.number),),
    )


def _dial_ended(raw: RawMessage, form: dict[str, str]) -> Happened:
    """Tell the end as the agent's leg knows it: of a number that could not be dialled at all nothing else does."""
    return _ended(raw.received_at, form.get("DialCallStatus", "")[:20], form.get("DialCallDuration", ""))


def _ended(at: datetime, status: str, duration: str) -> Happened:
    why = {"why": _ENDS[status]} if _ENDS.get(status) else {}
    return Happened("ended", at, {"status": status, "duration_s": paging.small(duration), **why})


def _after(form: dict[str, str]) -> str:
    status = form.get("DialCallStatus", "")
    words = {"busy": "The line was busy.", "no-answer": "Nobody answered.", "failed": "The call failed."}
    return f"{words.get(status, 'The call is over.')} Goodbye."


def _customer(state: bytes | None, raw: RawMessage, out: DialOut) -> Turn:
    """Tell the customer of a recording, or ask for it; then the two are connected, whatever they say."""
    digits = _form(raw).get("Digits")
    if out.record == "off":
        return Turn(state=state, reply=_nothing())
    if out.record == "notice":
        return Turn(state=state, reply=_say(_NOTICE, out.language), happened=(_consent(raw, is_given=True),))
    if digits is None:
        reply = _gather(_ASK, out.language, _url("customer", out, n=1), timeout_s=4)
        return Turn(state=state, reply=reply)
    return Turn(state=state, reply=_nothing(), happened=(_consent(raw, is_given=digits == "1"),))


def _consent(raw: RawMessage, *, is_given: bool) -> Happened:
    return Happened("consent", raw.received_at, {"given": is_given})


def may_record(happened: Iterable[Happened]) -> bool:
    """Whether a turn says that the customer agrees to be recorded."""
    return any(each.what == "consent" and each.details.get("given") is True for each in happened)


# -- what was told ----------------------------------------------------------------------------------------------------


def parse(raw: RawMessage) -> CallEvent:
    """Return what a request of either leg tells. Never raises."""
    form, path = _form(raw), raw.envelope.get("path")
    is_customers = path in (LEG_PATH, CUSTOMER_PATH)
    number = form.get("To", "") if is_customers else ""
    return CallEvent(
        kind="voice",
        call=(form.get("ParentCallSid") or form.get("CallSid", ""))[:64],
        direction="out",
        caller=Identity("phone", number) if re.fullmatch(r"\+[0-9]{6,15}", number) else None,
        own=form.get("From", "")[:20],
        happened=_told(raw, form, str(path)),
    )


def _told(raw: RawMessage, form: dict[str, str], path: str) -> tuple[Happened, ...]:
    query = raw.envelope.get("query")
    page = {"page": paging.page_of(query if isinstance(query, dict) else {}) or ""}
    status = form.get("CallStatus", "")[:20]
    if path == STATUS_PATH:
        return (Happened(dial_outs.STATUS, raw.received_at, {**page, "status": status}),)
    if path == LEG_PATH:
        return _leg(raw.received_at, form, status, agent=_agent_of(query))
    if path == RECORDING_PATH:
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
    told["duration_s"] = paging.small(form.get("RecordingDuration", ""))  # type: ignore[assignment]
    return (Happened("recorded", at, told),)


def _agent_of(query: Any) -> str:
    return str(query.get("a", ""))[:64] if isinstance(query, dict) else ""


def _happened(raw: RawMessage, out: DialOut, what: str, **details: str) -> Happened:
    return Happened(
        what, raw.received_at, {"page": out.page, "call": _form(raw).get("CallSid", ""), **details}
    )


def _form(raw: RawMessage) -> dict[str, str]:
    fields = urllib.parse.parse_qsl(raw.body.decode("utf-8", "replace"), keep_blank_values=True)
    return dict(reversed(fields))


def _number(raw: RawMessage) -> int:
    query = raw.envelope.get("query")
    return paging.small(query.get("n") if isinstance(query, dict) else None)


# -- TwiML ------------------------------------------------------------------------------------------------------------


def _url(path: str, out: DialOut, **query: object) -> str:
    """Return an address below the document's own: "out" from out, "customer" from out/customer."""
    return f"{path}?{urllib.parse.urlencode({'o': out.page, **query})}"


def _dialled(raw: RawMessage, out: DialOut) -> str:
    from twilio.twiml.voice_response import Dial, VoiceResponse

    dial = Dial(
        action=_url(PATH, out, n=_number(raw) + 1),
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


def _gather(said: str, language: str, action: str, *, timeout_s: int = paging.KEY_TIMEOUT_S) -> str:
    from twilio.twiml.voice_response import Gather, VoiceResponse

    gather = Gather(
        input="dtmf",
        num_digits=1,
        finish_on_key="",
        timeout=timeout_s,
        action=action,
        method="POST",
        action_on_empty_result=True,
    )
    gather.say(_NOT_XML.sub(" ", said), language=language)
    response = VoiceResponse()
    response.append(gather)
    return str(response)


def _last(said: str, language: str) -> str:
    from twilio.twiml.voice_response import VoiceResponse

    response = VoiceResponse()
    response.say(_NOT_XML.sub(" ", said), language=language)
    response.hangup()
    return str(response)


def _say(said: str, language: str) -> str:
    from twilio.twiml.voice_response import VoiceResponse

    response = VoiceResponse()
    response.say(said, language=language)
    return str(response)


def _nothing() -> str:
    from twilio.twiml.voice_response import VoiceResponse

    return str(VoiceResponse())
