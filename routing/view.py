"""What conditions look at: the facts of one event, each folded or encoded once, when first asked."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, tzinfo
from typing import TYPE_CHECKING, Any, Literal, TypedDict

import msgspec

from routing import assignment, folding, regex
from routing.calendar import Calendar
from routing.facts import NATURES, AgentLoad, Facts
from routing.fields import extracted
from routing.naming import STATUSES
from routing.people import Agent, Team
from routing.schedule import Schedule
from routing.sla import PRIORITIES, TARGETS

if TYPE_CHECKING:
    from routing.rulebook import Rulebook

FieldType = Literal["text", "number", "flag", "kind", "instant", "length", "count", "prose"]
Values = tuple[Any, ...]
_CLOCK_STATES = ("running", "paused", "warned", "breached", "met")


class Field(msgspec.Struct, frozen=True):
    """A fact that rules may name. get: its values, () = empty.

    type: "kind" is a word, or true and false; "instant" a datetime or an ISO date; "length" seconds; "count" instants
    that are counted. choices: the words that a text may be, () = any. can_change: events tell its value before and after.
    """

    type: FieldType
    get: Callable[["View"], Values]
    choices: tuple[str, ...] = ()
    can_change: bool = False


class Roster(msgspec.Struct, frozen=True):
    """Who works here: what `agent.available` and `team.open_now` follow from."""

    teams: Mapping[str, Team] = {}
    agents: Mapping[str, Agent] = {}
    schedules: Mapping[str, Schedule] = {}


class _Present(TypedDict):
    loads: Mapping[str, AgentLoad]
    at: datetime
    calendars: Mapping[str, Calendar]
    schedules: Mapping[str, Schedule]


class View:
    """One event's facts, with calendars, people and what earlier stages decided. Not shared between threads.

    decided: `ticket.X` -> values, "field.NAME" among them; asked only while there is no ticket yet. fields: what was
    found in the text.
    """

    def __init__(
        self,
        facts: Facts,
        *,
        calendars: Mapping[str, Calendar],
        decided: Mapping[str, tuple[str, ...]] | None = None,
        people: Roster | None = None,
        fields: Mapping[str, str] | None = None,
    ) -> None:
        self.facts = facts
        self.calendars = calendars
        self.decided = decided or {}
        self.people = people or Roster()
        self.fields = fields or {}
        self._values: dict[str, Values] = {}
        self._words: dict[str, str] = {}
        self._subjects: dict[tuple[str, bool], bytes] = {}

    @classmethod
    def of(cls, rulebook: "Rulebook", facts: Facts) -> "View":
        """The first stage's view, with the fields found in the text."""
        return cls(
            facts,
            calendars=rulebook.calendars,
            people=Roster(rulebook.teams, rulebook.agents, rulebook.schedules),
            fields=extracted(rulebook, facts),
        )

    def deciding(self, decided: Mapping[str, tuple[str, ...]]) -> "View":
        """The same event for the next stage, with what is decided now; what was folded is kept."""
        view = View(
            self.facts, calendars=self.calendars, decided=decided, people=self.people, fields=self.fields
        )
        view._words, view._subjects = self._words, self._subjects
        return view

    def raw(self, name: str, field: Field) -> Values:
        """The values of a fact as they are; () = empty."""
        return field.get(self)

    def values(self, name: str, field: Field) -> Values:
        """The values of a fact as they are compared: text without case."""
        found = self._values.get(name)
        if found is None:
            found = tuple(
                folding.fold_value(each) if isinstance(each, str) else each for each in field.get(self)
            )
            self._values[name] = found
        return found

    def change(self, name: str) -> tuple[Values, Values] | None:
        """The values of `ticket.X` before and after the event, as they are compared; None = it changes nothing of it."""
        before, after = self.facts.changed.get(name.removeprefix("ticket."), (None, None))
        if before == after:
            return None
        return _folded(before), _folded(after)

    def prose(self, name: str) -> str:
        """The text of subject, body, text or text.quoted, bounded."""
        return "".join(FIELDS[name].get(self))

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
        """Whether a calendar is open at the event's instant."""
        return self.calendars[calendar].is_open(self.facts.at)

    def present(self) -> _Present:
        """What decides who is on duty at the event's instant."""
        return {
            "loads": self.facts.agents,
            "at": self.facts.at,
            "calendars": self.calendars,
            "schedules": self.people.schedules,
        }

    def local(self, calendar: str | None) -> datetime:
        """The event's instant on the wall clock of a calendar; None = UTC."""
        zone: tzinfo = self.calendars[calendar].zone if calendar else UTC
        return self.facts.at.astimezone(zone)


