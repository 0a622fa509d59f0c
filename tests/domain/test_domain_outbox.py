"""What is queued goes out: retried, given up loudly, never twice knowingly."""

import asyncio
from typing import Any

import pytest

from channels.contract import Delivered, DeliveryFailed, OutboundMessage
from intake import outbox
from intake.delivering import BACK_OFF_S, Outbox
from tests.domain.world import World

LATER = DeliveryFailed("greylisted", retryable=True)


class Relay:
    """The far end: takes, or fails as told. errors: one for each try, then everything is taken."""

    def __init__(self, *errors: Exception) -> None:
        self.errors = list(errors)
        self.taken: list[OutboundMessage] = []
        self.tries = 0
        self.tried = asyncio.Event()

    async def deliver(self, outbound: OutboundMessage) -> Delivered:
        self.tries += 1
        self.tried.set()
        if self.errors:
            raise self.errors.pop(0)
        self.taken.append(outbound)
        return Delivered("queued as 42")


async def deliver_due(world: World, relay: Relay) -> Outbox:
    """Send what is due now, and wait until each of it is noted."""
    sender = Outbox(world.store, {"support": relay}, jitter=lambda: 0.0)
    rows, _ = await sender._due()
    for queued in rows:
        await sender._free.acquire()
        await sender._send(queued)
    return sender


@pytest.fixture
def queued(world: World) -> dict[str, Any]:
    """An agent's answer that waits to be sent, alone in the outbox."""
    ticket = world.ticket(world.receive())
    outbox_id = world.reply(ticket)
    others = [row["id"] for row in world.rows("outbox", "id <> :id", id=outbox_id)]
    world.store.write_now(lambda tx: [outbox.drop(tx, each) for each in others])
    return world.row("outbox", outbox_id)


async def test_taken_message_is_marked_sent(world: World, queued: dict[str, Any]) -> None:
    """The other side's name for it is kept, and it is not due again."""
    relay = Relay()
    await deliver_due(world, relay)
    row = world.row("outbox", queued["id"])
    assert (row["state"], row["provider_id"], row["next_at"]) == ("sent", "queued as 42", None)
    await deliver_due(world, relay)
    assert relay.tries == 1


