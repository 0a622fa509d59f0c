"""Random days of a random desk, through the product's own functions on a real store: who gets what, and who waits.

Every event of the store is replayed in its order by a desk that is much simpler than the product (tests.domain.desk_model)
and after each thing that happens the whole desk is looked at:

    no agent ever holds more of a medium than the team of what they were just given lets them hold
    no ticket waits while somebody of its level is there, knows what is needed and has room
    whoever is given a ticket was its fair owner: nobody able had less to do, or waited longer for their turn
    the counts that are kept are the counts of the tickets

    python -m tests.domain.assignment_days --days 10000 [--seed 1]
"""

import argparse
import asyncio
import random
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from channels.contract import Address, Identity, Message, RawMessage
from intake import assigning, desk, instants, pipeline, presence, waiting
from intake.desk import DeskError
from intake.model import Received
from intake.store import opening
from tests.conftest import ManualClock
from tests.domain.desk_model import DeskModel
from tests.domain.world import World
from tests.store.memory import memory_folder

LONG_RUN_DAYS = 10_000  # whose result is kept in bench/RESULTS.md

MEDIA = ("email", "chat")
SKILLS = ("pl", "de")
HOURS = {"early": "06:00-14:00", "late": "12:00-20:00", "day": "08:00-18:00"}
HAPPENINGS = 24
START = datetime.fromisoformat("2026-11-10T05:00:00+00:00")


def rules(chance: random.Random) -> str:
    """The rules of a random desk: agents with skills and hours, teams with levels and caps."""
    names = [f"a{number}" for number in range(chance.randint(3, 6))]
    agents = [f"  {name}: {{{_agent(chance, name, names)}}}" for name in names]
    teams = [f"  t{number}: {_team(chance, number, names)}" for number in range(chance.randint(1, 2))]
    calendars = [f'  {name}: {{timezone: UTC, open: {{mon-sun: "{span}"}}}}' for name, span in HOURS.items()]
    routes = []
    for number in range(len(teams)):
        for word, more in _ROUTES.items():
            named = f", agent: {chance.choice(names)}" if word == "named" else ""
            when = f"subject: {{words: t{number}{word}}}"
            routes.append(
                f"  - {{id: t{number}-{word}, when: {{{when}}}, then: {{team: t{number}{more}{named}}}}}"
            )
    lines = ["version: 1", "calendars:", *calendars, "agents:", *agents, "teams:", *teams, "route:", *routes]
    return "\n".join([*lines, "default: {team: t0, priority: normal}", ""])


_ROUTES = {
    "plain": "",
    "urgent": ", priority: urgent",
    "pl": ", skills: {need: [pl]}",
    "de": ", skills: {need: [de], relax: 2h}",
    "named": "",
}


def _agent(chance: random.Random, name: str, names: list[str]) -> str:
    skills = ", ".join(skill for skill in SKILLS if name == names[0] or chance.random() < 0.5)
    hours = chance.choice([None, None, *HOURS])
    deputy = chance.choice([None, *(each for each in names if each != name)])
    said = [f"skills: [{skills}]", hours and f"hours: {hours}", deputy and f"deputy: {deputy}"]
    return ", ".join(each for each in said if each)


def _team(chance: random.Random, number: int, names: list[str]) -> str:
    members = chance.sample(names, chance.randint(2, len(names)))
    cut = chance.randint(1, len(members))
    levels = [f"f{number}: [{', '.join(members[:cut])}]"]
    levels += [f"l{number}: [{', '.join(members[cut:])}]"] if members[cut:] else []
    capacity = f"{{email: {chance.randint(1, 4)}, chat: {chance.randint(1, 2)}}}"
    by = chance.choice(["least_loaded", "round_robin"])
    return f"{{levels: {{{', '.join(levels)}}}, assign: {{by: {by}, capacity: {capacity}}}}}"


