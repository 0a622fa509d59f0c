"""Chats: whether somebody answers now, which there are, what was said, what was agreed to; forget one, part two customers.

Who shall never be heard again is blocked by `intake tickets spam REF --block`, or by `intake tickets block`: a chat's session
as `chat list --json` names it, or an address. Whether an agent takes chats: intake agents presence.
"""

import argparse
from collections.abc import Mapping
from typing import Any

from channels.webchat import transcripts
from intake import chats_view, cli, customers, desk, identified, instants, session_lines, terminal, visitors
from intake.commands import options, output
from intake.desk import DeskError
from intake.model import Ticket
from intake.store.engine import Tx

STATUS_COLUMNS = ("account", "state", "answer", "there again", "answered by")
LIST_COLUMNS = ("ticket", "account", "who", "lines", "come", "address", "at")
CONSENT_COLUMNS = ("at", "account", "version", "language", "text")


def configure(parser: argparse.ArgumentParser) -> None:
    commands = options.subcommands(parser)
    status = options.subcommand(
        commands, "status", show_status, "whether somebody answers now, as pages say it"
    )
    status.add_argument("account", metavar="ACCOUNT", nargs="?", help="default: all chats")
    listed = options.subcommand(commands, "list", list_chats, "the chats, the one heard of last first")
    options.add_since(listed)
    options.add_limit(listed)
    said = options.subcommand(
        commands, "transcript", show_transcript, "what was said in the chats of a ticket"
    )
    said.add_argument("--html", action="store_true", dest="is_html", help="a page of HTML")
    agreed = options.subcommand(
        commands, "consents", show_consents, "what a ticket's customer agreed to, word for word"
    )
    forgotten = options.subcommand(
        commands, "forget", forget, "show nothing of a ticket's chats to anybody any more"
    )
    for each in (said, agreed, forgotten):
        each.add_argument("ref", metavar="REF", help="a ticket")
    parted = options.subcommand(
        commands, "part", part, "take back that two customers became one on proof of identity"
    )
    parted.add_argument("event", metavar="EVENT", help="id of the event customer_merged")
    for each in (forgotten, parted):
        each.add_argument(
            "--as", dest="agent", required=True, metavar="AGENT", help="who does it: a name of the rules"
        )
    for each in (status, listed, said, agreed, forgotten, parted):
        options.add_json(each)


run = options.run_subcommand


def show_status(arguments: argparse.Namespace) -> int:
    with options.wired(arguments) as wired:
        names = chats_view.accounts(wired.context)
        if arguments.account is not None and arguments.account not in names:
            raise cli.WrongInput(
                f"there is no chat account '{arguments.account}': {', '.join(names) or 'none at all'}"
            )
        wanted = [arguments.account] if arguments.account is not None else names
        rows = wired.store.read_now(lambda tx: chats_view.statuses(tx, wired.context, wanted))
    output.print_rows(
        rows,
        is_json=arguments.is_json,
        columns=STATUS_COLUMNS,
        cells=_status_cells,
        stretch="account",
        nothing="no account is a chat",
    )
    return 0


def _status_cells(row: Mapping[str, Any]) -> dict[str, str]:
    wait_s = row["wait_s"]
    return {
        "account": row["account"],
        "state": row["state"],
        "answer": f"within {-(-wait_s[1] // 60)} min" if wait_s else "",
        "there again": terminal.local_time(row["opens_at"]) if row["opens_at"] else "",
        "answered by": terminal.local_time(row["answered_by"]) if row["answered_by"] else "",
    }


def list_chats(arguments: argparse.Namespace) -> int:
    with options.opened(arguments) as (_, store):
        since_us = options.since_us(arguments)
        found = store.read_now(lambda tx: chats_view.listed(tx, since_us=since_us, most=arguments.limit))
    output.print_rows(
        [chats_view.as_json(each) for each in found],
        is_json=arguments.is_json,
        columns=LIST_COLUMNS,
        cells=_chat_cells,
        stretch="who",
        nothing="there are no chats",
    )
    return 0


def _chat_cells(row: Mapping[str, Any]) -> dict[str, str]:
    return {
        "ticket": row["ticket"] or "",
        "account": row["account"],
        "who": row["customer"] + (" (proven)" if row["proven"] else ""),
        "lines": str(row["lines"]),
        "come": "all" if row["got"] >= row["lines"] else str(row["got"]),
        "address": row["address"],
        "at": terminal.local_time(row["at"]),
    }


def show_transcript(arguments: argparse.Namespace) -> int:
    with options.opened(arguments) as (_, store):
        found = store.read_now(
            lambda tx: [chats_view.lines(tx, each) for each in _sessions(tx, arguments.ref)]
        )
    for fed in (each for chat in found for each in chat) if arguments.is_json else ():
        line = fed.line
        output.print_json(
            {"seq": fed.seq, "at": instants.rfc3339(fed.at), "author": line.author, "name": line.name,
             "text": line.text, "files": [each.name for each in line.files], "code": line.code}
        )  # fmt: skip
    for chat in found if not arguments.is_json else ():
        print(transcripts.made(chat, form="html" if arguments.is_html else "txt"), end="")
    if not found:
        terminal.say("nothing of a chat is kept for this ticket")
    return 0


def show_consents(arguments: argparse.Namespace) -> int:
    with options.opened(arguments) as (_, store):
        rows = store.read_now(
            lambda tx: visitors.agreements(tx, customers.load(tx, _ticket(tx, arguments.ref).customer_id).id)
        )
    output.print_rows(
        rows,
        is_json=arguments.is_json,
        columns=CONSENT_COLUMNS,
        cells=lambda row: {
            **{name: str(row[name]) for name in CONSENT_COLUMNS},
            "at": terminal.local_time(row["at"]),
        },
        stretch="text",
        nothing="they agreed to nothing",
    )
    return 0


def forget(arguments: argparse.Namespace) -> int:
    """Forget the chats of a ticket; its conversation stays."""
    with options.wired(arguments) as wired:

        def forgotten(tx: Tx) -> int:
            desk.check_agent(wired.context, arguments.agent)
            return sum(session_lines.forget(tx, each) for each in _sessions(tx, arguments.ref))

        count = _done(lambda: wired.store.write_now(forgotten))
    if arguments.is_json:
        output.print_json({"forgotten": count})
    else:
        terminal.say(f"{count} chat{'' if count == 1 else 's'} forgotten: the ticket keeps what was said")
    return 0


def part(arguments: argparse.Namespace) -> int:
    event_id = options.row_id(arguments.event)
    with options.wired(arguments) as wired:

        def parted(tx: Tx) -> int:
            desk.check_agent(wired.context, arguments.agent)
            return identified.take_back(tx, event_id, agent=arguments.agent)

        customer_id = _done(lambda: wired.store.write_now(parted))
    if arguments.is_json:
        output.print_json({"event": str(event_id), "customer": str(customer_id)})
    else:
        terminal.say("they are two customers again, each with what was theirs")
    return 0


def _done(work: Any) -> Any:
    """Do it. Raises: cli.WrongInput for what cannot be done."""
    try:
        return work()
    except (DeskError, identified.NotMerged) as error:
        raise cli.WrongInput(str(error)) from None


def _ticket(tx: Tx, ref: str) -> Ticket:
    try:
        return desk.find(tx, ref, is_locked=False)
    except DeskError as error:
        raise cli.WrongInput(str(error)) from None


def _sessions(tx: Tx, ref: str) -> list[str]:
    return session_lines.of_ticket(tx, _ticket(tx, ref).id)
