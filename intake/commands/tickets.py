"""Tickets: list and show them, answer them, note on them, and change them."""

import argparse
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from intake import cli, listing, refs, terminal
from intake.commands import options, output, ticket_page
from intake.model import STATUSES

if TYPE_CHECKING:
    from intake.settings import Settings
    from intake.store.engine import Tx

COLUMNS = ("ref", "status", "priority", "team", "agent", "from", "subject", "created", "first due")


def configure(parser: argparse.ArgumentParser) -> None:
    from intake.commands import (
        composing,
        ticket_actions,
        ticket_calls,
        ticket_clocks,
        ticket_drafts,
        ticket_fields,
        ticket_files,
        ticket_joins,
        ticket_new,
        ticket_promises,
        ticket_search,
        ticket_unwanted,
    )

    commands = options.subcommands(parser)
    listed = options.subcommand(commands, "list", list_tickets, "every ticket of every status, oldest first")
    listed.add_argument("--status", choices=STATUSES)
    listed.add_argument("--team", metavar="NAME")
    listed.add_argument("--waiting", action="store_true", help="only what waits for somebody of its team")
    ticket_search.add_view(listed)
    options.add_since(listed)
    options.add_limit(listed)
    options.add_json(listed)
    shown = options.subcommand(commands, "show", show_ticket, "one ticket: conversation, history, decision")
    shown.add_argument("ref", metavar="REF")
    options.add_json(shown)
    ticket_search.configure(commands)
    ticket_actions.configure(commands)
    ticket_calls.configure_tickets(commands)
    ticket_fields.configure(commands)
    ticket_joins.configure(commands)
    ticket_promises.configure(commands)
    ticket_clocks.configure(commands)
    ticket_files.configure(commands)
    composing.configure(commands)
    ticket_new.configure(commands)
    ticket_unwanted.configure(commands)
    ticket_drafts.configure(commands)


run = options.run_subcommand


def list_tickets(arguments: argparse.Namespace) -> int:
    if arguments.view is not None or arguments.order is not None or arguments.agent is not None:
        from intake.commands import ticket_search

        return ticket_search.list_view(arguments)
    filters = listing.Filters(
        state=arguments.status,
        team=arguments.team,
        since=options.since_us(arguments),
        limit=arguments.limit,
        is_waiting=arguments.waiting,
    )
    with options.opened(arguments) as (_, store):
        print_tickets(listing.tickets(store, filters), is_json=arguments.is_json)
    return 0


def print_tickets(rows: Iterable[Mapping[str, Any]], *, is_json: bool) -> None:
    output.print_rows(
        rows, is_json=is_json, columns=COLUMNS, cells=_cells, stretch="subject", nothing="no tickets"
    )


def show_ticket(arguments: argparse.Namespace) -> int:
    ref = refs.normalized(arguments.ref)
    if ref is None:
        raise cli.WrongInput(
            f"'{arguments.ref}' is not a ticket's ref: look at it again (intake tickets list)"
        )
    with options.opened(arguments) as (settings, store):
        found = store.read_now(lambda tx: _shown(tx, settings, ref))
    if found is None:
        raise cli.WrongInput(f"there is no ticket {ref}")
    if arguments.is_json:
        output.print_json(found)
    else:
        print("\n".join(ticket_page.lines(found)))
    return 0


def _shown(tx: "Tx", settings: "Settings", ref: str) -> dict[str, Any] | None:
    """Give the ticket, and how else its customer can be reached when the last answer did not arrive."""
    from intake import other_ways, tickets, wiring

    found = listing.ticket(tx, ref)
    ticket = tickets.load_by_ref(tx, ref)
    if found is not None and ticket is not None:
        ways = other_ways.after_failure(tx, wiring.accounts(settings), ticket)
        found["other_ways"] = [each.public for each in ways]
    return found


def _cells(row: Mapping[str, Any]) -> dict[str, str]:
    customer = row["customer"] or {}
    due = sorted(at for at in row["due"].values() if at)
    return {
        **{name: row[name] or "" for name in ("ref", "status", "priority", "team", "agent", "subject")},
        "from": _sender(customer),
        "created": terminal.local_time(row["created_at"]),
        "first due": terminal.local_time(due[0]) if due else "",
    }


def _sender(customer: Mapping[str, Any]) -> str:
    """Return an address; of who chats without one their name: what a session is called says nothing to anybody."""
    address = customer.get("address") or ""
    if address.startswith("chat:"):
        return customer.get("name") or "a visitor"
    return address or customer.get("name") or ""
