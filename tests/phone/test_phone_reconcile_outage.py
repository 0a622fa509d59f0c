"""Half an hour without webhooks, kills, borders of pages, wrong clocks: everything is there once."""

import asyncio
import os
import random
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from sqlalchemy import select

from channels import testing
from channels.twilio import listing, position, taking
from channels.twilio.simulator import paging
from channels.twilio.simulator.provider import Provider
from intake import ledger
from intake.journal import Journal
from intake.keys import Keys
from intake.store import opening, schema
from intake.store.statements import Statement
from tests.phone.outage import JAN, MARIA, OWN, Desk, Killed, Mortal, desk, ended, form

__all__ = ["desk"]

# -- the outage -------------------------------------------------------------------------------------------------------


async def test_half_an_hour_without_webhooks_is_brought_back_whole_each_once(desk: Desk) -> None:
    desk.half_an_hour(400)
    await ended(desk)
    assert len(desk.expected()) >= 400
    assert sorted(desk.taken) == sorted(desk.expected())
    await ended(desk)
    assert len(desk.taken) == len(desk.expected())


@pytest.mark.slow
async def test_webhooks_that_come_late_and_in_parallel_make_nothing_twice(desk: Desk) -> None:
    told = desk.half_an_hour(400)
    source = random.Random(3)
    late = [raw for raw in told if source.random() < 0.5] * 2
    source.shuffle(late)
    desk.provider.advance(900)
    await asyncio.gather(desk.round(), *(desk.gate.submit(raw) for raw in late), desk.round())
    await ended(desk)
    assert sorted(desk.taken) == sorted(desk.expected())


@pytest.mark.slow
async def test_a_real_journal_has_each_once_and_the_ledger_counts_them(
    tmp_path: Path, new_store: bytes, provider: Provider, api_url: str
) -> None:
    (tmp_path / "intake.db").write_bytes(new_store)
    with closing(opening.open_store("", tmp_path)) as store:
        keys = Keys.load_or_create(tmp_path / "keys.json")
        journal = Journal(store, keys, folder=tmp_path)
        desk = Desk(provider, api_url, journal)
        await desk.round()
        told = desk.half_an_hour(320)
        late = random.Random(5).sample(told, 160)
        provider.advance(900)
        await asyncio.gather(desk.round(), *(journal.submit(raw) for raw in late))
        await desk.round()
        await desk.api.close()
        kept = store.read_now(lambda tx: tx.all(_FIRST))
        counted = {row["account"]: row for row in ledger.rows(store)}
    assert sorted(row[0] for row in kept) == sorted(map(keys.fingerprint, desk.expected()))
    texts = [each for each in provider.texts.values() if each.direction == "inbound"]
    there = {"texts": len(texts), "phone": len(provider.calls) + len(provider.recordings)}
    for account, number in there.items():
        row = counted[account]
        assert (row["place"], row["on_server"], row["accounted"], row["missing"]) == (OWN, number, number, 0)


_FIRST = Statement(select(schema.journal.c.key).where(schema.journal.c.duplicate_of.is_(None)))


@pytest.mark.slow
@pytest.mark.parametrize("is_done", [False, True])
async def test_killed_at_each_step_nothing_is_lost_and_the_cursor_is_never_ahead(
    provider: Provider, api_url: str, *, is_done: bool
) -> None:
    desk = Desk(provider, api_url, start="2026-11-08")
    for number in range(4):
        provider.receive(JAN if number % 2 else MARIA, OWN, f"{number}")
        desk.recorded(desk.called(5))
        provider.advance(hours=11)
    for nth in range(1, 100):
        desk.gate = testing.MemoryGate()
        is_killed = await killed(desk, Mortal(desk.gate, nth, is_done=is_done))
        assert_cursor_is_behind(desk)
        await desk.round()
        assert sorted(desk.taken) == sorted(desk.expected())
        if not is_killed:
            break
    await desk.api.close()
    assert 20 < nth < 99


