"""How long the event loop is held up while hostile mail is parsed: `python -m tests.email.silence`.

Each shape goes the daemon's own way, by threads and the limited worker; a ticker beside it notes its longest pause. The
shortest of a few tries counts: what else the machine does only adds.
"""

import argparse
import asyncio
import contextlib
import sys
import time

from channels.email import message, smtp
from intake import parsing
from tests.email.bombs import BOMBS
from tests.email.test_mail_hostile import raw_mail

LIMIT_MS = 100.0
_TICK_S = 0.001
_TRIES = 4


async def measured(names: list[str], *, is_told: bool = False) -> dict[str, float]:
    """Milliseconds of the longest silence while each shape was parsed."""
    reader = parsing.Reader(smtp, message.Options())
    parser = parsing.Parsing({"a": reader})
    silences = {}
    try:
        await parser.parse(raw_mail(BOMBS["100 HTML parts of 10 000 elements"]()))  # the worker is there
        for name in names:
            silences[name] = await _shortest(parser, BOMBS[name]())
            if is_told:
                print(f"{silences[name]:8.1f} ms  {name}", flush=True)
    finally:
        await parser.close()
    return silences


async def _shortest(parser: parsing.Parsing, content: bytes) -> float:
    shortest = float("inf")
    for _ in range(_TRIES):
        shortest = min(shortest, await _silence(parser, content))
        if shortest < LIMIT_MS:
            break
    return shortest


async def _silence(parser: parsing.Parsing, content: bytes) -> float:
    longest = [0.0]
    ticker = asyncio.create_task(_tick(longest))
    await asyncio.sleep(0)
    await parser.parse(raw_mail(content))
    await asyncio.sleep(0)
    ticker.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await ticker
    return longest[0] * 1000


async def _tick(longest: list[float]) -> None:
    last = time.perf_counter()
    while True:
        await asyncio.sleep(_TICK_S)
        now = time.perf_counter()
        longest[0] = max(longest[0], now - last)
        last = now


def main() -> int:
    argparse.ArgumentParser(prog="python -m tests.email.silence", description=__doc__).parse_args()
    silences = asyncio.run(measured(list(BOMBS), is_told=True))
    worst = max(silences, key=lambda name: silences[name])
    print(f"{len(silences)} shapes, the worst: {silences[worst]:.0f} ms, {worst}")
    return int(silences[worst] >= LIMIT_MS)


if __name__ == "__main__":
    sys.exit(main())