class RandomDay:
    """One day. chance: what happens, and when."""

    def __init__(
        self, world: World, clock: ManualClock, chance: random.Random, runner: asyncio.Runner
    ) -> None:
        self.world, self.clock, self.chance, self.runner = world, clock, chance, runner
        self.model = DeskModel(world)
        self._numbers = iter(range(1, 10_000))

    def live(self, happenings: int = HAPPENINGS) -> None:
        """Let a day pass. Raises: AssertionError with what was wrong."""
        for _ in range(happenings):
            self._pass(timedelta(minutes=self.chance.choice([0, 1, 5, 20, 40, 90])))
            self._happen()
            self._ring()
            self.model.check()

    def _pass(self, span: timedelta) -> None:
        """Let time pass, and the bell ring at every instant that something is due."""
        end = self.clock.at + span
        while (due := self._next_due()) is not None and due <= end:
            self.clock.at = max(self.clock.at, due)
            self._ring()
            self.model.check()
        self.clock.at = end

    def _next_due(self) -> datetime | None:
        world = self.world
        dues = world.store.read_now(lambda tx: [each.next_due(tx) for each in (presence, waiting)])
        dues += [row["due_at"] for row in world.rows("timers", "state = 'pending'")]
        found = [each for each in dues if each is not None]
        return instants.datetime_from_us(min(found)) if found else None

    def _ring(self) -> None:
        """What the bell does, until nothing is due any more; the second until what waits is looked at passes by itself."""
        for _ in range(10):
            self.world.fire_due()
            now_us = self.world.store.now_us()
            due = [each for each in (presence, waiting) if self._is_due(each, now_us)]
            for each in due:
                self.runner.run(each.run_due(self.world.store, self.world.context))
            if not due:
                return

    def _is_due(self, clockwork: Any, now_us: int) -> bool:
        due_us = self.world.store.read_now(clockwork.next_due)
        soon = due_us is not None and now_us < due_us <= now_us + 1_000_000
        if soon:
            self.clock.at += timedelta(seconds=1)
        return due_us is not None and due_us <= self.world.store.now_us()

    def _happen(self) -> None:
        weights = {
            self._arrive: 11,
            self._solve: 5,
            self._write_again: 3,
            self._go_away: 1,
            self._come_back: 1,
            self._assign: 2,
            self._wait: 1,
            self._reopen: 1,
        }
        self.chance.choices(list(weights), list(weights.values()))[0]()

    # -- what happens ---------------------------------------------------------------------------------------------

    def _settle(self, message: Message) -> None:
        number = next(self._numbers)
        raw = RawMessage(kind="email.smtp", account="support", lane="x", body=b"", received_at=self.clock.at)
        received = Received(id=number, raw=raw)
        self.world.store.write_now(lambda tx: pipeline.settle(tx, self.world.context, received, message))

    def _arrive(self) -> None:
        number, medium = next(self._numbers), self.chance.choice(MEDIA)
        team = self.chance.choice([*self.world.context.rulebook.teams])
        word = self.chance.choice(["plain", "plain", "plain", "urgent", "pl", "de", "named"])
        self._settle(self._message(f"c{number}@x.example", medium, f"{team}{word}", message_id=f"{number}@x"))

    def _message(self, sender: str, medium: str, subject: str, **more: Any) -> Message:
        return Message(
            kind=medium,
            from_=Address(sender),
            sender=Identity("email", sender),
            subject=subject,
            text="x",
            visible_text="x",
            **more,
        )

    def _write_again(self) -> None:
        ticket = self._any("status <> 'closed'")
        if ticket is None:
            return
        (first, *_) = self.world.rows("messages", "ticket_id = :id ORDER BY id", id=ticket["id"])
        again = self._message(first["author"], ticket["medium"], "re", in_reply_to=(first["external_id"],))
        self._settle(again)

    def _set(self, status: str, where: str) -> None:
        ticket = self._any(where)
        if ticket is not None:
            agent = ticket["agent"] or next(iter(self.world.context.rulebook.agents))
            self.world.store.write_now(
                lambda tx: desk.set_status(tx, self.world.context, ticket["ref"], status, agent=agent)
            )

    def _solve(self) -> None:
        self._set("solved", "solved_at IS NULL AND agent IS NOT NULL")

    def _wait(self) -> None:
        self._set("pending", "status IN ('new', 'open')")

    def _reopen(self) -> None:
        self._set("open", "status IN ('solved', 'pending')")

    def _assign(self) -> None:
        ticket = self._any("solved_at IS NULL")
        if ticket is None:
            return
        book = self.world.context.rulebook
        to = self.chance.choice([None, *book.agents, *book.teams])
        by = next(iter(book.agents))

        def assign(tx: Any) -> None:
            assigning.assign(tx, self.world.context, ticket["ref"], to, agent=by)

        try:
            self.world.store.write_now(assign)
        except DeskError as refused:
            self.model.note_refused(ticket, to, str(refused))
        else:
            self.model.note_left(ticket, is_left=to is None)

    def _go_away(self) -> None:
        name = self.chance.choice([*self.world.context.rulebook.agents])
        hours = self.chance.choice([None, 1, 3])
        until = None if hours is None else self.world.store.now_us() + hours * 3_600_000_000
        keep = self.chance.random() < 0.2
        self.world.store.write_now(
            lambda tx: presence.go(tx, self.world.context, name, until_us=until, keep=keep, by=name)
        )

    def _come_back(self) -> None:
        name = self.chance.choice([*self.world.context.rulebook.agents])
        self.world.store.write_now(lambda tx: presence.come_back(tx, name, by=name))

    def _any(self, where: str) -> dict[str, Any] | None:
        rows = self.world.rows("tickets", f"{where} ORDER BY id")
        return self.chance.choice(rows) if rows else None


@contextmanager
def days_of(template: bytes | None = None) -> Iterator[Any]:
    """Give a function that lives the day of a seed, each on a store of its own, in memory."""
    place = memory_folder(room_bytes=200_000_000)
    with tempfile.TemporaryDirectory(dir=place) as folder, asyncio.Runner() as runner:
        if template is None:
            opening.open_store("", Path(folder) / "template").close()
            template = (Path(folder) / "template" / "intake.db").read_bytes()

        def live(seed: int) -> None:
            chance = random.Random(seed)
            home = Path(folder) / "day"
            home.mkdir(exist_ok=True)
            for old in home.glob("intake.db*"):
                old.unlink()
            (home / "intake.db").write_bytes(template)
            clock = ManualClock(START)
            with closing(opening.open_store("", home, clock=clock)) as store:
                world = World(store, home, clock, rules=rules(chance))
                try:
                    RandomDay(world, clock, chance, runner).live()
                except AssertionError as error:
                    raise AssertionError(f"day {seed}: {error}") from error

        yield live


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--days", type=int, default=1_000)
    parser.add_argument("--seed", type=int, default=0, help="of the first day")
    arguments = parser.parse_args()
    with days_of() as live:
        for number in range(arguments.days):
            live(arguments.seed + number)
            if number % 500 == 499:
                print(f"{number + 1} days", flush=True)
    print(f"{arguments.days} days, each right at every instant")
    if arguments.days >= LONG_RUN_DAYS:
        from bench import torture

        torture.record_days(arguments.days)
    return 0


if __name__ == "__main__":
    sys.exit(main())
