"""Eight sessions that want the same agents at the same moment, on both engines: nobody is held twice."""

import asyncio
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from channels.contract import RawMessage, Step, Turn, View
from intake.sessions import TurnFailed
from intake.store.engine import Store
from tests.phone.calling import Desk, answering
from tests.store.racing import WRITERS


@pytest.fixture
def desk(store: Store, tmp_path: Path, clock: Any) -> Desk:
    return Desk(store, tmp_path, clock)


def two_of_the_free(from_: int) -> Step:
    """A step that holds two of those who may be rung, beginning at a place of its own."""

    def step(state: bytes | None, raw: RawMessage, view: View) -> Turn:
        assert view.placed is not None
        names = [each.agent for each in view.placed.ring]
        turned = names[from_ % len(names) :] + names if names else []
        chosen = tuple(dict.fromkeys(turned))[:2]
        return Turn(state=b"1", reply=",".join(chosen), holds=chosen, hold_s=30)

    return step


async def test_a_turn_is_asked_again_alike_on_both_engines(desk: Desk) -> None:
    def counting(state: bytes | None, raw: RawMessage, view: View) -> Turn:
        return Turn(state=b"%d" % (int(state or b"0") + 1), reply=f"turn {int(state or b'0') + 1}")

    replies = await asyncio.gather(*(desk.turn(counting, f"k{each % 10}") for each in range(30)))
    assert sorted(set(replies)) == sorted(f"turn {each}" for each in range(1, 11))
    assert len(desk.rows("journal")) == 10
    assert desk.rows("sessions")[0]["state"] == b"10"


async def test_eight_who_want_one_agent_leave_one_with_them(desk: Desk) -> None:
    async def want(number: int) -> str:
        try:
            step = answering("mine", holds=("ania",), hold_s=30)
            return await desk.turn(step, session=f"phone:CA{number}")
        except TurnFailed:
            return "failed"

    replies = await asyncio.gather(*(want(each) for each in range(WRITERS)))
    assert Counter(replies) == {"mine": 1, "failed": WRITERS - 1}
    assert [row["agent"] for row in desk.rows("holds")] == ["ania"]


async def test_eight_who_take_whoever_is_free_share_them(desk: Desk) -> None:
    """Each wants two of three, in an order of its own: who was quicker is taken out, and the step is run again."""
    ticket = desk.waiting_ticket()
    for number in range(WRITERS):
        desk.call_on(ticket, session=f"phone:CA{number}")

    async def want(number: int) -> str:
        return await desk.turn(two_of_the_free(number), session=f"phone:CA{number}")

    for _ in range(5):
        replies = await asyncio.gather(*(want(each) for each in range(WRITERS)))
        held = [agent for reply in replies for agent in reply.split(",") if agent]
        assert sorted(held) == ["ania", "ewa", "tomek"]
        assert sorted(row["agent"] for row in desk.rows("holds")) == ["ania", "ewa", "tomek"]
        for number in range(WRITERS):
            await desk.turn(answering("free"), session=f"phone:CA{number}")


async def test_whom_a_session_lets_go_the_others_may_hold(desk: Desk) -> None:
    await desk.turn(answering("", holds=("ania", "ewa"), hold_s=30), session="phone:CA1")
    await desk.turn(answering("", holds=("ewa",), hold_s=30), session="phone:CA1")
    await desk.turn(answering("", holds=("ania",), hold_s=30), session="phone:CA2")
    await desk.turn(answering("", None), session="phone:CA1")
    assert {row["agent"]: row["session"] for row in desk.rows("holds")} == {"ania": "phone:CA2"}
