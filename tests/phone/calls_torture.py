"""Fifty callers at once and ten agents, none of whom behaves: what each call came to, held against what was seen.

    python -m tests.phone.calls_torture --callers 50 --agents 10 --rounds 20 --seed 1

Real HTTP, signed as Twilio does, to a daemon in a process of its own. A round is a new desk: another menu, another way of
ringing. First somebody presses nothing but wrong keys while every agent is free; then everybody calls within half a minute, with any key,
word, silence or hang-up, while webhooks come twice, late or never. Time jumps; nobody waits for it.
"""

import argparse
import asyncio
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import msgspec

from channels.twilio.simulator.scenario import Act, Phone
from intake.store import opening
from tests.phone import calls_audit, calls_cast
from tests.phone.calls_world import World
from tests.phone.live import OWN

ALL_CALL_S = 30.0
AFTERWARDS_S = 4 * 3600.0
PERSON_S = 30.0
LONG_RUN_CALLS = 1_000  # from here on the figures are kept in bench/RESULTS.md


class Figures(msgspec.Struct):
    """What a run showed. broken: sentences; ended: outcome -> calls. person_s: the longest wait of who pressed wrong keys."""

    callers: int
    agents: int
    seed: int
    rounds: int = 0
    calls: int = 0
    rings: int = 0
    webhooks: int = 0
    doubled: int = 0
    lost: int = 0
    kills: int = 0
    tracebacks: int = 0
    person_s: float = 0
    elapsed_s: float = 0
    ended: Counter[str] = msgspec.field(default_factory=Counter)
    broken: list[str] = []

    @property
    def is_right(self) -> bool:
        return not self.broken and not self.tracebacks and self.calls > 0 and self.person_s <= PERSON_S

    def line(self) -> str:
        told = msgspec.to_builtins(self) | {"ended": dict(self.ended), "broken": self.broken[:20]}
        return msgspec.json.encode(told).decode()


async def wrong_keys(world: World, figures: Figures, agents: int) -> None:
    """Let somebody press nothing but wrong keys, each when the question has been said in full, while everybody is free."""
    for number in range(agents):
        free = Phone(number=calls_cast.number_of(number), answers=2, presses="1", talks=5)
        world.studio.phones[free.number] = [free]
    wrong = tuple(Act(press=world.dice.choice("5678#"), maybe=True) for _ in range(20))
    leg = world.board.incoming("+48602000000", OWN, wrong)
    await world.rest(600)
    figures.person_s = max(figures.person_s, calls_audit.person_s(world, leg.call.sid))


async def everybody(world: World, callers: int, agents: int, *, kills: int) -> None:
    """Let everybody call within half a minute, one in ten with a number that another one has; kill the daemon meanwhile."""
    dice = world.dice
    for number in range(agents):
        own = calls_cast.number_of(number)
        world.studio.phones[own] = [calls_cast.phone(own, dice) for _ in range(callers * 2)]

    async def call(number: str) -> None:
        world.board.incoming(number, OWN, calls_cast.acts(dice))

    for number in range(callers):
        caller = f"+48601{dice.randrange(callers) if dice.random() < 0.1 else number:06}"
        world.time.start(call(caller), after_s=dice.uniform(0, ALL_CALL_S))
    for _ in range(kills):
        world.time.start(world.outage(dice.choice((0.0, 3.0, 20.0))), after_s=dice.uniform(5, 120))
    await world.rest(AFTERWARDS_S)


async def play(folder: Path, figures: Figures, *, store: bytes, seed: int, kills: int) -> None:
    """Play one round and look at what is left of it."""
    agents = {calls_cast.number_of(number): f"agent{number}" for number in range(figures.agents)}
    async with World(folder, seed=seed) as world:
        desk = calls_cast.desk_of(world.dice)
        await world.begin(store=store, desk=desk, rules=calls_cast.rules(figures.agents))
        await world.ask("reconcile")  # as at every start: from then on nothing that is lost stays lost
        await wrong_keys(world, figures, figures.agents)
        world.webhooks.is_troubled = True
        world.studio.pick = world.dice.choice(("answer", "bridge"))
        world.studio.callbacks = world.dice.choice(("ordered", "late", "shuffled"))
        await everybody(world, figures.callers, figures.agents, kills=kills)
        await world.ask("reconcile")
        await world.rest(AFTERWARDS_S)
        found = calls_audit.look(world, agents)
    figures.rounds += 1
    figures.calls += found.calls
    figures.rings += found.rings
    figures.webhooks += len(world.webhooks.exchanges)
    figures.doubled += world.webhooks.doubled_count
    figures.lost += world.webhooks.lost_count
    figures.kills += world.kills
    figures.tracebacks += world.tracebacks
    figures.ended.update(found.ended)
    figures.broken += [f"seed {seed}: {each}" for each in found.broken]


def run(callers: int, agents: int, rounds: int, *, seed: int, folder: Path, kills: int = 0) -> Figures:
    """Play rounds; what they showed. kills: of the daemon, in each."""
    figures = Figures(callers=callers, agents=agents, seed=seed)
    began = time.monotonic()
    template = folder / "template"
    template.mkdir()
    opening.open_store("", template).close()
    store = (template / "intake.db").read_bytes()
    for number in range(rounds):
        round_seed = seed * 1_000 + number
        asyncio.run(play(folder / f"round{number}", figures, store=store, seed=round_seed, kills=kills))
    figures.elapsed_s = round(time.monotonic() - began, 1)
    return figures


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--callers", type=int, default=50)
    parser.add_argument("--agents", type=int, default=10)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--kills", type=int, default=0, help="of the daemon, in each round")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        figures = run(
            arguments.callers,
            arguments.agents,
            arguments.rounds,
            seed=arguments.seed,
            folder=Path(folder),
            kills=arguments.kills,
        )
    print(figures.line())
    if figures.calls >= LONG_RUN_CALLS:
        from bench import torture

        torture.record_calls(figures)
    return 0 if figures.is_right else 1


if __name__ == "__main__":
    sys.exit(main())
