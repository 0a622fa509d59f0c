"""The promised moment in the customer's words: in their language, on the wall clock that the ticket counts by."""

from collections.abc import Iterable
from datetime import UTC, datetime, tzinfo

from intake import armaments, expected, instants
from intake.model import Context, Ticket
from intake.store.engine import Tx
from routing.rulebook import Rulebook

TEMPLATE = "promised"


class Promised(expected.Said):
    """When something is promised for; none when nothing is, or it is past."""

    def _at(self) -> datetime | None:
        at_us = self._ticket.promised_at
        if at_us is None or at_us <= self._tx.now:
            return None
        zone = zone_of(self._tx, self._context, self._ticket)
        return instants.datetime_from_us(at_us).astimezone(zone)


class Moment(Promised):
    """The same of a moment that is only about to be promised."""

    def __init__(
        self,
        tx: Tx,
        ticket: Ticket,
        context: Context | None,
        *,
        at: datetime,
        language: str | None = None,
    ) -> None:
        super().__init__(tx, ticket, context, language=language)
        self._moment = at

    def in_language(self, language: str) -> "Moment":
        return type(self)(self._tx, self._ticket, self._context, at=self._moment, language=language)

    def _at(self) -> datetime:
        return self._moment


def zone_of(tx: Tx, context: Context | None, ticket: Ticket, *, agent: str | None = None) -> tzinfo:
    """Return the zone in which a ticket's moments are written and read.

    That of its policy's calendar; without a policy that of the hours of the agent who asks, of the one who has it, or of
    the first of its team who has hours; else UTC.
    """
    if ticket.armament is not None:
        return armaments.load(tx, ticket.armament).calendar.zone
    if context is None:
        return UTC
    book = context.rulebook
    return zone_of_people(book, (agent, ticket.agent, *_team(book, ticket.team)))


def zone_of_people(book: Rulebook, names: Iterable[str | None]) -> tzinfo:
    """Return the zone of the hours of the first of them who has any, else UTC."""
    for name in names:
        found = book.agents.get(name or "")
        if found is not None and found.hours in book.calendars:
            return book.calendars[found.hours].zone
    return UTC


def _team(book: Rulebook, team: str | None) -> tuple[str, ...]:
    found = book.teams.get(team or "")
    return () if found is None else tuple(name for level in found.levels.values() for name in level)
