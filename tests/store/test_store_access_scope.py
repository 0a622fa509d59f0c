"""What lists and searches select is what access lets somebody see: two spellings of one line, on both engines."""

import itertools
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from intake import desk_scope
from intake.store import schema
from intake.store.engine import Store
from intake.store.statements import Statement
from intake.web.access import NOBODY, ROLES, Action, Subject, Who, may
from tests.domain.world import World

TEAMS = (None, "support", "billing", "nowhere")
AGENTS = (None, "ania", "ewa", "")
_SEEN = Statement(select(schema.tickets.c.ref).where(desk_scope.is_seen))
ASKERS = [
    NOBODY,
    Who(kind="visitor", session="chat:shop:x"),
    Who(kind="agent", name="ania", role="king"),  # type: ignore[arg-type]
    *(
        Who(kind="agent", name=name, role=role, teams=frozenset(teams), sees_all=sees_all)
        for name, role, teams, sees_all in itertools.product(
            ("ania", "boss", ""), ROLES, ((), ("support",), ("support", "billing")), (False, True)
        )
    ),
]


@pytest.fixture
def world(store: Store, tmp_path: Path, clock: Any) -> World:
    return World(store, tmp_path, clock)


def made(world: World, number: int, team: str | None, agent: str | None) -> Subject:
    """Make a ticket of a team and an agent."""
    ref = world.ticket(world.receive(f"c{number}@customer.example"))["ref"]
    world.store.write_now(lambda tx: tx.update(schema.tickets, {"ref": ref}, team=team, agent=agent))
    return Subject(team=team, agent=agent, ref=ref)


def selected(world: World, who: Who) -> set[str]:
    """The tickets that a list shows somebody."""
    given = desk_scope.scope_of(who).parameters
    return {row[0] for row in world.store.read_now(lambda tx: tx.all(_SEEN, **given))}


def test_lists_select_what_access_lets_see(world: World) -> None:
    """Every role, every set of teams, against tickets of every team and agent."""
    grid = itertools.product(TEAMS, AGENTS)
    subjects = [made(world, number, team, agent) for number, (team, agent) in enumerate(grid)]
    for who in ASKERS:
        wanted = {each.ref for each in subjects if may(who, Action.see_ticket, each)}
        assert selected(world, who) == wanted, who
