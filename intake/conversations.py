"""Which conversation a message belongs to. Threading is access: the first line that fits decides.

1. DMARC fails, and no forwarder we trust vouches: a new ticket, linked to the one it answers, whatever it carries.
2. A valid signature, and From takes part in the ticket: it joins.
3. A valid signature, another From: a new ticket with a suggested link.
4. A Message-ID that we sent or hold: as 2 and 3; an unverified sender who joins so is flagged.
5. Nothing: what the rules say under `conversations`: a gathering's key, then the medium; else a new ticket, unless
   its sender floods us (intake.floods).
   Who was texted by us about a call last answers that, by a text (intake.call_answers).

A From that is not one address takes part in nothing. A wrong signature counts as absent; a ref in the subject opens
nothing. A solved ticket is joined within the medium's `reopen_within` and so reopened; what answers an older or closed
one is a follow-up, or new when `then` says so; only a machine's word ("I am away") joins that too: it moves nothing, and
nobody has to look at it. What answers a merged ticket answers the one it was merged into.
"""

from typing import Any

import msgspec
from sqlalchemy import bindparam, select

from channels.contract import Message
from intake import (
    answered,
    both_ways,
    call_answers,
    chats,
    fetches,
    floods,
    gathering,
    instants,
    journal,
    loops,
    search_index,
    tickets,
)
from intake.answered import Answered
from intake.model import Arrival, Context, Ticket
from intake.store import schema
from intake.store.engine import Tx
from intake.store.statements import Statement
from routing.conversation import MediumRule

OPEN_TICKETS_LOOKED_AT = 50  # of one customer, the newest

_t = schema.tickets.c
_encode = msgspec.json.Encoder().encode
_is_ours = (
    _t.customer_id == bindparam("customer_id"),
    _t.medium == bindparam("medium"),
    _t.account == bindparam("account"),
)
_OPEN = Statement(
    select(_t.id, _t.created_at, _t.customer_replied_at, _t.agent_replied_at)
    .where(*_is_ours, _t.solved_at.is_(None))
    .order_by(_t.id.desc())
    .limit(bindparam("most"))
)
_SOLVED_LAST = Statement(
    select(_t.id).where(*_is_ours, _t.status == "solved").order_by(_t.solved_at.desc(), _t.id.desc()).limit(1)
)


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """Where a message goes. ticket: it joins; else a new one. Ids of tickets: linked_to is sure, suggested is a guess.

    is_flagged: joined, without a signature, by a sender who is not verified. gathered_by: what gathers later messages
    into a new ticket, None = nothing. is_gathered: it says what the ticket's messages say, whoever or whatever wrote it.
    """

    ticket: Ticket | None = None
    linked_to: int | None = None
    suggested: int | None = None
    is_flagged: bool = False
    gathered_by: str | None = None
    is_gathered: bool = False


NEW = Place()


def place(tx: Tx, context: Context, arrival: Arrival) -> Place:
    """Decide. Holds the lock on the ticket that is joined."""
    answer = answered.find(tx, context, arrival)
    if answer is not None:
        return _answering(tx, context, arrival, answer)
    gathered = gathering.find(tx, context, arrival)
    if gathered is not None:
        if gathered.ticket is not None:
            return Place(ticket=gathered.ticket, is_gathered=True)
        return Place(gathered_by=gathered.key)
    called = call_answers.ticket_of(tx, arrival)
    if called is not None and is_joinable(tx, called, context.rulebook.conversations.of("voice")):
        return Place(ticket=called)
    return _of_medium(tx, context, arrival)


def _answering(tx: Tx, context: Context, arrival: Arrival, answer: Answered) -> Place:
    """Place a message that answers a ticket."""
    trust = arrival.message.trust
    if trust.is_refuted:
        return Place(linked_to=answer.ticket.id)
    if not answer.by_participant:
        return Place(suggested=answer.ticket.id)
    rule = context.rulebook.conversations.of(arrival.message.kind)
    ticket = tickets.locked(tx, answer.ticket.id)
    is_aside = arrival.message.automatic in loops.ASIDE and ticket.merged_into is None
    if not is_aside and not is_joinable(tx, ticket, rule):
        # Merged since it was looked up: the other one may not be locked after this one.
        return Place(linked_to=tickets.final(tx, ticket).id) if rule.then == "follow_up" else NEW
    is_flagged = not answer.is_signed and not trust.verified_sender and _could_be_proven(arrival.message)
    return Place(ticket=ticket, is_flagged=is_flagged)


def _of_medium(tx: Tx, context: Context, arrival: Arrival) -> Place:
    """Place a message that names no ticket, by what its medium's conversations are like."""
    message, customer = arrival.message, arrival.customer
    rule = context.rulebook.conversations.of(message.kind)
    if rule.join != "open":
        flooded = floods.ticket_of(tx, context, arrival)
        return Place(ticket=flooded) if flooded is not None else NEW
    if message.sender is None or customer.is_new:
        return NEW
    tx.lock("customer", customer.id)
    candidates = _open_ones(tx, arrival) or _solved_last(tx, arrival)
    if not candidates:
        return NEW
    if message.trust.is_refuted or not message.trust.has_single_sender:
        return Place(suggested=candidates[0])
    ticket = tickets.locked(tx, candidates[0])
    if not is_joinable(tx, ticket, rule):
        return NEW
    return Place(
        ticket=ticket,
        suggested=candidates[1] if len(candidates) > 1 else None,
        is_flagged=_could_be_proven(message) and not message.trust.verified_sender,
    )


def _could_be_proven(message: Message) -> bool:
    """Who calls or texts is never proven, and needs no mark at every line; who mails could have been."""
    return message.sender is None or message.sender.kind == "email"


def _open_ones(tx: Tx, arrival: Arrival) -> list[int]:
    """Return the ids of the customer's open tickets of the same channel and account, the one written in last first."""
    rows = tx.all(_OPEN, **_where(arrival), most=OPEN_TICKETS_LOOKED_AT)
    written = {row[0]: max(at for at in row[1:] if at is not None) for row in rows}
    return sorted(written, key=lambda ticket_id: (written[ticket_id], ticket_id), reverse=True)


def _solved_last(tx: Tx, arrival: Arrival) -> list[int]:
    return [row[0] for row in tx.all(_SOLVED_LAST, **_where(arrival))]


def _where(arrival: Arrival) -> dict[str, Any]:
    return {
        "customer_id": arrival.customer.id,
        "medium": arrival.message.kind,
        "account": arrival.account.name,
    }


def is_joinable(tx: Tx, ticket: Ticket, rule: MediumRule) -> bool:
    solved_at = None if ticket.solved_at is None else instants.datetime_from_us(ticket.solved_at)
    return rule.has_room(status=ticket.status, solved_at=solved_at, at=instants.datetime_from_us(tx.now))


def attach(tx: Tx, arrival: Arrival, ticket: Ticket) -> int:
    """Write the message into its conversation and close its journal row; the message's id."""
    raw, message_id = arrival.received.raw, tx.new_id()
    columns = {
        "ticket_id": ticket.id,
        "customer_id": arrival.customer.id,
        "journal_id": arrival.received.id,
        "direction": "in",
        "account": raw.account,
        "at": instants.us_from_datetime(raw.received_at),
        "line_seq": chats.line_of(arrival),
        **content(arrival.message),
    }
    tx.insert(schema.messages, id=message_id, **columns)
    search_index.keep(tx, message_id, columns)
    fetches.of_message(tx, arrival, ticket_id=ticket.id, message_id=message_id)
    chats.place(tx, arrival, ticket_id=ticket.id)
    both_ways.came(tx, ticket, arrival.message)
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
