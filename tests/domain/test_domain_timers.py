"""The bell: it fires what is due by the wall clock, in order, once, whatever happens to the clock, and one that breaks is tried again."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from apscheduler.schedulers.asyncio import AsyncIOScheduler

from intake import clockworks, due, firing
from intake.store import opening
from intake.store.engine import Signals, Tx
from intake.timers import Timers, _by_ticket
from tests.domain.world import World

STEP = "nudge/0"


class Bell:
    """A daemon's timers whose scheduler never runs a job: time passes when a test says so."""

    def __init__(self, world: World) -> None:
        self.told: list[tuple[str, dict[str, Any]]] = []
        self.scheduler = AsyncIOScheduler(timezone="UTC")
        self.scheduler.start(paused=True)
        self.timers = Timers(
            world.store,
            context=lambda: world.context,
            scheduler=self.scheduler,
            told=lambda event, fields: self.told.append((event, fields)),
        )
        self._loop = asyncio.get_running_loop()
        world.store.listen(self._committed)

    def _committed(self, signals: Signals) -> None:
        if "timers" in signals:
            self._loop.call_soon_threadsafe(self.timers.due_at, signals["timers"])

    @property
    def fired(self) -> list[str]:
        return [fields["step"] for event, fields in self.told if event == "timer_fired"]

    @property
    def rings_at(self) -> datetime:
        at: datetime = self.scheduler.get_job("bell").trigger.run_date
        return at


@pytest.fixture
async def bell(world: World) -> AsyncIterator[Bell]:
    made = Bell(world)
    yield made
    made.scheduler.shutdown(wait=False)


@pytest.fixture
def ticket(world: World) -> dict[str, Any]:
    return world.ticket(world.receive())


async def until_told(bell: Bell) -> None:
    async with asyncio.timeout(5):
        while not bell.told:
            await asyncio.sleep(0)


def is_ringing(bell: Bell) -> bool:
    return bell.timers._bell.is_set()


async def test_what_is_due_fires_and_the_bell_is_set_to_the_next(
    world: World, bell: Bell, ticket: dict[str, Any]
) -> None:
    world.advance(hours=1)
    await bell.timers.fire_due()
    assert bell.fired == [STEP]
    assert bell.rings_at == world.clock() + timedelta(hours=1)


async def test_an_idle_look_rings_nothing(world: World, bell: Bell, ticket: dict[str, Any]) -> None:
    await bell.timers.fire_due()
    bell.timers.look()
    assert not is_ringing(bell)


async def test_a_jump_forward_is_noticed_by_the_next_look(
    world: World, bell: Bell, ticket: dict[str, Any]
) -> None:
    """The scheduler waits on a clock that did not jump: the look compares with the one that did."""
    await bell.timers.fire_due()
    world.advance(hours=2)
    bell.timers.look()
    assert is_ringing(bell)
    await bell.timers.fire_due()
    assert bell.fired[0] == STEP


async def test_a_jump_back_fires_nothing_early_and_nothing_twice(
    world: World, bell: Bell, ticket: dict[str, Any]
) -> None:
    """Two hours back after the first step: it stays fired, and the breach waits for its instant."""
    world.advance(hours=1)
    await bell.timers.fire_due()
    world.advance(hours=-2)
    bell.timers.look()
    assert not is_ringing(bell)
    bell.timers.ring()
    await bell.timers.fire_due()
    assert bell.fired == [STEP]
    world.advance(hours=3)
    await bell.timers.fire_due()
    assert bell.fired.count(STEP) == 1
    assert world.events(ticket).count("sla_breached") == 1


async def test_an_earlier_timer_written_meanwhile_moves_the_bell(world: World, bell: Bell) -> None:
    await bell.timers.fire_due()
    await asyncio.to_thread(world.receive)
    assert bell.rings_at == world.clock() + timedelta(hours=1)


