"""An agent says that the author of a forwarded mail is the ticket's customer."""

import msgspec

from intake import customers, desk, events, forwarding, tickets
from intake.desk import DeskError
from intake.model import Context, Ticket
from intake.store import schema
from intake.store.engine import Tx


def accept(tx: Tx, context: Context, typed_ref: str, *, agent: str) -> Ticket:
    """Make the author of the forwarded mail the ticket's customer. Raises: DeskError."""
    desk.check_agent(context, agent)
    seen = desk.find(tx, typed_ref, is_locked=False)
    offered = forwarding.offered(tx, seen)
    if offered is None:
        raise DeskError(f"ticket {seen.ref} passes on nobody's mail: its first message is the sender's own")
    author = forwarding.identity_of(offered["address"])
    customer = customers.known_as(tx, author, name=offered["name"])
    ticket = tickets.locked(tx, seen.id)
    if ticket.customer_id == customer.id:
        raise DeskError(f"{author.value} is the customer of ticket {ticket.ref} already")
    tx.update(schema.tickets, {"id": ticket.id}, customer_id=customer.id, updated_at=tx.now)
    after = msgspec.structs.replace(ticket, customer_id=customer.id)
    tickets.add_participant(tx, after, author)
    events.of_ticket(
        tx, after, "customer_named", actor=f"agent:{agent}", address=author.value, name=offered["name"]
    )
    return after
