"""What is due, and when; and timers that were given up."""

import argparse
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from intake import cli, instants, terminal, timer_list
from intake.commands import options, output
from intake.store.engine import Store
from intake.timer_list import Wanted

_SPAN = re.compile(r"(\d+)([smhdw])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def configure(parser: argparse.ArgumentParser) -> None:
    commands = options.subcommands(parser)
    listed = options.subcommand(commands, "list", list_timers, "what is due, soonest first")
    listed.add_argument("--ticket", metavar="REF", help="all that a ticket has had, whatever became of it")
    until = listed.add_mutually_exclusive_group()
    until.add_argument("--within", type=span, metavar="TIME", help="due within: 30m, 2h, 7d")
    until.add_argument(
        "--due-before", type=instant, metavar="WHEN", help="due by then: 2026-11-24[T09:30[+01:00]]"
    )
    until.add_argument("--late", action="store_true", help="due by now, and not fired")
    listed.add_argument("--failed", action="store_true", help="those that were given up")
    options.add_limit(listed)
    options.add_json(listed)
    retry = options.subcommand(commands, "retry", retry_timers, "fire timers that were given up")
    retry.add_argument("ids", nargs="*", metavar="ID")
    retry.add_argument("--all", action="store_true", dest="is_all", help="everything that was given up")


run = options.run_subcommand


def list_timers(arguments: argparse.Namespace) -> int:
    if arguments.ticket is not None and arguments.failed:
        raise cli.WrongInput(
            "--failed and --ticket do not go together: a ticket's list has all of its timers"
        )
    with options.opened(arguments) as (_, store):
        now = store.now()
        found = _Counted(_rows(store, arguments, now), now)
        output.print_rows(
            found,
            is_json=arguments.is_json,
            columns=("due at", "ticket", "kind", "step", "policy", "state", "id"),
            cells=_cells,
            stretch="step",
            nothing="nothing is due",
        )
    if not arguments.is_json and found.count:
        terminal.say(found.summary(is_cut=found.count == arguments.limit))
    return 0


def _rows(store: Store, arguments: argparse.Namespace, now: datetime) -> Iterable[dict[str, Any]]:
    before = timer_list.LAST_US
    if arguments.due_before is not None or arguments.within is not None or arguments.late:
        at = arguments.due_before or now + (arguments.within or timedelta())
        before = instants.us_from_datetime(at)
    if arguments.ticket is None:
        state = timer_list.FAILED if arguments.failed else timer_list.OPEN
        return timer_list.rows(store, Wanted(state=state, before=before, limit=arguments.limit))
    found = timer_list.of_ticket(store, _ticket_id(store, arguments.ticket), before=before)
    open_only = [each for each in found if each["state"] in ("pending", "failing")]
    return (open_only if arguments.late else found)[: arguments.limit]


def _ticket_id(store: Store, ref: str) -> int:
    from intake import desk

    try:
        return store.read_now(lambda tx: desk.find(tx, ref, is_locked=False, is_followed=False)).id
    except desk.DeskError as error:
        raise cli.WrongInput(str(error)) from None


class _Counted:
    """Counts the rows while they are printed: a list of a million is not kept in memory for its last line."""

    def __init__(self, rows: Iterable[dict[str, Any]], now: datetime) -> None:
        self._rows = rows
        self._now = instants.rfc3339(now)
        self.count = self._late = self._failing = 0

    def __iter__(self) -> Iterator[dict[str, Any]]:
        for row in self._rows:
            self.count += 1
            is_open = row["state"] in ("pending", "failing")
            self._late += is_open and row["due_at"] < self._now
            self._failing += row["state"] == "failing"
            yield row

    def summary(self, *, is_cut: bool) -> str:
        """Say it in one line. is_cut: the limit was reached, there may be more."""
        parts = [f"{self.count} timer{'s' if self.count != 1 else ''}{' (--limit)' if is_cut else ''}"]
        if self._late:
            parts.append(f"{self._late} late")
        if self._failing:
            parts.append(f"{self._failing} failing, tried again by themselves")
        return ", ".join(parts)


def retry_timers(arguments: argparse.Namespace) -> int:
    """Have them fire: a running daemon takes them up within a second, else the next start does."""
    from intake import due

    if bool(arguments.ids) == arguments.is_all:
        raise cli.WrongInput("name the timers to fire, or --all")
    with options.opened(arguments) as (_, store):
        numbers = [options.row_id(text) for text in arguments.ids]
        if arguments.is_all:
            numbers = list(store.read_now(lambda tx: due.failed(tx, most=timer_list.LAST_US)))
        return _each(numbers, lambda number: store.write_now(lambda tx: due.retry(tx, number)))


def _each(numbers: list[int], change: Callable[[int], bool]) -> int:
    refused = [number for number in numbers if not change(number)]
    for number in refused:
        terminal.complain(f"{number} is not a timer that was given up: intake timers list --failed")
    terminal.say(f"{len(numbers) - len(refused)} to fire")
    return cli.FAILED if refused else 0


def span(text: str) -> timedelta:
    """Read a length of time: 30m, 2h, 7d."""
    found = _SPAN.fullmatch(text)
    if found is None:
        raise argparse.ArgumentTypeError(f"'{text}' is not a length of time like 30m, 2h or 7d")
    return timedelta(**{_UNITS[found[2]]: int(found[1])})


def instant(text: str) -> datetime:
    """Read an instant; without a zone the machine's is meant."""
    try:
        return datetime.fromisoformat(text).astimezone()
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"'{text}' is not an instant like 2026-11-24T09:30: for a length of time there is --within"
        ) from None


def _cells(row: Mapping[str, Any]) -> dict[str, str]:
    return {
        "due at": terminal.local_time(row["due_at"]),
        **{name: str(row[name] or "") for name in ("ticket", "kind", "step", "policy", "state", "id")},
    }
