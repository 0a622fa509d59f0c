"""What came in, and what became of each: a ticket, a duplicate, automatic mail, set aside."""

import argparse
import asyncio
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from intake import cli, listing, terminal, traffic
from intake.commands import options, output
from intake.logs import escaped
from intake.store import blobs
from intake.store.engine import Store

STATES = ("pending", "ticket", "duplicate", "automatic", "ignored", "quarantined")


def configure(parser: argparse.ArgumentParser) -> None:
    commands = options.subcommands(parser)
    listed = options.subcommand(commands, "list", list_rows, "what came in, oldest first")
    listed.add_argument("--state", choices=STATES)
    options.add_since(listed)
    options.add_limit(listed)
    options.add_json(listed)
    shown = options.subcommand(commands, "show", show_row, "one message: how it came and what became of it")
    shown.add_argument("id", metavar="ID")
    options.add_json(shown)
    again = options.subcommand(commands, "replay", replay, "read and settle messages again")
    again.add_argument("ids", nargs="*", metavar="ID")
    again.add_argument("--quarantined", action="store_true", help="everything that was set aside")
    exported = options.subcommand(commands, "export", export, "the raw bytes, exactly as they came")
    exported.add_argument("id", metavar="ID")
    exported.add_argument("file", nargs="?", metavar="FILE", help="default: stdout")
    counted = options.subcommand(
        commands, "ledger", show_ledger, "what mail servers and Twilio hold against what became of it"
    )
    options.add_json(counted)


run = options.run_subcommand


def list_rows(arguments: argparse.Namespace) -> int:
    filters = listing.Filters(state=arguments.state, since=options.since_us(arguments), limit=arguments.limit)
    with options.opened(arguments) as (_, store):
        output.print_rows(
            traffic.journal(store, filters),
            is_json=arguments.is_json,
            columns=("id", "account", "received", "state", "ticket", "problem"),
            cells=_cells,
            stretch="problem",
            nothing="nothing came in",
        )
    return 0


def show_row(arguments: argparse.Namespace) -> int:
    number = options.row_id(arguments.id)
    with options.opened(arguments) as (_, store):
        found = _found(store, number)
    if arguments.is_json:
        output.print_json(found)
        return 0
    for name, value in found.items():
        print(f"{name:<13} {escaped(str(value))}" if value is not None else name)
    return 0


def replay(arguments: argparse.Namespace) -> int:
    from intake import journal
    from intake.commands import settling

    if bool(arguments.ids) == arguments.quarantined:
        raise cli.WrongInput("name the messages to replay, or --quarantined")
    with options.wired(arguments) as wired:
        store = wired.store
        rows = traffic.journal(store, listing.Filters(state="quarantined")) if arguments.quarantined else ()
        numbers = [options.row_id(text) for text in arguments.ids or [row["id"] for row in rows]]
        for number in numbers:
            _found(store, number)
        for number in numbers:
            store.write_now(lambda tx, number=number: journal.replay(tx, number))  # type: ignore[misc]
        asyncio.run(settling.settle_all(wired, numbers))
        terminal.say(f"{len(numbers)} replayed")
    return 0


def export(arguments: argparse.Namespace) -> int:
    number = options.row_id(arguments.id)
    with options.opened(arguments) as (found, store):
        _found(store, number)
        folder = found.folder / blobs.FOLDER
        blob_id = store.read_now(lambda tx: traffic.blob_id_of(tx, number)) or 0
        body = store.read_now(lambda tx: blobs.body_of(tx, blob_id, folder))
    if arguments.file is None:
        sys.stdout.buffer.write(body)
    else:
        Path(arguments.file).write_bytes(body)
    return 0


def show_ledger(arguments: argparse.Namespace) -> int:
    from intake import ledger

    with options.opened(arguments) as (_, store):
        output.print_rows(
            ledger.rows(store),
            is_json=arguments.is_json,
            columns=("account", "place", "counted", "on server", "missing", "became", "taken"),
            cells=_ledger_cells,
            stretch="became",
            nothing="no account counts a server's messages",
        )
    return 0


def _ledger_cells(row: Mapping[str, Any]) -> dict[str, str]:
    became = [f"{number} {name}" for name, number in row["outcomes"].items()]
    left = [f"{each['count']} {each['reason']} {each.get('detail', '')}".rstrip() for each in row["excused"]]
    return {
        "account": row["account"],
        "place": row["place"],
        "counted": terminal.local_time(row["counted_at"]) if row["counted_at"] else "not yet",
        "on server": "" if row["on_server"] is None else str(row["on_server"]),
        "missing": str(row["missing"]),
        "became": escaped(", ".join([*became, *left])),
        "taken": ", ".join(f"{number} {state}" for state, number in row["journal"].items()),
    }


def _found(store: Store, number: int) -> dict[str, Any]:
    row = store.read_now(lambda tx: traffic.journal_row(tx, number))
    if row is None:
        raise cli.WrongInput(f"the journal has no row {number}: intake journal list shows them")
    return row


def _cells(row: Mapping[str, Any]) -> dict[str, str]:
    return {
        **{name: row[name] or "" for name in ("id", "account", "state", "ticket", "problem")},
        "received": terminal.local_time(row["received_at"]),
    }
