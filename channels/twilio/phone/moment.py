"""One request of Twilio about a call, and what the machine may look at to answer it."""

import re
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

import msgspec

from channels import contract
from channels.twilio import signature
from channels.twilio.phone import says
from channels.twilio.phone.options import Options
from channels.twilio.phone.state import State

HIDDEN = frozenset(  # what Twilio gives for a number that is withheld (help article on calls from +266696687, checked 2026-11)
    {"+266696687", "+7378742833", "+2562533", "+8656696", "+86282452253"}
)
FINAL = frozenset({"completed", "busy", "no-answer", "failed", "canceled"})
_MAX_ID = 64
_NUMBER = re.compile(r"\+[1-9][0-9]{6,14}")


class Line(msgspec.Struct, frozen=True):
    """A sentence, and the language it is in."""

    text: str
    language: str


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """A request, read. path: below /hooks/<account>/. query, form: the first value of each name. at: aware UTC."""

    path: str
    query: dict[str, str]
    form: dict[str, str]
    at: datetime

    @property
    def call(self) -> str:
        """The customer's leg: named in our own addresses where the request is about an agent's leg."""
        return (self.query.get("of") or self.form.get("ParentCallSid") or self.form.get("CallSid", ""))[
            :_MAX_ID
        ]

    @property
    def leg(self) -> str:
        return self.form.get("CallSid", "")[:_MAX_ID]

    @property
    def n(self) -> int:
        return number(self.query.get("n"))

    @property
    def is_over(self) -> bool:
        """Whether the leg has hung up: Twilio asks the action of a <Dial> or <Record> all the same."""
        return self.form.get("CallStatus") in FINAL

    @property
    def digit(self) -> str:
        return self.form.get("Digits", "").strip()[:1]

    @property
    def said(self) -> str:
        return self.form.get("SpeechResult", "").strip()

    @property
    def caller(self) -> str | None:
        """The customer's number, None when it is withheld."""
        number_ = self.form.get("From", "").strip()
        return None if not is_number(number_) or number_ in HIDDEN else number_


class Moment(msgspec.Struct, frozen=True, kw_only=True):
    """All that a step sees."""

    account: str
    options: Options
    request: Request
    view: contract.View

    @property
    def at(self) -> datetime:
        return self.request.at

    def url(self, path: str, **query: object) -> str:
        """The address of a step; what is in the query comes back with the request, under its signature."""
        given = {name: value for name, value in query.items() if value not in (None, "")}
        return address(self.options, self.account, path, given)

    def turn_url(self, path: str, state: State) -> str:
        """The address of the customer's next turn. l: the language; g: that nobody has chosen it."""
        return self.url(path, n=state.n, l=state.language, g=1 if state.is_guessed else None)

    def line(self, language: str, key: str, /, **values: object) -> Line:
        return Line(says.sentence(self.options.sentences, language, key, **values), language)

    def happened(self, what: str, /, **details: Any) -> contract.Happened:
        return contract.Happened(what, self.at, details)


class Answer(msgspec.Struct, frozen=True):
    """What a phase decided. state: None = the session is over. reply: TwiML."""

    state: State | None
    reply: str
    happened: tuple[contract.Happened, ...] = ()

    def after(self, *happened: contract.Happened) -> "Answer":
        """The same, with what had happened before."""
        return Answer(self.state, self.reply, (*happened, *self.happened))


def address(options: Options, account: str, path: str, query: dict[str, Any]) -> str:
    told = f"?{urlencode(query)}" if query else ""
    return f"{options.public_url}/hooks/{account}/{path}{told}"


def read(raw: contract.RawMessage) -> Request:
    """Read a raw message, of a webhook or of the reconciler; whatever is odd in it reads as absent."""
    envelope = raw.envelope
    query = envelope.get("query")
    return Request(
        path=str(envelope.get("path", "call")),
        query={str(k): str(v) for k, v in query.items()} if isinstance(query, dict) else {},
        form=_form(raw.body),
        at=raw.received_at,
    )


def _form(body: bytes) -> dict[str, str]:
    try:
        fields = signature.fields_of(body)
    except ValueError:
        return {}
    return {_clean(name): _clean(value) for name, value in reversed(fields)}


def _clean(text: str) -> str:
    """Make it text that can be kept: no halves of characters, no NUL."""
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "replace").replace("\0", "")


def number(text: str | None) -> int:
    """Read a small whole number, 0 when it is none."""
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 9 else 0


def is_number(text: str) -> bool:
    """Whether it is written like +48221234567."""
    return _NUMBER.fullmatch(text) is not None
