"""A daemon in a process of its own, which is told the time: python -m tests.phone.clocked_daemon FOLDER CLOCK

CLOCK is a file of eight bytes: the seconds since 1970, a double, changed by whoever started this. It says "ready PORT",
then takes a word a line and answers "done": "look" = time has gone by, "settle", "reconcile". The end of its input stops it.
"""

import asyncio
import mmap
import struct
import sys
from datetime import UTC, datetime
from pathlib import Path

from intake.daemon import Daemon
from tests.phone import clocked

DOES = {"look": clocked.look, "settle": clocked.settled, "reconcile": clocked.reconcile}
SIZE_BYTES = 8


class Clock:
    """Reads the time that somebody else writes."""

    def __init__(self, path: Path) -> None:
        with path.open("rb") as file:
            self._shared = mmap.mmap(file.fileno(), SIZE_BYTES, access=mmap.ACCESS_READ)

    def __call__(self) -> datetime:
        [seconds] = struct.unpack("d", self._shared[:])
        return datetime.fromtimestamp(seconds, UTC)


async def serve(folder: Path, clock: Clock) -> None:
    """Run until nobody asks for anything any more."""
    reader = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    async with clocked.running(folder, clock) as daemon:
        assert daemon.upkeep.bound is not None
        print(f"ready {daemon.upkeep.bound[1]}", flush=True)
        while word := (await reader.readline()).decode().strip():
            await _do(daemon, word)
            print("done", flush=True)


async def _do(daemon: Daemon, word: str) -> None:
    await DOES[word](daemon)


if __name__ == "__main__":
    asyncio.run(serve(Path(sys.argv[1]), Clock(Path(sys.argv[2]))))