async def killed(desk: Desk, gate: Any) -> bool:
    """Look once; whether that was the end of it."""
    try:
        await desk.round(gate)
    except (Killed, BaseExceptionGroup):
        return True
    return False


def assert_cursor_is_behind(desk: Desk) -> None:
    """Whatever the cursor says was read is stored."""
    taken, provider = set(desk.taken), desk.provider
    for account in ("texts", "phone"):
        found = position.decode(desk.gate._cursors.get(f"{account}/{OWN}"))
        read = (found.read or found.begun) if found is not None else datetime(2026, 1, 1, tzinfo=UTC)
        if account == "texts":
            due = {desk.webhook(each).keys[0] for each in provider.texts.values() if each.created_at <= read}
        else:
            calls = [each for each in provider.calls.values() if each.ended_at and each.ended_at <= read]
            due = {desk.status_of(each).keys[0] for each in calls}
        assert due <= taken


# -- lists ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("count", [9, 10, 11, 20, 21, 105])
async def test_a_list_is_read_to_its_end_whatever_the_number_of_its_pages(
    desk: Desk, count: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listing, "PAGE_SIZE", 10)
    for number in range(count):
        desk.provider.receive(f"+4860020{number % 7:04}", OWN, f"{number}")  # all within one second
    await ended(desk)
    assert len(desk.taken) == count
    assert set(desk.taken) == desk.expected()
    by_lane: dict[str, list[int]] = {}
    for raw in desk.gate.stored:
        by_lane.setdefault(raw.lane, []).append(int(form(raw)["Body"]))
    assert all(numbers == sorted(numbers) for numbers in by_lane.values())


@pytest.mark.slow
async def test_a_message_that_arrives_while_pages_are_turned_hides_none(desk: Desk) -> None:
    for number in range(1_001):
        desk.provider.receive(JAN, OWN, f"{number}")
    desk.provider.advance(900)
    gate = Interrupted(desk.gate, lambda: desk.provider.receive(MARIA, OWN, "meanwhile"))
    await desk.texts().round(gate)
    assert len(desk.taken) == 1_001
    await ended(desk)
    assert set(desk.taken) == desk.expected()


class Interrupted:
    """A gate during whose look-ups something happens."""

    def __init__(self, gate: testing.MemoryGate, happens: Callable[[], object]) -> None:
        self._gate, self._happens = gate, happens

    def __getattr__(self, name: str) -> Any:
        return getattr(self._gate, name)

    async def known(self, keys: Any) -> frozenset[str]:
        self._happens()
        return await self._gate.known(keys)


@pytest.mark.slow
async def test_more_keys_than_the_gate_takes_at_once_are_asked_in_portions(desk: Desk) -> None:
    asked: list[int] = []

    class Counting(Interrupted):
        async def known(self, keys: Any) -> frozenset[str]:
            asked.append(len(keys := list(keys)))
            return await desk.gate.known(keys)

    for _ in range(510):
        desk.called(5, price="-0.01")  # two keys each: that it ended, and what it cost
    desk.provider.advance(900)
    await desk.phone().round(Counting(desk.gate, lambda: None))
    assert sum(asked) == 1_020
    assert max(asked) == taking.KNOWN_AT_ONCE


# -- clocks -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("minutes", [-1_440 * 3, -5, 5, 1_440 * 3])
async def test_a_clock_of_ours_that_is_wrong_hides_nothing(
    provider: Provider, api_url: str, minutes: int
) -> None:
    desk = Desk(provider, api_url)
    desk.skew = timedelta(minutes=minutes)
    await desk.round()
    for _ in range(4):
        provider.advance(hours=20)
        desk.half_an_hour(10)
        await ended(desk)
    desk.skew = timedelta()
    await ended(desk)
    await desk.api.close()
    assert sorted(desk.taken) == sorted(desk.expected())


