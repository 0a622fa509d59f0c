"""Many hand-overs, cut off at random places and made again: each is one event, one list for each, one notice a ticket."""

import itertools
import random
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from intake import failpoints
from intake.store import opening
from tests.domain.oncall_world import ONCALL, Cut, hand_over_or_cut, local, take, told
from tests.domain.world import World

DAILY = ONCALL.replace(
    'rotate: weekly, from: 2026-11-02, handover: "mon 09:00"',
    'rotate: daily, from: 2026-11-02, handover: "09:00"',
)


@pytest.fixture
def world(tmp_path: Path, clock: Any, new_store: bytes) -> Iterator[World]:
    (tmp_path / "intake.db").write_bytes(new_store)
    with closing(opening.open_store("", tmp_path, clock=clock)) as store:
        yield World(store, tmp_path, clock, rules=DAILY)


def play(world: World, monkeypatch: pytest.MonkeyPatch, *, days: int, seed: int) -> int:
    """Let so many days pass, with tickets in the evening of some; how often the work was cut off."""
    chance = random.Random(seed)
    cuts = 0

    def reach(name: str) -> None:
        nonlocal cuts
        if name.startswith("handovers") and chance.random() < 0.3:
            cuts += 1
            raise Cut

    monkeypatch.setattr(failpoints, "reach", reach)
    start = local("2026-11-10T10:00")
    for day in range(days):
        world.clock.at = start + timedelta(days=day)
        if chance.random() < 0.2:
            take(world, "tomek", end=world.clock.at + timedelta(hours=chance.randint(1, 20)))
        for number in range(chance.randint(0, 2)):
            world.receive(f"c{day}-{number}@customer.example")
        for hour in range(1, 25):
            world.clock.at = start + timedelta(days=day, hours=hour, minutes=-1)
            world.fire_due()
            while hand_over_or_cut(world):  # as if started again
                world.advance(seconds=1)
        for ticket in world.rows("tickets", "status = 'new' ORDER BY id DESC LIMIT 100 OFFSET 3"):
            world.set_status(ticket, "solved")
    return cuts


def check(world: World) -> int:
    """Compare what was sent with what happened; how many hand-overs there were."""
    found = told(world, "handed_over")
    assert Counter(each["at"] for each in found).most_common(1)[0][1] == 1
    assert all(one["agent"] == other["handed_by"] for one, other in itertools.pairwise(found))
    lists = world.rows("outbox", "action LIKE 'handover_list:%'")
    assert len(lists) == 2 * len(found)
    notices = world.rows("outbox", "action LIKE 'notify:escalated:handover:%'")
    assert Counter((row["cause"], row["recipient"]) for row in notices).most_common(1)[0][1] == 1
    named = {(each["at"], ref) for each in found for ref in each["unacknowledged"]}
    refs = {row["id"]: row["ref"] for row in world.rows("tickets")}
    sent = {(row["cause"].split(":")[2], refs[row["ticket_id"]]) for row in notices}
    assert len(sent) == len(notices)
    assert {ref for _, ref in sent} <= {ref for _, ref in named}
    return len(found)


@pytest.mark.slow
def test_days_of_hand_overs_that_are_cut_off(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    assert play(world, monkeypatch, days=5, seed=1) > 3
    assert check(world) >= 5


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_months_of_hand_overs_that_are_cut_off(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    assert play(world, monkeypatch, days=60, seed=2) > 40
    assert check(world) >= 60
