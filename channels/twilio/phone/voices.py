"""In which voice each language is spoken, and as which language a caller is listened to.

Twilio's names: a BCP-47 tag, which <Say> and <Gather> share, and a voice of <Say> (twilio.com/docs/voice/twiml/say/
text-speech, checked 2026-11). Amazon has no Greek voice, Google has. An account overrides any of it (`voices:`).
"""

from typing import Annotated

import msgspec
from msgspec import Meta


class Voice(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """tag: "en-GB"; voice: "Polly.Amy-Neural"."""

    tag: Annotated[str, Meta(pattern=r"^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$")]
    voice: Annotated[str, Meta(pattern=r"^[A-Za-z][\w.:-]*$")]


VOICES = {
    "en": Voice(tag="en-US", voice="Polly.Joanna-Neural"),
    "pl": Voice(tag="pl-PL", voice="Polly.Ola-Neural"),
    "el": Voice(tag="el-GR", voice="Google.el-GR-Wavenet-B"),
    "pt": Voice(tag="pt-PT", voice="Polly.Ines-Neural"),
    "es": Voice(tag="es-ES", voice="Polly.Lucia-Neural"),
    "de": Voice(tag="de-DE", voice="Polly.Vicki-Neural"),
    "fr": Voice(tag="fr-FR", voice="Polly.Lea-Neural"),
    "it": Voice(tag="it-IT", voice="Polly.Bianca-Neural"),
    "nl": Voice(tag="nl-NL", voice="Polly.Laura-Neural"),
}
