"""Suggested links: somebody who takes no part in a ticket has answered it. An agent says whether they belong to it."""

from sqlalchemy import bindparam, select

from intake import desk, events, merging, tickets
from intake.desk import DeskError
from intake.model import Context, Ticket
from intake.store import schema
from intake.store.engine import Tx
from intake.store.statements import Statement

_SUGGESTED = Statement(
    select(schema.tickets.c.suggested_link).where(schema.tickets.c.id == bindparam("ticket_id"))
)


def accept(tx: Tx, context: Context, typed_ref: str, *, agent: str) -> Ticket:
    """Put the messages where they belong, and let their senders take part there; that ticket, as it is then.

    Raises: DeskError.
    """
    desk.check_agent(context, agent)
    both = merging.both_locked(tx, *_suggestion(tx, typed_ref))
    ticket, suggested = both
    if _suggested(tx, ticket) != suggested.id:
        raise DeskError(f"somebody else has just decided on the link of ticket {ticket.ref}")
    merged = merging.merge_locked(tx, context, both, agent=agent)
    events.of_ticket(tx, ticket, "link_accepted", actor=f"agent:{agent}", to=suggested.ref)
    return merged


def refuse(tx: Tx, context: Context, typed_ref: str, *, agent: str) -> Ticket:
    """Let the ticket stand alone; the one it might have belonged to. Raises: DeskError."""
    desk.check_agent(context, agent)
    ticket_id, _ = _suggestion(tx, typed_ref)
    ticket = tickets.locked(tx, ticket_id)
    other_id = _suggested(tx, ticket)
    other = tickets.load(tx, other_id) if other_id is not None else None
    if other is None:
        raise DeskError(f"somebody else has just decided on the link of ticket {ticket.ref}")
    tx.update(schema.tickets, {"id": ticket.id}, suggested_link=None, updated_at=tx.now)
    events.of_ticket(tx, ticket, "link_refused", actor=f"agent:{agent}", to=other.ref)
    return other


def suggested(tx: Tx, typed_ref: str) -> Ticket:
    """Return the ticket that it may belong to. Raises: DeskError."""
    _, other_id = _suggestion(tx, typed_ref)
    other = tickets.load(tx, other_id)
    assert other is not None  # noqa: S101 - it was looked up in this very transaction
    return other


def _suggestion(tx: Tx, typed_ref: str) -> tuple[int, int]:
    """Return the ids of the ticket and of the one that it may belong to. Raises: DeskError."""
    ticket = desk.find(tx, typed_ref, is_locked=False, is_followed=False)
    if ticket.merged_into is not None:
        raise DeskError(f"ticket {ticket.ref} is merged into another already")
    suggested = _suggested(tx, ticket)
    if suggested is None:
        raise DeskError(f"no link is suggested for ticket {ticket.ref}")
    return ticket.id, suggested


def _suggested(tx: Tx, ticket: Ticket) -> int | None:
    """Return the id of the ticket that it may belong to, or to which that one was merged meanwhile."""
    row = None if ticket.merged_into is not None else tx.one(_SUGGESTED, ticket_id=ticket.id)
    other = tickets.load(tx, row[0]) if row is not None and row[0] is not None else None
    return None if other is None else tickets.final(tx, other).id
