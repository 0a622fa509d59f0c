"""The history of a ticket's clocks: it adds up to what the clocks say, whatever has happened to the ticket."""

import itertools
import random
from collections.abc import Callable
from datetime import datetime
from typing import Any

import msgspec
import pytest

from intake import clock_history, desk, desk_promises, failures, merging, rearming
from intake.clock_events import Moved
from intake.clock_history import History, Lives
from intake.commands import clock_page
from intake.desk import DeskError
from intake.store import schema
from routing.calendar import ALWAYS_OPEN
from tests.domain.world import RULES, World

OFFICE = (
    RULES.replace(
        "  standard: {calendar: always, first_response: {urgent: 30m, normal: 2h}, resolution: 8h,",
        "  strict: {calendar: always, first_response: 1h, resolution: 1d, update: 3h, pause: [on_hold]}\n"
        "  standard: {calendar: office, first_response: {urgent: 30m, normal: 2h}, next_response: 3h, update: 1h30m,"
        " resolution: {normal: 3 working days, urgent: 8h},",
    ).replace("react:", "")
    + "react:\n  - {id: other, on: note_added, then: {sla: strict}}\n"
)


def lives(world: World, ticket: dict[str, Any]) -> Lives:
    return world.store.read_now(
        lambda tx: clock_history.of_ticket(tx, desk.find(tx, ticket["ref"], is_locked=False))
    )


def of(world: World, ticket: dict[str, Any], target: str) -> History:
    return next(each for each in lives(world, ticket).histories if each.clock.target == target)


def told(history: History) -> list[tuple[str, str, str, str]]:
    """Local time, what, why, by whom."""
    return [
        (each.at.strftime("%H:%M"), each.what, each.why, each.actor.removeprefix("agent:"))
        for each in history.moves
    ]


def counted(found: Lives, history: History, start: datetime, end: datetime) -> float:
    """Open seconds between two instants by what the ticket was armed with then."""
    borders = sorted({start, end, *(at for at, _ in found.armed if start < at < end)})
    total = 0.0
    for low, high in itertools.pairwise(borders):
        armament = found.armament_at(low)
        is_wall = history.clock.target == "promise" or armament is None
        calendar = ALWAYS_OPEN if is_wall or armament is None else armament.calendar
        total += calendar.open_between(low, high)
    return total


def check(found: Lives, history: History) -> None:
    """Time used grows by the open time that the clock ran, and ends at what the clock says."""
    moves = [each for each in history.moves if each.what not in ("warned", "breached")]
    for each, after in itertools.pairwise(moves):
        is_corrected = after.why == "an answer did not arrive" or each.what in ("met", "stopped")
        if after.run != each.run or is_corrected:
            continue
        ran = (
            counted(found, history, each.at, after.at)
            if each.what in ("runs", "moved") and _runs(moves, each)
            else 0.0
        )
        assert after.used_s == pytest.approx(each.used_s + ran, abs=1e-3), (each, after)
    if history.clock.state == "idle":
        return
    last = moves[-1]
    ran = counted(found, history, last.at, found.now) if history.clock.state == "running" else 0.0
    assert history.used_s == pytest.approx(last.used_s + ran, abs=1e-3), (last, history.clock)
    assert last.budget_s == pytest.approx(history.clock.budget_s, abs=1e-3)
    assert last.run == history.clock.run


def _runs(moves: list[Moved], at: Moved) -> bool:
    """Whether a clock whose length was changed goes on running: its last turn before says so."""
    turns = [each.what for each in moves[: moves.index(at) + 1] if each.what != "moved"]
    return turns[-1:] == ["runs"]


# -- worked by hand -----------------------------------------------------------------------------------------------------


@pytest.fixture
def office(world: World) -> World:
    """It is Tuesday 10 November 2026, 10:00 in Warsaw, and the office is open from 9 to 17."""
    world.use_rules(OFFICE)
    return world


@pytest.fixture
def ticket(office: World) -> dict[str, Any]:
    return office.ticket(office.receive(message_id="first@customer.example"))


