"""Promises from the command line: make one, take it back, say that it was kept; and the report of all."""

import argparse
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from intake import cli, instants, promises, terminal
from intake.commands import options, output

if TYPE_CHECKING:
    from intake.desk_promises import Made

_WHEN = "2026-11-26 15:00, thursday 15:00, tomorrow 9:00, 15:00, in 2h, +3d; none takes it back; kept: it was done"
COLUMNS = ("due", "ticket", "state", "late", "by", "team", "agent", "subject")


def configure(commands: Any) -> None:
    text = "promise the customer a moment, and tell them; it is watched like any target"
    made = options.subcommand(commands, "promise", promise, text)
    made.add_argument("ref", metavar="REF")
    made.add_argument("when", nargs="+", metavar="WHEN", help=_WHEN)
    made.add_argument(
        "--as", dest="agent", required=True, metavar="AGENT", help="who promises: a name of the rules"
    )
    made.add_argument("--quiet", action="store_true", dest="is_quiet", help="the customer knows already")
    options.add_json(made)
    listed = options.subcommand(
        commands, "promises", list_promises, "what was promised to whom, kept or broken; soonest first"
    )
    states = listed.add_mutually_exclusive_group()
    for state in ("open", "kept", "broken"):
        states.add_argument(
            f"--{state}", action="store_const", const=state, dest="state", help=f"only those that are {state}"
        )
    listed.add_argument("--agent", metavar="NAME", help="made by this agent")
    listed.add_argument("--team", metavar="NAME", help="of tickets of this team")
    options.add_since(listed)
    options.add_limit(listed)
    options.add_json(listed)


def promise(arguments: argparse.Namespace) -> int:
    """Make a promise, or end one."""
    from intake import desk

    when = " ".join(arguments.when).strip()
    with options.wired(arguments) as wired:
        try:
            if when.casefold() in ("none", "kept"):
                return _end(arguments, wired, when.casefold())
            made = wired.store.write_now(lambda tx: _make(tx, wired.context, arguments, when))
        except desk.DeskError as error:
            raise cli.WrongInput(str(error)) from None
        now = wired.store.now()
    if arguments.is_json:
        output.print_json(_made_object(made))
    else:
        _say(made, ahead=terminal_span((made.at - now).total_seconds()))
    return 0


def _make(tx: Any, context: Any, arguments: argparse.Namespace, when: str) -> "Made":
    from intake import desk_promises

    return desk_promises.make(
        tx, context, arguments.ref, when, agent=arguments.agent, is_quiet=arguments.is_quiet
    )


def _end(arguments: argparse.Namespace, wired: Any, word: str) -> int:
    from intake import desk_promises

    act, said = {
        "none": (desk_promises.withdraw, "promises nothing any more"),
        "kept": (desk_promises.keep, "has done what was promised"),
    }[word]
    ticket = wired.store.write_now(lambda tx: act(tx, wired.context, arguments.ref, agent=arguments.agent))
    found = wired.store.read_now(lambda tx: (promises.latest(tx, ticket.id), tx.now))
    if arguments.is_json:
        output.print_json({"ticket": ticket.ref, **promises.public(found[0], now=found[1])})
    else:
        terminal.say(f"{ticket.ref} {said}")
    return 0


def _made_object(made: "Made") -> dict[str, Any]:
    return {
        "ticket": made.ticket.ref,
        "due_at": instants.rfc3339(made.at),
        "told": made.not_told == "",
        "not_told": made.not_told or None,
        "warnings": [{"code": each.code, "message": each.sentence} for each in made.doubts],
    }


def _say(made: "Made", *, ahead: str) -> None:
    moment = made.at.strftime("%a %Y-%m-%d %H:%M %Z")
    told = {None: "; the customer is not told", "": "; the customer is told"}.get(made.not_told, "")
    terminal.say(f"{made.ticket.ref} is promised for {moment}, in {ahead}{told}")
    if made.not_told:
        terminal.complain(f"the customer is not told: {made.not_told}")
    for each in made.doubts:
        terminal.say(f"warning: {each.sentence}", colour="yellow")


def terminal_span(seconds: float) -> str:
    """Write how long something takes: "2 d 4 h", "1 h 05 m", "12 m"."""
    minutes = max(0, round(seconds / 60))
    days, rest = divmod(minutes, 24 * 60)
    hours, minutes = divmod(rest, 60)
    if days:
        return f"{days} d {hours} h" if hours else f"{days} d"
    return f"{hours} h {minutes:02} m" if hours else f"{minutes} m"


def list_promises(arguments: argparse.Namespace) -> int:
    from intake import promise_report

    filters = promise_report.Filters(
        state=arguments.state,
        made_by=f"agent:{arguments.agent}" if arguments.agent else None,
        team=arguments.team,
        since=options.since_us(arguments),
    )
    counted = promise_report.Counter()
    with options.opened(arguments) as (_, store):
        rows = promise_report.report(store, filters, limit=arguments.limit)
        output.print_rows(
            _counted(rows, counted),
            is_json=arguments.is_json,
            columns=COLUMNS,
            cells=_cells,
            stretch="subject",
            nothing="nothing is promised",
        )
    if counted.rows and not arguments.is_json:
        terminal.say(counted.line)
    return 0


def _counted(rows: Iterator[dict[str, Any]], counted: Any) -> Iterator[dict[str, Any]]:
    for row in rows:
        counted.add(row["state"])
        yield row


def _cells(row: Mapping[str, Any]) -> dict[str, str]:
    late_s = row["late_s"]
    still = "" if row["ended_at"] else ", and still owed"
    return {
        "due": terminal.local_time(row["due_at"]),
        "ticket": row["ticket"],
        "state": row["state"],
        "late": "" if late_s is None else f"{terminal_span(late_s)}{still}",
        "by": row["by"] or row["made_by"],
        "team": row["team"] or "",
        "agent": row["agent"] or "",
        "subject": row["subject"],
    }
