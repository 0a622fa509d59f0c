"""TwiML's grammar as data: which element may stand in which, with which attributes and what values.

Source: twilio.com/docs/voice/twiml and its pages of say, play, pause, gather, record, dial, number, client, sip,
conference, queue, enqueue, redirect, hangup, reject, refer; /docs/messaging/twiml (2026-11). What Twilio overlooks with a
warning (12200) is a flaw here: a word it does not know is never what was meant.
"""

from channels.twilio.simulator import grammar_speech
from channels.twilio.simulator.grammar_rules import (
    FLAG,
    KEYS,
    LANGUAGE,
    METHOD,
    PHONE,
    VOICE_NAME,
    Check,
    Rule,
    either,
    matching,
    some_of,
    url,
    whole,
    words,
)

_CALL_EVENTS = some_of("initiated ringing answered completed")
_RECORDING_EVENTS = some_of("in-progress completed absent")
_TRIM = words("trim-silence do-not-trim")
_RECORDED: dict[str, Check] = {
    "trim": _TRIM,
    "recordingStatusCallback": url,
    "recordingStatusCallbackMethod": METHOD,
    "recordingStatusCallbackEvent": _RECORDING_EVENTS,
}
_WATCHED: dict[str, Check] = {
    "statusCallback": url,
    "statusCallbackMethod": METHOD,
    "statusCallbackEvent": _CALL_EVENTS,
}
_MACHINES: dict[str, Check] = {
    "machineDetection": words("Enable DetectMessageEnd"),
    "machineDetectionTimeout": whole(3, 60),
    "machineDetectionSpeechThreshold": whole(1000, 6000),
    "machineDetectionSpeechEndThreshold": whole(500, 5000),
    "machineDetectionSilenceTimeout": whole(2000, 10000),
    "amdStatusCallback": url,
    "amdStatusCallbackMethod": METHOD,
}
_SCREENED: dict[str, Check] = {"url": url, "method": METHOD, **_WATCHED, **_MACHINES}