def _one(value: Any) -> Values:
    return () if value is None or value == "" else (value,)


def _folded(value: str | None) -> Values:
    return tuple(folding.fold_value(each) for each in _one(value))


# -- where the values come from -------------------------------------------------------------------------------------


def _body(view: View) -> str:
    return view.facts.body[: folding.MAX_BODY_CHARACTERS]


def _of_ticket(name: str) -> Callable[[View], Values]:
    """`ticket.X`: as it was before the event; of a ticket that is only being opened, what earlier stages decided."""

    def get(view: View) -> Values:
        if view.facts.ticket is None:
            return view.decided.get(name, ())
        value = getattr(view.facts.ticket, name)
        return value if isinstance(value, tuple) else _one(value)

    return get


def _age(view: View) -> Values:
    ticket = view.facts.ticket
    return ((view.facts.at - ticket.created_at).total_seconds() if ticket else 0.0,)


def _tickets(view: View) -> Values:
    """When the customer's tickets were created, this one too."""
    ticket = view.facts.ticket
    return (ticket.created_at if ticket else view.facts.at, *view.facts.customer.tickets)


def _team(view: View) -> Team | None:
    names = _of_ticket("team")(view)
    return view.people.teams.get(names[0]) if names else None


def _is_available(view: View) -> Values:
    """Whether the ticket's agent is on duty; capacity is for new tickets only."""
    names = _of_ticket("agent")(view)
    if not names:
        return ()
    people = view.people
    found = assignment.is_on_duty(
        names[0], teams=people.teams.values(), agents=people.agents, **view.present()
    )
    return (found,)


def _is_open_now(view: View) -> Values:
    team = _team(view)
    return () if team is None else (assignment.is_open(team, agents=view.people.agents, **view.present()),)


def _waiting(view: View) -> Values:
    names = _of_ticket("team")(view)
    return (view.facts.desk.waiting.get(names[0], 0),) if names else ()


# -- the facts ------------------------------------------------------------------------------------------------------

FIELDS: dict[str, Field] = {
    "channel": Field("text", lambda view: _one(view.facts.channel)),
    "account": Field("text", lambda view: _one(view.facts.account)),
    "unreadable": Field("flag", lambda view: (view.facts.unreadable,)),
    "recipient": Field("text", lambda view: view.facts.recipient),
    "subject": Field("prose", lambda view: _one(view.facts.subject[: folding.MAX_SUBJECT_CHARACTERS])),
    "body": Field("prose", lambda view: _one(_body(view))),
    "text": Field("prose", lambda view: _one(folding.bounded(view.facts.subject, view.facts.body).strip())),
    "text.quoted": Field("prose", lambda view: _one(view.facts.quoted[: folding.MAX_BODY_CHARACTERS])),
    "language": Field("text", lambda view: _one(view.facts.language)),
    "attachment.name": Field("text", lambda view: tuple(each.name for each in view.facts.attachments if each.name)),
    "attachment.type": Field("text", lambda view: tuple(each.type for each in view.facts.attachments if each.type)),
    "attachment.size": Field("number", lambda view: tuple(each.size for each in view.facts.attachments)),
    "attachment.count": Field("number", lambda view: (len(view.facts.attachments),)),
    "automatic": Field("kind", lambda view: _one(view.facts.automatic),
                       ("auto_reply", "bounce", "feedback_report", "list", "delivery_receipt")),
    "spam.score": Field("number", lambda view: _one(view.facts.spam_score)),
    "call.choice": Field("text", lambda view: _one(view.facts.call_choice)),
    "call.outcome": Field("text", lambda view: _one(view.facts.call_outcome)),
    "chat.page": Field("text", lambda view: _one(view.facts.chat_page)),
    "direction": Field("text", lambda view: _one(view.facts.direction), ("in", "out")),
    "created_by": Field("text", lambda view: _one(view.facts.created_by), ("customer", "agent", "rule", "system")),
    "sender.address": Field("text", lambda view: _one(view.facts.sender.address)),
    "sender.domain": Field("text", lambda view: _one(view.facts.sender.domain)),
    "sender.name": Field("text", lambda view: _one(view.facts.sender.name)),
    "sender.phone": Field("text", lambda view: _one(view.facts.sender.phone)),
    "sender.country": Field("text", lambda view: _one(view.facts.sender.country)),
    "sender.verified": Field("flag", lambda view: (view.facts.sender.verified,)),
    "sender.known_since": Field("instant", lambda view: _one(view.facts.sender.known_since)),
    "customer.organization": Field("text", lambda view: _one(view.facts.customer.organization)),
    "customer.tags": Field("text", lambda view: view.facts.customer.tags),
    "customer.tier": Field("text", lambda view: _one(view.facts.customer.tier)),
    "customer.language": Field("text", lambda view: _one(view.facts.customer.language)),
    "customer.open_tickets": Field("number", lambda view: (view.facts.customer.open_tickets,)),
    "customer.tickets": Field("count", _tickets),
    "customer.last_rating": Field("number", lambda view: _one(view.facts.customer.last_rating)),
    "customer.opted_out": Field("flag", lambda view: (view.facts.customer.opted_out,)),
    "customer.first_contact": Field("flag", lambda view: (view.facts.customer.first_contact,)),
    "ticket.status": Field("text", _of_ticket("status"), STATUSES, can_change=True),
    "ticket.priority": Field("text", _of_ticket("priority"), PRIORITIES, can_change=True),
    "ticket.team": Field("text", _of_ticket("team"), can_change=True),
    "ticket.level": Field("text", _of_ticket("level"), can_change=True),
    "ticket.agent": Field("text", _of_ticket("agent"), can_change=True),
    "ticket.nature": Field("text", _of_ticket("nature"), NATURES),
    "ticket.tags": Field("text", _of_ticket("tags")),
    "ticket.age": Field("length", _age),
    "ticket.reopened": Field("number", lambda view: (view.facts.ticket.reopened if view.facts.ticket else 0,)),
    "ticket.promise": Field("instant", lambda view: _one(view.facts.ticket and view.facts.ticket.promise)),
    "incident.open": Field("flag", lambda view: (view.facts.desk.incident_open,)),
    "agent.available": Field("flag", _is_available),
    "team.open_now": Field("flag", _is_open_now),
    "team.waiting": Field("number", _waiting),
    "rating": Field("number", lambda view: _one(view.facts.rating)),
}  # fmt: skip
"""What an event and its ticket are known by. A new fact is one line here and one in facts.py."""

