"""TwiML, built with the twilio package: the verbs that the machine answers with, each with the attributes it needs.

Twilio's pages of <Gather>, <Dial>, <Number>, <Record>, <Say> (twilio.com/docs/voice/twiml/…, checked 2026-11):

* an answer to <Gather> comes even when nothing was pressed only with actionOnEmptyResult; # is a key like any other only
  with an empty finishOnKey; what is spoken inside it stops at the first key or word;
* <Number url> is heard by the agent before the two are connected, and has <Say>, <Play>, <Gather> and <Hangup> only
  (twilio.com/docs/errors/13201); who picks up first ends the ringing of the others;
* a <Record> in which nothing is said does not ask its action, the next verb is done instead.
"""

import re
from collections.abc import Iterable

from twilio.twiml.voice_response import Dial, Gather, VoiceResponse

from channels.twilio.phone import options as settings
from channels.twilio.phone import patience
from channels.twilio.phone.moment import Line, Moment, is_number
from channels.twilio.phone.state import State

EMPTY = '<?xml version="1.0" encoding="UTF-8"?><Response/>'
_SILENCE_S = 5  # after which a message is over
_MAX_HINTS, _MAX_HINT = 100, 100  # Twilio takes 500, of 100 characters
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def said(parent: VoiceResponse | Gather, moment: Moment, lines: Iterable[Line]) -> None:
    for line in lines:
        voice = moment.options.voice(line.language)
        parent.say(_NOT_XML.sub(" ", line.text), voice=voice.voice, language=voice.tag)


def gather(
    moment: Moment,
    url: str,
    lines: Iterable[Line],
    *,
    language: str,
    hints: Iterable[str] | None = None,
    timeout_s: int = patience.KEY_TIMEOUT_S,
) -> VoiceResponse:
    """Ask for one key, or for words as well when there are hints; silence is an answer, too."""
    asked: dict[str, object] = {"input": "dtmf"}
    if hints is not None:
        words = [hint.rstrip("*").replace(",", " ")[:_MAX_HINT] for hint in hints][:_MAX_HINTS]
        asked = {
            "input": "dtmf speech",
            "language": moment.options.voice(language).tag,
            "hints": ", ".join(words),
            "speech_timeout": "auto",
        }
    verb = Gather(
        action=url,
        num_digits=1,
        finish_on_key="",
        timeout=timeout_s,
        action_on_empty_result=True,
        **asked,
    )
    said(verb, moment, lines)
    response = VoiceResponse()
    response.append(verb)
    return response


def going_on(moment: Moment, url: str, lines: Iterable[Line] = (), *, pause_s: int = 0) -> str:
    """Say something, wait a little, and ask what comes next."""
    response = VoiceResponse()
    said(response, moment, lines)
    if pause_s:
        response.pause(length=pause_s)
    response.redirect(url)
    return str(response)


def good_bye(moment: Moment, lines: Iterable[Line]) -> str:
    response = VoiceResponse()
    said(response, moment, lines)
    response.hangup()
    return str(response)


def waiting(moment: Moment, url: str, lines: Iterable[Line], *, language: str, seconds: int) -> str:
    """Let the caller wait, with music when there is some; a key is heard meanwhile."""
    response = VoiceResponse()
    verb = Gather(
        action=url, input="dtmf", num_digits=1, finish_on_key="", timeout=seconds, action_on_empty_result=True
    )
    said(verb, moment, lines)
    if moment.options.hold_music:
        verb.play(moment.options.hold_music)
    response.append(verb)
    return str(response)


def ring(moment: Moment, state: State, phones: dict[str, str], lines: Iterable[Line]) -> str:
    """Ring phones at once. phones: agent -> number."""
    options = moment.options
    response = VoiceResponse()
    said(response, moment, lines)
    dial = Dial(
        action=moment.turn_url("call/dialed", state),
        answer_on_bridge=True,
        timeout=options.ring_s,
        time_limit=options.talk_max_s,
        **_caller_id(moment, state),
        **_recorded(moment, state),
    )
    for agent, phone in phones.items():
        leg = {"a": agent, "of": state.call, "r": state.round}
        dial.number(
            phone,
            url=moment.url("call/whisper", **leg),
            status_callback=moment.url("call/leg", **leg),
            status_callback_event="initiated ringing answered completed",
        )
    response.append(dial)
    return str(response)


def _caller_id(moment: Moment, state: State) -> dict[str, str]:
    """Our own number, so that the phone of an agent knows the desk; without one Twilio shows the caller's."""
    own = state.own if is_number(state.own) else next(iter(moment.options.numbers), "")
    shown = own if moment.options.caller_id == "own" or state.caller is None else state.caller
    return {"caller_id": shown} if shown else {}


def _recorded(moment: Moment, state: State) -> dict[str, str]:
    """Record a talk only when the caller has agreed, or was told."""
    if state.may_record is not True:
        return {}
    return {
        "record": "record-from-answer-dual",
        "recording_status_callback": moment.url("call/recording", of=state.call, why="call"),
        "recording_status_callback_event": "completed",
    }


def voicemail(moment: Moment, lines: Iterable[Line], *, action: str, call: str, language: str) -> str:
    """Take a message. When nothing is said, `action` is asked all the same, with "empty"."""
    options = moment.options
    response = VoiceResponse()
    said(response, moment, lines)
    transcribed: dict[str, object] = {}
    if settings.is_transcribed(options, language):
        callback = moment.url("call/transcription", of=call, l=language)
        transcribed = {"transcribe": True, "transcribe_callback": callback}
    response.record(
        action=action,
        max_length=settings.longest_message_s(options),
        finish_on_key="#",
        timeout=_SILENCE_S,
        play_beep=True,
        recording_status_callback=moment.url("call/recording", of=call, why="voicemail"),
        recording_status_callback_event="completed",
        **transcribed,
    )
    response.redirect(f"{action}{'&' if '?' in action else '?'}empty=1")
    return str(response)


def told_agent(moment: Moment, url: str, lines: Iterable[Line]) -> str:
    """Tell an agent something and come back after a second: the only way on that is allowed there is a <Gather>."""
    return str(gather(moment, url, lines, language=moment.options.staff_language, timeout_s=1))


def asked_agent(moment: Moment, url: str, lines: Iterable[Line]) -> str:
    """Ask an agent whether to take the call."""
    return str(gather(moment, url, lines, language=moment.options.staff_language, timeout_s=6))
