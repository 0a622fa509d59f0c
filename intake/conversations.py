"""Which conversation a message belongs to. Threading is access: the first line that fits decides.

1. DMARC fails: a new ticket, linked to the one it names, whatever it carries.
2. A valid signature, and From takes part in the ticket: it joins.
3. A valid signature, another From: a new ticket with a suggested link.
4. A Message-ID that we sent or hold: as 2 and 3; an unverified sender who joins so is flagged.
5. Nothing: a new ticket.

A wrong signature counts as absent; a ref in the subject opens nothing.
"""

from collections.abc import Iterator
from typing import Any

import msgspec
from sqlalchemy import bindparam, select

from channels.contract import Message
from intake import addresses, instants, journal, tickets
from intake.model import Arrival, Context, Ticket
from intake.store import schema
from intake.store.engine import Tx
from intake.store.statements import Statement

REFERENCES_MAX = 30
REOPEN_WITHIN_US = 14 * 24 * 3_600 * 1_000_000  # wall clock; after that an answer is a linked new ticket

_m = schema.messages.c
_encode = msgspec.json.Encoder().encode
_HOLDER = Statement(
    select(_m.ticket_id).where(_m.external_id == bindparam("external_id")).order_by(_m.id.desc()).limit(1)
)


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """Where a message goes. ticket: it joins; else a new one. Ids of tickets: linked_to is sure, suggested is a guess.

    is_flagged: joined on a Message-ID alone by a sender who is not verified. gathered_by: what gathers later messages
    into the ticket, None = nothing.
    """

    ticket: Ticket | None = None
    linked_to: int | None = None
    suggested: int | None = None
    is_flagged: bool = False
    gathered_by: str | None = None


NEW = Place()


def place(tx: Tx, context: Context, arrival: Arrival) -> Place:
    """Decide. Holds the lock on the ticket that is joined."""
    message = arrival.message
    ticket, is_signed = _referenced(tx, context, arrival)
    if ticket is None:
        return NEW
    if message.trust.dmarc == "fail":
        return Place(linked_to=ticket.id)
    if message.sender not in tickets.participants(tx, ticket.id):
        return Place(suggested=ticket.id)
    ticket = tickets.locked(tx, ticket.id)
    if not _is_joinable(tx, ticket):
        return Place(linked_to=ticket.id)
    return Place(ticket=ticket, is_flagged=not is_signed and not message.trust.verified_sender)


def holder(tx: Tx, external_id: str) -> int | None:
    """Return the ticket that holds or sent a message of this Message-ID."""
    row = tx.one(_HOLDER, external_id=external_id)
    return None if row is None else int(row[0])


def _referenced(tx: Tx, context: Context, arrival: Arrival) -> tuple[Ticket | None, bool]:
    """Return the ticket that the message names, and whether by a valid signature."""
    for reference in _references(arrival):
        ticket = tickets.load_by_ref(tx, reference.ref)
        if ticket is not None and any(
            reference.is_bound_to(person.value, context.keys)
            for person in tickets.participants(tx, ticket.id)
        ):
            return ticket, True
    for identifier in _identifiers(arrival.message):
        ticket_id = holder(tx, identifier)
        if ticket_id is not None:
            return tickets.load(tx, ticket_id), False
    return None, False


def _references(arrival: Arrival) -> Iterator[addresses.Reference]:
    for recipient in arrival.recipients:
        reference = addresses.reference_from_recipient(arrival.account, recipient)
        if reference is not None:
            yield reference
    for identifier in _identifiers(arrival.message):
        reference = addresses.reference_from_message_id(identifier)
        if reference is not None:
            yield reference


def _identifiers(message: Message) -> tuple[str, ...]:
    """Message-IDs that the message answers, the nearest first, each once."""
    newest_first = (*message.in_reply_to, *reversed(message.references))
    return tuple(dict.fromkeys(newest_first))[:REFERENCES_MAX]


def _is_joinable(tx: Tx, ticket: Ticket) -> bool:
    """Whether an answer belongs into the ticket: not closed, and not solved longer ago than answers are awaited."""
    if ticket.status == "closed":
        return False
    if ticket.status == "solved" and ticket.solved_at is not None:
        return tx.now - ticket.solved_at <= REOPEN_WITHIN_US
    return True


def attach(tx: Tx, arrival: Arrival, ticket: Ticket) -> int:
    """Write the message into its conversation and close its journal row; the message's id."""
    raw, message_id = arrival.received.raw, tx.new_id()
    tx.insert(
        schema.messages,
        id=message_id,
        ticket_id=ticket.id,
        customer_id=arrival.customer.id,
        journal_id=arrival.received.id,
        direction="in",
        account=raw.account,
        at=instants.us_from_datetime(raw.received_at),
        **content(arrival.message),
    )
    journal.close(
        tx,
        arrival.received.id,
        arrival.state,
        customer_id=arrival.customer.id,
        ticket_id=ticket.id,
        message_id=message_id,
        problem=arrival.problem,
    )
    return message_id


def content(message: Message) -> dict[str, Any]:
    """Return the columns of `messages` that come from parsing, and so change when a message is parsed again."""
    sender = message.sender
    return {
        "author": sender.value if sender is not None else "",
        "author_name": message.from_.name if message.from_ is not None else "",
        "medium": message.kind,
        "external_id": message.message_id,
        "subject": message.subject,
        "body": message.text,
        "visible_text": message.visible_text if message.visible_text != message.text else None,
        "language": message.language,
        "automatic": message.automatic,
        "is_verified": int(message.trust.verified_sender),
        "attachments": _encode(message.attachments).decode(),
        "problems": _encode(message.problems).decode(),
        "sent_at": None if message.sent_at is None else instants.us_from_datetime(message.sent_at),
    }
