"""What is told of calls from tickets (intake.calling_out), request by request.

The agent's leg moves the row of the outbox; once they have pressed 1, the customer's leg is a row of `calls` on the ticket,
and what is told of it is told of a call like any other (intake.calls).
"""

from typing import Any

import msgspec

from channels import dial_outs
from channels.contract import CallEvent, Happened, OutboundMessage
from intake import (
    budgets,
    call_rows,
    calling_out,
    calls,
    deliveries,
    events,
    holds,
    journal,
    search_index,
    tickets,
)
from intake.call_rows import Call
from intake.model import Context, Received, Ticket
from intake.store import schema
from intake.store.engine import Tx

VOICE = "voice"
_FINAL = frozenset(("completed", "busy", "no-answer", "failed", "canceled"))
_ENDS = {"busy": "their line was busy", "no-answer": "they did not answer", "failed": "it could not be made"}

_decode = msgspec.json.Decoder(OutboundMessage).decode


def is_about(happening: CallEvent) -> bool:
    """Whether something happened on the agent's leg of a call from a ticket; the customer's is a call like any other."""
    return any(each.what in dial_outs.WORDS for each in happening.happened)


def settle(tx: Tx, context: Context, received: Received, happening: CallEvent) -> None:
    """Do what happened on the agent's leg, and close its journal row."""
    for each in happening.happened:
        page = str(each.details.get("page", ""))
        row = calling_out.row_of(tx, page)
        if row is None or row[1] is None:
            continue
        if each.what == dial_outs.DIALLED:
            _dialled(tx, context, received, happening, each, int(row[1]), _decode(row[0]))
            return
        if each.what == dial_outs.STATUS and each.details.get("status") in _FINAL:
            holds.let_go(tx, dial_outs.session(page))
            if _is_dialled(tx, received, happening):
                _hung_up(tx, context, received, happening, each)
                return
        _leg(tx, each, int(page), int(row[1]), call=happening.call)
    journal.close(tx, received.id, "automatic")


def _is_dialled(tx: Tx, received: Received, event: CallEvent) -> bool:
    tx.lock("sender", f"call:{received.raw.account}:{event.call}")
    return call_rows.load(tx, account=received.raw.account, call=event.call) is not None


def _hung_up(tx: Tx, context: Context, received: Received, event: CallEvent, happened: Happened) -> None:
    """End the customer's leg with the agent's: how it ended its own report says, if one comes."""
    ended = Happened("ended", happened.at, {})
    about = CallEvent(
        kind=VOICE, call=event.call, direction="out", caller=None, own=event.own, happened=(ended,)
    )
    calls.settle(tx, context, received, about)


def _leg(tx: Tx, happened: Happened, outbox_id: int, ticket_id: int, *, call: str) -> None:
    """Note how far the agent's leg got, and on the ticket that they were not reached, or did not want to."""
    ticket = tickets.locked_final(tx, ticket_id)
    status = str(happened.details.get("status", ""))
    if happened.what == dial_outs.DECLINED:
        why = str(happened.details.get("reason") or "nobody pressed 1")
        events.of_ticket(tx, ticket, "call_out_failed", outbox=str(outbox_id), reason=why)
    elif happened.what == dial_outs.STATUS and status in _ENDS:
        if deliveries.advance(tx, outbox_id, "failed", reason=_ENDS[status]):
            reason = f"the agent's phone: {_ENDS[status]}"
            events.of_ticket(tx, ticket, "call_out_failed", outbox=str(outbox_id), reason=reason)
    elif status in ("in-progress", "completed"):
        deliveries.advance(tx, outbox_id, "delivered")
    if call:
        deliveries.note_id(tx, outbox_id, call)


def _dialled(
    tx: Tx,
    context: Context,
    received: Received,
    event: CallEvent,
    happened: Happened,
    ticket_id: int,
    outbound: OutboundMessage,
) -> None:
    """Make the call to the customer one of the ticket's, and a message of its conversation."""
    account, extra = received.raw.account, outbound.extra
    tx.lock("sender", f"call:{account}:{event.call}")
    if call_rows.load(tx, account=account, call=event.call) is None:
        ticket = tickets.load(tx, ticket_id)  # calls.settle locks it, after the call
        if ticket is not None:
            call_rows.save(tx, _new(tx, tickets.final(tx, ticket), account, event.call, extra))
            budgets.count(tx, context.phone, extra["customer"])
    told = (
        Happened("started", happened.at, {"to": extra["customer"], "from": extra["own"], "known": True}),
        Happened("accepted", happened.at, {"agent": extra["agent"]}),
    )
    about = CallEvent(
        kind=VOICE, call=event.call, direction="out", caller=None, own=extra["own"], happened=told
    )
    calls.settle(tx, context, received, about)


def _new(tx: Tx, ticket: Ticket, account: str, name: str, extra: dict[str, Any]) -> Call:
    message_id = tx.new_id()
    columns = {
        "ticket_id": ticket.id,
        "customer_id": ticket.customer_id,
        "direction": "out",
        "author": extra["agent"],
        "medium": VOICE,
        "account": account,
        "external_id": name,
        "subject": "",
        "body": f"Call to {extra['customer']}",
    }
    tx.insert(schema.messages, id=message_id, at=tx.now, **columns)
    search_index.keep(tx, message_id, columns)
    return Call(
        id=tx.new_id(),
        account=account,
        call=name,
        direction="out",
        caller=extra["customer"],
        own=extra["own"],
        customer_id=ticket.customer_id,
        ticket_id=ticket.id,
        message_id=message_id,
    )
