"""Whose phone rings is held for one call at a time, for as long as it asked for and no longer."""

import random
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from intake import holds
from intake.store import opening
from intake.store.engine import Tx
from tests.phone.calling import Desk


@pytest.fixture
def desk(tmp_path: Path, clock: Any, new_store: bytes) -> Iterator[Desk]:
    (tmp_path / "intake.db").write_bytes(new_store)
    with closing(opening.open_store("", tmp_path, clock=clock)) as store:
        yield Desk(store, tmp_path, clock)


def claim(desk: Desk, session: str, *agents: str, hold_s: float = 30) -> frozenset[str]:
    """Who of them is taken; then nothing is claimed, as a turn that is given up."""

    def take(tx: Tx) -> frozenset[str]:
        taken = holds.claim(tx, session, agents, hold_s=hold_s)
        if taken:
            raise _Undone(taken)
        return taken

    try:
        return desk.store.write_now(take)
    except _Undone as undone:
        return undone.taken


class _Undone(Exception):
    def __init__(self, taken: frozenset[str]) -> None:
        super().__init__()
        self.taken = taken


def held(desk: Desk) -> dict[str, str]:
    """Who is held at this moment, and by which session."""
    now = desk.store.now_us()
    return {row["agent"]: row["session"] for row in desk.rows("holds", "until_at > :now", now=now)}


def test_whom_another_session_holds_is_taken_and_nobody_else_is_claimed(desk: Desk) -> None:
    claim(desk, "one", "ania")
    assert claim(desk, "two", "ewa", "ania", "tomek") == {"ania"}
    assert held(desk) == {"ania": "one"}


def test_a_hold_ends_by_itself_and_then_is_anybodys(desk: Desk) -> None:
    claim(desk, "one", "ania", hold_s=30)
    desk.clock.advance(29)
    assert claim(desk, "two", "ania") == {"ania"}
    desk.clock.advance(1)
    assert claim(desk, "two", "ania") == frozenset()
    assert held(desk) == {"ania": "two"}


def test_who_is_held_on_is_held_since_the_first_time(desk: Desk) -> None:
    claim(desk, "one", "ania", hold_s=30)
    since = desk.rows("holds")[0]["since_at"]
    desk.clock.advance(20)
    claim(desk, "one", "ania", hold_s=30)
    (row,) = desk.rows("holds")
    assert (row["since_at"], row["until_at"]) == (since, desk.store.now_us() + 30_000_000)


def test_a_session_lets_go_of_its_own_only(desk: Desk) -> None:
    claim(desk, "one", "ania", "ewa")
    claim(desk, "two", "tomek")
    desk.store.write_now(lambda tx: holds.let_go(tx, "one", but=("ewa",)))
    assert held(desk) == {"ewa": "one", "tomek": "two"}


def test_the_others_are_told_and_not_oneself(desk: Desk) -> None:
    claim(desk, "one", "ania")
    claim(desk, "two", "ewa")
    assert desk.store.read_now(lambda tx: holds.of_others(tx, "one")) == {"ewa"}


@pytest.mark.parametrize("seed", range(5))
def test_in_any_life_nobody_is_held_by_two(desk: Desk, seed: int) -> None:
    """Random claims, lettings go and passing of time, held against a model that keeps them in a dictionary."""
    source = random.Random(seed)
    model: dict[str, tuple[str, float]] = {}
    now = 0.0
    for _ in range(60):
        session = source.choice(["one", "two", "three"])
        names = tuple(source.sample(["ania", "ewa", "olek", "tomek"], source.randint(1, 3)))
        live = {agent: (by, until) for agent, (by, until) in model.items() if until > now}
        match source.choice(["claim", "claim", "let go", "wait"]):
            case "claim":
                hold_s = source.choice([5, 30, 90])
                taken = {agent for agent in names if live.get(agent, (session, 0))[0] != session}
                assert claim(desk, session, *names, hold_s=hold_s) == taken
                model = live | ({} if taken else dict.fromkeys(names, (session, now + hold_s)))
            case "let go":
                desk.store.write_now(lambda tx, by=session, but=names: holds.let_go(tx, by, but=but))  # type: ignore[misc]
                model = {agent: each for agent, each in live.items() if each[0] != session or agent in names}
            case "wait":
                seconds = source.choice([1, 10, 60])
                desk.clock.advance(seconds)
                now += seconds
        assert held(desk) == {agent: by for agent, (by, until) in model.items() if until > now}
