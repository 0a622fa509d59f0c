"""What a settlement pays for the words that are kept with each message: the same mails, with and without, by turns."""

import asyncio
import functools
import random
import shutil
import time
from collections.abc import Iterable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from unittest import mock

from bench import desk_fixture
from bench.results import Results
from channels.email import message as mail_reader
from intake import journal, pipeline, search_index
from intake.store import opening
from tests.domain.world import World

PART = "desk"
MAILS = 200  # of a turn: short, so that what else the machine does falls on both alike


def run(results: Results, folder: Path, *, turns: int) -> None:
    """Settle the same mails with the words kept and without, by turns; the processor's time of the quickest counts."""
    with_words, without = [], []
    for turn in range(turns):
        with_words.append(_settled_us(folder / f"with{turn}", count=MAILS))
        with mock.patch.object(search_index, "keep", return_value=None):
            without.append(_settled_us(folder / f"without{turn}", count=MAILS))
    ratio = min(without) / min(with_words)
    words = "Settlements a second with the words kept, against without (processor's time)"
    results.line(PART, words, ratio, target=0.95, unit="×")
    results.note(
        PART, f"A settlement: {min(with_words):.0f} µs with the words kept, {min(without):.0f} µs without."
    )


def _settled_us(folder: Path, *, count: int) -> float:
    """Settle so many mails of 120 words; microseconds of the processor's time for each."""
    folder.mkdir()
    with closing(opening.open_store("", folder)) as store:
        world = World(store, folder, store.clock)
        mails = list(_received(world, count))
        began = time.process_time()
        asyncio.run(_settle(world, mails))
        spent_us = (time.process_time() - began) / count * 1e6
    shutil.rmtree(folder)
    return spent_us


def _received(world: World, count: int) -> Iterator[tuple[Any, Any]]:
    words = desk_fixture.Words(random.Random(3))
    for number in range(count):
        about, said = " ".join(words.some(4)), " ".join(words.some(120))
        journal_id = world.journal(f"c{number % 300}@x{number % 40}.example", subject=about, body=said)
        received = world.store.read_now(
            functools.partial(journal.load, journal_id=journal_id, folder=world.folder)
        )
        yield received, mail_reader.parse(received.raw, mail_reader.Options())


async def _settle(world: World, mails: Iterable[tuple[Any, Any]]) -> None:
    waiting = list(mails)

    async def lane() -> None:
        while waiting:
            received, message = waiting.pop()
            await world.store.write(
                functools.partial(pipeline.settle, context=world.context, received=received, message=message)
            )

    await asyncio.gather(*(lane() for _ in range(8)))
