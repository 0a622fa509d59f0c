"""Every change is an event row first: what the desk shows as history and what live updates are made from."""

from typing import Any

import msgspec

from intake.model import Ticket
from intake.store import schema
from intake.store.engine import Tx

SIGNAL = "events"  # something happened: live updates look for it after the commit

_encode = msgspec.json.Encoder().encode


def record(
    tx: Tx,
    kind: str,
    *,
    ticket_id: int | None = None,
    customer_id: int | None = None,
    actor: str = "system",
    **details: Any,
) -> None:
    """Write one event. actor: "customer", "agent:<name>", "rule:<id>" or "system"; details: JSON values."""
    tx.insert(
        schema.events,
        ticket_id=ticket_id,
        customer_id=customer_id,
        kind=kind,
        actor=actor,
        details=_encode(details).decode(),
        at=tx.now,
    )
    tx.signal(SIGNAL, 1)


def of_ticket(tx: Tx, ticket: Ticket, kind: str, *, actor: str = "system", **details: Any) -> None:
    """Write one event of a ticket."""
    record(tx, kind, ticket_id=ticket.id, customer_id=ticket.customer_id, actor=actor, **details)


def rule_failed(tx: Tx, ticket: Ticket, rule: str, *, on: str, error: str) -> None:
    """Tell that a rule broke and so did not match: an event, and a figure."""
    of_ticket(tx, ticket, "rule_failed", actor=f"rule:{rule}", on=on, error=error)
    tx.signal("rules_failed", [rule])
