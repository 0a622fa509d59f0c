"""What an admin may set on an account of kind twilio.voice. Times in seconds."""

from typing import Annotated, Literal

from msgspec import Meta, field

from channels import recording
from channels.twilio import settings
from channels.twilio.phone.menu import EMERGENCY, RESERVED, Choice, ids
from channels.twilio.phone.voices import VOICES, Voice

RING_AT_ONCE = 10  # <Number> in one <Dial> (twilio.com/docs/voice/twiml/number, checked 2026-11)
TRANSCRIBED_MAX_S = (
    120  # Twilio transcribes 2 to 120 s (error 13617; twilio.com/docs/voice/twiml/record, checked 2026-11)
)


class Options(settings.Options, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """languages: spoken to callers, the first unless they choose. greeting, closed_note: language -> what is said.

    voices: language -> tag and voice. menu: see menu.Choice. sentences: key of sentences.toml -> language -> text.
    offer_open_request: whether a known number is asked about its open ticket first. ring: everybody of a level at once
    (ten at most), or one after the other. ring_s: how long a phone rings; ring_max_s: how long we try; hold_s: how long
    a caller waits for somebody to be free. hold_music: address of a sound file, "" = silence. caller_id: whose number the
    agent's phone shows. agents_language: "" = the first of languages. whisper: tag of the ticket -> language -> what an agent
    is told of it. when_closed: what happens outside opening hours; closed_text: the reply template that a
    caller may have texted then, "" = none; emergency: whether a key rings who is on call then.
    record: of talks; "ask" = after a key, "notice" = after a sentence; or country of the caller -> that. transcription: of voicemail. talk_max_s: of a talk.
    delete_recordings: at Twilio, as soon as we have them.
    answer_within_s: how long a caller waits for the store before the answer is a voicemail that needs none.
    """

    languages: tuple[str, ...] = ("en",)
    greeting: dict[str, str] = field(default_factory=dict)
    closed_note: dict[str, str] = field(default_factory=dict)
    voices: dict[str, Voice] = field(default_factory=dict)
    menu: tuple[Choice, ...] = ()
    sentences: dict[str, dict[str, str]] = field(default_factory=dict)
    offer_open_request: bool = True
    ring: Literal["all", "turn"] = "all"
    ring_s: Annotated[int, Meta(ge=5, le=60)] = 18
    ring_max_s: Annotated[int, Meta(ge=5, le=600)] = 120
    hold_s: Annotated[int, Meta(ge=0, le=600)] = 30
    hold_music: str = ""
    caller_id: Literal["own", "caller"] = "own"
    agents_language: str = ""
    whisper: dict[str, dict[str, str]] = field(default_factory=dict)
    when_closed: Literal["voicemail", "ring", "hang_up"] = "voicemail"
    closed_text: str = ""
    emergency: bool = False
    record: recording.Modes = "off"
    voicemail_s: Annotated[int, Meta(ge=2, le=180)] = 180
    transcription: Literal["none", "twilio", "local"] = "none"
    delete_recordings: bool = False
    talk_max_s: Annotated[int, Meta(ge=60, le=14_400)] = 14_400
    answer_within_s: Annotated[float, Meta(gt=0, le=10)] = 0.25

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.hold_music and not self.hold_music.startswith("https://"):
            raise ValueError(
                f"hold_music is written like https://example.com/music.mp3, not '{self.hold_music}'"
            )
        from channels.twilio.phone import lint

        errors = [each.message for each in lint.problems(self) if each.severity == "error"]
        if errors:
            raise ValueError("; ".join(errors))

    @property
    def staff_language(self) -> str:
        return self.agents_language or self.languages[0]

    @property
    def choices(self) -> frozenset[str]:
        """What rules may ask of call.choice."""
        asked_when_closed = {EMERGENCY} if self.emergency else set[str]()
        return frozenset(ids(self.menu)) | RESERVED | asked_when_closed

    def voice(self, language: str) -> Voice:
        return self.voices.get(language) or VOICES.get(language) or VOICES["en"]

    __repr__ = settings.Options.__repr__


def longest_message_s(options: Options) -> int:
    """How long a voicemail may be, seconds."""
    if options.transcription == "twilio":
        return min(options.voicemail_s, TRANSCRIBED_MAX_S)
    return options.voicemail_s


def is_transcribed(options: Options, language: str) -> bool:
    """Twilio's transcription of a <Record> understands English only."""
    return options.transcription == "twilio" and language == "en"
