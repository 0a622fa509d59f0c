"""A new ticket for a customer: what they said on the phone, at the counter or by letter; or a first word to them."""

import argparse
from typing import TYPE_CHECKING, Any

from intake import cli, terminal
from intake.commands import options, output
from intake.written_down import WAYS
from routing.facts import NATURES
from routing.targets import PRIORITIES

if TYPE_CHECKING:
    from intake.model import Ticket
    from intake.new_tickets import Placing
    from intake.wiring import Wired


def configure(commands: Any) -> None:
    text = "write down what a customer said, or write to one first"
    parser = options.subcommand(commands, "new", new, text)
    parser.add_argument(
        "file", nargs="?", default="-", metavar="FILE", help='the text; "-" (default) is stdin'
    )
    parser.add_argument(
        "--as", dest="agent", required=True, metavar="AGENT", help="who does it: a name of the rules"
    )
    parser.add_argument("--way", choices=WAYS, default="phone", help="how they said it; default: phone")
    parser.add_argument("--write", action="store_true", help="the text goes to the customer")
    parser.add_argument("--email", default="", metavar="ADDRESS", help="the customer's")
    parser.add_argument(
        "--phone", default="", metavar="NUMBER", help="the customer's, with its country's code"
    )
    parser.add_argument("--name", default="", help="the customer's")
    parser.add_argument("--subject", default="", help="default: the first line of the text")
    parser.add_argument("--to", metavar="NAME", help="an agent or a team; default: as the rules have it")
    parser.add_argument("--priority", choices=PRIORITIES)
    parser.add_argument("--nature", choices=NATURES)
    options.add_json(parser)


def new(arguments: argparse.Namespace) -> int:
    from intake import desk
    from intake.new_tickets import Placing

    placing = Placing(to=arguments.to, priority=arguments.priority, nature=arguments.nature)
    text = options.read_text(arguments.file)
    make = _write_first if arguments.write else _write_down
    with options.wired(arguments) as wired:
        try:
            ticket = make(arguments, wired, text, placing)
        except desk.DeskError as error:
            raise cli.WrongInput(str(error)) from None
    if arguments.is_json:
        output.print_json({"ref": ticket.ref, "team": ticket.team, "agent": ticket.agent})
    else:
        terminal.say(f"ticket {ticket.ref} is with {ticket.agent or ticket.team or 'nobody'}")
    return 0


def _write_down(arguments: argparse.Namespace, wired: "Wired", text: str, placing: "Placing") -> "Ticket":
    from intake import new_tickets
    from intake.written_down import Written

    written = new_tickets.checked(
        Written(
            way=arguments.way,
            by=arguments.agent,
            name=arguments.name,
            address=arguments.email,
            phone=arguments.phone,
            subject=arguments.subject,
            text=text,
        )
    )
    blob = new_tickets.prepare(written, folder=wired.blob_folder)
    return wired.store.write_now(
        lambda tx: new_tickets.write_down(tx, wired.context, written, blob, placing, agent=arguments.agent)
    )


def _write_first(arguments: argparse.Namespace, wired: "Wired", text: str, placing: "Placing") -> "Ticket":
    from intake import new_tickets
    from intake.new_tickets import First

    first = First(
        to=arguments.email or arguments.phone, text=text, subject=arguments.subject, name=arguments.name
    )
    return wired.store.write_now(
        lambda tx: new_tickets.write_first(tx, wired.context, first, placing, agent=arguments.agent)
    )
