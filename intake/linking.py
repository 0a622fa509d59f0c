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
    ticket, suggested = _suggestion(tx, typed_ref)
    merged = merging.merge_tickets(tx, context, ticket.id, suggested.id, agent=agent)
    events.of_ticket(tx, ticket, "link_accepted", actor=f"agent:{agent}", to=suggested.ref)
    return merged


def refuse(tx: Tx, context: Context, typed_ref: str, *, agent: str) -> Ticket:
    """Let the ticket stand alone; the one it might have belonged to. Raises: DeskError."""
    desk.check_agent(context, agent)
    ticket, suggested = _suggestion(tx, typed_ref)
    tx.lock("ticket", ticket.id)
    tx.update(schema.tickets, {"id": ticket.id}, suggested_link=None, updated_at=tx.now)
    events.of_ticket(tx, ticket, "link_refused", actor=f"agent:{agent}", to=suggested.ref)
    return suggested


def _suggestion(tx: Tx, typed_ref: str) -> tuple[Ticket, Ticket]:
    """Return the ticket and the one that it may belong to, or to which that one was merged meanwhile."""
    ticket = desk.find(tx, typed_ref, is_locked=False, is_followed=False)
    if ticket.merged_into is not None:
        raise DeskError(f"ticket {ticket.ref} is merged into another already")
    row = tx.one(_SUGGESTED, ticket_id=ticket.id)
    other = tickets.load(tx, row[0]) if row is not None and row[0] is not None else None
    if other is None:
        raise DeskError(f"no link is suggested for ticket {ticket.ref}")
    return ticket, tickets.final(tx, other)