@pytest.fixture
def warsaw() -> Iterator[None]:
    before = os.environ.get("TZ")
    os.environ["TZ"] = "Europe/Warsaw"
    time.tzset()
    yield
    if before is None:
        del os.environ["TZ"]
    else:
        os.environ["TZ"] = before
    time.tzset()


@pytest.mark.usefixtures("warsaw")
@pytest.mark.parametrize("day", [datetime(2026, 3, 28, 23, 0), datetime(2026, 10, 24, 22, 30)])
async def test_the_hour_that_is_missing_or_doubled_is_an_hour_like_others(
    provider: Provider, api_url: str, day: datetime
) -> None:
    provider.at = day.replace(tzinfo=UTC)
    desk = Desk(provider, api_url)
    await desk.round()
    for _ in range(6):
        desk.half_an_hour(8)
        await ended(desk)
    await desk.api.close()
    assert sorted(desk.taken) == sorted(desk.expected())


async def test_a_month_away_is_made_up_for_day_by_day_the_oldest_first(desk: Desk) -> None:
    for number in range(30):
        desk.provider.receive(JAN, OWN, f"{number}")
        desk.provider.advance(hours=24)
    before = len(desk.gate.inventories)
    await desk.texts().round(desk.gate)
    assert desk.said == [str(number) for number in range(30)]
    [counted] = [each.keys for each in desk.gate.inventories[before:] if each.keys is not None]
    assert len(counted) <= 4  # the last days only: a count of everything would take longer each day


async def test_a_twilio_that_looks_at_nothing_but_the_day_hides_nothing(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its documents speak of days and of their midnight: "on or before midnight of this date"."""

    def midnight(_: str, value: str) -> tuple[datetime, datetime]:
        day = datetime.fromisoformat(value[:10]).replace(tzinfo=UTC)
        return day, day

    monkeypatch.setattr(paging, "_span", midnight)
    for number in range(60):
        desk.provider.receive(JAN, OWN, f"{number}")
        desk.recorded(desk.called())
        desk.provider.advance(hours=3.7)
    await desk.round()
    assert desk.said == [str(number) for number in range(60)]
    assert sorted(desk.taken) == sorted(desk.expected())


# -- the cursor -------------------------------------------------------------------------------------------------------


async def test_a_cursor_that_cannot_be_read_is_told_and_the_last_days_are_compared(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    desk.provider.advance(hours=24 * 10)
    desk.provider.receive(JAN, OWN, "Hello")
    desk.gate._cursors[f"texts/{OWN}"] = b"\xff"
    desk.provider.advance(60)
    await desk.texts().round(desk.gate)
    assert desk.said == ["Hello"]
    assert "twilio_cursor_unreadable" in caplog.text


def test_a_cursor_reads_as_it_was_written() -> None:
    at = datetime(2026, 11, 22, 9, tzinfo=UTC)
    written = position.Position(begun=at, met=at, read=at, swept=at)
    assert position.decode(position.encode(written)) == written


def test_a_cursor_that_lies_ahead_counts_as_now() -> None:
    """Twilio's clock, or a proxy's, went wrong and was mended."""
    now = datetime(2026, 11, 22, 9, tzinfo=UTC)
    before = now - timedelta(days=30)
    ahead = position.Position(begun=before, met=before, read=now + timedelta(days=3), swept=now)
    [window] = position.windows(ahead, now)
    assert (window.start, window.until) == (now - position.OVERLAP, None)
    [window] = position.windows(msgspec.structs.replace(ahead, swept=now + timedelta(days=3)), now)
    assert window.start == now - position.SWEEP


def test_what_twilio_keeps_no_longer_is_not_asked_for() -> None:
    """A cursor of two years ago would be 730 lists, of which 330 are empty."""
    now = datetime(2026, 11, 22, 9, tzinfo=UTC)
    long_ago = now - timedelta(days=730)
    first, *_ = position.windows(position.Position(begun=long_ago, met=long_ago, read=long_ago), now)
    assert first.start == now - position.RETENTION
