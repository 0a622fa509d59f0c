"""`intake oncall page --test`: a notice that only shows whether notices reach people."""

import argparse
from collections.abc import Callable, Mapping
from typing import Any

from intake import cli, terminal
from intake.commands import options, output
from intake.model import Context
from intake.store.engine import Tx
from routing.people import Agent
from routing.problems import did_you_mean

CAN_GO = "email"


def configure(commands: Any, subcommand: Callable[..., argparse.ArgumentParser]) -> None:
    parser = subcommand(
        commands, "page", page, "send a test notice to whoever is on call, by every way they have"
    )
    parser.add_argument(
        "name", nargs="?", metavar="SCHEDULE|AGENT", help="default: whoever is on call of each schedule"
    )
    parser.add_argument(
        "--test", action="store_true", help="say that it is a test: nothing else can be sent by hand"
    )
    parser.add_argument("--as", dest="agent", metavar="AGENT", help="who asks for it")
    parser.add_argument(
        "--json", action="store_true", dest="is_json", default=argparse.SUPPRESS, help="print JSON"
    )


def page(arguments: argparse.Namespace) -> int:
    if not arguments.test:
        raise cli.WrongInput("only test notices are sent by hand: say intake oncall page --test")
    with options.wired(arguments) as wired:
        rows = wired.store.write_now(lambda tx: _send(tx, wired.context, arguments))
    output.print_rows(
        rows,
        is_json=arguments.is_json,
        columns=("agent", "way", "sent", "why not"),
        cells=_cells,
        stretch="why not",
        nothing="nobody is on call now: nobody was sent anything",
    )
    if any(row["sent"] for row in rows):
        terminal.say("a running daemon sends it now, else the next start does; intake outbox list shows it")
        return 0
    return cli.FAILED


def _send(tx: Tx, context: Context, arguments: argparse.Namespace) -> list[dict[str, Any]]:
    from intake import desk, events, oncall_letters

    if arguments.agent is not None:
        try:
            desk.check_agent(context, arguments.agent)
        except desk.DeskError as error:
            raise cli.WrongInput(str(error)) from None
    rows = []
    for name in _named(tx, context, arguments.name):
        person = context.rulebook.agents[name]
        was_sent = oncall_letters.test(tx, context, name, by=arguments.agent)
        rows += [_row(person, way, was_sent=was_sent) for way in _ways(person)]
        actor = f"agent:{arguments.agent}" if arguments.agent else "system"
        events.record(tx, "oncall_tested", actor=actor, agent=name, sent=was_sent)
    return rows


def _named(tx: Tx, context: Context, name: str | None) -> list[str]:
    """Return who gets it: the agent of that name, or whoever is on call."""
    from intake import oncall

    book = context.rulebook
    if name in book.agents:
        return [name]
    if name is not None and name not in book.schedules:
        hint = did_you_mean(name, [*book.schedules, *book.agents])
        raise cli.WrongInput(
            f"there is no schedule or agent '{name}' in the rules{f': {hint}' if hint else ''}"
        )
    asked = [name] if name is not None else list(book.schedules)
    on_call = (oncall.duty(tx, context, each).agent for each in asked)
    return list(dict.fromkeys(each for each in on_call if each is not None))


def _ways(person: Agent) -> tuple[str, ...]:
    """Return mail, and the agent's own ways when it is urgent."""
    return tuple(dict.fromkeys((CAN_GO, *person.urgent, *(("sms", "call") if person.phone else ()))))


def _row(person: Agent, way: str, *, was_sent: bool) -> dict[str, Any]:
    if way == CAN_GO:
        why = "" if was_sent else "no address is known" if not person.email else "no channel here sends mail"
        return {"agent": person.name, "way": way, "sent": was_sent, "why_not": why or None}
    why = f"nothing in this configuration reaches agents by {way}"
    return {"agent": person.name, "way": way, "sent": False, "why_not": why}


def _cells(row: Mapping[str, Any]) -> dict[str, str]:
    return {
        "agent": row["agent"],
        "way": row["way"],
        "sent": "yes" if row["sent"] else "no",
        "why not": row["why_not"] or "",
    }
