"""A daemon whose wall clock jumps while it runs, and whose monotonic clock does not, as when a machine's clock is set.

Two ways, both steered by a file that holds the offset in seconds: libfaketime, which every call of the process goes
through, where its library loads (Linux on x86-64); and time-machine, which answers for Python's own clocks, everywhere.
`python -m tests.torture.wall_clock OFFSET run -c config/intake.yaml` is the second one.
"""

import importlib.util
import os
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Literal

import time_machine

Way = Literal["libfaketime", "time-machine"]
LOOK_S = 0.01
_PROBE = "import time; print(int(time.time()))"


def ways() -> tuple[Way, ...]:
    """The ways that this machine has, the same on each call; never none."""
    return ("time-machine", "libfaketime") if _library() is not None else ("time-machine",)


class Offset:
    """How far the wall clock is from the real one. path: the file that steers it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.seconds = 0.0
        self.jump(0.0)

    def jump(self, by_s: float) -> None:
        """Move the wall clock; it is never seen half written."""
        self.seconds += by_s
        fresh = self.path.with_suffix(".new")
        fresh.write_text(f"{self.seconds:+.1f}\n")
        fresh.replace(self.path)

    def now_us(self) -> int:
        """What the wall clock shows, microseconds UTC."""
        return int((time.time() + self.seconds) * 1_000_000)


def program(way: Way, offset: Offset) -> Sequence[str]:
    return ("-m", "intake") if way == "libfaketime" else ("-m", "tests.torture.wall_clock", str(offset.path))


def environment(way: Way, offset: Offset) -> Mapping[str, str]:
    return _faked(str(_library()), offset.path) if way == "libfaketime" else {}


def _faked(library: str, path: Path) -> dict[str, str]:
    return {
        "LD_PRELOAD": library,
        "FAKETIME_TIMESTAMP_FILE": str(path),
        "FAKETIME_CACHE_DURATION": "1",  # the file is read once a second, not at each look at any clock
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        "DONT_FAKE_MONOTONIC": "1",
        "FAKETIME_FORCE_MONOTONIC_FIX": "0",  # else threads wait fifty times as long for the interpreter
        "NO_FAKE_STAT": "1",
    }


@cache
def _library() -> Path | None:
    """The library of libfaketime, if it works here: its wheel has it for one kind of machine only."""
    found = importlib.util.find_spec("libfaketime")
    places = [Path(place) for place in (found.submodule_search_locations or ()) if found] if found else []
    libraries = [library for place in places for library in place.rglob("libfaketime.so.1")]
    return next((library for library in libraries if _works(library)), None)


def _works(library: Path) -> bool:
    variables = {**os.environ, "LD_PRELOAD": str(library), "FAKETIME": "-10d", "FAKETIME_NO_CACHE": "1"}
    said = subprocess.run(
        [sys.executable, "-c", _PROBE], env=variables, capture_output=True, text=True, timeout=30, check=False
    )
    return said.returncode == 0 and int(said.stdout or 0) < time.time() - 86_400


def _follow(path: Path, traveller: time_machine.Traveller) -> None:
    """Jump whenever the file says so."""
    shown = 0.0
    while True:
        wanted = float(path.read_text())
        if wanted != shown:
            traveller.shift(timedelta(seconds=wanted - shown))
            shown = wanted
        time.sleep(LOOK_S)


def main() -> int:
    from intake import cli

    # Begins as close to the real time as two calls are.
    traveller = time_machine.travel(time.time(), tick=True).start()
    threading.Thread(target=_follow, args=(Path(sys.argv[1]), traveller), daemon=True).start()
    return cli.main(sys.argv[2:])


if __name__ == "__main__":
    sys.exit(main())
