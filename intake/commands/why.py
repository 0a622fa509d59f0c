"""`intake rules explain`: why a ticket went where it went, what rules did to it since, and why others did not."""

import argparse
from typing import Any

from intake import cli, explaining, refs
from intake.commands import options, output, telling


def add_to(commands: Any) -> None:
    parser = options.subcommand(
        commands, "explain", run, "why a ticket went where it went, and what became of it, and why not else"
    )
    parser.add_argument("ref", metavar="REF")
    options.add_json(parser)


def run(arguments: argparse.Namespace) -> int:
    """Tell what the store knows, with the rulebooks and the facts of the days it happened."""
    ref = refs.normalized(arguments.ref)
    with options.opened(arguments) as (_, store):
        found = None if ref is None else store.read_now(lambda tx: explaining.of_ticket(tx, ref))
    if found is None:
        raise cli.WrongInput(
            f"no decision is known for ticket '{arguments.ref}': intake tickets list shows the refs"
        )
    if arguments.is_json:
        output.print_json(found)
    else:
        telling.show(telling.ticket_lines(found))
    return 0
