"""Output for people: tables as wide as the terminal, colour only where it is wanted, progress that does not scroll."""

import os
import shutil
import sys
import time
import unicodedata
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final, TextIO

from intake import redaction
from intake.logs import escaped

_COLOURS: Final = {"red": "31", "green": "32", "yellow": "33", "cyan": "36", "dim": "2", "bold": "1"}
MIN_COLUMN = 4
GAP = "  "


def has_colour(stream: TextIO) -> bool:
    """Whether colour is wanted: a terminal, and neither NO_COLOR (no-color.org) nor TERM=dumb says otherwise."""
    return stream.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def coloured(text: str, colour: str, stream: TextIO) -> str:
    return f"\x1b[{_COLOURS[colour]}m{text}\x1b[0m" if has_colour(stream) else text


def say(text: str, *, colour: str = "") -> None:
    """Talk to the person: one line on stderr."""
    safe = redaction.redacted(text)
    print(coloured(safe, colour, sys.stderr) if colour else safe, file=sys.stderr, flush=True)


def complain(text: str) -> None:
    """Say what went wrong, in one line on stderr; names from outside in it cannot steer the terminal."""
    say(f"intake: {escaped(text)}", colour="red")


def local_time(rfc3339: str | None) -> str:
    """Write an instant in the machine's zone: "2026-11-21 10:30"; "" for None."""
    if rfc3339 is None:
        return ""
    return datetime.fromisoformat(rfc3339).astimezone().strftime("%Y-%m-%d %H:%M")


def width_of(text: str) -> int:
    """Count the columns that a terminal gives the text: wide characters take two, combining ones none."""
    if text.isascii():
        return len(text)
    wide = sum(unicodedata.east_asian_width(character) in "WF" for character in text)
    return len(text) + wide - sum(unicodedata.combining(character) > 0 for character in text)


def fitted(text: str, width: int) -> str:
    """Cut or pad the text to exactly this many columns."""
    if width_of(text) <= width:
        return text + " " * (width - width_of(text))
    cut = text
    while cut and width_of(cut) > width - 1:
        cut = cut[:-1]
    return cut + "…" + " " * (width - 1 - width_of(cut))


def table(
    rows: Sequence[Mapping[str, str]], columns: Sequence[str], *, width: int, stretch: str
) -> list[str]:
    """Lay rows out under their columns' names. stretch: the column that gives way when the line is too long."""
    cells = [{name: escaped(str(row.get(name, ""))) for name in columns} for row in rows]
    widths = {name: max([width_of(name), *(width_of(row[name]) for row in cells)]) for name in columns}
    excess = sum(widths.values()) + len(GAP) * (len(columns) - 1) - width
    if excess > 0:
        widths[stretch] = max(MIN_COLUMN, widths[stretch] - excess)
    head = GAP.join(fitted(name.upper(), widths[name]) for name in columns).rstrip()
    return [head, *(GAP.join(fitted(row[name], widths[name]) for name in columns).rstrip() for row in cells)]


def print_table(rows: Sequence[Mapping[str, str]], columns: Sequence[str], *, stretch: str) -> None:
    """Print a table on stdout; as wide as it needs where stdout is no terminal."""
    width = shutil.get_terminal_size((100, 24)).columns if sys.stdout.isatty() else 10_000
    lines = table(rows, columns, width=width, stretch=stretch)
    print(coloured(lines[0], "bold", sys.stdout))
    for line in lines[1:]:
        print(line)


class Progress:
    """How far a long command has come: a bar on a terminal, otherwise a line now and then; on stderr."""

    BAR_EVERY_S = 0.1
    LINE_EVERY_S = 10.0

    def __init__(self, label: str, *, total: int, stream: TextIO | None = None) -> None:
        self._label, self.total = label, total
        self._stream = stream or sys.stderr
        self._is_bar = self._stream.isatty()
        self._started = self._shown = time.monotonic()
        self.done = 0
        self._note = ""

    def step(self, count: int = 1, *, note: str = "") -> None:
        """Go on by so much of the total. note: what to say instead of the two numbers."""
        self.done += count
        self._note = note
        now = time.monotonic()
        if now - self._shown >= (self.BAR_EVERY_S if self._is_bar else self.LINE_EVERY_S):
            self._shown = now
            self._show()

    def close(self) -> None:
        """Take the bar away; the summary follows."""
        if self._is_bar:
            self._stream.write("\r\x1b[2K")
            self._stream.flush()

    def _show(self) -> None:
        rate = self.done / max(time.monotonic() - self._started, 0.001)
        percent = 100 * self.done // max(self.total, 1)
        counts = f"{self._label} {percent}% {self._note or f'{self.done}/{self.total} {rate:.0f}/s'}"
        if not self._is_bar:
            self._stream.write(counts + "\n")
        else:
            room = max(10, min(40, shutil.get_terminal_size().columns - len(counts) - 4))
            filled = room * self.done // max(self.total, 1)
            self._stream.write(f"\r\x1b[2K[{'#' * filled}{'.' * (room - filled)}] {counts}")
        self._stream.flush()
