"""What conditions look at: the facts of one event, each folded or encoded once, when first asked.

Which facts there are stands in fact_table.py.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, tzinfo
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from routing import duty, folding, regex
from routing.calendar import Calendar
from routing.facts import Facts
from routing.fields import extracted
from routing.people import Agent, Team
from routing.schedule import Schedule, in_force

if TYPE_CHECKING:
    from routing.rulebook import Rulebook

FieldType = Literal["text", "number", "flag", "kind", "instant", "length", "count", "prose"]
Values = tuple[Any, ...]


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
        return _PROSE[name](self.facts)

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

    def present(self) -> duty.People:
        """Everybody at the event's instant; capacity does not count."""
        rotas = in_force(self.people.schedules, self.facts.on_call)
        return duty.People(self.people.agents, self.facts.agents, self.facts.at, self.calendars, rotas)

    def local(self, calendar: str | None) -> datetime:
        """The event's instant on the wall clock of a calendar; None = UTC."""
        zone: tzinfo = self.calendars[calendar].zone if calendar else UTC
        return self.facts.at.astimezone(zone)


def one(value: Any) -> Values:
    """The values of a fact that has one; None and "" are none."""
    return () if value is None or value == "" else (value,)


def _folded(value: str | None) -> Values:
    return tuple(folding.fold_value(each) for each in one(value))


_PROSE: dict[str, Callable[[Facts], str]] = {
    "subject": lambda facts: facts.subject[: folding.MAX_SUBJECT_CHARACTERS],
    "body": lambda facts: facts.body[: folding.MAX_BODY_CHARACTERS],
    "text": lambda facts: folding.bounded(facts.subject, facts.body).strip(),
    "text.quoted": lambda facts: facts.quoted[: folding.MAX_BODY_CHARACTERS],
}
