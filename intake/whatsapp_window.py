"""WhatsApp's 24 hours: free text may be sent for so long after the customer's last message, then only a template.

Source: twilio.com/docs/whatsapp/key-concepts, "customer service window" (checked 2026-11). Each sender of ours has a window
of its own. What counts is the customer's last message to the one that would answer, whatever ticket it is in: a ticket's
own address is the one that its last message was written to. A word of consent would count as well and is not looked at,
nor is a reaction: we may think the window closed that is open; the other way round only where tickets of two senders have been merged.
"""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import bindparam, select

from intake import instants
from intake.model import Ticket
from intake.store import schema
from intake.store.engine import Tx
from intake.store.statements import Statement

MEDIUM = "whatsapp"
WINDOW = timedelta(hours=24)
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")

_m, _t = schema.messages.c, schema.tickets.c
_LAST = Statement(
    select(_m.at, _m.sent_at)
    .join(schema.tickets, _t.id == _m.ticket_id)
    .where(
        _t.customer_id == bindparam("customer_id"),
        _t.own_address == bindparam("own"),
        _m.direction == "in",
        _m.medium == MEDIUM,
        _m.account == bindparam("account"),
        _m.author == bindparam("author"),
        _m.automatic.is_(None),
    )
    .order_by(_m.id.desc())
    .limit(20)
)


def ends_at(tx: Tx, ticket: Ticket, *, account: str, address: str) -> datetime | None:
    """Return when a customer's window for a ticket ends or ended, aware UTC; None = they never wrote there.

    A message that the reconciler brought late was written when it was sent, not when it came.
    """
    rows = tx.all(
        _LAST, customer_id=ticket.customer_id, own=ticket.own_address, account=account, author=address
    )
    wrote = [min(at, sent_at) if sent_at is not None else at for at, sent_at in rows]
    return instants.datetime_from_us(max(wrote)) + WINDOW if wrote else None


def is_open(until: datetime | None, *, now_us: int) -> bool:
    return until is not None and instants.datetime_from_us(now_us) < until


def told(tx: Tx, ticket: Ticket, *, account: str, address: str) -> dict[str, Any]:
    """Return what the channel has to know to refuse what comes too late."""
    until = ends_at(tx, ticket, account=account, address=address)
    return {} if until is None else {"window_ends_at": until.isoformat()}


def opened(at: datetime) -> dict[str, Any]:
    """Return the same for the answer to what was written just now. at: when, aware."""
    return {"window_ends_at": (at + WINDOW).isoformat()}


def closed(tx: Tx, ticket: Ticket, *, account: str, address: str) -> str | None:
    """Say that no free text may be sent, and since when; None = it may."""
    until = ends_at(tx, ticket, account=account, address=address)
    return None if is_open(until, now_us=tx.now) else sentence(until, account=account, address=address)


def sentence(until: datetime | None, *, account: str, address: str) -> str:
    """Say that a window is closed. until: when it ended, None = there never was one."""
    if until is None:
        return f"{address} never wrote to '{account}' on WhatsApp: only a template may be sent"
    ended = f"{until.day} {MONTHS[until.month - 1]} {until.year} {until:%H:%M} UTC"
    return f"WhatsApp's 24 hours after their last message ended {ended}: only a template may be sent"
