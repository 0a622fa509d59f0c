"""A backtest reads both engines alike, and its processes open the store by its URL."""

from contextlib import closing
from pathlib import Path

import pytest

from intake.backtest import running
from intake.store import opening
from routing import rulebook
from tests.conftest import ManualClock
from tests.domain.world import RULES, World

NEW = RULES.replace("team: billing, tags: [money]", "team: support").replace("normal: 2h", "normal: 10m")


@pytest.mark.parametrize("jobs", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_both_engines_tell_the_same(url: str, tmp_path: Path, jobs: int) -> None:
    """Decisions, answers, events and clocks are found, by one process and by two."""
    clock = ManualClock()
    new = rulebook.load({"rules.yaml": NEW})
    with closing(opening.open_store(url, tmp_path, clock=clock)) as store:
        world = World(store, tmp_path, clock)
        first = world.ticket(world.receive(subject="A refund"))
        world.receive("ola@customer.example", subject="Hello")
        world.advance(minutes=30)
        world.reply(first)
        world.advance(hours=3)
        found = running.run(store, new, place=(url, tmp_path), until=clock(), jobs=jobs)
    assert (found.tickets, found.same, found.changed) == (2, 1, 1)
    assert found.teams_after == {"support": 2}
    assert (found.breaches_before, found.breaches_after) == ({"first_response": 1}, {"first_response": 2})
    assert found.days == {"2026-11-10": [2, 1]}
