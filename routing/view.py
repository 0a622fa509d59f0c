"""The facts of one message as conditions ask for them: each looked up, folded or encoded once, when first asked."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, tzinfo
from typing import Any, Literal

import msgspec

from routing import folding, regex
from routing.calendar import Calendar
from routing.facts import Facts

FieldType = Literal["text", "number", "flag", "kind", "instant", "prose"]


class Field(msgspec.Struct, frozen=True):
    """A fact that rules may name. get: its values, () = empty; a fact of type "kind" is a word, or true and false."""

    type: FieldType
    get: Callable[[Facts], tuple[Any, ...]]


def _one(value: Any) -> tuple[Any, ...]:
    return () if value is None or value == "" else (value,)


def _body(facts: Facts) -> str:
    return facts.body[: folding.MAX_BODY_CHARACTERS]


def _text(facts: Facts) -> str:
    return f"{facts.subject[: folding.MAX_SUBJECT_CHARACTERS]}\n{_body(facts)}"


FIELDS: dict[str, Field] = {
    "channel": Field("text", lambda facts: _one(facts.channel)),
    "account": Field("text", lambda facts: _one(facts.account)),
    "unreadable": Field("flag", lambda facts: (facts.unreadable,)),
    "recipient": Field("text", lambda facts: facts.recipient),
    "subject": Field("prose", lambda facts: _one(facts.subject[: folding.MAX_SUBJECT_CHARACTERS])),
    "body": Field("prose", lambda facts: _one(_body(facts))),
    "text": Field("prose", lambda facts: _one(_text(facts).strip())),
    "text.quoted": Field("prose", lambda facts: _one(facts.quoted[: folding.MAX_BODY_CHARACTERS])),
    "language": Field("text", lambda facts: _one(facts.language)),
    "attachment.name": Field("text", lambda facts: tuple(each.name for each in facts.attachments)),
    "attachment.type": Field("text", lambda facts: tuple(each.type for each in facts.attachments)),
    "attachment.size": Field("number", lambda facts: tuple(each.size for each in facts.attachments)),
    "attachment.count": Field("number", lambda facts: (len(facts.attachments),)),
    "automatic": Field("kind", lambda facts: _one(facts.automatic)),
    "spam.score": Field("number", lambda facts: _one(facts.spam_score)),
    "direction": Field("text", lambda facts: _one(facts.direction)),
    "created_by": Field("text", lambda facts: _one(facts.created_by)),
    "sender.address": Field("text", lambda facts: _one(facts.sender.address)),
    "sender.domain": Field("text", lambda facts: _one(facts.sender.domain)),
    "sender.name": Field("text", lambda facts: _one(facts.sender.name)),
    "sender.phone": Field("text", lambda facts: _one(facts.sender.phone)),
    "sender.verified": Field("flag", lambda facts: (facts.sender.verified,)),
    "sender.known_since": Field("instant", lambda facts: _one(facts.sender.known_since)),
    "customer.organization": Field("text", lambda facts: _one(facts.customer.organization)),
    "customer.tags": Field("text", lambda facts: facts.customer.tags),
    "customer.language": Field("text", lambda facts: _one(facts.customer.language)),
    "customer.open_tickets": Field("number", lambda facts: (facts.customer.open_tickets,)),
    "customer.first_contact": Field("flag", lambda facts: (facts.customer.first_contact,)),
}
"""What a message and its sender are known by. A new fact is one line here and one in facts.py."""

DECIDED = ("team", "level", "agent", "priority", "nature", "status", "tags")
"""`ticket.X`: what an earlier stage has decided about the ticket."""


def field_named(name: str) -> Field | None:
    """The fact of that name; None = there is none. header.NAME and ticket.NAME are made on demand."""
    if name in FIELDS:
        return FIELDS[name]
    if name.startswith("header.") and len(name) > len("header."):
        header = name.removeprefix("header.").lower()
        return Field("text", lambda facts: facts.headers.get(header, ()))
    if name.startswith("ticket.") and name.removeprefix("ticket.") in DECIDED:
        return Field("text", lambda facts: ())
    return None


class View:
    """One message's facts, with calendars and what earlier stages decided. Not shared between threads."""

    def __init__(
        self,
        facts: Facts,
        *,
        calendars: Mapping[str, Calendar],
        decided: Mapping[str, tuple[str, ...]] | None = None,
    ) -> None:
        self.facts = facts
        self.calendars = calendars
        self.decided = decided or {}
        self._values: dict[str, tuple[Any, ...]] = {}
        self._words: dict[str, str] = {}
        self._subjects: dict[tuple[str, bool], bytes] = {}

    def deciding(self, decided: Mapping[str, tuple[str, ...]]) -> "View":
        """The same message for the next stage, with what is decided now; what was folded is kept."""
        view = View(self.facts, calendars=self.calendars, decided=decided)
        view._words, view._subjects = self._words, self._subjects
        return view

    def raw(self, name: str, field: Field) -> tuple[Any, ...]:
        """The values of a fact as they are; () = empty."""
        if name.startswith("ticket."):
            return self.decided.get(name.removeprefix("ticket."), ())
        return field.get(self.facts)

    def values(self, name: str, field: Field) -> tuple[Any, ...]:
        """The values of a fact as they are compared: text without case."""
        found = self._values.get(name)
        if found is None:
            raw = self.raw(name, field)
            found = tuple(folding.fold_value(each) if isinstance(each, str) else each for each in raw)
            self._values[name] = found
        return found

    def prose(self, name: str) -> str:
        """The text of subject, body, text or text.quoted, bounded."""
        return "".join(FIELDS[name].get(self.facts))

    def words(self, name: str) -> str:
        """The folded words of a text."""
        found = self._words.get(name)
        if found is None:
            found = self._words[name] = folding.fold(self.prose(name))
        return found

    def pattern_subject(self, name: str, *, marked: bool) -> bytes:
        """A text as patterns look at it."""
        key = (name, marked)
        found = self._subjects.get(key)
        if found is None:
            found = self._subjects[key] = regex.subject(self.prose(name), marked=marked)
        return found

    def is_open(self, calendar: str) -> bool:
        """Whether a calendar is open at the message's instant."""
        return self.calendars[calendar].is_open(self.facts.at)

    def local(self, calendar: str | None) -> datetime:
        """The message's instant on the wall clock of a calendar; None = UTC."""
        zone: tzinfo = self.calendars[calendar].zone if calendar else UTC
        return self.facts.at.astimezone(zone)
