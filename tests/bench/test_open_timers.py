"""A store copied full of open timers is one whose timers really fire."""

import asyncio
from contextlib import closing
from pathlib import Path

import pytest

from bench import open_timers
from bench.timers import _fired


@pytest.mark.slow
def test_every_copied_timer_has_its_ticket_and_clock_and_fires(tmp_path: Path) -> None:
    """Six plain tickets and two with a ladder: all of the plain ones breach when they are made due."""
    open_timers.build(tmp_path, plain=6, timers=20, say=lambda text: None)
    store, world = open_timers.opened(tmp_path)
    with closing(store):
        timers = world.rows("timers")
        tickets = {row["id"]: row for row in world.rows("tickets")}
        assert len({row["ref"] for row in tickets.values()}) == len(tickets) == 8
        assert {row["ticket_id"] for row in timers} == set(tickets)
        assert {row["ticket_id"] for row in world.rows("clocks")} == set(tickets)
    due = open_timers.make_due(tmp_path, count=6, first_us=1_000_000, within_s=1)
    assert list(due.values()) == sorted(due.values())
    asyncio.run(_fired(tmp_path, 6))


@pytest.mark.slow
def test_steps_made_due_send_their_notices(tmp_path: Path) -> None:
    open_timers.build(tmp_path, plain=1, timers=20, say=lambda text: None)
    open_timers.make_steps_due(tmp_path, count=2, at_us=1)
    asyncio.run(_fired(tmp_path, 2))
    store, world = open_timers.opened(tmp_path)
    with closing(store):
        assert len(world.rows("outbox", "action LIKE 'notify:escalated:%'")) == 2
