"""STOP against everything that sends, at the same moment, on both engines."""

import threading
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import pytest

from channels.contract import OutboundMessage
from intake import admitting, consent_decisions, desk, opt_outs
from intake.desk import DeskError
from intake.store.engine import Store
from tests.phone.consent_desk import PHONE, ConsentDesk
from tests.phone.texting import JAN
from tests.store.racing import WRITERS, at_once

ROUNDS = 4


@pytest.fixture
def world(store: Store, tmp_path: Path, clock: Any) -> ConsentDesk:
    return ConsentDesk(store, tmp_path, clock, quiet_hours="")


def answer(world: ConsentDesk, ticket: dict[str, Any], text: str) -> Any:
    return world.store.write_now(
        lambda tx: desk.reply(tx, world.context, ticket["ref"], agent="ania", text=text)
    )


def admit(world: ConsentDesk, row: dict[str, Any]) -> bool:
    outbound = msgspec.json.decode(row["payload"], type=OutboundMessage)
    verdict = world.store.write_now(lambda tx: admitting.admit(tx, world.context, row["id"], outbound))
    return verdict is not None and verdict.is_allowed


def test_stop_against_seven_answers(world: ConsentDesk) -> None:
    """Whatever was first: once STOP is settled nothing reaches the number, and no answer that was held back counts."""
    for number in range(ROUNDS):
        jan = f"+4860010020{number}"
        ticket = world.ticket(world.say("My printer is on fire", jan))
        calls: list[Any] = [partial(answer, world, ticket, f"Answer {each}") for each in range(WRITERS - 1)]
        calls.insert(number, partial(world.say, "STOP", jan))
        found = at_once(calls)
        assert world.texts_to(jan) == []
        refused = sum(isinstance(each, DeskError) for each in found)
        withheld = world.rows("outbox", "ticket_id = :id AND state = 'withheld'", id=ticket["id"])
        assert refused + len(withheld) == WRITERS - 1
        assert world.row("tickets", ticket["id"])["agent_replied_at"] is None


def test_stop_against_deliveries_under_way(world: ConsentDesk) -> None:
    """What is admitted was admitted before STOP was settled; nothing is afterwards."""
    for number in range(ROUNDS):
        jan = f"+4860010021{number}"
        ticket = world.ticket(world.say("My printer is on fire", jan))
        rows = [world.row("outbox", answer(world, ticket, f"Answer {each}")) for each in range(WRITERS - 1)]
        settled = threading.Event()

        def stop(jan: str = jan, settled: threading.Event = settled) -> None:
            world.say("STOP", jan)
            settled.set()

        def deliver(row: dict[str, Any], settled: threading.Event = settled) -> tuple[bool, bool]:
            """Whether STOP was settled before the gate was asked, and what the gate said."""
            was_settled = settled.is_set()
            return was_settled, admit(world, row)

        calls: list[Any] = [partial(deliver, row) for row in rows]
        calls.insert(number * 2, stop)
        found = [each for each in at_once(calls) if each is not None]
        assert (True, True) not in found
        assert not any(
            admit(world, row) for row in rows if world.row("outbox", row["id"])["state"] == "queued"
        )


@pytest.mark.slow
def test_stop_and_start_by_turns_leave_one_word(world: ConsentDesk) -> None:
    """Eight writers: what the ledger says last is what holds, and what stands beside the customer."""
    world.say("My printer is on fire")
    for number in range(ROUNDS):
        calls = [partial(world.say, "STOP" if (each + number) % 2 else "START") for each in range(WRITERS)]
        at_once(calls)
        rows = world.rows("opt_outs", "value = :value ORDER BY id", value=JAN)
        (customer,) = world.rows("customers", "name = '' OR name IS NOT NULL LIMIT 1")
        is_out = bool(rows) and rows[-1]["state"] == "out"
        assert (world.holding(PHONE) is not None) == is_out
        assert bool(world.store.read_now(opt_outs.current)) == is_out
        assert (customer["opted_out_at"] is not None) == is_out
        world.advance(minutes=1)


def test_eight_deliveries_share_a_budget_of_three(world: ConsentDesk) -> None:
    """One statement takes it: a crowd cannot slip through."""
    world.set(budget_per_number=3)
    ticket = world.ticket(world.say("My printer is on fire"))
    rows = [world.send(ticket, f"{each}") for each in range(WRITERS)]
    assert sum(at_once([partial(admit, world, row) for row in rows])) == 3
    assert len(world.rows("outbox", "state = 'withheld'")) == WRITERS - 3


def test_a_suggestion_is_decided_by_one_of_eight(world: ConsentDesk) -> None:
    """The others hear that it has been."""
    world.say("Stop texting me")
    (found,) = world.store.read_now(opt_outs.suggested)

    def decide(*, is_out: bool) -> Any:
        return world.store.write_now(
            lambda tx: consent_decisions.decide(tx, world.context, found.id, agent="ania", is_out=is_out)
        )

    done = at_once([partial(decide, is_out=each % 2 == 0) for each in range(WRITERS)])
    assert sum(not isinstance(each, DeskError) for each in done) == 1
    assert len(world.rows("opt_outs")) == 2
