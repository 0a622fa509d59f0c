"""Options that several commands share, and what they open with them."""

import argparse
import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from intake import cli, instants, settings
from intake.settings import Settings
from intake.store import opening
from intake.store.engine import Store
from routing.problems import ConfigError, Problem

if TYPE_CHECKING:
    from intake.wiring import Wired

Command = Callable[[argparse.Namespace], int]
_AGO = re.compile(r"(\d+)([smhdw])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def add_config(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "-c", "--config", metavar="FILE", help="default: $INTAKE_CONFIG, else config/intake.yaml"
    )


def add_json(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", dest="is_json", help="print JSON, one object a line")


def add_since(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--since",
        type=since,
        metavar="WHEN",
        help="only what is younger: 30m, 12h, 7d, or 2026-11-21[T09:30[+01:00]]",
    )


def add_limit(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--limit", type=count, metavar="N", help="at most so many")


def subcommand(commands: Any, name: str, run: Command, text: str) -> argparse.ArgumentParser:
    """Add `intake COMMAND NAME` with -c; the parser takes its further options."""
    parser: argparse.ArgumentParser = commands.add_parser(
        name, help=text, description=text, allow_abbrev=False
    )
    parser.set_defaults(run_subcommand=run)
    add_config(parser)
    return parser


def subcommands(parser: argparse.ArgumentParser) -> Any:
    return parser.add_subparsers(required=True, metavar="COMMAND")


def run_subcommand(arguments: argparse.Namespace) -> int:
    run: Command = arguments.run_subcommand
    return run(arguments)


def count(text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"'{text}' is not a number from 1 on")
    return int(text)


def row_id(text: str) -> int:
    """Read the id of a row. Raises: cli.WrongInput."""
    if not text.isascii() or not text.isdigit():
        raise cli.WrongInput(f"'{text}' is not an id: the list shows them")
    return int(text)


def since(text: str) -> datetime:
    """Read an instant, or a time ago; without a zone the machine's is meant."""
    ago = _AGO.fullmatch(text)
    if ago:
        return datetime.now(UTC) - timedelta(**{_UNITS[ago[2]]: int(ago[1])})
    try:
        return datetime.fromisoformat(text).astimezone()
    except ValueError:
        raise argparse.ArgumentTypeError(f"'{text}' is neither like 12h nor like 2026-11-21T09:30") from None


def since_us(arguments: argparse.Namespace) -> int | None:
    return None if arguments.since is None else instants.us_from_datetime(arguments.since)


def load_settings(arguments: argparse.Namespace) -> Settings:
    return settings.load(settings.path_from(arguments.config, os.environ), os.environ)


@contextmanager
def opened(arguments: argparse.Namespace) -> Iterator[tuple[Settings, Store]]:
    """Open the store that the configuration names, also beside a running daemon."""
    found = load_settings(arguments)
    store = opening.open_store(found.store, found.folder)
    try:
        yield found, store
    finally:
        store.close()


@contextmanager
def wired(arguments: argparse.Namespace) -> Iterator["Wired"]:
    """Build the parts of an intake beside a running daemon, or without one."""
    from intake.wiring import wire

    found = load_settings(arguments)
    with located(found.rules):
        parts = wire(found)
    try:
        yield parts
    finally:
        parts.store.close()


@contextmanager
def located(rules: Path) -> Iterator[None]:
    """Have problems of the rulebook name their files as they are found from here."""
    folder = rules if rules.is_dir() else rules.parent
    try:
        yield
    except ConfigError as error:
        raise ConfigError(located_problem(each, folder) for each in error.problems) from None


def located_problem(problem: Problem, folder: Path) -> Problem:
    is_bare = "/" not in problem.file and (folder / problem.file).exists()
    return msgspec.structs.replace(problem, file=str(folder / problem.file)) if is_bare else problem


def read_text(path: str) -> str:
    """Read a file, or stdin for "-"."""
    import sys

    try:
        return sys.stdin.read() if path == "-" else Path(path).read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise cli.WrongInput(f"{path} is not UTF-8 text") from None
