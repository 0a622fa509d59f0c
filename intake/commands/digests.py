"""Digests: notices beyond what an agent can read, told in one mail; what stands in them, and acknowledging all of it."""

import argparse
from collections.abc import Mapping
from typing import Any

from intake import cli, digests, instants, terminal
from intake.commands import options, output
from intake.digest_text import Item


def configure(parser: argparse.ArgumentParser) -> None:
    commands = options.subcommands(parser)
    listed = options.subcommand(
        commands, "list", list_digests, "what digests told and will tell, oldest first"
    )
    options.add_json(listed)
    shown = options.subcommand(
        commands, "show", show, "all that one digest tells, its tickets as they are now"
    )
    shown.add_argument("id", metavar="ID", help="as its mail says")
    options.add_json(shown)
    seen = options.subcommand(commands, "ack", acknowledge, "acknowledge every ticket of a digest")
    seen.add_argument("id", metavar="ID", help="as its mail says")
    seen.add_argument("--as", dest="agent", required=True, metavar="AGENT", help="a name of the rules")


run = options.run_subcommand


def list_digests(arguments: argparse.Namespace) -> int:
    with options.opened(arguments) as (_, store):
        rows = [
            {
                "id": None if each.id is None else str(each.id),
                "state": each.state,
                "to": each.address,
                "agent": each.agent or None,
                "notices": each.notices,
                "at": instants.rfc3339_from_us(each.at),
            }
            for each in store.read_now(digests.summaries)
        ]
    output.print_rows(
        rows,
        is_json=arguments.is_json,
        columns=("id", "state", "to", "notices", "at"),
        cells=lambda row: {
            **{name: str(row[name] or "") for name in ("id", "state", "to", "notices")},
            "at": terminal.local_time(row["at"]),
        },
        stretch="to",
        nothing="no notice had to wait for a digest",
    )
    return 0


def show(arguments: argparse.Namespace) -> int:
    number = options.row_id(arguments.id)
    with options.opened(arguments) as (_, store):
        items = store.read_now(lambda tx: digests.items_of(tx, number))
    if not items:
        raise cli.WrongInput(f"there is no digest {number}: intake digests list")
    output.print_rows(
        [_object(item) for item in items],
        is_json=arguments.is_json,
        columns=("ticket", "priority", "rule", "due at", "seen to", "subject"),
        cells=_cells,
        stretch="subject",
        nothing="",
    )
    return 0


def acknowledge(arguments: argparse.Namespace) -> int:
    """Acknowledge its tickets one by one, each in a transaction of its own: saying it again changes nothing."""
    from intake import acknowledging, desk

    number, done = options.row_id(arguments.id), 0
    said = acknowledging.Said(agent=arguments.agent)
    with options.wired(arguments) as wired:
        refs = dict.fromkeys(
            item.ref for item in wired.store.read_now(lambda tx: digests.items_of(tx, number))
        )
        if not refs:
            raise cli.WrongInput(f"there is no digest {number}: intake digests list")
        for ref in refs:
            try:
                outcome = wired.store.write_now(
                    lambda tx, ref=ref: acknowledging.acknowledge(tx, wired.context, ref, said)  # type: ignore[misc]
                )
            except desk.DeskError as error:
                raise cli.WrongInput(str(error)) from None
            done += outcome.is_done
    terminal.say(f"{done} acknowledged, {len(refs) - done} were seen to already")
    return 0


def _object(item: Item) -> dict[str, Any]:
    return {
        "ticket": item.ref,
        "subject": item.subject,
        "priority": item.priority,
        "rule": item.rule,
        "due_at": instants.rfc3339_from_us(item.due_at),
        "is_settled": bool(item.is_settled),
    }


def _cells(row: Mapping[str, Any]) -> dict[str, str]:
    return {
        **{name: row[name] for name in ("ticket", "priority", "rule", "subject")},
        "due at": terminal.local_time(row["due_at"]),
        "seen to": "yes" if row["is_settled"] else "",
    }
