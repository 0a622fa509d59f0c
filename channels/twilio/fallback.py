"""Files for a second host: what Twilio is to say when we do not answer, without a program behind it.

A caller hears that nobody can come to the phone and may leave a message, in every language of the account; Twilio keeps
the recording, and the reconciler brings it when we are back. A text needs no words: an empty answer keeps Twilio from
writing an error into its log, and the text is brought the same way. TwiML as in twilio.com/docs/voice/twiml/say, /record
and /docs/messaging/twiml (checked 2026-11): <Record> without `action` would ask for its own file again, for ever.
"""

import xml.etree.ElementTree as ET
from collections.abc import Sequence

import msgspec

from channels.twilio.phone import says, voices

VOICE, GOODBYE, SMS, READ_ME = "voice.xml", "goodbye.xml", "sms.xml", "README.txt"
SILENCE_S = 5
_HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n'


class Spoken(msgspec.Struct, frozen=True, kw_only=True):
    """One language of a voicemail. tag, voice: of <Say>. asks: the words before the tone; thanks: after it."""

    tag: str
    voice: str
    asks: str
    thanks: str


def spoken(
    languages: Sequence[str],
    *,
    sentences: dict[str, dict[str, str]] | None = None,
    spoken_by: dict[str, voices.Voice] | None = None,
) -> tuple[Spoken, ...]:
    """Return what is said in each language: an account's own sentences and voices before the built-in ones."""
    own = sentences or {}
    found = []
    for language in languages:
        voice = (spoken_by or {}).get(language) or voices.VOICES.get(language) or voices.VOICES["en"]
        asks = " ".join(says.sentence(own, language, key) for key in ("hello", "nobody", "leave_message"))
        thanks = says.sentence(own, language, "message_kept")
        found.append(Spoken(tag=voice.tag, voice=voice.voice, asks=asks, thanks=thanks))
    return tuple(found)


def files(said: Sequence[Spoken], *, longest_s: int) -> dict[str, str]:
    """Return name -> content of everything that the second host has to serve. longest_s: of a message."""
    return {
        VOICE: voicemail(said, longest_s=longest_s),
        GOODBYE: goodbye(said),
        SMS: _written(ET.Element("Response")),
        READ_ME: _READ_ME,
    }


def voicemail(said: Sequence[Spoken], *, longest_s: int) -> str:
    response = ET.Element("Response")
    for each in said:
        _say(response, each, each.asks)
    record = {
        "action": GOODBYE,
        "method": "GET",
        "maxLength": str(longest_s),
        "timeout": str(SILENCE_S),
        "finishOnKey": "#",
        "playBeep": "true",
    }
    ET.SubElement(response, "Record", record)
    ET.SubElement(response, "Hangup")  # reached when nothing was said
    return _written(response)


def goodbye(said: Sequence[Spoken]) -> str:
    response = ET.Element("Response")
    for each in said:
        _say(response, each, each.thanks)
    ET.SubElement(response, "Hangup")
    return _written(response)


def _say(response: ET.Element, each: Spoken, text: str) -> None:
    ET.SubElement(response, "Say", {"language": each.tag, "voice": each.voice}).text = text


def _written(response: ET.Element) -> str:
    ET.indent(response)
    return f"{_HEAD}{ET.tostring(response, encoding='unicode')}\n"


_READ_ME = """What these files are for

When this machine or its line is down, Twilio asks another address. Put the files on any host that can serve static
files over https and that does not depend on this one: another provider's web space, a storage bucket, Twilio Assets.

1. Upload voice.xml, goodbye.xml and sms.xml into one folder, readable by everybody, with the type text/xml
   (application/xml is fine too). They hold nothing secret.
2. Open https://YOUR-HOST/FOLDER/voice.xml in a browser: the words should be there.
3. Write the folder into intake.yaml, for each Twilio account, without a / at the end:

       fallback_url: https://YOUR-HOST/FOLDER

4. Run: intake twilio setup
   It enters the addresses with Twilio, asked by GET. `intake twilio setup --check` tells whether they are right.

What happens then: a caller may leave a message, which Twilio keeps; a text gets no answer. Both are brought by the
daemon when it is back, within a few minutes, as calls with a voicemail and as messages.

Write the files again when the languages or sentences of the phone's account have changed: intake twilio fallback DIR
"""
