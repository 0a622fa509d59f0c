"""What the turns of calls that we make have in common: how a request is read, and the TwiML that answers it.

A request that could not be kept is made again by the call itself, by a redirect, to which Twilio sends no Digits: the key
that was pressed stands in its address ("k"), under Twilio's signature like the rest of it.
Sources: twilio.com/docs/voice/twiml/gather (numDigits, finishOnKey, actionOnEmptyResult), /say, /pause, /redirect, checked
2026-11. A relative URL in TwiML is resolved against the document's own (/docs/voice/twiml, same day).
"""

import re
import urllib.parse
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import msgspec

from channels.contract import RawMessage
from channels.twilio.phone import page_words
from channels.twilio.phone.voices import Voice

if TYPE_CHECKING:
    from twilio.twiml.voice_response import VoiceResponse

KEY_TIMEOUT_S = 6
WAITS_MAX = 8
KEYS = frozenset("0123456789*#")
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class Request(msgspec.Struct, frozen=True):
    """One request of a call. form: the first of each field that is there twice; whatever is odd reads as absent."""

    raw: RawMessage
    form: dict[str, str]
    query: dict[str, str]

    @property
    def path(self) -> str:
        return str(self.raw.envelope.get("path", ""))

    @property
    def call(self) -> str:
        return self.form.get("CallSid", "")[:64]

    @property
    def number(self) -> int:
        """Which turn of the call it is."""
        return small(self.query.get("n"))

    @property
    def page(self) -> str:
        """The outbox id that it is about, "" = it names none."""
        return page_of(self.query) or ""

    @property
    def digits(self) -> str | None:
        """The key that was pressed, "" = none although one was asked for; None = nothing was asked yet."""
        return self.form.get("Digits", key_of(self.query))


def read(raw: RawMessage) -> Request:
    fields = urllib.parse.parse_qsl(raw.body.decode("utf-8", "replace"), keep_blank_values=True)
    query = raw.envelope.get("query")
    told = {str(name): str(value) for name, value in query.items()} if isinstance(query, dict) else {}
    return Request(raw, dict(reversed(fields)), told)


def page_of(query: Mapping[str, str]) -> str | None:
    """Return the outbox id that a request is about; None = it names none."""
    page = str(query.get("o", ""))
    return page if page.isascii() and page.isdecimal() and len(page) <= 20 else None


def key_of(query: Mapping[str, str]) -> str | None:
    """Return the key that a request brings again; None = it brings none."""
    key = str(query.get("k", ""))
    return key if key in KEYS else None


def small(text: object) -> int:
    """Return a small whole number of a query, 0 = it is none."""
    said = str(text)
    return int(said) if said.isascii() and said.isdecimal() and len(said) < 6 else 0


class Speaker(msgspec.Struct, frozen=True):
    """Who speaks: a language with its voice."""

    language: str
    voice: Voice

    @classmethod
    def of(cls, language: str, voices: Mapping[str, Voice]) -> "Speaker":
        return cls(language, page_words.voice(language, voices))

    def word(self, key: str, /, **values: object) -> str:
        return page_words.word(self.language, key, **values)

    # -- TwiML --------------------------------------------------------------------------------------------------------

    def gather(self, said: str, action: str, *, timeout_s: int = KEY_TIMEOUT_S) -> str:
        """Say something and take one key; none is an answer as well."""
        from twilio.twiml.voice_response import Gather, VoiceResponse

        gather = Gather(
            input="dtmf",
            num_digits=1,
            finish_on_key="",  # "#" is a wrong key like any other
            timeout=timeout_s,
            action=action,
            method="POST",
            action_on_empty_result=True,
        )
        self._say(gather, said)
        response = VoiceResponse()
        response.append(gather)
        return str(response)

    def last(self, said: str) -> str:
        """Say something and hang up."""
        response = self._said(said)
        response.hangup()
        return str(response)

    def say(self, said: str) -> str:
        return str(self._said(said))

    def _said(self, said: str) -> "VoiceResponse":
        from twilio.twiml.voice_response import VoiceResponse

        response = VoiceResponse()
        self._say(response, said)
        return response

    def _say(self, parent: Any, said: str) -> None:
        """Say a text without what XML 1.0 has no place for."""
        parent.say(_NOT_XML.sub(" ", said), voice=self.voice.voice, language=self.voice.tag)


def pause(redirect: str, *, pause_s: int = 1) -> str:
    """Say nothing for a moment, and ask for the next turn."""
    from twilio.twiml.voice_response import VoiceResponse

    response = VoiceResponse()
    response.pause(length=pause_s)
    response.redirect(redirect, method="POST")
    return str(response)


def unavailable(what: str, query: Mapping[str, str], form: Mapping[str, str], *, speaker: Speaker) -> str:
    """Return the answer while nothing can be kept: the same turn again in a moment, and in the end goodbye.

    what: the path of the call's turns. The key that was pressed goes along.
    """
    tries = small(query.get("again"))
    if tries >= WAITS_MAX:
        return speaker.last(speaker.word("later"))
    told = {"o": page_of(query) or "", "n": small(query.get("n")), "again": tries + 1}
    key = form.get("Digits", key_of(query))
    again = told | ({"k": key} if key else {})
    return pause(f"{what}?{urllib.parse.urlencode(again)}", pause_s=2)
