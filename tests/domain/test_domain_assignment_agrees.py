"""A ticket of the store and one in memory, to which the same happens, are with the same agent after each thing."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from intake import assigning, desk, presence, waiting
from routing.facts import AgentLoad, Facts
from routing.life import Event, Life
from tests.domain.test_domain_capacity import answer, now
from tests.domain.world import World, at

RULES = """
version: 1
calendars:
  day: {timezone: UTC, open: {mon-sun: "08:00-16:00"}}
  late: {timezone: UTC, open: {mon-sun: "12:00-20:00"}}
agents:
  ada: {hours: day, deputy: zoe}
  bob: {hours: late, skills: [pl]}
  zoe: {hours: day}
teams:
  care: {levels: {front: [ada, bob], lead: [zoe]}, assign: {capacity: {email: 2}}}
  cash: {levels: {front: [bob, zoe]}}
  pool: {levels: {front: [bob, zoe]}, assign: {answering: true, capacity: {email: 2}}}
route:
  - {id: hers, when: {subject: {words: hers}}, then: {agent: ada}}
  - {id: pool, when: {subject: {words: pool}}, then: {team: pool, agent: none}}
  - {id: polish, when: {subject: {words: polish}}, then: {skills: {need: [pl], relax: 3h}}}
react:
  - {id: again, on: note_added, when: {ticket.status: solved}, then: {status: open}}
default: {team: care, priority: normal}
"""
SCRIPTS = {
    "by day": "hers 09",
    "at night, until hours begin": "x 03 | 5h",
    "at night, with the first one away": "x 03 away:ada | 5h | 4h",
    "by name, away": "hers 09 away:ada",
    "by name, away with the deputy": "hers 13 away:ada,zoe",
    "by name, full": "hers 13 load:ada",
    "skills at night, until relaxed": "polish 09 | 2h | 1h",
    "solved and reopened": "hers 09 | 1h solved | 1h customer",
    "solved, full, and reopened": "hers 12 | 1h solved | 1h load:ada customer",
    "solved, all full, and reopened": "hers 12 | 1h solved | 1h load:ada,bob customer",
    "solved, away, and reopened": "hers 09 | 1h solved | 1h away:ada customer",
    "pending, away, and the customer writes": "hers 09 | 1h pending | 1h away:ada customer",
    "pending, all away, and the customer writes": "hers 09 | 1h pending | 1h away:ada,bob,zoe customer",
    "open, at work, and the customer writes": "hers 09 | 1h open | 1h customer",
    "a rule opens it again, full": "hers 12 | 1h solved | 1h load:ada note",
    "another team by hand": "hers 13 | 1h team",
    "answered, with nobody": "pool 13 | 1h answer | 1h customer",
    "answered by who is full": "pool 13 | 1h load:zoe answer",
    "answered where that gives it to nobody": "hers 13 away:ada,zoe,bob | 1h answer",
    "to nobody by hand, and nobody picks it up": "hers 09 | 1h nobody | 3h",
}


class Both:
    """One ticket in the store, the same in memory."""

    def __init__(self, world: World, script: str) -> None:
        self.world = world
        first, *self.steps = (part.strip().split() for part in script.split("|"))
        world.clock.at = at(f"2026-11-10T{first[1]}:00:00+00:00")
        self.agents: dict[str, AgentLoad] = {}
        self._give(first[2:])
        self.ticket = world.ticket(world.receive(subject=first[0]))
        seen = Facts(
            at=world.clock.at,
            channel="email",
            account="support",
            subject=first[0],
            body="x",
            agents=self.agents,
        )
        self.life = Life(world.context.rulebook, seen)

    def step(self, words: list[str]) -> None:
        self.world.advance(hours=int(words[0][:-1]))
        self._give(words[1:])
        self.world.fire_due()
        self._ring()
        self.life.have_agents(self.agents)
        self.life.advance(self.world.clock.at)
        for word in words[1:]:
            if ":" not in word:
                getattr(self, f"_{word}", self._status)(word)
        self._ring()

    def sides(self) -> list[tuple[str | None, str, bool]]:
        row, memory = now(self.world, self.ticket), self.life.ticket
        real = (row["agent"], row["status"], row["waits_since"] is not None and row["solved_at"] is None)
        return [real, (memory.agent, memory.status, memory.waits)]

    def _ring(self) -> None:
        due = self.world.store.read_now(waiting.next_due)
        if due is not None and due <= self.world.store.now_us():
            asyncio.run(waiting.run_due(self.world.store, self.world.context))

    def _give(self, words: list[str]) -> None:
        """Send agents away (their tickets stay), or fill them up."""
        for word in words:
            kind, _, names = word.partition(":")
            for name in names.split(",") if names else ():
                if kind == "away":
                    self.agents[name] = AgentLoad(away=True)
                    self._go(name)
                else:
                    self.agents[name] = AgentLoad({"email": 2})
                    for _ in range(2):
                        other = self.world.ticket(self.world.receive(f"{name}@x.example", subject="polish"))
                        self._assign(other, name)

    def _go(self, name: str) -> None:
        self.world.store.write_now(
            lambda tx: presence.go(tx, self.world.context, name, until_us=None, keep=False, by=name)
        )

    def _assign(self, ticket: dict[str, Any], to: str | None) -> None:
        self.world.store.write_now(
            lambda tx: assigning.assign(tx, self.world.context, ticket["ref"], to, agent="zoe")
        )

    def _status(self, status: str) -> None:
        self.world.set_status(self.ticket, status, agent="zoe")
        self._happen("status_changed", status=status)

    def _happen(self, kind: str, **changes: Any) -> None:
        self.life.happen(Event(at=self.world.clock.at, kind=kind, changes=changes))

    def _customer(self, word: str) -> None:
        answer(self.world, self.ticket)
        said = Facts(at=self.world.clock.at, channel="email", body="y", agents=self.agents)
        self.life.happen(Event(at=self.world.clock.at, kind="customer_replied", message=said))

    def _note(self, word: str) -> None:
        self.world.store.write_now(
            lambda tx: desk.note(tx, self.world.context, self.ticket["ref"], agent="zoe", text="look")
        )
        self._happen("note_added")

    def _answer(self, word: str) -> None:
        self.world.reply(self.ticket, agent="zoe")
        self.life.happen(Event(at=self.world.clock.at, kind="agent_replied", by="zoe"))

    def _team(self, word: str) -> None:
        self._assign(self.ticket, "cash")
        self._happen("team_changed", team="cash")

    def _nobody(self, word: str) -> None:
        self._assign(self.ticket, None)
        self._happen("unassigned")


@pytest.mark.slow
@pytest.mark.parametrize("script", SCRIPTS)
def test_both_are_with_the_same_agent(make_whole: Callable[[str], World], script: str) -> None:
    both = Both(make_whole(RULES), SCRIPTS[script])
    real, memory = both.sides()
    assert real == memory, "new"
    for words in both.steps:
        both.step(words)
        real, memory = both.sides()
        assert real == memory, words


@pytest.mark.parametrize(
    ("script", "agent"), [("answered, with nobody", "zoe"), ("answered by who is full", None)]
)
def test_what_nobody_has_is_whose_who_answers_it(
    make_whole: Callable[[str], World], script: str, agent: str | None
) -> None:
    """Where the team wants that, and they have room."""
    both = Both(make_whole(RULES), SCRIPTS[script])
    for words in both.steps:
        both.step(words)
    assert [side[0] for side in both.sides()] == [agent, agent]
