"""Which tickets agents have before them, over several daemons on one store."""

from collections.abc import Iterator
from contextlib import ExitStack, closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from intake import whereabouts
from intake.store import opening
from intake.web.access import Subject, Who
from intake.web.desk.live import Live
from intake.web.desk.places import Places
from tests.store.clock import Clock

pytestmark = pytest.mark.postgres
ANIA = Who(kind="agent", name="ania", teams=frozenset({"support"}))
OURS = Subject(team="support", ref="AAAAAA1")


@pytest.fixture
def daemons(postgres_url: str, tmp_path: Path, clock: Clock) -> Iterator[tuple[Places, Places]]:
    """Two daemons that know whose the ticket is."""
    with ExitStack() as stack:
        found = []
        for name in ("one", "two"):
            folder = tmp_path / name
            folder.mkdir()
            store = stack.enter_context(closing(opening.open_store(postgres_url, folder, clock=clock)))
            live = Live(store)
            live._remember("AAAAAA1", OURS)
            found.append(Places(store, live))
            stack.callback(found[-1].close)
        yield found[0], found[1]


def advance(clock: Any, **by: float) -> None:
    clock.at += timedelta(**by)


async def test_a_page_of_one_daemon_is_known_to_the_other(
    daemons: tuple[Places, Places], clock: Clock
) -> None:
    """And holds for as long as its stream is open at either, also where another took what it said."""
    ours, theirs = daemons
    with ours.stream() as stream:
        await theirs.say("AAAAAA1", "tomek", "looking", page="t", stream=stream, subject=OURS)
        for _ in range(5):
            advance(clock, seconds=20)
            await ours.look()
        await theirs.look()
        for each in daemons:
            assert each.others("AAAAAA1", "ania") == [{"agent": "tomek", "doing": "looking"}]
    advance(clock, seconds=31)
    await theirs.look()
    assert theirs.others("AAAAAA1", "ania") == []


async def test_what_changes_at_one_daemon_is_told_at_the_other(daemons: tuple[Places, Places]) -> None:
    ours, theirs = daemons
    with theirs._live.listening(ANIA, after="") as ania:
        await ours.say("AAAAAA1", "ewa", "replying", page="e", stream="", subject=OURS)
        await theirs.look()
        await ours.end("AAAAAA1", "ewa", page="e", subject=OURS)
        await theirs.look()
        lines = (await ania.next(1.0)).decode()
    assert [lines.count(f'"doing":"{each}"') for each in ("replying", "gone")] == [1, 1]


async def test_rows_that_are_over_are_removed(daemons: tuple[Places, Places], clock: Clock) -> None:
    ours, _ = daemons
    await ours.say("AAAAAA1", "ewa", "looking", page="p", stream="gone", subject=OURS)
    assert len(await ours._store.read(whereabouts.everybody)) == 1
    advance(clock, seconds=31)
    await ours.look()
    advance(clock, seconds=-31)
    assert await ours._store.read(whereabouts.everybody) == []
