"""The promised moment in the customer's words: in their language, on the wall clock that the ticket counts by."""

from datetime import UTC, datetime, tzinfo

from intake import armaments, instants
from intake.model import Context, Ticket
from intake.store.engine import Tx
from routing.rulebook import Rulebook

TEMPLATE = "promised"


class Promised:
    """The text of the ticket's promised moment as templates name it; empty when nothing is promised, or it is past."""

    def __init__(self, tx: Tx, context: Context, ticket: Ticket) -> None:
        self._tx, self._context, self._ticket = tx, context, ticket

    def __str__(self) -> str:
        at_us = self._ticket.promised_at
        if at_us is None or at_us <= self._tx.now:
            return ""
        at = instants.datetime_from_us(at_us)
        return written(at, self._ticket, zone=zone_of(self._tx, self._context, self._ticket))

    def __bool__(self) -> bool:
        return bool(str(self))


def written(at: datetime, ticket: Ticket, *, zone: tzinfo) -> str:
    """Write a moment with its zone: "2026-11-26 15:00 CET"."""
    return at.astimezone(zone).strftime("%Y-%m-%d %H:%M %Z")


def zone_of(tx: Tx, context: Context, ticket: Ticket, *, agent: str | None = None) -> tzinfo:
    """Return the zone in which a ticket's moments are written and read.

    That of its policy's calendar; without a policy that of the hours of the agent who asks, of the one who has it, or of
    the first of its team who has hours; else UTC.
    """
    if ticket.armament is not None:
        return armaments.load(tx, ticket.armament).calendar.zone
    book = context.rulebook
    for name in (agent, ticket.agent, *_team(book, ticket.team)):
        found = book.agents.get(name or "")
        if found is not None and found.hours in book.calendars:
            return book.calendars[found.hours].zone
    return UTC


def _team(book: Rulebook, team: str | None) -> tuple[str, ...]:
    found = book.teams.get(team or "")
    return () if found is None else tuple(name for level in found.levels.values() for name in level)
