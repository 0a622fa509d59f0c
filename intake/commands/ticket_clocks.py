"""The clocks of a ticket and their history."""

import argparse
from typing import Any

from intake import cli
from intake.commands import options, output


def configure(commands: Any) -> None:
    text = "the clocks of a ticket: when each ran and stood still, why, by whom, and what it has used"
    parser = options.subcommand(commands, "clocks", show_clocks, text)
    parser.add_argument("ref", metavar="REF")
    options.add_json(parser)


def show_clocks(arguments: argparse.Namespace) -> int:
    """Print each target with its bar and its history; the clocks of a merged ticket are where its messages are."""
    from intake import clock_history, desk
    from intake.commands import clock_page

    with options.opened(arguments) as (_, store):
        try:
            lives = store.read_now(
                lambda tx: clock_history.of_ticket(tx, desk.find(tx, arguments.ref, is_locked=False))
            )
        except desk.DeskError as error:
            raise cli.WrongInput(str(error)) from None
    if arguments.is_json:
        for each in clock_history.public(lives):
            output.print_json({"ticket": lives.ticket.ref, **each})
    else:
        print("\n".join(clock_page.lines(lives)))
    return 0
