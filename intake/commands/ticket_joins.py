"""Which tickets belong together, and to whom: merge two, take that back, decide on a link, name a forwarded mail's author."""

import argparse
from typing import Any

from intake.commands.ticket_actions import add_action, do


def configure(commands: Any) -> None:
    parser = add_action(commands, "merge", merge, "put everything said in one ticket into another")
    parser.add_argument("into", metavar="INTO", help="the ref of the ticket that goes on")
    add_action(commands, "unmerge", unmerge, "take the merge of a ticket back")
    parser = add_action(commands, "link", link, "decide on the link that was suggested for a ticket")
    choice = parser.add_mutually_exclusive_group(required=True)
    choice.add_argument(
        "--accept",
        action="store_true",
        help="it belongs there: its messages go into that ticket, its sender takes part from now on",
    )
    choice.add_argument("--refuse", action="store_true", help="it stands alone")
    add_action(commands, "author", author, "make the author of a forwarded mail the ticket's customer")


def merge(arguments: argparse.Namespace) -> int:
    from intake import merging

    return do(
        arguments,
        lambda tx, context: merging.merge(tx, context, arguments.ref, arguments.into, agent=arguments.agent),
        f"is part of {arguments.into.upper()} now",
    )


def unmerge(arguments: argparse.Namespace) -> int:
    from intake import merging

    return do(
        arguments,
        lambda tx, context: merging.undo(tx, context, arguments.ref, agent=arguments.agent),
        "is a ticket of its own again",
    )


def author(arguments: argparse.Namespace) -> int:
    from intake import authors

    return do(
        arguments,
        lambda tx, context: authors.accept(tx, context, arguments.ref, agent=arguments.agent),
        "belongs to the author of the forwarded mail now; answers go there",
    )


def link(arguments: argparse.Namespace) -> int:
    from intake import linking

    if arguments.accept:
        return do(
            arguments,
            lambda tx, context: linking.accept(tx, context, arguments.ref, agent=arguments.agent),
            "is part of the ticket that it answers now",
        )
    return do(
        arguments,
        lambda tx, context: linking.refuse(tx, context, arguments.ref, agent=arguments.agent),
        "stands alone; the link is not suggested any more",
    )
