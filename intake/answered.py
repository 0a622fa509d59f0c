"""Which ticket a message says that it answers: by a signature of ours, else by a Message-ID that we sent or hold.

What is no mail names a message of ours by the id that its provider gave it.

A signature stands in the address that the message came to or in a Message-ID of ours; it is bound to the ticket and to
the one it was given to. A wrong one counts as absent. Anybody may send mail under a Message-ID that is not theirs, so
several tickets can hold the same: what we sent comes first, then what came first, and one where the sender takes part
comes before all others.
"""

from collections.abc import Iterable, Iterator
from itertools import islice

import msgspec
from sqlalchemy import bindparam, select

from channels.contract import Identity, Message
from intake import addresses, tickets
from intake.model import Arrival, Context, Ticket
from intake.store import schema
from intake.store.engine import Tx
from intake.store.statements import Statement

REFERENCES_MAX = 30
HOLDERS_MAX = 10  # of one Message-ID
MAIL = "email"

_m = schema.messages.c
_HOLDERS = Statement(
    select(_m.ticket_id, _m.at)
    .where(_m.external_id == bindparam("external_id"))
    .order_by(_m.direction.desc(), _m.id)  # "out" before "in"
    .limit(HOLDERS_MAX)
)
_o = schema.outbox.c
_SENT = Statement(
    select(_o.ticket_id)
    .where(
        _o.medium != MAIL,
        _o.provider_id == bindparam("provider_id"),
        _o.account == bindparam("account"),
        _o.ticket_id.is_not(None),
    )
    .order_by(_o.id)
    .limit(HOLDERS_MAX)
)


class Answered(msgspec.Struct, frozen=True, kw_only=True):
    """What a message answers. is_signed: it says so with our signature. by_participant: From takes part in the ticket."""

    ticket: Ticket
    is_signed: bool
    by_participant: bool


def find(tx: Tx, context: Context, arrival: Arrival) -> Answered | None:
    """Return what the message answers, the surest claim first; None = nothing that we know."""
    message = arrival.message
    sender = message.sender if message.trust.has_single_sender else None
    for is_signed, claimed in (
        (True, _signed(tx, context, arrival, sender)),
        (False, _sent(tx, arrival)),
        (False, _held(tx, message)),
    ):
        found = _chosen(tx, claimed, sender)
        if found is not None:
            ticket, by_participant = found
            return Answered(ticket=ticket, is_signed=is_signed, by_participant=by_participant)
    return None


def holders(tx: Tx, external_id: str) -> tuple[tuple[int, int], ...]:
    """Return who sent or holds a message of this Message-ID, who sent it first: the ticket's id, and the message's moment.

    The moment: microseconds UTC.
    """
    return tuple((int(row[0]), int(row[1])) for row in tx.all(_HOLDERS, external_id=external_id))


def identifiers(message: Message) -> tuple[str, ...]:
    """Return the Message-IDs that the message answers, the nearest first, each once."""
    newest_first = (*message.in_reply_to, *reversed(message.references))
    return tuple(dict.fromkeys(newest_first))[:REFERENCES_MAX]


def _chosen(tx: Tx, claimed: Iterable[Ticket], sender: Identity | None) -> tuple[Ticket, bool] | None:
    """Pick the first ticket that the sender takes part in, else the first; and whether they do."""
    first = None
    for claim in claimed:
        ticket = tickets.final(tx, claim)
        if sender is not None and sender in tickets.participants(tx, ticket.id):
            return ticket, True
        first = first or ticket
    return None if first is None else (first, False)


def _signed(tx: Tx, context: Context, arrival: Arrival, sender: Identity | None) -> Iterator[Ticket]:
    """Give the tickets of valid signatures: bound to somebody who takes part, or to the sender, who did so once."""
    for reference in islice(_references(arrival), REFERENCES_MAX):
        ticket = tickets.load_by_ref(tx, reference.ref)
        if ticket is None:
            continue
        people = {person.value for person in tickets.participants(tx, ticket.id)}
        people |= {sender.value} if sender is not None else set()
        if any(reference.is_bound_to(each, context.keys) for each in people):
            yield ticket


def _sent(tx: Tx, arrival: Arrival) -> Iterator[Ticket]:
    """Give the tickets of what we sent by this account, and its provider calls so. Mail is known by its Message-ID."""
    if arrival.account.medium == MAIL:
        return
    for identifier in identifiers(arrival.message):
        for row in tx.all(_SENT, provider_id=identifier, account=arrival.account.name):
            ticket = tickets.load(tx, row[0])
            if ticket is not None:
                yield ticket


def _held(tx: Tx, message: Message) -> Iterator[Ticket]:
    for identifier in identifiers(message):
        for ticket_id in dict.fromkeys(held_by for held_by, _ in holders(tx, identifier)):
            ticket = tickets.load(tx, ticket_id)
            if ticket is not None:
                yield ticket


def _references(arrival: Arrival) -> Iterator[addresses.Reference]:
    for recipient in arrival.recipients:
        reference = addresses.reference_from_recipient(arrival.account, recipient)
        if reference is not None:
            yield reference
    for identifier in identifiers(arrival.message):
        reference = addresses.reference_from_message_id(identifier)
        if reference is not None:
            yield reference
