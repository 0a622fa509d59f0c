"""Spam, and whom we never hear from again: mark, block, and take both back."""

import argparse
from collections.abc import Callable, Mapping
from typing import Any

from intake import cli, terminal
from intake.commands import options, output
from intake.commands.ticket_actions import add_action, do

COLUMNS = ("value", "by", "since")


def configure(commands: Any) -> None:
    parser = add_action(commands, "spam", spam, "close it as spam: no clock, no answer, no notice")
    choice = parser.add_mutually_exclusive_group()
    choice.add_argument("--block", action="store_true", help="who wrote it is blocked as well")
    choice.add_argument("--undo", action="store_true", help="it is none; who wrote it is heard again")
    for name, run, text in (
        ("block", block, "what these write from now on makes no ticket; the journal keeps it"),
        ("unblock", unblock, "hear from these again"),
    ):
        parser = options.subcommand(commands, name, run, text)
        parser.add_argument("values", nargs="+", metavar="SENDER", help="an address, a domain or a number")
        parser.add_argument(
            "--as", dest="agent", required=True, metavar="AGENT", help="who does it: a name of the rules"
        )
    options.add_json(
        options.subcommand(commands, "blocked", list_blocked, "who is blocked, by whom and since when")
    )


def spam(arguments: argparse.Namespace) -> int:
    from intake import unwanted

    if arguments.undo:
        return do(
            arguments,
            lambda tx, context: unwanted.unmark_spam(tx, context, arguments.ref, agent=arguments.agent),
            "is no spam any more",
        )
    return do(
        arguments,
        lambda tx, context: unwanted.mark_spam(
            tx, context, arguments.ref, agent=arguments.agent, is_blocked=arguments.block
        ),
        "is closed as spam; its sender is blocked" if arguments.block else "is closed as spam",
    )


def block(arguments: argparse.Namespace) -> int:
    from intake import unwanted

    return _change(arguments, unwanted.block, "blocked", "blocked already")


def unblock(arguments: argparse.Namespace) -> int:
    from intake import unwanted

    return _change(arguments, unwanted.unblock, "heard again", "not blocked")


def _change(
    arguments: argparse.Namespace, act: Callable[..., tuple[str, ...]], done: str, nothing: str
) -> int:
    from intake import desk

    with options.wired(arguments) as wired:
        try:
            changed = wired.store.write_now(
                lambda tx: act(tx, wired.context, arguments.values, agent=arguments.agent)
            )
        except desk.DeskError as error:
            raise cli.WrongInput(str(error)) from None
    said = ", ".join(changed or arguments.values)
    terminal.say(f"{said}: {done if changed else nothing}")
    return 0


def list_blocked(arguments: argparse.Namespace) -> int:
    from intake import lists, unwanted

    with options.wired(arguments) as wired:
        rows = wired.store.read_now(lambda tx: lists.values(tx, unwanted.list_of(wired.context)))
    output.print_rows(
        rows,
        is_json=arguments.is_json,
        columns=COLUMNS,
        cells=_cells,
        stretch="value",
        nothing="nobody is blocked",
    )
    return 0


def _cells(row: Mapping[str, Any]) -> dict[str, str]:
    return {
        "value": row["value"],
        "by": row["added_by"].removeprefix("agent:"),
        "since": terminal.local_time(row["added_at"]),
    }
