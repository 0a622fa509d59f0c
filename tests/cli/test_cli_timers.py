"""`intake timers` and `intake digests`: what is due, what was given up and fired after all, what came in one mail."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec
import pytest

from intake import digests, due, instants
from intake.sections import Limits
from intake.store import opening
from intake.store.engine import Store
from tests.domain.world import World

KEYS = {"ticket", "kind", "step", "due_at", "policy", "target", "id", "state"}


@pytest.fixture
def store(desk: Path) -> Iterator[Store]:
    with closing(opening.open_store("", desk / "var")) as opened:
        yield opened


@pytest.fixture
def world(store: Store, desk: Path, clock: Any) -> World:
    """Two tickets that came yesterday, by a clock of their own: what was due by then is late for the command line."""
    store.clock = clock
    clock.at = instants.now().replace(microsecond=0)
    clock.advance(hours=-25)
    made = World(store, desk / "var", clock)
    for number in range(2):
        made.receive(f"c{number}@customer.example")
    return made


def dues(rows: list[dict[str, Any]]) -> list[str]:
    return [row["due_at"] for row in rows]


def test_timers_are_listed_with_their_keys_soonest_first(intake: Any, world: World) -> None:
    rows = intake("timers", "list", "--json").objects
    assert set(rows[0]) >= KEYS
    assert dues(rows) == sorted(dues(rows))
    assert {row["kind"] for row in rows} == {"step", "breach"}


def test_the_last_line_counts_what_is_late(intake: Any, world: World) -> None:
    done = intake("timers", "list")
    count = len(done.out.splitlines()) - 1
    assert done.err == f"{count} timers, {count} late\n"


def test_a_limit_is_said_in_the_last_line(intake: Any, world: World) -> None:
    assert intake("timers", "list", "--limit", "3").err == "3 timers (--limit), 3 late\n"


@pytest.mark.parametrize(
    ("options", "is_listed"),
    [
        (("--within", "1h"), True),
        (("--late",), True),
        (("--due-before", "2026-01-01"), False),
        (("--failed",), False),
    ],
)
def test_filters_narrow_timers(
    intake: Any, world: World, options: tuple[str, ...], *, is_listed: bool
) -> None:
    assert bool(intake("timers", "list", "--json", *options).objects) is is_listed


def test_a_ticket_shows_all_that_it_has_had(intake: Any, world: World) -> None:
    world.advance(hours=1)
    world.fire_due()
    ref = world.rows("tickets")[0]["ref"]
    rows = intake("timers", "list", "--ticket", ref.lower(), "--json").objects
    assert {row["ticket"] for row in rows} == {ref}
    assert [row["state"] for row in rows][:2] == ["fired", "pending"]


def test_what_stands_without_a_ticket_is_listed_too(intake: Any, world: World) -> None:
    world.context = msgspec.structs.replace(world.context, limits=Limits(notices_per_minute=0))
    world.advance(hours=1)
    world.fire_due()
    [row] = [row for row in intake("timers", "list", "--json").objects if row["kind"] == "digest"]
    assert (row["ticket"], row["step"]) == (None, "ania@desk.example")


def test_a_timer_that_was_given_up_is_fired_after_all(intake: Any, world: World) -> None:
    timer = world.rows("timers", "step = 'nudge/0'")[0]
    for _ in range(due.ATTEMPTS_MAX):
        world.store.write_now(lambda tx: due.note_failure(tx, timer["id"], timer["ticket_id"], "KeyError"))
    [row] = intake("timers", "list", "--failed", "--json").objects
    assert (row["id"], row["attempts"]) == (str(timer["id"]), due.ATTEMPTS_MAX)
    assert intake("timers", "retry", row["id"]).err == "1 to fire\n"
    assert world.row("timers", timer["id"])["state"] == "pending"
    assert intake("timers", "retry", "--all").err == "0 to fire\n"


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("list", "--ticket", "nope"), 2, "not a ticket's ref"),
        (("list", "--ticket", "ABCDEFG", "--failed"), 2, "do not go together"),
        (("list", "--within", "soon"), 2, "not a length of time like 30m"),
        (("list", "--due-before", "1h"), 2, "for a length of time there is --within"),
        (("retry",), 2, "or --all"),
        (("retry", "x"), 2, "not an id"),
        (("retry", "7"), 1, "not a timer that was given up"),
    ],
)
def test_what_cannot_be_meant_is_one_sentence(
    intake: Any, world: World, arguments: tuple[str, ...], code: int, said: str
) -> None:
    done = intake("timers", *arguments)
    assert (done.code, said in done.err) == (code, True)


@pytest.fixture
def digest_id(world: World) -> str:
    """A digest with both tickets."""
    world.context = msgspec.structs.replace(world.context, limits=Limits(notices_per_minute=0))
    world.advance(hours=1)
    world.fire_due()
    world.advance(minutes=1)
    return str(world.store.write_now(lambda tx: digests.send(tx, world.context, "ania@desk.example")))


def test_a_digest_is_listed_shown_and_acknowledged(intake: Any, world: World, digest_id: str) -> None:
    [listed] = intake("digests", "list", "--json").objects
    assert (listed["id"], listed["state"], listed["notices"]) == (digest_id, "sent", 2)
    shown = intake("digests", "show", digest_id, "--json").objects
    assert [row["ticket"] for row in shown] == [
        row["ref"] for row in world.rows("tickets", "1 = 1 ORDER BY id")
    ]
    assert not any(row["is_settled"] for row in shown)
    done = intake("digests", "ack", digest_id, "--as", "anna")
    assert (done.code, done.err) == (0, "2 acknowledged, 0 were seen to already\n")
    assert (
        intake("digests", "ack", digest_id, "--as", "anna").err == "0 acknowledged, 2 were seen to already\n"
    )


def test_a_digest_that_there_is_not_is_said(intake: Any, world: World) -> None:
    for command in (("show", "7"), ("ack", "7", "--as", "ania")):
        done = intake("digests", *command)
        assert (done.code, done.err) == (2, "intake: there is no digest 7: intake digests list\n")
