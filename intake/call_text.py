"""A call as one message of the conversation: what agents read, in the desk's own language, and what rules see of it.

The message's text says who called, what they chose, how long they waited and spoke, and how it came out. What the caller
said (a voicemail's transcript) is its visible text, and alone is text for the rules.
"""

from collections.abc import Iterator

from channels.contract import Address, Attachment, CallFacts, Identity, Message
from intake.call_timeline import Recording, State

VOICE = "voice"
HIDDEN = "a hidden number"

_OUTCOMES = {
    "answered": "answered",
    "voicemail": "left a voicemail",
    "missed": "nobody answered",
    "hung_up": "hung up in the menu",
    "failed": "the call failed",
}
_WHYS = {
    "hung_up_waiting": "hung up while waiting",
    "no_message": "left no message",
    "closed": "we were closed",
}
_NAMES = {"voicemail": "voicemail", "call": "recording"}


def message(
    call: State,
    *,
    caller: str | None,
    own: str,
    direction: str = "in",
    attachments: tuple[Attachment, ...] = (),
) -> Message:
    """Return a call as a message. caller: E.164, None = hidden. attachments: of its recordings."""
    said = call.transcript
    return Message(
        kind=VOICE,
        sender=None if caller is None else Identity("phone", caller),
        text="\n".join(_lines(call, caller=caller, own=own, direction=direction)),
        visible_text=said.text if said is not None else "",
        language=call.language or (said.language if said is not None else None),
        attachments=attachments,
        call=CallFacts(call.choice, call.outcome),
    )


def from_address(caller: str | None) -> Address | None:
    return None if caller is None else Address(caller)


def attachment(recording: Recording, part: str) -> Attachment:
    """Return a recording as a file of the message, before it has been fetched: size and hash are not known."""
    name = f"{_NAMES.get(recording.why, 'recording')}.mp3"
    return Attachment(name=name, content_type="audio/mpeg", size=0, sha256="", inline=False, part=part)


def _lines(call: State, *, caller: str | None, own: str, direction: str) -> Iterator[str]:
    whom = caller or HIDDEN
    yield f"Call to {whom}" if direction == "out" else f"Call from {whom}"
    if own:
        yield f"Our number: {own}"
    if call.choices:
        yield f"Chose: {', '.join(call.choices)}"
    if call.language:
        yield f"Language: {call.language}"
    if call.rung:
        yield f"Rang: {', '.join(call.rung)}"
    if call.agent:
        yield f"With: {call.agent}"
    if call.wait_s is not None:
        yield f"Waited: {duration(call.wait_s)}"
    if call.talk_s is not None:
        yield f"Talked: {duration(call.talk_s)}"
    yield f"Outcome: {_outcome(call)}"
    for each in call.recordings:
        yield f"{_NAMES.get(each.why, 'recording').capitalize()}: {duration(each.duration_s)}"
    if call.transcript is not None:
        yield f"Transcript{_sureness(call)}: {call.transcript.text}"


def _outcome(call: State) -> str:
    if call.outcome is None:
        return "under way"
    said = _OUTCOMES.get(call.outcome, call.outcome)
    return f"{said}, {_WHYS[call.why]}" if call.outcome == "missed" and call.why in _WHYS else said


def _sureness(call: State) -> str:
    said = call.transcript
    if said is None:
        return ""
    known = [said.language or "", "" if said.confidence is None else f"{round(said.confidence * 100)} % sure"]
    words = ", ".join(each for each in known if each)
    return f" ({words})" if words else ""


def duration(seconds: int) -> str:
    """Return a length of time for people: "45 s", "3 min 5 s"."""
    minutes, rest = divmod(seconds, 60)
    if not minutes:
        return f"{rest} s"
    return f"{minutes} min {rest} s" if rest else f"{minutes} min"
