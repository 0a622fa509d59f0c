"""TwiML's grammar as data: which element may stand in which, with which attributes and what values.

Source: twilio.com/docs/voice/twiml and its pages of say, play, pause, gather, record, dial, number, client, sip,
conference, queue, enqueue, redirect, hangup, reject, refer; /docs/messaging/twiml (2026-11). What Twilio overlooks with a
warning (12200) is a flaw here: a word it does not know is never what was meant.
"""

import re
from collections.abc import Callable

import msgspec

Check = Callable[[str], bool]


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """One element. text: "none", "some" (needed), "any"; children: names; most: how many children, None = any number.

    most_characters: of the text. code: Twilio's, of a wrong attribute.
    """

    attributes: dict[str, Check] = {}
    text: str = "none"
    children: frozenset[str] = frozenset()
    most_characters: int = 0
    needs: frozenset[str] = frozenset()
    code: int = 12200


def words(allowed: str) -> Check:
    """One of these words, which stand here with blanks between them."""
    return frozenset(allowed.split()).__contains__


def some_of(allowed: str) -> Check:
    """One or more of these words, blanks between them, none twice."""
    known = set(allowed.split())

    def check(value: str) -> bool:
        found = value.split(" ")
        return set(found) <= known and len(set(found)) == len(found)

    return check


def whole(least: int, most: int) -> Check:
    """A whole number, both ends included."""
    return lambda value: value.isascii() and value.isdecimal() and least <= int(value) <= most


def matching(pattern: str) -> Check:
    compiled = re.compile(pattern)
    return lambda value: compiled.fullmatch(value) is not None


def either(*checks: Check) -> Check:
    return lambda value: any(check(value) for check in checks)


MAX_URL = 4_000
_URL = re.compile(r"(https?://[^\s/?#_]+([/?#][^\s]*)?|(?![a-zA-Z][a-zA-Z0-9+.-]*:)[^\s]+)")


def url(value: str) -> bool:
    """Whether it is absolute (http, https), or relative to the document's own."""
    return len(value) <= MAX_URL and _URL.fullmatch(value) is not None


_METHOD = words("GET POST")
_FLAG = words("true false")
_KEYS = matching(r"[0-9#*]*")
PHONE = matching(r"\+[1-9][0-9]{6,14}")
_LANGUAGE = matching(r"[a-z]{2,3}(-[A-Za-z]{4})?(-[A-Z]{2}|-[0-9]{3})?|multi")
_VOICE = matching(r"man|woman|alice|(Polly|Google)\.[A-Za-z0-9_-]+")
_CALL_EVENTS = some_of("initiated ringing answered completed")
_RECORDING_EVENTS = some_of("in-progress completed absent")
_TRIM = words("trim-silence do-not-trim")
_SSML = frozenset(("break", "emphasis", "lang", "p", "phoneme", "prosody", "s", "say-as", "sub", "w"))
_RECORDED: dict[str, Check] = {
    "trim": _TRIM,
    "recordingStatusCallback": url,
    "recordingStatusCallbackMethod": _METHOD,
    "recordingStatusCallbackEvent": _RECORDING_EVENTS,
}
_WATCHED: dict[str, Check] = {
    "statusCallback": url,
    "statusCallbackMethod": _METHOD,
    "statusCallbackEvent": _CALL_EVENTS,
}
_MACHINES: dict[str, Check] = {
    "machineDetection": words("Enable DetectMessageEnd"),
    "machineDetectionTimeout": whole(3, 60),
    "machineDetectionSpeechThreshold": whole(1000, 6000),
    "machineDetectionSpeechEndThreshold": whole(500, 5000),
    "machineDetectionSilenceTimeout": whole(2000, 10000),
    "amdStatusCallback": url,
    "amdStatusCallbackMethod": _METHOD,
}
_SCREENED: dict[str, Check] = {"url": url, "method": _METHOD, **_WATCHED, **_MACHINES}