_CONFERENCE: dict[str, Check] = {
    "muted": FLAG,
    "beep": words("true false onEnter onExit"),
    "startConferenceOnEnter": FLAG,
    "endConferenceOnExit": FLAG,
    "participantLabel": matching(r".{1,128}"),
    "jitterBufferSize": words("off small medium large"),
    "waitUrl": either(url, matching("")),
    "waitMethod": METHOD,
    "maxParticipants": whole(2, 250),
    "record": words("do-not-record record-from-start"),
    "region": words("us1 us2 ie1 de1 sg1 br1 au1 jp1"),
    "trim": _TRIM,
    "coach": matching(r"CA[0-9a-f]{32}"),
    "statusCallback": url,
    "statusCallbackMethod": METHOD,
    "statusCallbackEvent": some_of("start end join leave mute hold modify speaker announcement"),
    "recordingStatusCallback": url,
    "recordingStatusCallbackMethod": METHOD,
    "recordingStatusCallbackEvent": _RECORDING_EVENTS,
    "eventCallbackUrl": url,
}
_GATHER: dict[str, Check] = {
    "action": url,
    "method": METHOD,
    "input": some_of("dtmf speech"),
    "finishOnKey": matching(r"[0-9#*]?"),  # one, or none: 13310
    "numDigits": whole(1, 1_000),
    "timeout": whole(1, 600),
    "speechTimeout": either(whole(1, 600), words("auto")),
    "speechModel": matching(
        r"default|numbers_and_commands|phone_call|experimental_[a-z]+|googlev2_[a-z_]+|deepgram_[a-z0-9-]+"
    ),
    "enhanced": FLAG,
    "language": LANGUAGE,
    "hints": matching(r"[^,]{1,100}(,[^,]{1,100}){0,499}"),
    "partialResultCallback": url,
    "partialResultCallbackMethod": METHOD,
    "profanityFilter": FLAG,
    "actionOnEmptyResult": FLAG,
    "debug": FLAG,
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
        attributes={"voice": VOICE_NAME, "language": LANGUAGE, "loop": whole(0, 1000)},
        text="some",
        children=grammar_speech.NAMES,
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
            "method": METHOD,
            "timeout": whole(0, 600),
            "finishOnKey": KEYS,
            "maxLength": whole(2, 86_400),
            "playBeep": FLAG,
            "transcribe": FLAG,
            "transcribeCallback": url,
            **_RECORDED,
        },
        code=13610,
    ),
    "Dial": Rule(
        attributes={
            "action": url,
            "method": METHOD,
            "answerOnBridge": FLAG,
            "callerId": either(PHONE, matching(r"client:\S+")),
            "callReason": matching(r".{1,50}"),
            "hangupOnStar": FLAG,
            "record": words(
                "do-not-record record-from-answer record-from-ringing record-from-answer-dual "
                "record-from-ringing-dual true false"
            ),
            "recordingTrack": words("inbound outbound both"),
            "referUrl": url,
            "referMethod": METHOD,
            "ringTone": matching("automatic|[a-z]{2}(-old)?"),
            "sequential": FLAG,
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
        attributes={"url": url, "method": METHOD, "reservationSid": bool, "postWorkActivitySid": bool},
        text="some",
    ),
    "Enqueue": Rule(
        attributes={
            "action": url,
            "maxQueueSize": whole(1, 5_000),
            "method": METHOD,
            "waitUrl": url,
            "waitUrlMethod": METHOD,
            "workflowSid": matching("WW[0-9a-f]{32}"),
        },
        text="some",
        most_characters=64,
    ),
    "Redirect": Rule(attributes={"method": METHOD}, text="some", code=13710),
    "Hangup": Rule(),
    "Leave": Rule(),
    "Reject": Rule(attributes={"reason": words("rejected busy")}, code=13810),
    "Refer": Rule(attributes={"action": url, "method": METHOD}, children=frozenset(("Sip",))),
    "Start": Rule(
        attributes={"action": url, "method": METHOD},
        children=frozenset(("Stream", "Transcription", "Recording")),
    ),
    "Stop": Rule(children=frozenset(("Stream", "Transcription"))),
    "Connect": Rule(attributes={"action": url, "method": METHOD}, children=frozenset(("Stream",))),
    "Stream": Rule(
        attributes={
            "url": matching(r"wss://\S+"),
            "name": bool,
            "track": bool,
            "statusCallback": url,
            "statusCallbackMethod": METHOD,
        },
        children=frozenset(("Parameter",)),
    ),
    "Transcription": Rule(
        attributes={
            "name": bool,
            "track": words("inbound_track outbound_track both_tracks"),
            "statusCallbackUrl": url,
            "statusCallbackMethod": METHOD,
            "languageCode": LANGUAGE,
            "transcriptionEngine": words("google deepgram"),
            "speechModel": bool,
            "profanityFilter": FLAG,
            "partialResults": FLAG,
            "enableAutomaticPunctuation": FLAG,
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
    **grammar_speech.RULES,
}
MESSAGING: dict[str, Rule] = {
    "Response": Rule(children=frozenset(("Message", "Redirect"))),
    "Message": Rule(
        attributes={"to": bool, "from": bool, "action": url, "method": METHOD, "statusCallback": url},
        text="any",
        children=frozenset(("Body", "Media")),
        most_characters=1_600,
    ),
    "Body": Rule(text="any", most_characters=1_600),
    "Media": Rule(text="some"),
    "Redirect": Rule(attributes={"method": METHOD}, text="some"),
}
# What an agent's phone is told before it is connected (<Number url>), and a queue while somebody waits in it.
WHISPER = frozenset(("Say", "Play", "Gather", "Hangup"))
WAITING = frozenset(("Say", "Play", "Pause", "Gather", "Redirect", "Hangup", "Leave"))
