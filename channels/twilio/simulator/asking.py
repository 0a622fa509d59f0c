"""<Gather> and <Record>: a party is asked, and answers with keys, words, a message, or nothing.

Source: twilio.com/docs/voice/twiml/gather and /record (2026-11): the timeout runs from the end of what is said and anew from
each key; finishOnKey is not among the Digits; what is said inside stops at the first key or word; nothing at all goes on
with the next verb unless actionOnEmptyResult; a recording without sound does not ask its action; a party that hangs up
while it speaks leaves a message all the same, with Digits=hangup.
"""

from channels.twilio.simulator.grammar import Element
from channels.twilio.simulator.legs import VERBS, HungUp, Leg, Next, prompt
from channels.twilio.simulator.persona import SECONDS_A_KEY, Reaction, speaking_s
from channels.twilio.simulator.provider import Recording, Transcription
from channels.twilio.simulator.scenario import Act

TRANSCRIBED_AFTER_S = 20.0
RECORDED_AFTER_S = 2.0
_MIN_TRANSCRIBED_S, _MAX_TRANSCRIBED_S = 2, 120


async def _gather(leg: Leg, verb: Element) -> Next | None:
    words, said_s = prompt(verb)
    for each in words:
        leg.hear(each)
    takes = verb.get("input", "dtmf")
    reaction = leg.persona.at_question(said_s)
    timeout_s = verb.seconds("timeout", 5)
    is_key = reaction is not None and bool(reaction.keys) and "dtmf" in takes
    is_word = reaction is not None and bool(reaction.speech) and "speech" in takes
    is_late = reaction is not None and reaction.at_s > said_s + timeout_s
    if reaction is not None and reaction.is_leaving and not is_late:
        await leg.rest(reaction.at_s)
        leg.leave()
        raise HungUp
    if reaction is None or is_late or not (is_key or is_word):
        return await _nothing(leg, verb, said_s + timeout_s, reaction)
    await leg.rest(reaction.at_s)
    if is_word:
        return await _spoken(leg, verb, reaction)
    return await _pressed(leg, verb, reaction.keys, timeout_s)


async def _nothing(leg: Leg, verb: Element, after_s: float, reaction: Reaction | None) -> Next | None:
    """Let the question pass."""
    done = "says nothing" if reaction is None else "is not understood"
    await leg.rest(after_s)
    leg.say(done)
    if not verb.is_set("actionOnEmptyResult"):
        return None
    empty = {"SpeechResult": "", "Confidence": "0.0"} if "speech" in verb.get("input", "dtmf") else {}
    return Next(leg.at(verb.get("action")), {"Digits": "", **empty})


async def _spoken(leg: Leg, verb: Element, reaction: Reaction) -> Next:
    leg.say("says", reaction.speech)
    pause = verb.get("speechTimeout", "auto")
    await leg.rest(speaking_s(reaction.speech) + (1.0 if pause == "auto" else float(pause)))
    heard = {
        "SpeechResult": reaction.speech,
        "Confidence": str(reaction.confidence),
        "Language": verb.get("language", "en-US"),
    }
    return Next(leg.at(verb.get("action")), heard)


async def _pressed(leg: Leg, verb: Element, keys: str, timeout_s: int) -> Next:
    """Take keys until there are enough, one of them ends it, or no more come."""
    finish = verb.get("finishOnKey", "#")
    most = verb.seconds("numDigits", len(keys) + 1)
    digits, ended_by = "", ""
    for key in keys:
        await leg.rest(SECONDS_A_KEY)
        if key in finish:
            ended_by = key
            break
        digits += key
        if len(digits) == most:
            break
    leg.say("presses", digits + ended_by)
    if len(digits) < most and not ended_by:
        await leg.rest(timeout_s)
    more = {"FinishedOnKey": ended_by} if "finishOnKey" in verb.attributes or ended_by else {}
    return Next(leg.at(verb.get("action")), {"Digits": digits, **more})


async def _record(leg: Leg, verb: Element) -> Next | None:
    """Take a message; what is recorded is told by callbacks as well."""
    act = leg.persona.at_beep()
    silence_s = verb.seconds("timeout", 5)
    if act is None or (act.leave == "" and not act.hang_up):
        leg.say("leaves nothing")
        await leg.rest(silence_s)
        return None
    if act.leave is None:
        await leg.rest(1.0 if act.after is None else act.after)
        leg.leave()
        raise HungUp
    spoken_s = min(act.seconds, float(verb.seconds("maxLength", 3600)))
    leg.say("leaves a message", f"{act.leave} ({spoken_s:g} s)")
    await leg.rest(spoken_s)
    made = leg.studio.recording(leg.call, words=act.leave, duration_s=spoken_s, source="RecordVerb")
    _tell(leg, verb, made)
    ended_by = _ending(act, verb)
    action = Next(leg.at(verb.get("action")), {**_action_fields(leg, made), "Digits": ended_by})
    if act.hang_up:
        await _hang_up_with(leg, action)
    if not ended_by and spoken_s < verb.seconds("maxLength", 3600):
        await leg.rest(silence_s)
    return action


def _ending(act: Act, verb: Element) -> str:
    if act.hang_up:
        return "hangup"
    return act.finish if act.finish and act.finish in verb.get("finishOnKey", "1234567890*#") else ""


def _action_fields(leg: Leg, made: Recording) -> dict[str, str]:
    return {
        "RecordingUrl": leg.studio.recording_url(made),
        "RecordingSid": made.sid,
        "RecordingDuration": str(made.duration_s),
    }


async def _hang_up_with(leg: Leg, action: Next) -> None:
    """Hang up while recording: the action is asked, what it says is not heard. Raises: HungUp."""
    leg.call.status = "completed"
    await leg.studio.webhooks.tell(action.url, leg.studio.fields(leg.call, **action.form))
    leg.leave()
    raise HungUp


def _tell(leg: Leg, verb: Element, made: Recording) -> None:
    studio, call = leg.studio, leg.call
    url = verb.get("recordingStatusCallback")
    if url and "completed" in verb.get("recordingStatusCallbackEvent", "completed"):
        target, fields = leg.at(url), studio.recording_fields(call, made)
        studio.time.start(_told(leg, target, fields), after_s=RECORDED_AFTER_S)
    if verb.is_set("transcribe"):
        _transcribe(leg, verb, made)


def _transcribe(leg: Leg, verb: Element, made: Recording) -> None:
    """Write down what was said, some time later. Too short or too long cannot be."""
    provider = leg.studio.provider
    is_possible = _MIN_TRANSCRIBED_S <= made.duration_s <= _MAX_TRANSCRIBED_S
    found = Transcription(
        sid=provider.sid("TR"),
        recording=made.sid,
        created_at=provider.at,
        text=made.words if is_possible else "",
        status="completed" if is_possible else "failed",
        duration_s=made.duration_s,
    )
    provider.transcriptions[found.sid] = found
    if "transcribeCallback" not in verb.attributes:
        return
    fields = leg.studio.fields(
        leg.call,
        TranscriptionSid=found.sid,
        TranscriptionText=found.text,
        TranscriptionStatus=found.status,
        TranscriptionType="fast",
        RecordingSid=made.sid,
        RecordingUrl=leg.studio.recording_url(made),
    )
    leg.studio.time.start(
        _told(leg, leg.at(verb.get("transcribeCallback")), fields), after_s=TRANSCRIBED_AFTER_S
    )


async def _told(leg: Leg, url: str, fields: dict[str, str]) -> None:
    await leg.studio.webhooks.tell(url, fields)


VERBS["Gather"] = _gather
VERBS["Record"] = _record
