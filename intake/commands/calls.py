"""Calls: who called, what they chose, who took it, how it came out and what it cost."""

import argparse
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from intake import call_list, call_text, cli, listing, terminal
from intake.commands import options, output, ticket_calls
from intake.logs import escaped

COLUMNS = ("call", "started", "from", "chose", "agent", "waited", "talked", "outcome", "ticket")
OUTCOMES = ("answered", "voicemail", "missed", "hung_up", "failed")


def configure(parser: argparse.ArgumentParser) -> None:
    commands = options.subcommands(parser)
    listed = options.subcommand(commands, "list", list_calls, "every call, oldest first")
    listed.add_argument("--outcome", choices=OUTCOMES)
    options.add_since(listed)
    options.add_limit(listed)
    options.add_json(listed)
    shown = options.subcommand(commands, "show", show, "one call and all that happened in it")
    shown.add_argument("call", metavar="CALL", help="the provider's id of it, as the list shows it")
    options.add_json(shown)
    ticket_calls.configure_calls(commands)


run = options.run_subcommand


def list_calls(arguments: argparse.Namespace) -> int:
    filters = listing.Filters(
        state=arguments.outcome, since=options.since_us(arguments), limit=arguments.limit
    )
    with options.opened(arguments) as (_, store):
        output.print_rows(
            call_list.calls(store, filters),
            is_json=arguments.is_json,
            columns=COLUMNS,
            cells=_cells,
            stretch="chose",
            nothing="no calls",
        )
    return 0


def show(arguments: argparse.Namespace) -> int:
    with options.opened(arguments) as (_, store):
        found = store.read_now(lambda tx: call_list.call(tx, arguments.call))
    if found is None:
        raise cli.WrongInput(f"there is no call {arguments.call}: intake calls list")
    if arguments.is_json:
        output.print_json(found)
    else:
        print("\n".join(lines(found)))
    return 0


def lines(call: Mapping[str, Any]) -> Iterator[str]:
    """Lay out a call and its timeline. What a caller said cannot steer the terminal."""
    whom = call["caller"] or call_text.HIDDEN
    way = "to" if call["direction"] == "out" else "from"
    yield f"{call['call']}  {way} {whom}  {call['outcome'] or 'under way'}".rstrip()
    for name, value in (
        ("ticket", call["ticket"]),
        ("chose", ", ".join(call["choices"])),
        ("agent", call["agent"]),
        ("waited", _duration(call["wait_s"])),
        ("talked", _duration(call["talk_s"])),
        ("cost", call["price"]),
    ):
        if value:
            yield f"  {name:<9} {escaped(str(value))}"
    yield f"  {'started':<9} {terminal.local_time(call['started_at'])}"
    began = next((each["at"] for each in call["timeline"]), "")
    for each in call["timeline"]:
        after = _after(began, each["at"])
        yield f"  {after:>9}  {each['what']}  {_said(each['details'])}".rstrip()


def _after(began: str, at: str) -> str:
    """Say how long after the beginning something happened, "+1:05"; seconds tell who rang for how long."""
    passed_s = max(round((datetime.fromisoformat(at) - datetime.fromisoformat(began)).total_seconds()), 0)
    minutes, seconds = divmod(passed_s, 60)
    return f"+{minutes}:{seconds:02}"


def _said(details: Mapping[str, Any]) -> str:
    written = {
        name: ", ".join(map(str, value)) if isinstance(value, list) else value
        for name, value in details.items()
        if value not in (None, "", [])
    }
    return escaped(" · ".join(f"{name} {value}" for name, value in written.items()))


def _cells(row: Mapping[str, Any]) -> dict[str, str]:
    return {
        "call": row["call"],
        "started": terminal.local_time(row["started_at"]),
        "from": row["caller"] or "hidden",
        "chose": ", ".join(row["choices"]),
        "agent": row["agent"] or "",
        "waited": _duration(row["wait_s"]),
        "talked": _duration(row["talk_s"]),
        "outcome": row["outcome"] or "under way",
        "ticket": row["ticket"] or "",
    }


def _duration(seconds: int | None) -> str:
    return "" if seconds is None else call_text.duration(seconds)
