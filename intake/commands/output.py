"""Results on stdout: JSON as one object a line, or tables for people."""

import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import msgspec

from intake import terminal

TABLE_ROWS = 1_000  # laid out together: a longer list is printed as several tables with the same columns


def print_json(value: Any) -> None:
    sys.stdout.write(msgspec.json.encode(value).decode() + "\n")


def print_rows(
    rows: Iterable[Mapping[str, Any]],
    *,
    is_json: bool,
    columns: Sequence[str],
    cells: Callable[[Mapping[str, Any]], Mapping[str, str]],
    stretch: str,
    nothing: str,
) -> None:
    """Print a list. cells: a row's texts by column; nothing: what is said (to stderr) of an empty list."""
    if is_json:
        for row in rows:
            print_json(row)
        return
    waiting: list[Mapping[str, str]] = []
    printed = 0
    for row in rows:
        waiting.append(cells(row))
        printed += 1
        if len(waiting) == TABLE_ROWS:
            terminal.print_table(waiting, columns, stretch=stretch)
            waiting = []
    if waiting:
        terminal.print_table(waiting, columns, stretch=stretch)
    if not printed:
        terminal.say(nothing)
