"""Which parameters each request of Twilio's REST API takes: (method, resource) -> names; and of some which words.

Source: twilio.com/docs/messaging/api/message-resource, /docs/voice/api/call-resource, /docs/voice/api/recording and
/docs/phone-numbers/api/incomingphonenumber-resource, the parameters of version 2010-04-01 (checked 2026-11).
"""

from collections.abc import Sequence

from channels.twilio.simulator.refusals import ApiError

_PAGING = frozenset(("PageSize", "Page", "PageToken"))
_STATUS = ("StatusCallback", "StatusCallbackMethod")


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


def _dated(name: str) -> tuple[str, str, str]:
    return (name, f"{name}<", f"{name}>")


_SEND = _words(
    "To From MessagingServiceSid Body MediaUrl ContentSid ContentVariables StatusCallback ApplicationSid MaxPrice "
    "ProvideFeedback Attempt ValidityPeriod ForceDelivery ContentRetention AddressRetention SmartEncoded "
    "PersistentAction TrafficType ShortenUrls ScheduleType SendAt SendAsMms MessageIntent RiskCheck FallbackFrom"
)
_DIAL = _words(
    "To From Url Twiml ApplicationSid Method FallbackUrl FallbackMethod StatusCallback StatusCallbackEvent "
    "StatusCallbackMethod SendDigits Timeout Record RecordingChannels RecordingStatusCallback "
    "RecordingStatusCallbackMethod RecordingStatusCallbackEvent RecordingConfigurationId RecordingTrack "
    "SipAuthUsername SipAuthPassword MachineDetection MachineDetectionTimeout MachineDetectionSpeechThreshold "
    "MachineDetectionSpeechEndThreshold MachineDetectionSilenceTimeout AsyncAmd AsyncAmdStatusCallback "
    "AsyncAmdStatusCallbackMethod Trim CallerId Passports Byoc CallReason CallToken TimeLimit ClientNotificationUrl"
)
_NUMBER = _words(
    "AccountSid ApiVersion FriendlyName SmsApplicationSid SmsFallbackMethod SmsFallbackUrl SmsMethod SmsUrl "
    "StatusCallback StatusCallbackMethod VoiceApplicationSid VoiceCallerIdLookup VoiceFallbackMethod "
    "VoiceFallbackUrl VoiceMethod VoiceUrl EmergencyStatus EmergencyAddressSid TrunkSid VoiceReceiveMode "
    "IdentitySid AddressSid BundleSid"
)
KNOWN: dict[tuple[str, str], frozenset[str]] = {
    ("POST", "Messages"): _SEND,
    ("GET", "Messages"): _PAGING | {"To", "From", *_dated("DateSent")},
    ("POST", "Message"): _words("Body Status"),
    ("GET", "MessageMedia"): _PAGING | set(_dated("DateCreated")),
    ("POST", "Calls"): _DIAL,
    ("GET", "Calls"): _PAGING
    | {"To", "From", "ParentCallSid", "Status", *_dated("StartTime"), *_dated("EndTime")},
    ("POST", "Call"): _words("Url Method Status FallbackUrl FallbackMethod Twiml TimeLimit") | set(_STATUS),
    ("POST", "CallRecordings"): _words(
        "RecordingStatusCallbackEvent RecordingStatusCallback RecordingStatusCallbackMethod Trim RecordingChannels "
        "RecordingTrack RecordingConfigurationId"
    ),
    ("GET", "CallRecordings"): _PAGING | set(_dated("DateCreated")),
    ("POST", "CallRecording"): _words("Status PauseBehavior"),
    ("GET", "Recordings"): _PAGING
    | {"CallSid", "ConferenceSid", "IncludeSoftDeleted", *_dated("DateCreated")},
    ("GET", "Recording"): _words("IncludeSoftDeleted RequestedChannels"),
    ("GET", "RecordingTranscriptions"): _PAGING,
    ("GET", "Transcriptions"): _PAGING,
    ("GET", "IncomingPhoneNumbers"): _PAGING | {"Beta", "FriendlyName", "PhoneNumber", "Origin"},
    ("POST", "IncomingPhoneNumber"): _NUMBER,
    ("GET", "Conferences"): _PAGING
    | {"FriendlyName", "Status", *_dated("DateCreated"), *_dated("DateUpdated")},
    ("POST", "Conference"): _words("Status AnnounceUrl AnnounceMethod"),
}


# What may come more than once; of everything else Twilio would take one and say nothing.
_MANY = _words("MediaUrl PersistentAction StatusCallbackEvent RecordingStatusCallbackEvent")
_FLAG, _VERB = _words("true false"), _words("GET POST")
_VALUES: dict[str, frozenset[str]] = {
    "Record": _FLAG,
    "AsyncAmd": _FLAG,
    "SmartEncoded": _FLAG,
    "ProvideFeedback": _FLAG,
    "ShortenUrls": _FLAG,
    "SendAsMms": _FLAG,
    "ForceDelivery": _FLAG,
    "VoiceCallerIdLookup": _FLAG,
    "RecordingChannels": _words("mono dual"),
    "RecordingTrack": _words("inbound outbound both"),
    "RecordingStatusCallbackEvent": _words("in-progress completed absent"),
    "MachineDetection": _words("Enable DetectMessageEnd"),
    "PauseBehavior": _words("skip silence"),
    "Trim": _words("trim-silence do-not-trim"),
    "ContentRetention": _words("retain discard"),
    "AddressRetention": _words("retain obfuscate"),
    "VoiceReceiveMode": _words("voice fax"),
}


def check(method: str, resource: str, given: Sequence[tuple[str, str]]) -> None:
    """Refuse what the resource does not know, what comes twice, and a word that is none of those it takes.

    Twilio itself overlooks some of it; what we got wrong is a bug of ours, which no test may overlook.
    """
    names = [name for name, _ in given]
    unknown = sorted(set(names) - KNOWN.get((method, resource), frozenset()))
    if unknown:
        raise ApiError(20001, ", ".join(unknown))
    twice = sorted({name for name in names if names.count(name) > 1 and name not in _MANY})
    if twice:
        raise ApiError(21710, f"{', '.join(twice)} more than once")
    for name, value in given:
        allowed = _VERB if name.endswith("Method") else _VALUES.get(name)
        if allowed is not None and value not in allowed:
            raise ApiError(21710, f"{name}={value}")
