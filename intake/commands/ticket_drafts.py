"""Texts under way at the desk, and answers that can still be taken back."""

import argparse
from collections.abc import Mapping
from typing import Any

from intake import cli, terminal
from intake.commands import options, output
from intake.commands.ticket_actions import add_action, do

COLUMNS = ("ticket", "kind", "saved", "fork", "text")
SHOWN_CHARACTERS = 60


def configure(commands: Any) -> None:
    add_action(commands, "undo", undo, "take back an answer that has not left yet; it is a draft again")
    text = "what an agent is writing, the last saved first"
    listed = options.subcommand(commands, "drafts", list_drafts, text)
    listed.add_argument(
        "--as", dest="agent", required=True, metavar="AGENT", help="whose: a name of the rules"
    )
    listed.add_argument(
        "--discarded", action="store_true", help="what was thrown away in the last days instead"
    )
    listed.add_argument("--restore", metavar="FORK", help="bring one back that was thrown away")
    options.add_json(listed)


def undo(arguments: argparse.Namespace) -> int:
    from intake import replying

    def take_back(tx: Any, context: Any) -> None:
        held = replying.last_held(tx, arguments.ref, agent=arguments.agent)
        replying.take_back(tx, context, held, agent=arguments.agent)

    return do(arguments, take_back, "has its answer back as a draft; nothing was sent")


def list_drafts(arguments: argparse.Namespace) -> int:
    from intake import drafts

    with options.opened(arguments) as (_, store):
        if arguments.restore:
            _restore(store, arguments)
        state = "discarded" if arguments.discarded else "writing"
        rows = store.read_now(lambda tx: drafts.own(tx, arguments.agent, state=state))
    output.print_rows(
        [drafts.public(each) for each in rows],
        is_json=arguments.is_json,
        columns=COLUMNS,
        cells=_cells,
        stretch="text",
        nothing=f"{arguments.agent} writes nothing",
    )
    return 0


def _restore(store: Any, arguments: argparse.Namespace) -> None:
    from intake import drafts

    if not store.write_now(lambda tx: drafts.restore(tx, arguments.restore, agent=arguments.agent)):
        raise cli.WrongInput(f"{arguments.agent} has thrown away no draft '{arguments.restore}'")


def _cells(row: Mapping[str, Any]) -> dict[str, str]:
    return {
        "ticket": row["ref"] or "(new)",
        "kind": row["kind"],
        "saved": terminal.local_time(row["at"]),
        "fork": row["fork"],
        "text": " ".join(row["text"].split())[:SHOWN_CHARACTERS],
    }
