"""`intake tickets search`, and the desk's views on the command line: what somebody at the desk sees, or everything."""

import argparse
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from itertools import islice
from typing import TYPE_CHECKING, Any

from intake import cli, terminal
from intake.commands import options, output

if TYPE_CHECKING:
    from intake.store.engine import Store
    from intake.web.access import Who

VIEWS = ("mine", "team", "unassigned", "breaching", "all")
ORDERS = ("newest", "oldest", "due")
COLUMNS = ("ref", "status", "priority", "team", "agent", "from", "subject", "written", "next due")
FOUND = ("ref", "status", "from", "subject", "where", "found")
_FOUND_CHARACTERS = 60
_OPERATOR = "operator"

Page = dict[str, Any]


def configure(commands: Any) -> None:
    found = options.subcommand(
        commands, "search", search, "tickets by words, ref, address or phone number, the newest first"
    )
    found.add_argument(
        "words",
        nargs="+",
        metavar="WORD",
        help="also status:open team:NAME agent:NAME channel:sms tag:WORD after:2026-11-01 before:2026-12-01",
    )
    _add_agent(found)
    options.add_limit(found)
    options.add_json(found)


def add_view(parser: argparse.ArgumentParser) -> None:
    """Add what makes `tickets list` one of the desk's lists."""
    parser.add_argument(
        "--view", choices=VIEWS, help="a list of the desk: open tickets, unless --status says"
    )
    parser.add_argument(
        "--order", choices=ORDERS, help="of a view: the customer's last word, or what is due first"
    )
    _add_agent(parser)


def _add_agent(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--as", dest="agent", metavar="AGENT", help="what this agent sees; default: everything"
    )


def search(arguments: argparse.Namespace) -> int:
    """Print what a search finds."""
    from intake import searching

    typed = " ".join(arguments.words)
    with seen(arguments) as (store, who):

        def page(cursor: str | None) -> Page:
            found = store.read_now(lambda tx: searching.find(tx, who, typed, cursor=cursor))
            if found["also_searched"] and not arguments.is_json:
                terminal.complain(f"also searched: {', '.join(found['also_searched'])}")
            return found

        output.print_rows(
            _first(page, arguments.limit),
            is_json=arguments.is_json, columns=FOUND, cells=_found_cells, stretch="subject", nothing="nothing was found",
        )  # fmt: skip
    return 0


def list_view(arguments: argparse.Namespace) -> int:
    """Print one of the desk's lists."""
    from intake import desk_list

    if arguments.view == "mine" and arguments.agent is None:
        raise cli.WrongInput("say whose tickets are meant: --as AGENT")
    if arguments.waiting or arguments.since is not None:
        raise cli.WrongInput("--waiting and --since are of the whole list: leave out --view")
    asked = desk_list.Asked(
        view=arguments.view or "all", status=arguments.status, team=arguments.team, order=arguments.order
    )
    with seen(arguments) as (store, who):

        def page(cursor: str | None) -> Page:
            return store.read_now(lambda tx: desk_list.page(tx, who, desk_list.at(asked, cursor)))

        output.print_rows(
            _first(page, arguments.limit),
            is_json=arguments.is_json, columns=COLUMNS, cells=_cells, stretch="subject", nothing="no tickets",
        )  # fmt: skip
    return 0


@contextmanager
def seen(arguments: argparse.Namespace) -> "Iterator[tuple[Store, Who]]":
    """Open the store for somebody: an agent of the rules, or the operator, who sees everything."""
    from intake import desk, web_sessions
    from intake.web.access import Who

    if arguments.agent is None:
        with options.opened(arguments) as (_, store):
            yield store, Who(kind="agent", name=_OPERATOR, role="admin")
        return
    with options.wired(arguments) as parts:
        context = parts.context
        try:
            desk.check_agent(context, arguments.agent)
        except desk.DeskError as error:
            raise cli.WrongInput(str(error)) from None
        teams = web_sessions.teams_of(context, arguments.agent)
        yield parts.store, Who(kind="agent", name=arguments.agent, teams=teams)


def _first(page: Callable[[str | None], Page], limit: int | None) -> Iterator[dict[str, Any]]:
    return islice(_rows(page), limit)


def _rows(page: Callable[[str | None], Page]) -> Iterator[dict[str, Any]]:
    """Give the tickets of all pages."""
    cursor: str | None = None
    while True:
        found = page(cursor)
        yield from found["tickets"]
        cursor = found["next"]
        if cursor is None:
            return


def _cells(row: Mapping[str, Any]) -> dict[str, str]:
    due = row["next_due"]
    late = " late" if due and due["is_late"] else ""
    return {
        **_plain(row),
        "priority": row["priority"],
        "team": row["team"] or "",
        "agent": row["agent"] or "",
        "written": terminal.local_time(row["written_at"]),
        "next due": f"{terminal.local_time(due['at'])} {due['target']}{late}" if due else "",
    }


def _found_cells(row: Mapping[str, Any]) -> dict[str, str]:
    hit = row["hit"]
    return {**_plain(row), "where": hit["where"], "found": " ".join(hit["text"].split())[:_FOUND_CHARACTERS]}


def _plain(row: Mapping[str, Any]) -> dict[str, str]:
    customer = row["customer"] or {}
    return {
        "ref": row["ref"],
        "status": row["status"],
        "subject": row["subject"] or "",
        "from": customer.get("address") or customer.get("name") or "",
    }
