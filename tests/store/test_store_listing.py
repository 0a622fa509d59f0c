"""What the command line lists is read alike on both engines, whole, in order, in pages of any size."""

from typing import Any

import pytest

from intake import listing, timer_list, traffic
from intake.listing import Filters
from intake.store import schema
from intake.store.engine import Store, Tx

HOUR_US = 3_600_000_000
FIRST_US = 1_790_000_000_000_000


def ticket(tx: Tx, number: int) -> None:
    at = FIRST_US + number * HOUR_US
    tx.insert(schema.customers, id=100 + number, name=f"c{number}", language=None, created_at=at)
    tx.insert(
        schema.identities,
        id=200 + number, kind="email", value=f"c{number}@example.net", customer_id=100 + number, created_at=at,
    )  # fmt: skip
    columns: dict[str, Any] = dict.fromkeys(
        column.name
        for column in schema.tickets.columns
        if not column.nullable and column.server_default is None
    )
    columns |= {
        "id": number, "ref": f"R{number}", "customer_id": 100 + number, "subject": f"s{number}", "medium": "email",
        "account": "support", "rule": "default", "created_at": at, "updated_at": at, "messages": 1,
        "team": "billing" if number % 2 else "support", "status": "open" if number > 3 else "new",
    }  # fmt: skip
    tx.insert(schema.tickets, **{name: "" if value is None else value for name, value in columns.items()})
    tx.insert(
        schema.clocks,
        ticket_id=number,
        target="first_response",
        state="running",
        clock="{}",
        due_at=at + HOUR_US,
    )
    tx.insert(schema.clocks, ticket_id=number, target="resolution", state="paused", clock="{}", due_at=None)
    tx.insert(
        schema.timers,
        id=300 + number, ticket_id=number, customer_id=100 + number, kind="step", policy="standard", step="nudge/0",
        due_at=FIRST_US + (number // 2) * HOUR_US,
    )  # fmt: skip
    tx.insert(
        schema.outbox,
        id=400 + number, cause=f"m{number}", action="reply", ticket_id=number, medium="email", account="support",
        recipient="a@example.net", payload="{}", state="failed" if number == 2 else "sent", created_at=at,
    )  # fmt: skip
    tx.insert(
        schema.journal,
        kind="email.smtp", account="support", lane="x", received_at=at, blob_id=1, key=None, ticket_id=number,
        state="quarantined" if number == 5 else "ticket",
    )  # fmt: skip


def tickets(tx: Tx) -> None:
    for number in range(1, 6):
        ticket(tx, number)


@pytest.fixture
def filled(store: Store, monkeypatch: pytest.MonkeyPatch) -> Store:
    monkeypatch.setattr(listing, "PAGE", 2)
    store.write_now(tickets)
    return store


def test_a_list_is_whole_and_in_order_whatever_the_page(filled: Store) -> None:
    found = list(listing.tickets(filled, Filters()))
    assert [each["ref"] for each in found] == ["R1", "R2", "R3", "R4", "R5"]
    assert found[1]["customer"]["address"] == "c2@example.net"
    assert [set(each["due"]) for each in found] == [{"first_response"}] * 5


@pytest.mark.parametrize(
    ("filters", "refs"),
    [
        (Filters(state="new"), ["R1", "R2", "R3"]),
        (Filters(team="billing"), ["R1", "R3", "R5"]),
        (Filters(state="open", team="billing"), ["R5"]),
        (Filters(since=FIRST_US + 4 * HOUR_US), ["R4", "R5"]),
        (Filters(limit=3), ["R1", "R2", "R3"]),
        (Filters(state="closed"), []),
    ],
)
def test_filters_narrow_tickets(filled: Store, filters: Filters, refs: list[str]) -> None:
    assert [each["ref"] for each in listing.tickets(filled, filters)] == refs


def test_timers_are_listed_soonest_first_and_each_once(filled: Store) -> None:
    found = list(timer_list.rows(filled))
    assert [each["ticket"] for each in found] == ["R1", "R2", "R3", "R4", "R5"]
    assert [each["due_at"] for each in found] == sorted(each["due_at"] for each in found)
    assert len(list(timer_list.rows(filled, timer_list.Wanted(limit=3)))) == 3


def test_journal_and_outbox_are_listed_by_state(filled: Store) -> None:
    assert [each["ticket"] for each in traffic.journal(filled, Filters(state="quarantined"))] == ["R5"]
    assert len(list(traffic.journal(filled, Filters()))) == 5
    assert [each["id"] for each in traffic.outbox(filled, Filters(state="failed"))] == ["402"]


def test_a_ticket_without_messages_and_decision_is_shown(filled: Store) -> None:
    shown = filled.read_now(lambda tx: listing.ticket(tx, "R3"))
    assert shown is not None
    assert (shown["conversation"], shown["decision"]) == ([], None)
    assert filled.read_now(lambda tx: listing.ticket(tx, "R9")) is None
