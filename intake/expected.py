"""What a template says about time: when an answer may be expected, whether the desk is open, when it opens next.

Each is looked up when a template asks for it, and said in the language of the template that asks. An instant that is
past is never said: where a target is missed, the next one counts, and then what was promised; else nothing is said.
"""

from datetime import datetime

from intake import armaments, clocks, instants, time_words
from intake.model import Context, Ticket
from intake.store.engine import Tx
from routing.calendar import Calendar, NeverOpen

TARGETS = ("first_response", "next_response", "update", "promise")


class Said:
    """An instant as text; empty when there is none. language: None = the ticket's.

    context: gives a ticket without a policy the rules' first calendar.
    """

    def __init__(
        self, tx: Tx, ticket: Ticket, context: Context | None = None, *, language: str | None = None
    ) -> None:
        self._tx = tx
        self._ticket = ticket
        self._context = context
        self._language = language or ticket.language
        self._text: str | None = None

    def in_language(self, language: str) -> "Said":
        """The same, for a template in another language than the ticket's."""
        return type(self)(self._tx, self._ticket, self._context, language=language)

    def __str__(self) -> str:
        if self._text is None:
            at = self._at()
            self._text = "" if at is None else time_words.said(at, self._language, now=self._now)
        return self._text

    def __bool__(self) -> bool:
        return bool(str(self))

    @property
    def _now(self) -> datetime:
        return instants.datetime_from_us(self._tx.now)

    def _calendar(self) -> Calendar | None:
        """The calendar that the ticket's policy counts in; without a policy, the rules' first one."""
        if self._ticket.armament is not None:
            return armaments.load(self._tx, self._ticket.armament).calendar
        known = self._context.rulebook.calendars if self._context is not None else {}
        return next(iter(known.values()), None)

    def _at(self) -> datetime | None:
        raise NotImplementedError


class Expected(Said):
    """When an answer is due."""

    def _at(self) -> datetime | None:
        running = {
            each.target: each.due_at
            for each in clocks.load(self._tx, self._ticket.id)
            if each.state == "running" and each.due_at is not None and each.due_at > self._now
        }
        due_at = next((running[target] for target in TARGETS if target in running), None)
        if due_at is None:
            return None
        from intake import promised_text  # which is made of what stands here

        return due_at.astimezone(promised_text.zone_of(self._tx, self._context, self._ticket))


class NextOpen(Said):
    """When the desk opens next; none while it is open."""

    def _at(self) -> datetime | None:
        calendar = self._calendar()
        if calendar is None or calendar.is_open(self._now):
            return None
        try:
            return calendar.next_open(self._now).astimezone(calendar.zone)
        except NeverOpen:
            return None


class OpenNow(Said):
    """Whether the desk is open: a yes that only conditions are for."""

    def __str__(self) -> str:
        calendar = self._calendar()
        return "yes" if calendar is not None and calendar.is_open(self._now) else ""

    def _at(self) -> None:
        return None
