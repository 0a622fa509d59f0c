"""Calls from a ticket: the agent's phone rings, they press 1, and the customer is called with our number.

Asked for at the desk it is a row of the outbox, like whatever leaves; the customer's leg is a row of `calls` on the
ticket (intake.called_out), told and counted like a call that came in: a talk is a public answer. Whoever has opted out of calls
is not called, and that is looked at again when the agent presses 1.
"""

from collections.abc import Set as AbstractSet
from typing import Any, Literal

import msgspec
from sqlalchemy import bindparam, select

from channels import dial_outs, phone_numbers, recording
from channels.contract import Address, OutboundMessage
from channels.dial_outs import DialOut
from intake import (
    desk,
    events,
    holds,
    outgoing,
    page_text,
    permission,
)
from intake.desk import DeskError
from intake.model import Account, Context, Ticket
from intake.outbound import Draft
from intake.permission import Asked
from intake.store import schema
from intake.store.engine import Row, Tx
from intake.store.statements import Statement

ACTION = "call_out"
VOICE = "voice"
HOLD_S = 60.0  # beyond the ringing: until the agent's phone is asked what it says, each turn holds on

_o, _m, _i = schema.outbox.c, schema.messages.c, schema.identities.c
_decode = msgspec.json.Decoder(OutboundMessage).decode
_ROW = Statement(
    select(_o.payload, _o.ticket_id, _o.account, _o.cause, _o.created_at).where(
        _o.id == bindparam("outbox_id")
    )
)
_WROTE = Statement(
    select(_m.author)
    .where(_m.ticket_id == bindparam("ticket_id"), _m.direction == "in", _m.medium != "email")
    .order_by(_m.id.desc())
    .limit(20)
)
_NUMBERS = Statement(
    select(_i.value).where(_i.customer_id == bindparam("customer_id"), _i.kind == "phone").order_by(_i.id)
)
_WAITS = Statement(
    select(_o.id)
    .where(
        _o.ticket_id == bindparam("ticket_id"),
        _o.state == "queued",
        _o.medium == VOICE,
        _o.action == bindparam("action"),
    )
    .limit(1)
)


class Called(msgspec.Struct, frozen=True, kw_only=True):
    """A call that was asked for. phone: the agent's, which rings first; number: the customer's; own: shown to them."""

    outbox_id: int
    ref: str
    agent: str
    phone: str
    number: str
    own: str


def call(tx: Tx, context: Context, typed_ref: str, *, agent: str, number: str | None = None) -> Called:
    """Have an agent called, and then the customer of a ticket. number: None = the one they used. Raises: DeskError."""
    desk.check_agent(context, agent)
    ticket = desk.find(tx, typed_ref)
    phone = context.rulebook.agents[agent].phone
    if phone is None:
        raise DeskError(f"the rules name no phone number of {agent}: their phone is the one that rings first")
    account = _account(context, ticket)
    to = _number(tx, ticket, number)
    own = ticket.own_address if ticket.own_address in account.addresses else account.addresses[0]
    action = f"{ACTION}:{agent}"
    if tx.one(_WAITS, ticket_id=ticket.id, action=action) is not None:
        raise DeskError(f"{agent} is being called about {ticket.ref} already")
    record = recording.mode(context.calls.record_out, to)
    extra = _extra(context, account, ticket, agent) | {"customer": to, "own": own, "record": record}
    draft = Draft(
        cause=desk.cause_of(tx, agent).name,
        action=action,
        to=Address(phone, agent),
        subject="",
        text=page_text.calling_sentence(context.organization, ticket.ref, extra["language"]),
        author=agent,
        is_public=False,
        medium=VOICE,
        account=account.name,
        extra=extra,
    )
    _check_allowed(tx, context, account, ticket, draft, to)
    outbox_id = outgoing.send(tx, context, ticket, draft)
    if outbox_id is None:
        raise DeskError(f"nothing in this configuration can call {to}")
    events.of_ticket(tx, ticket, "call_asked", actor=f"agent:{agent}", to=to, own=own, outbox=str(outbox_id))
    _hold(tx, context, agent, outbox_id)
    return Called(outbox_id=outbox_id, ref=ticket.ref, agent=agent, phone=phone, number=to, own=own)