DECIDED = ("team", "level", "agent", "priority", "nature", "status", "tags")
"""`ticket.X` that an earlier stage may have decided; "field.NAME" beside them."""

MADE_ON_DEMAND = (
    "header.NAME",
    "form.NAME",
    "customer.field.NAME",
    "ticket.field.NAME",
    *(f"ticket.sla.{target}" for target in TARGETS),
)
"""Facts whose names the admin brings along, and the states of a ticket's clocks."""

_UNSETTLED = ("ticket.", "team.", "agent.")


def is_settled(name: str) -> bool:
    """Whether a fact is the same in every stage, so that rules may be filed under its values."""
    return not name.startswith(_UNSETTLED)


def field_named(name: str) -> Field | None:
    """The fact of that name; None = there is none. `ticket.field.NAME` is text here, whatever its declared type."""
    if name in FIELDS:
        return FIELDS[name]
    for group, make in _MAKERS.items():
        if name.startswith(group) and len(name) > len(group):
            return make(name.removeprefix(group))
    return None


def _header(name: str) -> Field:
    lower = name.lower()
    return Field("text", lambda view: view.facts.headers.get(lower, ()))


def _form(name: str) -> Field:
    wanted = folding.fold_value(name)

    def get(view: View) -> Values:
        form = view.facts.form
        return tuple(value for key, value in form.items() if value and folding.fold_value(key) == wanted)

    return Field("text", get)


def _customer_field(name: str) -> Field:
    return Field("text", lambda view: _one(view.facts.customer.fields.get(name)))


def _ticket_field(name: str) -> Field:
    return Field("text", lambda view: ticket_field_text(view, name))


def ticket_field_text(view: View, name: str) -> tuple[str, ...]:
    """A field of the ticket as text: its own, or while it is being opened what was decided, else found in the text."""
    if view.facts.ticket is not None:
        return _one(view.facts.ticket.fields.get(name))
    return view.decided.get(f"field.{name}", _one(view.fields.get(name)))


def _clock(target: str) -> Field | None:
    if target not in TARGETS:
        return None
    return Field(
        "text", lambda view: _one(view.facts.ticket and view.facts.ticket.sla.get(target)), _CLOCK_STATES
    )


_MAKERS: dict[str, Callable[[str], Field | None]] = {
    "header.": _header,
    "form.": _form,
    "customer.field.": _customer_field,
    "ticket.field.": _ticket_field,
    "ticket.sla.": _clock,
}