def test_pause_and_answer_with_who_and_why(office: World, ticket: dict[str, Any]) -> None:
    """10:00 it runs, 11:30 an answer, 12:00 pending, Wednesday 9:30 the customer writes."""
    office.advance(minutes=90)
    office.reply(ticket)
    office.advance(minutes=30)
    office.set_status(ticket, "pending", agent="ewa")
    office.advance(hours=21, minutes=30)
    office.receive(body="here", headers={"In-Reply-To": "<first@customer.example>"})
    assert told(of(office, ticket, "resolution")) == [
        ("09:00", "runs", "the ticket was opened", "customer"),
        ("11:00", "paused", "pending", "ewa"),
        ("08:30", "runs", "the customer wrote", "customer"),
    ]
    assert told(of(office, ticket, "first_response")) == [
        ("09:00", "runs", "the ticket was opened", "customer"),
        ("10:30", "met", "answered", "ania"),
    ]
    assert of(office, ticket, "resolution").used_s == 2 * 3600


def test_warning_and_breach_stand_at_their_instants(office: World, ticket: dict[str, Any]) -> None:
    """However late the timers were looked at."""
    office.advance(hours=5)
    office.fire_due()
    history = of(office, ticket, "first_response")
    assert told(history)[1:] == [
        ("10:00", "warned", "first_response 50%", "rule:nudge/0"),
        ("11:00", "breached", "it was due", ""),
    ]
    assert [each.used_s for each in history.moves] == [0, 3600, 7200]


def test_another_priority_moves_the_target(office: World, ticket: dict[str, Any]) -> None:
    office.advance(minutes=10)
    office.store.write_now(
        lambda tx: desk.set_priority(tx, office.context, ticket["ref"], "urgent", agent="ewa")
    )
    last = of(office, ticket, "first_response").moves[-1]
    assert (last.what, last.why, last.actor, last.used_s, last.budget_s) == (
        "moved", "priority urgent", "agent:ewa", 600, 1800,
    )  # fmt: skip


def test_another_policy_counts_by_its_own_calendar_from_then_on(
    office: World, ticket: dict[str, Any]
) -> None:
    """Two office hours are used by 17:00 and the night is counted by the policy that is always open."""
    office.advance(hours=2)
    office.store.write_now(lambda tx: desk.note(tx, office.context, ticket["ref"], agent="ania", text="x"))
    office.advance(hours=10)
    history = of(office, ticket, "resolution")
    assert (history.moves[-1].why, history.moves[-1].actor) == ("policy strict", "rule:other")
    assert history.used_s == 12 * 3600
    assert [each and each.policy.name for _, each in lives(office, ticket).armed] == ["standard", "strict"]


def test_rearmed_ticket_says_so(office: World, ticket: dict[str, Any]) -> None:
    office.advance(minutes=30)
    office.use_rules(
        OFFICE.replace("next_response: 3h", "next_response: 4h").replace("normal: 2h}", "normal: 3h}")
    )
    rearming.rearm(office.store, office.context.armaments["standard"], actor="agent:tomek")
    last = of(office, ticket, "first_response").moves[-1]
    assert (last.what, last.why, last.actor, last.budget_s) == (
        "moved",
        "policy standard",
        "agent:tomek",
        10_800,
    )


def test_merged_ticket_shows_what_its_clocks_did_before(office: World, ticket: dict[str, Any]) -> None:
    """The clocks of the older one go on in the newer one, with their history and where it was."""
    office.advance(minutes=30)
    newer = office.ticket(office.receive(body="again"))
    office.store.write_now(
        lambda tx: merging.merge(tx, office.context, ticket["ref"], newer["ref"], agent="ania")
    )
    office.advance(minutes=30)
    office.reply(newer)
    history = of(office, newer, "first_response")
    assert [(each.what, each.ticket) for each in history.moves] == [("runs", ticket["ref"]), ("met", None)]
    assert history.used_s == 3600


@pytest.mark.parametrize("is_older_merged", [True, False])
def test_merge_that_is_taken_back_leaves_no_trace_in_the_history(
    office: World, ticket: dict[str, Any], *, is_older_merged: bool
) -> None:
    office.advance(minutes=30)
    newer = office.ticket(office.receive(body="again"))
    source, into = (ticket, newer) if is_older_merged else (newer, ticket)
    before = [told(of(office, each, "first_response")) for each in (source, into)]
    office.store.write_now(
        lambda tx: merging.merge(tx, office.context, source["ref"], into["ref"], agent="ania")
    )
    office.advance(minutes=5)
    office.store.write_now(lambda tx: merging.undo(tx, office.context, source["ref"], agent="ania"))
    assert [told(of(office, each, "first_response")) for each in (source, into)] == before
    for each in (source, into):
        found = lives(office, each)
        for history in found.histories:
            check(found, history)