async def test_temporary_failure_waits_longer_each_time(world: World, queued: dict[str, Any]) -> None:
    """Back-off grows by its table; nothing is tried before its instant."""
    relay = Relay(*[DeliveryFailed("greylisted", retryable=True)] * 3)
    waits = []
    for _ in range(3):
        await deliver_due(world, relay)
        row = world.row("outbox", queued["id"])
        waits.append((row["next_at"] - world.store.now_us()) // 1_000_000)
        await deliver_due(world, relay)
        world.advance(seconds=waits[-1])
    assert (waits, relay.tries) == (list(BACK_OFF_S[:3]), 3)


async def test_permanent_failure_is_a_dead_letter_and_an_event(world: World, queued: dict[str, Any]) -> None:
    """550 is not tried again; the ticket's history says so."""
    await deliver_due(world, Relay(DeliveryFailed("550 no such user", retryable=False)))
    row = world.row("outbox", queued["id"])
    assert (row["state"], row["error"]) == ("failed", "550 no such user")
    assert "delivery_failed" in world.events(world.row("tickets", queued["ticket_id"]))


async def test_endless_temporary_failure_is_given_up_at_the_end_of_the_table(
    world: World, queued: dict[str, Any]
) -> None:
    """After about three days the message is a dead letter, which is kept."""
    relay = Relay(*[DeliveryFailed("busy", retryable=True)] * 99)
    for _ in range(len(BACK_OFF_S) + 1):
        await deliver_due(world, relay)
        world.advance(days=2)
    assert world.row("outbox", queued["id"])["state"] == "failed"
    assert relay.tries == len(BACK_OFF_S) + 1


async def test_bug_in_a_channel_is_a_temporary_failure(world: World, queued: dict[str, Any]) -> None:
    """Whatever a channel raises, the message stays queued and the next one goes out."""
    await deliver_due(world, Relay(RuntimeError("a bug")))
    assert world.row("outbox", queued["id"])["state"] == "queued"


async def test_dead_letter_can_be_sent_again(world: World, queued: dict[str, Any]) -> None:
    """`outbox retry` gives it a new life with the same Message-ID."""
    relay = Relay(DeliveryFailed("550", retryable=False))
    await deliver_due(world, relay)
    assert world.store.write_now(lambda tx: outbox.retry(tx, queued["id"]))
    await deliver_due(world, relay)
    assert world.row("outbox", queued["id"])["state"] == "sent"
    assert relay.taken[0].id == str(queued["id"])


async def test_sent_message_is_neither_retried_nor_dropped(world: World, queued: dict[str, Any]) -> None:
    """States never go back."""
    await deliver_due(world, Relay())
    assert not world.store.write_now(lambda tx: outbox.retry(tx, queued["id"]))
    assert not world.store.write_now(lambda tx: outbox.drop(tx, queued["id"]))


async def test_running_outbox_hears_of_new_rows(world: World) -> None:
    """A row that is written while the outbox waits goes out at once."""
    relay = Relay()
    sender = Outbox(world.store, {"support": relay})
    loop = asyncio.get_running_loop()

    def heard(signals: dict[str, Any]) -> None:
        if "outbox" in signals:
            loop.call_soon_threadsafe(sender.wake)

    world.store.listen(heard)
    task = asyncio.create_task(sender.run())
    await asyncio.to_thread(world.receive)
    await asyncio.wait_for(relay.tried.wait(), 10)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert relay.taken


async def test_stopping_finishes_what_is_under_way(world: World, queued: dict[str, Any]) -> None:
    """A message that the relay is taking is noted as sent before the outbox ends."""

    class Slow(Relay):
        async def deliver(self, outbound: OutboundMessage) -> Delivered:
            self.tried.set()
            await stopping.wait()
            return await super().deliver(outbound)

    stopping = asyncio.Event()
    relay = Slow()
    task = asyncio.create_task(Outbox(world.store, {"support": relay}).run())
    await asyncio.wait_for(relay.tried.wait(), 10)
    task.cancel()
    stopping.set()
    await asyncio.gather(task, return_exceptions=True)
    assert world.row("outbox", queued["id"])["state"] == "sent"


async def test_refused_copy_is_told_and_the_answer_counts(world: World, queued: dict[str, Any]) -> None:
    """Whom it was for has it; the ticket's history names who has not, and why."""

    class Choosy(Relay):
        async def deliver(self, outbound: OutboundMessage) -> Delivered:
            return Delivered("1", refused={"boss@customer.example": "550 5.1.1 no such user"})

    await deliver_due(world, Choosy())
    assert world.row("outbox", queued["id"])["state"] == "sent"
    (event,) = world.rows("events", "kind = 'copy_failed'")
    assert event["ticket_id"] == queued["ticket_id"]
    assert "boss@customer.example" in event["details"]


@pytest.mark.parametrize(
    "failure", [DeliveryFailed("greylisted", retryable=True), DeliveryFailed("550 no", retryable=False)]
)
async def test_what_was_dropped_on_its_way_stays_dropped(
    world: World, queued: dict[str, Any], failure: DeliveryFailed
) -> None:
    """Whoever took it back while the relay was refusing it has had the last word."""
    told: list[str] = []
    sender = Outbox(world.store, {"support": Relay(failure)}, told=lambda event, _: told.append(event))
    ([row], _) = await sender._due()
    world.store.write_now(lambda tx: outbox.drop(tx, queued["id"]))
    await sender._free.acquire()
    await sender._send(row)
    assert (world.row("outbox", queued["id"])["state"], told) == ("dropped", [])
    assert "delivery_failed" not in world.events(world.row("tickets", queued["ticket_id"]))


async def test_a_look_that_is_older_than_a_delivery_does_not_send_it_again(
    world: World, queued: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The rows are read in a thread: one may be sent and noted before they arrive."""
    relay = Relay()
    sender = Outbox(world.store, {"support": relay}, jitter=lambda: 0.0)
    (mine,), _ = await sender._due()
    read = world.store.read

    async def slow_read(fn: Any) -> Any:
        found = await read(fn)
        await sender._free.acquire()
        await sender._send(mine)
        return found

    monkeypatch.setattr(world.store, "read", slow_read)
    assert (await sender._due())[0] == []
    assert relay.tries == 1


async def test_a_clock_that_is_set_back_holds_no_mail_back(world: World, queued: dict[str, Any]) -> None:
    """Two hours back: what was due at once is sent at once, and a second try comes after its half minute."""
    sender = Outbox(world.store, {"support": Relay()}, jitter=lambda: 0.0)
    assert len((await sender._due())[0]) == 1
    world.advance(hours=-2)
    assert len((await sender._due())[0]) == 1
    world.store.write_now(lambda tx: outbox.note_failed(tx, queued["id"], LATER, 1, tx.now + 30_000_000))
    world.advance(hours=-2)
    assert (await sender._due())[0] == []
    world.advance(seconds=31)
    assert len((await sender._due())[0]) == 1


async def test_a_clock_that_was_set_back_before_the_start_holds_no_mail_back(
    world: World, queued: dict[str, Any]
) -> None:
    world.advance(hours=-2)
    relay = Relay()
    await deliver_due(world, relay)
    assert relay.tries == 1
