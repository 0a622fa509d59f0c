"""Many callers, few agents: each call ends with one owner, a message or a hang-up, and no phone rings for two."""

from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from channels.contract import RawMessage, Turn, View
from intake.store import opening
from tests.phone import calling, crowd
from tests.phone.calling import Desk
from tests.phone.crowd import Crowd

OUTCOMES = {
    "answered": "answered",
    "voicemail": "voicemail",
    "no_message": "missed",
    "hung_up_waiting": "missed",
    "closed": "missed",
    "hung_up_in_menu": "hung_up",
}


@pytest.fixture
def desk(tmp_path: Path, clock: Any, new_store: bytes) -> Iterator[Desk]:
    (tmp_path / "intake.db").write_bytes(new_store)
    with closing(opening.open_store("", tmp_path, clock=clock)) as store:
        yield Desk(store, tmp_path, clock, rules=crowd.RULES)


async def play(desk: Desk, calls: int, *, at_once: int, seed: int = 6) -> Counter[str]:
    """Play calls and look at what is left of them; how each ended."""
    ended = await Crowd(desk, seed=seed).play(calls, at_once=at_once)
    rows = {row["call"]: row for row in desk.rows("calls")}
    assert {name: OUTCOMES[why] for name, why in ended.items()} == {
        name: row["outcome"] for name, row in rows.items()
    }
    assert all(row["agent"] for row in rows.values() if row["outcome"] == "answered")
    assert all(row["ticket_id"] for row in rows.values())
    assert desk.rows("holds") == []
    assert desk.rows("sessions") == []
    return Counter(ended.values())


@pytest.mark.slow
async def test_more_callers_than_agents(desk: Desk) -> None:
    assert (await play(desk, 12, at_once=12)).total() == 12


async def test_who_speaks_in_a_call_whose_callbacks_are_lost_is_free_when_the_provider_says_that_it_is_over(
    desk: Desk,
) -> None:
    session = "phone:CA1"

    def talking(before: bytes | None, raw: RawMessage, view: View) -> Turn:
        return Turn(state=b"", reply="", holds=("agent1",), hold_s=14_400)

    await desk.turn(talking, session=session)
    at = desk.clock()
    desk.tell(calling.event(calling.happened("connected", at, agent="agent1")))
    assert [row["agent"] for row in desk.rows("holds")] == ["agent1"]
    desk.tell(
        calling.event(calling.happened("ended", at, 60, status="completed", duration_s=60, why="no_message"))
    )
    assert desk.rows("holds") == []


@pytest.mark.slow
@pytest.mark.timeout(900)
async def test_fifty_callers_at_once_and_ten_agents(desk: Desk) -> None:
    ended = await play(desk, 300, at_once=50, seed=7)
    assert ended.total() == 300
    assert {"answered", "voicemail", "hung_up_in_menu"} <= set(ended)
