"""What goes out: waiting, sent, or given up."""

import argparse
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from intake import cli, listing, terminal, traffic
from intake.commands import options, output

STATES = ("queued", "sent", "delivered", "read", "failed", "withheld", "dropped")
COLUMNS = ("id", "ticket", "channel", "to", "state", "attempts", "next at", "error")


def configure(parser: argparse.ArgumentParser) -> None:
    commands = options.subcommands(parser)
    listed = options.subcommand(commands, "list", list_messages, "what goes out, oldest first")
    listed.add_argument("--state", choices=STATES)
    options.add_since(listed)
    options.add_limit(listed)
    options.add_json(listed)
    retry = options.subcommand(commands, "retry", retry_messages, "send what was given up or withheld")
    retry.add_argument("ids", nargs="*", metavar="ID")
    retry.add_argument("--all", action="store_true", dest="is_all", help="everything that was given up")
    drop = options.subcommand(commands, "drop", drop_messages, "never send these")
    drop.add_argument("ids", nargs="+", metavar="ID")


run = options.run_subcommand


def list_messages(arguments: argparse.Namespace) -> int:
    with options.opened(arguments) as (_, store):
        filters = listing.Filters(
            state=arguments.state, since=options.since_us(arguments), limit=arguments.limit
        )
        output.print_rows(
            traffic.outbox(store, filters),
            is_json=arguments.is_json,
            columns=COLUMNS,
            cells=_cells,
            stretch="error",
            nothing="nothing goes out",
        )
    return 0


def retry_messages(arguments: argparse.Namespace) -> int:
    """Queue them again; a running daemon takes them up at once, else the next start does."""
    from intake import outbox

    if bool(arguments.ids) == arguments.is_all:
        raise cli.WrongInput("name the messages to send again, or --all")
    with options.opened(arguments) as (_, store):
        ids = arguments.ids
        if arguments.is_all:
            ids = [row["id"] for row in traffic.outbox(store, listing.Filters(state="failed"))]
        return _each(ids, lambda number: store.write_now(lambda tx: outbox.retry(tx, number)), "sent again")


def drop_messages(arguments: argparse.Namespace) -> int:
    from intake import outbox

    with options.opened(arguments) as (_, store):
        return _each(
            arguments.ids, lambda number: store.write_now(lambda tx: outbox.drop(tx, number)), "dropped"
        )


def _each(ids: Sequence[str], change: Callable[[int], bool], done: str) -> int:
    numbers = [options.row_id(text) for text in ids]
    refused = [number for number in numbers if not change(number)]
    for number in refused:
        terminal.complain(f"{number} is not a message that waits, was given up or withheld")
    terminal.say(f"{len(numbers) - len(refused)} {done}")
    return cli.FAILED if refused else 0


def _cells(row: Mapping[str, Any]) -> dict[str, str]:
    return {
        **{name: str(row[name] or "") for name in ("id", "ticket", "channel", "to", "state", "attempts")},
        "next at": terminal.local_time(row["next_at"]),
        "error": row["error"] or "",
    }