def _hold(tx: Tx, context: Context, agent: str, outbox_id: int) -> None:
    """Let no other call ring for the agent from now on. Raises: DeskError when one does."""
    session, hold_s = dial_outs.session(str(outbox_id)), context.oncall.ring_s + HOLD_S
    if holds.claim(tx, session, (agent,), hold_s=hold_s):
        raise DeskError(f"{agent} is in a call, or their phone rings: when that is over they can be called")


def _extra(context: Context, account: Account, ticket: Ticket, agent: str) -> dict[str, Any]:
    return {
        "call": "out",
        "agent": agent,
        "ring_s": context.oncall.ring_s,
        "language": page_text.language_of(context, account, agent),
        "customers_language": ticket.language or next(iter(account.spoken), "en"),
    }


def _account(context: Context, ticket: Ticket) -> Account:
    """Return the account that calls for a ticket: the one that was called, else the first. Raises: DeskError."""
    able = [each for each in context.accounts.values() if each.medium == VOICE and each.can_deliver]
    own = next((each for each in able if ticket.own_address in each.addresses), None)
    found = own or next((each for each in able if each.addresses), None)
    if found is None:
        raise DeskError("no account of this configuration can call: add one of kind twilio.voice")
    return found


def _number(tx: Tx, ticket: Ticket, typed: str | None) -> str:
    """Return whom to call. Raises: DeskError."""
    if typed is not None:
        number = phone_numbers.e164(typed)
        if number is None:
            raise DeskError(f"'{typed}' is not a number like +48600100200")
        return number
    wrote = (phone_numbers.e164(row[0]) for row in tx.all(_WROTE, ticket_id=ticket.id))
    known = (phone_numbers.e164(row[0]) for row in tx.all(_NUMBERS, customer_id=ticket.customer_id))
    found = next((each for each in (*wrote, *known) if each is not None), None)
    if found is None:
        raise DeskError(f"no number of {ticket.ref}'s customer is known: name one with --number")
    return found


def _check_allowed(
    tx: Tx, context: Context, account: Account, ticket: Ticket, draft: Draft, number: str
) -> None:
    """Raises: DeskError with the reason and its date when the number must not be called."""
    why = _refusal(tx, context, account, number, cause=draft.cause, at=tx.now, ticket_id=ticket.id)
    if why:
        raise DeskError(f"{ticket.ref}: {why}")


def _refusal(
    tx: Tx, context: Context, account: Account | None, number: str, *, cause: str, at: int, ticket_id: int
) -> str:
    """Say why a number must not be called now; "" = it may."""
    asked = Asked(
        medium=VOICE,
        account=account,
        recipient=number,
        is_public=True,
        is_automatic=False,
        cause=cause,
        action=ACTION,
        created_at=at,
        ticket_id=ticket_id,
    )
    verdict = permission.ask(tx, context, asked)
    return "" if verdict.is_allowed else verdict.sentence


# -- while it goes on -------------------------------------------------------------------------------------------------


def row_of(tx: Tx, page: str) -> Row | None:
    """Return what is known of a call that was asked for: payload, ticket, account, cause, created_at. page: its outbox id."""
    return tx.one(_ROW, outbox_id=int(page)) if dial_outs.page_of(dial_outs.session(page)) else None


def shown(tx: Tx, context: Context, session: str | None, *, busy: AbstractSet[str]) -> DialOut | None:
    """Return whom the session of a call from a ticket calls, as it is now; None = it is no such session.

    busy: agents for whom another call rings.
    """
    page = dial_outs.page_of(session)
    row = row_of(tx, page) if page is not None else None
    if page is None or row is None:
        return None
    outbound, extra = _decode(row[0]), _decode(row[0]).extra
    if extra.get("call") != "out":
        return None
    account = context.accounts.get(row[2])
    why = _refusal(tx, context, account, extra["customer"], cause=row[3], at=row[4], ticket_id=row[1] or 0)
    record: Literal["off", "ask", "notice"] = extra.get("record", "off")
    return DialOut(
        page=page,
        said=outbound.text,
        agent=extra["agent"],
        number=extra["customer"],
        own=extra["own"],
        record=record,
        refusal=why,
        language=extra.get("language", "en"),
        customers_language=extra.get("customers_language", "en"),
        is_free=extra["agent"] not in busy,
    )
