"""How the daemon fares is told whole, and what is stuck is mended by the functions of the command line, with its actor."""

from typing import Any

import msgspec

from intake import operations
from intake.operations import Overview
from intake.store import schema
from tests.domain.world import World


def look(world: World) -> Overview:
    return operations.look(world.store, world.context.accounts)


def given_up(world: World) -> dict[str, Any]:
    """An acknowledgement that no server took."""
    ticket = world.ticket(world.receive())
    row = world.rows("outbox", "ticket_id = :id", id=ticket["id"])[0]
    world.store.write_now(
        lambda tx: tx.update(
            schema.outbox, {"id": row["id"]}, state="failed", error="550 no", next_at=None, attempts=9
        )
    )
    return row | {"ref": ticket["ref"]}


def test_an_account_is_told_with_what_it_brought_last(world: World) -> None:
    world.receive()
    world.advance(hours=2)
    [channel] = look(world).channels
    assert (channel["account"], channel["channel"], channel["last_received_at"]) == (
        "support",
        "email",
        "2026-11-10T09:00:00Z",
    )
    assert channel["unsettled"] == 0


def test_what_is_not_settled_is_counted_with_its_oldest(world: World) -> None:
    for _ in range(3):
        world.journal()
        world.advance(minutes=1)
    [channel] = look(world).channels
    assert (channel["unsettled"], channel["oldest_unsettled_at"]) == (
        3,
        channel["last_received_at"][:14] + "00:00Z",
    )


def test_what_was_set_aside_is_replayed_once_and_by_somebody(world: World) -> None:
    row = world.receive_unreadable()
    [told] = look(world).quarantine.rows
    assert (told.told["id"], told.told["problem"], told.ref) == (
        str(row["id"]),
        "a bug",
        world.ticket(row)["ref"],
    )
    assert world.store.write_now(lambda tx: operations.replay(tx, row["id"], agent="tomek"))
    assert not world.store.write_now(lambda tx: operations.replay(tx, row["id"], agent="tomek"))
    assert world.row("journal", row["id"])["state"] == "pending"
    [event] = world.rows("events", "kind = 'replayed'")
    assert event["actor"] == "agent:tomek"
    assert look(world).quarantine.count == 0


def test_only_what_was_set_aside_is_replayed(world: World) -> None:
    row = world.receive()
    assert not world.store.write_now(lambda tx: operations.replay(tx, row["id"], agent="tomek"))
    assert not world.store.write_now(lambda tx: operations.replay(tx, 999, agent="tomek"))


def test_a_dead_letter_is_sent_again_or_never(world: World) -> None:
    first, second = given_up(world), given_up(world)
    found = look(world).dead_letters
    assert found.count == 2
    assert found.rows[1].told["error"] == "550 no"
    assert world.store.write_now(lambda tx: operations.retry(tx, first["id"], agent="tomek"))
    assert world.store.write_now(lambda tx: operations.drop(tx, second["id"], agent="tomek"))
    assert not world.store.write_now(lambda tx: operations.retry(tx, 999, agent="tomek"))
    assert [world.row("outbox", each["id"])["state"] for each in (first, second)] == ["queued", "dropped"]
    kinds = [row["kind"] for row in world.rows("events", "actor = 'agent:tomek' ORDER BY id")]
    assert kinds == ["send_retried", "send_dropped"]
    assert look(world).queued.rows[0].ref == first["ref"]


def test_what_is_due_is_told_with_its_ticket_and_whether_it_is_late(world: World) -> None:
    ticket = world.ticket(world.receive())
    found = look(world).timers
    assert {row.ref for row in found.rows} == {ticket["ref"]}
    assert {row.team for row in found.rows} == {"support"}
    assert not any(row.told["is_late"] for row in found.rows)
    world.advance(days=1)
    assert all(row.told["is_late"] for row in look(world).timers.rows if row.ref)


def test_all_of_it_is_json(world: World) -> None:
    given_up(world)
    told = msgspec.json.decode(msgspec.json.encode(look(world).to_json()))
    assert set(told) == {"at", "channels", "ledger", "quarantine", "dead_letters", "queued", "timers"}
    assert told["dead_letters"]["count"] == 1
