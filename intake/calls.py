"""What a provider tells of calls becomes a row of `calls`, its timeline, and a ticket (intake.call_tickets).

Told in any order, in parts or twice, it comes to the same (intake.call_timeline). The row is written with each thing that
is told; the ticket as soon as the caller has said what it is about, so that the rules have placed it before anybody rings,
or at the end of a call that never came so far.
"""

import msgspec

from channels.contract import CallEvent
from intake import call_rows, call_tickets, call_timeline, holds, journal
from intake.call_rows import Call
from intake.model import Account, Context, Received
from intake.store.engine import Tx

NAMELESS = "it names no call"


def settle(tx: Tx, context: Context, received: Received, event: CallEvent) -> None:
    """Add what is told to the call and do what follows; settled again it changes nothing."""
    if not event.call:
        journal.close(tx, received.id, "ignored", problem=NAMELESS)
        return
    account = received.raw.account
    tx.lock("sender", f"call:{account}:{event.call}")
    known = call_rows.load(tx, account=account, call=event.call)
    before = known or _fresh(tx, received, event)
    after = _told(before, received, event)
    if known is None or after != before:
        call_rows.save(tx, after)
    # Told again without a ticket it was ignored: by a replay, rules that have changed may see it otherwise.
    if after != before or after.ticket_id is None:
        after = call_tickets.follow(tx, context, received, _account(context, received), before, after)
    if after.session is not None and after.state.ended_at is not None:
        holds.let_go(tx, after.session)  # the session has, unless its callbacks were lost
    _close(tx, received, after)


def _fresh(tx: Tx, received: Received, event: CallEvent) -> Call:
    return Call(id=tx.new_id(), account=received.raw.account, call=event.call, direction=event.direction)


def _told(call: Call, received: Received, event: CallEvent) -> Call:
    """Return the call with what an event tells. What an agent's leg leaves out is kept as it is known."""
    session = received.raw.envelope.get("session")
    caller = event.caller.value if event.caller is not None and event.caller.kind == "phone" else None
    return msgspec.structs.replace(
        call,
        session=call.session or (session if isinstance(session, str) else None),
        caller=call.caller or caller,
        own=call.own or event.own,
        timeline=call_timeline.merged(call.timeline, event.happened),
        language=call.language or event.language,
    )


def _close(tx: Tx, received: Received, call: Call) -> None:
    """Say what became of the journal row, unless the ticket that was opened by it has said so."""
    if journal.outcome(tx, received.id).state != "pending":
        return
    state = "ticket" if call.ticket_id is not None else "automatic"
    journal.close(
        tx,
        received.id,
        state,
        customer_id=call.customer_id,
        ticket_id=call.ticket_id,
        message_id=call.message_id,
    )


def _account(context: Context, received: Received) -> Account:
    """Return the account; a stand-in for one that is not configured any more."""
    raw = received.raw
    return context.accounts.get(raw.account) or Account(raw.account, raw.kind, "voice")
