"""What agents hear in calls that we make, in their language, and who speaks it: page_sentences.toml, voices.VOICES."""

import functools
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path

from channels.twilio.phone.voices import VOICES, Voice

DEFAULT = "en"


@functools.cache
def built_in() -> dict[str, dict[str, str]]:
    """Language -> key -> sentence."""
    return tomllib.loads(Path(__file__).with_name("page_sentences.toml").read_text(encoding="utf-8"))


def word(language: str, key: str, /, **values: object) -> str:
    """Say it; a language that is not known is English."""
    text = (built_in().get(language) or built_in()[DEFAULT])[key]
    for name, value in values.items():
        text = text.replace("{" + name + "}", str(value))
    return text


def spoken(*, asked: str, known: Iterable[str], otherwise: Iterable[str] = ()) -> str:
    """Return the language for somebody. asked: by the configuration, "" = none; known: what they speak, best first."""
    named = (asked, *known, *otherwise)
    return next((each for each in named if each in built_in()), DEFAULT)


def voice(language: str, voices: Mapping[str, Voice]) -> Voice:
    """Return who speaks a language. voices: of the account."""
    return voices.get(language) or VOICES.get(language) or VOICES[DEFAULT]