def test_history_costs_a_settled_ticket_no_statement(office: World) -> None:
    """What is needed stands in events that are written anyway."""
    office.receive()
    before = len(office.rows("events"))
    office.receive(body="another")
    kinds = [row["kind"] for row in office.rows("events")][before:]
    assert not any(kind.startswith("sla_") for kind in kinds)


# -- random lives -------------------------------------------------------------------------------------------------------


def _answer(world: World, ref: dict[str, Any], dice: random.Random) -> None:
    world.reply(ref, f"answer {dice.random()}", status=dice.choice([None, "pending", "open", "solved"]))


def _write(world: World, ref: dict[str, Any], dice: random.Random) -> None:
    world.receive(body=f"words {dice.random()}", headers={"In-Reply-To": "<first@customer.example>"})


def _turn(world: World, ref: dict[str, Any], dice: random.Random) -> None:
    world.set_status(ref, dice.choice(["new", "open", "pending", "on_hold", "solved"]))


def _priority(world: World, ref: dict[str, Any], dice: random.Random) -> None:
    priority = dice.choice(["low", "normal", "high", "urgent"])
    world.store.write_now(lambda tx: desk.set_priority(tx, world.context, ref["ref"], priority, agent="ewa"))


def _policy(world: World, ref: dict[str, Any], dice: random.Random) -> None:
    world.store.write_now(lambda tx: desk.note(tx, world.context, ref["ref"], agent="ania", text="x"))


def _rearm(world: World, ref: dict[str, Any], dice: random.Random) -> None:
    world.use_rules(OFFICE.replace("normal: 2h}", f"normal: {dice.choice([1, 2, 3, 5])}h}}"))
    for name in ("standard", "strict"):
        rearming.rearm(world.store, world.context.armaments[name])


def _promise(world: World, ref: dict[str, Any], dice: random.Random) -> None:
    when = dice.choice(["in 1h", "in 5h", "+2d"])
    world.store.write_now(
        lambda tx: desk_promises.make(tx, world.context, ref["ref"], when, agent="ania", is_quiet=True)
    )


def _come_back(world: World, ref: dict[str, Any], dice: random.Random) -> None:
    """The last answer comes back."""
    sent = world.rows("outbox", "action = 'reply' AND state = 'queued' ORDER BY id DESC LIMIT 1")
    if sent:
        world.store.write_now(lambda tx: _fail(world, tx, ref, sent[0]["id"]))


def _fail(world: World, tx: Any, ref: dict[str, Any], outbox: int) -> None:
    tx.update(schema.outbox, {"id": outbox}, state="failed")
    failures.follow(tx, world.context, desk.find(tx, ref["ref"]), outbox)


def _pass(world: World, ref: dict[str, Any], dice: random.Random) -> None:
    world.fire_due()


EVENTS: list[Callable[[World, dict[str, Any], random.Random], None]] = [
    _answer, _write, _turn, _turn, _priority, _policy, _rearm, _promise, _come_back, _pass, _pass,
]  # fmt: skip


@pytest.mark.parametrize(
    "seed", [*range(2), *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(2, 60))]
)
def test_time_used_adds_up_over_any_life(office: World, ticket: dict[str, Any], seed: int) -> None:
    """Rows of the history, run by run, give exactly the time that the clock has used."""
    dice = random.Random(seed)
    for _ in range(25):
        office.advance(minutes=dice.choice([1, 7, 45, 180, 900]), seconds=dice.randrange(60))
        try:
            dice.choice(EVENTS)(office, ticket, dice)
        except DeskError:
            continue
        found = lives(office, ticket)
        for history in found.histories:
            check(found, history)
    assert "\n".join(clock_page.lines(lives(office, ticket)))
    assert msgspec.json.encode(clock_history.public(lives(office, ticket)))
