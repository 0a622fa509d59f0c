"""Known outages: while one is open, callers are told of it, and rules may ask for `incident.open`."""

import argparse
from typing import Any

from intake import cli, instants, terminal
from intake.commands import options, output


def configure(parser: argparse.ArgumentParser) -> None:
    commands = options.subcommands(parser)
    opened = options.subcommand(commands, "open", open_incident, "tell everybody of an outage from now on")
    opened.add_argument(
        "texts", nargs="+", metavar="LANGUAGE=TEXT", help='what is said in each language: en="We know."'
    )
    closed = options.subcommand(commands, "close", close_incident, "it is over")
    for each in (opened, closed):
        each.add_argument("--as", dest="agent", required=True, metavar="AGENT", help="a name of the rules")
    listed = options.subcommand(commands, "list", list_incidents, "every incident, the newest first")
    options.add_json(listed)


run = options.run_subcommand


def open_incident(arguments: argparse.Namespace) -> int:
    texts = dict(_text(each) for each in arguments.texts)
    _changed(arguments, lambda incidents, tx: incidents.begin(tx, texts, by=arguments.agent))
    terminal.say(f"open: callers are told in {', '.join(texts)}")
    return 0


def close_incident(arguments: argparse.Namespace) -> int:
    _changed(arguments, lambda incidents, tx: incidents.end(tx, by=arguments.agent))
    terminal.say("closed")
    return 0


def list_incidents(arguments: argparse.Namespace) -> int:
    from intake import incidents

    with options.opened(arguments) as (_, store):
        rows = [
            {
                "id": str(each.id),
                "texts": each.texts,
                "opened_at": instants.rfc3339_from_us(each.opened_at),
                "opened_by": each.opened_by,
                "closed_at": instants.rfc3339_from_us(each.closed_at),
                "closed_by": each.closed_by,
            }
            for each in store.read_now(incidents.every)
        ]
    output.print_rows(
        rows,
        is_json=arguments.is_json,
        columns=("opened", "by", "closed", "text"),
        cells=_cells,
        stretch="text",
        nothing="no incident yet",
    )
    return 0


def _changed(arguments: argparse.Namespace, change: Any) -> None:
    """Raises: cli.WrongInput."""
    from intake import desk, incidents

    with options.wired(arguments) as wired:
        try:
            desk.check_agent(wired.context, arguments.agent)
            wired.store.write_now(lambda tx: change(incidents, tx))
        except (desk.DeskError, incidents.IncidentError) as error:
            raise cli.WrongInput(str(error)) from None


def _text(given: str) -> tuple[str, str]:
    language, is_given, text = given.partition("=")
    if not is_given or not (language.isascii() and language.isalpha() and len(language) == 2):
        raise cli.WrongInput(f"'{given}' is not written like en=We know and work on it")
    return language.lower(), text.strip()


def _cells(row: Any) -> dict[str, str]:
    return {
        "opened": terminal.local_time(row["opened_at"]),
        "by": row["opened_by"],
        "closed": terminal.local_time(row["closed_at"]) if row["closed_at"] else "",
        "text": " · ".join(f"{language}: {text}" for language, text in row["texts"].items()),
    }
