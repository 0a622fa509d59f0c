"""Daemons that share a store on PostgreSQL share one rulebook: who changes its files puts them into force for all."""

from collections.abc import Iterator
from contextlib import ExitStack, closing
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from intake import published, rule_files, rulebooks
from intake.rulebooks import Reloader
from intake.store import opening
from intake.store.engine import Store
from tests.domain.world import RULES, World

pytestmark = pytest.mark.postgres


class Daemon:
    """What a daemon has of its own: a folder with files, a connection, a reloader over both."""

    def __init__(self, store: Store, world: World, folder: Path) -> None:
        self.store, self.world, self.rules = store, world, folder / "rules.yaml"
        self.replies = folder / "replies"
        self.told: list[str] = []
        if not folder.exists():
            self.replies.mkdir(parents=True)
            (self.replies / "received.en.md").write_text("Hello\n")
            self.rules.write_text(RULES)
        self.start()

    def start(self) -> None:
        """Begin with the files as they are, as wiring does."""
        sources = rule_files.read(self.rules, self.replies)
        loaded = rulebooks.in_force(self.store, sources, rulebooks.compiled(sources), rules_path=self.rules)
        self.reloader = Reloader(
            self.store,
            self.world.context,
            rules_path=self.rules,
            replies_path=self.replies,
            told=lambda event, _: self.told.append(event),
        )
        self.reloader.swap(loaded)
        self.told.clear()

    async def writes(self, team: str) -> bool:
        self.rules.write_text(RULES.replace("support", team))
        return await self.reloader.reload()

    @property
    def team(self) -> str:
        return next(each for each in self.reloader.context().rulebook.teams if each != "billing")


@pytest.fixture
def daemons(postgres_url: str, tmp_path: Path, clock: Any) -> Iterator[tuple[Daemon, Daemon]]:
    with ExitStack() as stack:
        stores = [
            stack.enter_context(closing(opening.open_store(postgres_url, tmp_path, clock=clock)))
            for _ in range(2)
        ]
        world = World(stores[0], tmp_path, clock)
        yield (
            Daemon(stores[0], world, tmp_path / "first"),
            Daemon(stores[1], world, tmp_path / "second"),
        )


async def begin(*daemons: Daemon) -> None:
    for each in daemons:
        await each.reloader.begin()


async def test_what_one_publishes_the_other_follows(daemons: tuple[Daemon, Daemon]) -> None:
    """From the stored text, reply templates too; what it has taken over it does not take over again."""
    first, second = daemons
    await begin(first, second)
    (first.replies / "received.pl.md").write_text("Czesc\n")
    assert await first.writes("helpers")
    assert second.team == "support"
    assert await second.reloader.follow()
    assert (first.team, second.team) == ("helpers", "helpers")
    assert ("received", "pl") in second.reloader.context().replies.known
    assert second.reloader.context().rulebook.hash == first.reloader.context().rulebook.hash
    assert not await second.reloader.follow()
    assert not await first.reloader.follow()


async def test_calendar_files_go_with_the_rules(daemons: tuple[Daemon, Daemon]) -> None:
    """A daemon that follows has no such file beside its own rules."""
    first, second = daemons
    await begin(first, second)
    text = "BEGIN:VCALENDAR\nBEGIN:VEVENT\nDTSTART:20261224\nSUMMARY:Own\nEND:VEVENT\nEND:VCALENDAR\n"
    first.rules.with_name("own.ics").write_text(text)
    hours = 'open: {mon-fri: "09:00-17:00"}'
    first.rules.write_text(RULES.replace(hours, f"{hours}, holidays: {{file: own.ics}}"))
    assert await first.reloader.reload()
    assert await second.reloader.follow()
    office = second.reloader.context().rulebook.calendars["office"]
    assert office.holiday(date(2026, 12, 24)) == "Own"


async def test_what_is_refused_is_not_published(daemons: tuple[Daemon, Daemon]) -> None:
    first, second = daemons
    await begin(first, second)
    before = first.store.read_now(published.active_digest)
    first.rules.write_text(RULES + "\nrout: []\n")
    assert not await first.reloader.reload()
    assert first.store.read_now(published.active_digest) == before
    assert not await second.reloader.follow()


async def test_old_files_do_not_bring_old_rules_back(daemons: tuple[Daemon, Daemon]) -> None:
    """Started again, or told to read its files again, a daemon with the files of yesterday has today's rules."""
    first, second = daemons
    await begin(second, first)
    await second.writes("second")
    await first.writes("first")
    second.start()
    assert second.team == "first"
    await begin(second)
    assert await second.reloader.reload()
    assert "rules_not_published" in second.told
    assert not await first.reloader.follow()
    assert (first.team, second.team) == ("first", "first")


async def test_a_daemon_never_seen_follows_with_files_that_others_had(daemons: tuple[Daemon, Daemon]) -> None:
    first, second = daemons
    await begin(first)
    await first.writes("newer")
    second.start()
    await begin(second)
    assert (second.team, await first.reloader.follow()) == ("newer", False)


async def test_a_daemon_never_seen_publishes_what_nobody_had(daemons: tuple[Daemon, Daemon]) -> None:
    """A container that is rolled out with new rules brings them to all."""
    first, second = daemons
    await begin(first)
    second.rules.write_text(RULES.replace("support", "rolled"))
    second.start()
    await begin(second)
    assert await first.reloader.follow()
    assert (first.team, second.team) == ("rolled", "rolled")


async def test_a_changed_file_goes_back_to_what_there_was(daemons: tuple[Daemon, Daemon]) -> None:
    """Taking a change back is a change."""
    first, second = daemons
    await begin(first, second)
    await first.writes("wrong")
    await second.reloader.follow()
    assert await first.writes("support")
    assert await second.reloader.follow()
    assert (first.team, second.team) == ("support", "support")


async def test_following_leaves_the_own_files_alone(daemons: tuple[Daemon, Daemon]) -> None:
    """Taking rules over is no change of the files that the watch would read again."""
    first, second = daemons
    await begin(first, second)
    await first.writes("elsewhere")
    seen = second.reloader._look()
    await second.reloader.follow()
    assert second.reloader._look() == seen == second.reloader._seen
