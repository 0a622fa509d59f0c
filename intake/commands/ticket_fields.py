"""A field of a ticket or of its customer, filled in from the command line."""

import argparse
from typing import Any

from intake import cli, terminal
from intake.commands import options


def configure(commands: Any) -> None:
    parser = options.subcommand(commands, "field", set_field, "fill in a field of the desk's own")
    parser.add_argument("ref", metavar="REF")
    parser.add_argument("name", metavar="NAME", help="a field of the rules")
    parser.add_argument("value", metavar="VALUE", help='"none" takes it away')
    parser.add_argument(
        "--as", dest="agent", required=True, metavar="AGENT", help="who does it: a name of the rules"
    )
    parser.add_argument("--customer", action="store_true", help="of the customer, for every later ticket too")


def set_field(arguments: argparse.Namespace) -> int:
    from intake import desk, desk_fields

    text = None if arguments.value == "none" else arguments.value
    with options.wired(arguments) as wired:
        try:
            wired.store.write_now(
                lambda tx: desk_fields.set_field(
                    tx,
                    wired.context,
                    arguments.ref,
                    arguments.name,
                    text,
                    agent=arguments.agent,
                    is_customers=arguments.customer,
                )
            )
        except desk.DeskError as error:
            raise cli.WrongInput(str(error)) from None
    terminal.say(f"{arguments.ref.upper()} {arguments.name}: {arguments.value}")
    return 0