async def test_a_timer_written_while_the_store_is_read_is_not_forgotten(
    world: World, bell: Bell, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The look at the store has begun; what is committed now may not be in it, and still sets the bell."""
    real = due.next_at

    def next_at(tx: Tx) -> int | None:
        found = real(tx)
        bell.timers.due_at(world.store.now_us() + 1_000_000)
        return found

    monkeypatch.setattr(due, "next_at", next_at)
    await bell.timers.fire_due()
    assert bell.rings_at == world.clock() + timedelta(seconds=1)


async def test_late_timers_of_many_tickets_fire_oldest_first_and_each_tickets_in_order(
    world: World, bell: Bell, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Five tickets and a day of downtime, in pages of four: no page gets in front of an older one."""
    from intake import timers

    monkeypatch.setattr(timers, "PAGE", 4)
    for number in range(5):
        world.receive(f"c{number}@customer.example")
        world.advance(minutes=1)
    world.advance(days=1)
    await bell.timers.fire_due()
    by_ticket: dict[str, list[str]] = {}
    for _, fields in bell.told:
        by_ticket.setdefault(fields["ticket"], []).append(fields["step"])
    orders = {tuple(steps) for steps in by_ticket.values()}
    assert len(orders) == 1
    assert orders.pop()[:3] == (STEP, "breach:first_response", "nudge/1")
    assert world.rows("timers", "state = 'pending' AND due_at <= :now", now=world.store.now_us()) == []


async def test_an_earlier_timer_of_another_process_is_found_when_it_has_written(
    world: World, bell: Bell, tmp_path: Path
) -> None:
    """The command line writes beside the daemon: the daemon sees that somebody has, looks, and sets the bell."""
    await bell.timers.fire_due()
    await world.store.has_foreign_writes()
    with closing(opening.open_store("", tmp_path, clock=world.clock)) as other:
        World(other, tmp_path, world.clock).receive()
    assert await world.store.has_foreign_writes()
    bell.timers.ring()
    assert is_ringing(bell)
    await bell.timers.fire_due()
    assert bell.rings_at == world.clock() + timedelta(hours=1)


def test_the_timers_of_a_ticket_wait_for_each_other() -> None:
    """On PostgreSQL four writers run at once: what is not in one chain may overtake."""
    assert _by_ticket([(1, 7), (2, 8), (3, 7)]) == [[(1, 7), (3, 7)], [(2, 8)]]


# -- what breaks ----------------------------------------------------------------------------------------------------


@pytest.fixture
def poison(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Make a timer break whenever it fires, until it is made well with 0."""
    real, sick = firing.fire, [0]

    def fire(tx: Tx, context: Any, timer_id: int, ticket_id: int) -> Any:
        if timer_id == sick[0]:
            raise ZeroDivisionError
        return real(tx, context, timer_id, ticket_id)

    monkeypatch.setattr(firing, "fire", fire)

    def choose(timer_id: int) -> None:
        sick[0] = timer_id

    return choose


def first_timer(world: World) -> dict[str, Any]:
    return world.rows("timers", "state IN ('pending', 'failing', 'failed') ORDER BY due_at")[0]


async def test_a_broken_timer_stops_no_other_and_is_tried_again(
    world: World, bell: Bell, ticket: dict[str, Any], poison: Callable[[int], None]
) -> None:
    poison(first_timer(world)["id"])
    other = world.ticket(world.receive("eva@customer.example"))
    world.advance(hours=1)
    await bell.timers.fire_due()
    assert world.events(other).count("escalated") == 1
    assert {event for event, _ in bell.told} == {"timer_delayed", "timer_fired"}
    assert first_timer(world)["state"] == "failing"
    poison(0)
    world.advance(seconds=due.BACK_OFF_S[0])
    await bell.timers.fire_due()
    assert world.events(ticket).count("escalated") == 1


async def test_a_timer_that_breaks_five_times_is_given_up_loudly_and_an_operator_brings_it_back(
    world: World, bell: Bell, ticket: dict[str, Any], poison: Callable[[int], None]
) -> None:
    poison(first_timer(world)["id"])
    world.advance(hours=1)
    for pause_s in (0, *due.BACK_OFF_S):
        world.advance(seconds=pause_s)
        await bell.timers.fire_due()
    row = first_timer(world)
    assert (row["state"], row["attempts"]) == ("failed", due.ATTEMPTS_MAX)
    assert "timer_failed" in world.events(ticket)
    assert bell.told[-1][0] == "timer_failed"
    assert world.store.read_now(lambda tx: due.late(tx, most_failed=5)).failed == (row["id"],)
    poison(0)
    assert world.store.write_now(lambda tx: due.retry(tx, row["id"]))
    await bell.timers.fire_due()
    assert world.events(ticket).count("escalated") == 1


def test_what_is_late_is_counted_once_however_many_timers_wait(world: World, ticket: dict[str, Any]) -> None:
    """One is due and several are not; what is told is the first one's instant."""
    waiting = world.rows("timers", "state = 'pending' ORDER BY due_at, id")
    assert len({row["due_at"] for row in waiting}) > 1
    world.advance(microseconds=waiting[0]["due_at"] - world.store.now_us())
    late = world.store.read_now(lambda tx: due.late(tx, most_failed=5))
    same = [row for row in waiting if row["due_at"] == waiting[0]["due_at"]]
    assert (late.count, late.oldest_us) == (len(same), waiting[0]["due_at"])


async def test_a_failing_step_of_a_target_that_was_met_meanwhile_never_fires(
    world: World, bell: Bell, ticket: dict[str, Any], poison: Callable[[int], None]
) -> None:
    poison(first_timer(world)["id"])
    world.advance(hours=1)
    await bell.timers.fire_due()
    world.reply(ticket)
    poison(0)
    world.advance(minutes=30)
    await bell.timers.fire_due()
    assert world.events(ticket).count("escalated") == 0


async def test_a_broken_clockwork_is_left_alone_for_a_minute_and_stops_no_timer(
    world: World, bell: Bell, ticket: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    class Broken:
        KIND = "broken"
        runs = 0

        def next_due(self, tx: Tx, /) -> int | None:
            return 0

        async def run_due(self, store: Any, context: Any, /) -> int:
            self.runs += 1
            raise ZeroDivisionError

    broken = Broken()
    monkeypatch.setattr(clockworks, "CLOCKWORKS", (broken,))
    world.advance(hours=1)
    await bell.timers.fire_due()
    await bell.timers.fire_due()
    assert (broken.runs, bell.fired) == (1, [STEP])
    assert ("clockwork_failed", {"clockwork": "Broken", "reason": "ZeroDivisionError"}) in bell.told
    world.advance(seconds=clockworks.REST_S)
    await bell.timers.fire_due()
    assert broken.runs == 2


async def test_the_bell_survives_a_fault_of_its_own(
    world: World, bell: Bell, ticket: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing else would ring again: the fault is told, and the store looked at again soon."""
    real, faults = due.next_at, [1]

    def next_at(tx: Tx) -> int | None:
        if faults:
            faults.pop()
            raise ZeroDivisionError
        return real(tx)

    monkeypatch.setattr(due, "next_at", next_at)
    running = asyncio.create_task(bell.timers.run())
    await until_told(bell)
    running.cancel()
    assert bell.told == [("timers_delayed", {"reason": "a fault of ours: ZeroDivisionError"})]
    assert bell.rings_at > world.clock()


# -- giving way -----------------------------------------------------------------------------------------------------


@pytest.mark.slow
async def test_late_timers_leave_pauses_in_which_new_mail_is_settled(world: World, bell: Bell) -> None:
    """A write asked for while two hundred late timers fire is done before the last of them."""
    for number in range(30):
        world.receive(f"c{number}@customer.example")
    world.advance(days=1)
    firing_all = asyncio.create_task(bell.timers.fire_due())
    await until_told(bell)
    await world.store.write(lambda tx: None)
    fired_before = len(bell.fired)
    await firing_all
    assert fired_before < len(bell.fired)
