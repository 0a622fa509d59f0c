"""Tickets as bare rows, quickly: what the desk's lists are tried on."""

import random
from typing import Any

from intake.store import schema
from intake.store.engine import Tx

FIRST_US = 1_790_000_000_000_000
MINUTE_US = 60_000_000
TEAMS = ("support", "billing", "sales", None)
AGENTS = ("ania", "ewa", "tomek", None, None)
STATUSES = ("new", "open", "pending", "on_hold", "solved", "closed")


def add_ticket(tx: Tx, number: int, **columns: Any) -> None:
    """Write a ticket with a customer and a message of its own. columns: what it says instead."""
    at = FIRST_US + number * MINUTE_US
    tx.insert(schema.customers, id=1_000_000 + number, name=f"c{number}", created_at=at)
    tx.insert(
        schema.identities,
        id=2_000_000 + number, kind="email", value=f"c{number}@example.net", customer_id=1_000_000 + number, created_at=at,
    )  # fmt: skip
    row: dict[str, Any] = {
        "id": number, "ref": f"R{number}", "customer_id": 1_000_000 + number, "subject": f"s{number}", "medium": "email",
        "account": "support", "rule": "default", "created_at": at, "updated_at": at, "written_at": at, "messages": 1,
    }  # fmt: skip
    tx.insert(schema.tickets, **(row | columns))
    add_message(tx, 10_000 * number, ticket_id=number, at=at)


def add_message(tx: Tx, message_id: int, *, ticket_id: int, at: int, **columns: Any) -> None:
    row = {
        "id": message_id, "ticket_id": ticket_id, "customer_id": 1_000_000 + ticket_id, "direction": "in",
        "author": f"c{ticket_id}@example.net", "medium": "email", "account": "support", "body": f"words {message_id}", "at": at,
    }  # fmt: skip
    tx.insert(schema.messages, **(row | columns))


def random_columns(chance: random.Random, number: int) -> dict[str, Any]:
    """Return what makes a ticket one of many kinds; several were written at the same instant."""
    status = chance.choice(STATUSES)
    is_open = status not in ("solved", "closed")
    at = FIRST_US + chance.randrange(60) * MINUTE_US
    return {
        "status": status,
        "solved_at": None if is_open else at,
        "team": chance.choice(TEAMS),
        "agent": chance.choice(AGENTS),
        "medium": chance.choice(("email", "sms")),
        "priority": chance.choice(("normal", "urgent")),
        "tags": chance.choice(("[]", '["vip"]', '["vip","later"]')),
        "written_at": at,
        "next_due_at": at + number % 7 * MINUTE_US if is_open and number % 3 else None,
    }
