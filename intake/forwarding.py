"""Forwarded mail: a shop, a colleague or an agent has passed on what a customer wrote. An agent says that its author is the customer.

Whoever forwards can write anything into the text, so nothing happens by itself: the author is offered, and takes part only
once an agent has said so. From then on answers go to the author, the forwarder gets a copy.
"""

import msgspec
from sqlalchemy import bindparam, select

from channels.contract import Address, Identity, Message
from intake import customers, events
from intake.model import Ticket
from intake.store import schema
from intake.store.engine import Tx
from intake.store.statements import Statement

_e = schema.events.c
_LAST = Statement(
    select(_e.details)
    .where(_e.ticket_id == bindparam("ticket_id"), _e.kind == bindparam("kind"))
    .order_by(_e.id.desc())
    .limit(1)
)
_decode = msgspec.json.Decoder(dict[str, str]).decode


def tell(tx: Tx, ticket: Ticket, message: Message) -> None:
    """Offer the author of the mail that a new ticket's message passes on; the sender's own older mail is none."""
    found = message.forwarded
    if found is None or message.sender == identity_of(found.from_.address):
        return
    events.of_ticket(
        tx,
        ticket,
        "forwarded",
        address=found.from_.address.lower(),
        name=found.from_.name,
        subject=found.subject,
        sent=found.sent,
    )


def addressee(tx: Tx, ticket: Ticket, last: Address) -> Address:
    """Return whom an answer goes to: who wrote last, or the named author as long as that was only the forwarder."""
    named = _last(tx, ticket, "customer_named")
    if named is None or customers.is_known_as(tx, ticket.customer_id, identity_of(last.address)):
        return last
    return Address(named["address"], named["name"])


def offered(tx: Tx, ticket: Ticket) -> dict[str, str] | None:
    """Return address, name, subject and sent of the mail that was passed on; None = there is none."""
    return _last(tx, ticket, "forwarded")


def identity_of(address: str) -> Identity:
    return Identity("email", address.lower())


def _last(tx: Tx, ticket: Ticket, kind: str) -> dict[str, str] | None:
    row = tx.one(_LAST, ticket_id=ticket.id, kind=kind)
    return _decode(row[0]) if row is not None else None
