"""What happens is told to open pages on both engines: also what another daemon wrote, and what was committed out of order."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any

import msgspec
import psycopg
import pytest

from intake import events
from intake.store import opening
from intake.store.engine import Store
from intake.web.access import Who
from intake.web.desk.live import Listener, Live
from tests.store.clock import Clock

WHO = Who(kind="agent", name="ania", role="lead", teams=frozenset({"support"}))


@asynccontextmanager
async def telling(store: Store) -> AsyncIterator[Live]:
    """Tell what happens on a store, from the first event on."""
    live = Live(store)
    task = asyncio.create_task(live.run())
    with live.listening(WHO, after="") as listener:
        await store.write(lambda tx: events.record(tx, "begun"))
        await kinds(listener, "begun")
    try:
        yield live
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def kinds(listener: Listener, last: str) -> list[str]:
    """The kinds of what came, up to one."""
    found: list[str] = []
    while last not in found:
        lines = (await listener.next(5.0)).decode().splitlines()
        assert lines, found
        told = [msgspec.json.decode(each[6:]) for each in lines if each.startswith("data: ")]
        found += [each["kind"] for each in told if "kind" in each]
    return found


async def test_what_another_daemon_wrote_is_told_once_we_look(open_store: Callable[[], Any]) -> None:
    """Each daemon tells its own tabs; the other's writes are looked for twice a second."""
    ours, theirs = open_store(), open_store()
    async with telling(ours) as live:
        with live.listening(WHO, after="") as listener:
            await theirs.write(lambda tx: events.record(tx, "theirs"))
            live.wake()
            assert await kinds(listener, "theirs") == ["theirs"]


async def test_a_thousand_events_at_once_are_all_told(store: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """However much one look finds, the next goes on behind it; nothing twice, in order."""
    monkeypatch.setattr("intake.web.desk.live.READ_MAX", 600)
    monkeypatch.setattr("intake.web.desk.live.WAITING_MAX", 5_000)

    def write(tx: Any) -> None:
        for number in range(1_500):
            events.record(tx, f"n{number}")

    async with telling(store) as live:
        with live.listening(WHO, after="") as listener:
            await store.write(write)
            assert await kinds(listener, "n1499") == [f"n{number}" for number in range(1_500)]


@pytest.mark.postgres
async def test_what_is_committed_after_a_higher_number_is_told_too(
    postgres_url: str, tmp_path: Path, clock: Clock
) -> None:
    """PostgreSQL gives numbers out before the commit: a slow transaction's event is not lost behind a quick one's."""
    with closing(opening.open_store(postgres_url, tmp_path, clock=clock)) as store:
        async with telling(store) as live:
            with live.listening(WHO, after="") as listener, psycopg.connect(postgres_url) as slow:
                slow.execute(
                    "INSERT INTO events (kind, actor, details, at) VALUES ('slow', 'system', '{}', 1)"
                )
                await store.write(lambda tx: events.record(tx, "quick"))
                assert await kinds(listener, "quick") == ["quick"]
                after = live.mark()
                slow.commit()
                live.wake()
                assert await kinds(listener, "slow") == ["slow"]
            with live.listening(WHO, after=after) as listener:
                assert "slow" in await kinds(listener, "slow")