_SPEECH_RULES: dict[str, Rule] = {
    "break": Rule(
        attributes={
            "time": matching(r"[0-9.]+m?s"),
            "strength": words("none x-weak weak medium strong x-strong"),
        }
    ),
    "emphasis": Rule(attributes={"level": words("strong moderate reduced")}, text="some", children=_SSML),
    "lang": Rule(
        attributes={"xml:lang": _LANGUAGE}, text="some", children=_SSML, needs=frozenset(("xml:lang",))
    ),
    "p": Rule(text="some", children=_SSML),
    "s": Rule(text="some", children=_SSML),
    "w": Rule(attributes={"role": bool}, text="some"),
    "sub": Rule(attributes={"alias": bool}, text="some", needs=frozenset(("alias",))),
    "phoneme": Rule(
        attributes={"alphabet": words("ipa x-sampa"), "ph": bool}, text="some", needs=frozenset(("ph",))
    ),
    "prosody": Rule(attributes={"volume": bool, "rate": bool, "pitch": bool}, text="some", children=_SSML),
    "say-as": Rule(
        attributes={
            "interpret-as": words(
                "address cardinal characters date digits expletive fraction number ordinal spell-out "
                "telephone time unit verbatim"
            ),
            "format": bool,
            "role": bool,
        },
        text="some",
        needs=frozenset(("interpret-as",)),
    ),
}
_CONFERENCE: dict[str, Check] = {
    "muted": _FLAG,
    "beep": words("true false onEnter onExit"),
    "startConferenceOnEnter": _FLAG,
    "endConferenceOnExit": _FLAG,
    "participantLabel": matching(r".{1,128}"),
    "jitterBufferSize": words("off small medium large"),
    "waitUrl": either(url, matching("")),
    "waitMethod": _METHOD,
    "maxParticipants": whole(2, 250),
    "record": words("do-not-record record-from-start"),
    "region": words("us1 us2 ie1 de1 sg1 br1 au1 jp1"),
    "trim": _TRIM,
    "coach": matching(r"CA[0-9a-f]{32}"),
    "statusCallback": url,
    "statusCallbackMethod": _METHOD,
    "statusCallbackEvent": some_of("start end join leave mute hold modify speaker announcement"),
    "recordingStatusCallback": url,
    "recordingStatusCallbackMethod": _METHOD,
    "recordingStatusCallbackEvent": _RECORDING_EVENTS,
    "eventCallbackUrl": url,
}
_GATHER: dict[str, Check] = {
    "action": url,
    "method": _METHOD,
    "input": some_of("dtmf speech"),
    "finishOnKey": matching(r"[0-9#*]?"),  # one, or none: 13310
    "numDigits": whole(1, 1_000),
    "timeout": whole(1, 600),
    "speechTimeout": either(whole(1, 600), words("auto")),
    "speechModel": matching(
        r"default|numbers_and_commands|phone_call|experimental_[a-z]+|googlev2_[a-z_]+|deepgram_[a-z0-9-]+"
    ),
    "enhanced": _FLAG,
    "language": _LANGUAGE,
    "hints": matching(r"[^,]{1,100}(,[^,]{1,100}){0,499}"),
    "partialResultCallback": url,
    "partialResultCallbackMethod": _METHOD,
    "profanityFilter": _FLAG,
    "actionOnEmptyResult": _FLAG,
    "debug": _FLAG,
}
VOICE: dict[str, Rule] = {
    "Response": Rule(
        children=frozenset(
            (
                "Say",
                "Play",
                "Pause",
                "Gather",
                "Record",
                "Dial",
                "Redirect",
                "Hangup",
                "Reject",
                "Enqueue",
                "Leave",
                "Refer",
                "Start",
                "Stop",
                "Connect",
            )
        )
    ),
    "Say": Rule(
        attributes={"voice": _VOICE, "language": _LANGUAGE, "loop": whole(0, 1000)},
        text="some",
        children=_SSML,
        most_characters=4_096,
        code=13510,
    ),
    "Play": Rule(
        attributes={"loop": whole(0, 1000), "digits": matching(r"[0-9wW#*A-D]+")}, text="any", code=13410
    ),
    "Pause": Rule(attributes={"length": whole(0, 3_600)}, code=13610),
    "Gather": Rule(attributes=_GATHER, children=frozenset(("Say", "Play", "Pause")), code=13310),
    "Record": Rule(
        attributes={
            "action": url,
            "method": _METHOD,
            "timeout": whole(0, 600),
            "finishOnKey": _KEYS,
            "maxLength": whole(2, 86_400),
            "playBeep": _FLAG,
            "transcribe": _FLAG,
            "transcribeCallback": url,
            **_RECORDED,
        },
        code=13610,
    ),
    "Dial": Rule(
        attributes={
            "action": url,
            "method": _METHOD,
            "answerOnBridge": _FLAG,
            "callerId": either(PHONE, matching(r"client:\S+")),
            "callReason": matching(r".{1,50}"),
            "hangupOnStar": _FLAG,
            "record": words(
                "do-not-record record-from-answer record-from-ringing record-from-answer-dual "
                "record-from-ringing-dual true false"
            ),
            "recordingTrack": words("inbound outbound both"),
            "referUrl": url,
            "referMethod": _METHOD,
            "ringTone": matching("automatic|[a-z]{2}(-old)?"),
            "sequential": _FLAG,
            "timeLimit": whole(1, 86_400),
            "timeout": whole(1, 600),
            **_RECORDED,
        },
        text="any",
        children=frozenset(("Number", "Client", "Sip", "Conference", "Queue", "Sim")),
        code=13210,
    ),
    "Number": Rule(
        attributes={
            **_SCREENED,
            "sendDigits": matching(r"[0-9wW#*A-D]+"),
            "byoc": matching("BY[0-9a-f]{32}"),
        },
        text="some",
        code=13221,
    ),
    "Client": Rule(attributes=_SCREENED, text="any", children=frozenset(("Identity", "Parameter"))),
    "Identity": Rule(text="some", most_characters=121),
    "Parameter": Rule(attributes={"name": bool, "value": bool}, needs=frozenset(("name", "value"))),
    "Sip": Rule(
        attributes={**_SCREENED, "username": bool, "password": bool}, text="some", most_characters=255
    ),
    "Sim": Rule(text="some"),
    "Conference": Rule(attributes=_CONFERENCE, text="some", most_characters=128),
    "Queue": Rule(
        attributes={"url": url, "method": _METHOD, "reservationSid": bool, "postWorkActivitySid": bool},
        text="some",
    ),
    "Enqueue": Rule(
        attributes={
            "action": url,
            "maxQueueSize": whole(1, 5_000),
            "method": _METHOD,
            "waitUrl": url,
            "waitUrlMethod": _METHOD,
            "workflowSid": matching("WW[0-9a-f]{32}"),
        },
        text="some",
        most_characters=64,
    ),
    "Redirect": Rule(attributes={"method": _METHOD}, text="some", code=13710),
    "Hangup": Rule(),
    "Leave": Rule(),
    "Reject": Rule(attributes={"reason": words("rejected busy")}, code=13810),
    "Refer": Rule(attributes={"action": url, "method": _METHOD}, children=frozenset(("Sip",))),
    "Start": Rule(
        attributes={"action": url, "method": _METHOD},
        children=frozenset(("Stream", "Transcription", "Recording")),
    ),
    "Stop": Rule(children=frozenset(("Stream", "Transcription"))),
    "Connect": Rule(attributes={"action": url, "method": _METHOD}, children=frozenset(("Stream",))),
    "Stream": Rule(
        attributes={
            "url": matching(r"wss://\S+"),
            "name": bool,
            "track": bool,
            "statusCallback": url,
            "statusCallbackMethod": _METHOD,
        },
        children=frozenset(("Parameter",)),
    ),
    "Transcription": Rule(
        attributes={
            "name": bool,
            "track": words("inbound_track outbound_track both_tracks"),
            "statusCallbackUrl": url,
            "statusCallbackMethod": _METHOD,
            "languageCode": _LANGUAGE,
            "transcriptionEngine": words("google deepgram"),
            "speechModel": bool,
            "profanityFilter": _FLAG,
            "partialResults": _FLAG,
            "enableAutomaticPunctuation": _FLAG,
            "hints": bool,
            "inboundTrackLabel": bool,
            "outboundTrackLabel": bool,
            "intelligenceService": bool,
        }
    ),
    "Recording": Rule(
        attributes={
            "channels": words("mono dual"),
            "track": words("inbound outbound both"),
            **_RECORDED,
        }
    ),
    **_SPEECH_RULES,
}
MESSAGING: dict[str, Rule] = {
    "Response": Rule(children=frozenset(("Message", "Redirect"))),
    "Message": Rule(
        attributes={"to": bool, "from": bool, "action": url, "method": _METHOD, "statusCallback": url},
        text="any",
        children=frozenset(("Body", "Media")),
        most_characters=1_600,
    ),
    "Body": Rule(text="any", most_characters=1_600),
    "Media": Rule(text="some"),
    "Redirect": Rule(attributes={"method": _METHOD}, text="some"),
}
# What an agent's phone is told before it is connected (<Number url>), and a queue while somebody waits in it.
WHISPER = frozenset(("Say", "Play", "Gather", "Hangup"))
WAITING = frozenset(("Say", "Play", "Pause", "Gather", "Redirect", "Hangup", "Leave"))
