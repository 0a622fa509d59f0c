"""Agents: who is there and how busy, who is away and until when.

An agent who goes away leaves nothing lying: their tickets that wait for an answer go to their deputy, else to somebody
of the same level, else they wait with the team. Tickets that wait for the customer or for others stay with them, and go
on when the customer writes. WHEN is like "monday 9:00", "tomorrow 9:00", "17:00", "in 2h", or 2026-11-23T09:00.
"""

import argparse
import asyncio
from collections.abc import Mapping
from typing import Any

from intake import agents_view, cli, instants, medium_presence, presence, terminal, when_text
from intake.agents_view import Held
from intake.commands import agent_access, options, output
from intake.model import Context
from intake.wiring import Wired
from routing import moment_text
from routing.problems import did_you_mean

COLUMNS = ("agent", "levels", "on duty", "load", "skills", "deputy")


def configure(parser: argparse.ArgumentParser) -> None:
    commands = options.subcommands(parser)
    listed = options.subcommand(commands, "list", list_agents, "who is on duty, and how busy everybody is")
    options.add_json(listed)
    left = options.subcommand(commands, "away", go_away, "somebody is away from now on: their tickets go on")
    left.add_argument("name", metavar="NAME", help="an agent of the rules")
    until = left.add_mutually_exclusive_group()
    until.add_argument("--until", metavar="WHEN", help="it ends by itself then; else when they are back")
    until.add_argument("--for", dest="length", metavar="LENGTH", help="how long, like 45m, 2h or 3d")
    left.add_argument("--keep", action="store_true", help="their tickets stay with them meanwhile")
    back = options.subcommand(commands, "back", come_back, "somebody is there again")
    back.add_argument("name", metavar="NAME", help="an agent of the rules")
    _configure_presence(commands)
    agent_access.add_to(commands)
    for each in (left, back):
        each.add_argument("--as", dest="agent", metavar="WHO", help="who says it; default: NAME")
        options.add_json(each)


def _configure_presence(commands: Any) -> None:
    said = options.subcommand(
        commands, "presence", set_presence, "whether somebody takes more of one medium, chats for example"
    )
    said.add_argument("name", metavar="NAME", help="an agent of the rules")
    said.add_argument(
        "medium", metavar="MEDIUM", nargs="?", help="chat, email, sms, …; none = what holds now"
    )
    said.add_argument("presence", metavar="PRESENCE", nargs="?", choices=medium_presence.PRESENCES)
    until = said.add_mutually_exclusive_group()
    until.add_argument("--until", metavar="WHEN", help="it ends by itself then; else when they say so")
    until.add_argument("--for", dest="length", metavar="LENGTH", help="how long, like 45m, 2h or 3d")
    said.add_argument("--as", dest="agent", metavar="WHO", help="who says it; default: NAME")
    options.add_json(said)


run = options.run_subcommand


def list_agents(arguments: argparse.Namespace) -> int:
    with options.wired(arguments) as wired:
        context = wired.context
        shown, waiting = wired.store.read_now(
            lambda tx: (agents_view.everybody(tx, context), agents_view.waiting(tx))
        )
    output.print_rows(
        [agents_view.as_json(each) for each in shown],
        is_json=arguments.is_json,
        columns=COLUMNS,
        cells=_cells,
        stretch="levels",
        nothing="the rules name no agents",
    )
    if not arguments.is_json:
        for team, count in waiting.items():
            terminal.say(f"{count} ticket{'s wait' if count > 1 else ' waits'} for somebody of {team}")
    return 0


def _cells(row: Mapping[str, Any]) -> dict[str, str]:
    return {
        "agent": row["name"],
        "levels": ", ".join(row["levels"]) if row["in_rules"] else "not in the rules any more",
        "on duty": _duty(row),
        "load": ", ".join(f"{medium} {_held(held)}" for medium, held in row["load"].items()),
        "skills": " ".join(row["skills"]),
        "deputy": row["deputy"] or "",
    }


def _duty(row: Mapping[str, Any]) -> str:
    said = [f"{presence} for {medium}" for medium, presence in row["presence"].items()]
    return ", ".join((_hours(row), *said))


def _hours(row: Mapping[str, Any]) -> str:
    until = f" until {terminal.local_time(row['until'])}" if row["until"] else ""
    if row["away"]:
        return f"away{until}"
    if row["on_duty"]:
        return f"yes{until}"
    return f"no, from {terminal.local_time(row['next'])}" if row["next"] else "no"


def _held(held: Mapping[str, Any]) -> str:
    """Say "3 of 10"; with caps of several teams "3 of 5-10"."""
    caps = sorted(set(Held(**held).capacity.values()))
    return f"{held['open']} of {'-'.join(map(str, caps))}" if caps else str(held["open"])


def go_away(arguments: argparse.Namespace) -> int:
    with options.wired(arguments) as wired:
        _check(wired.context, arguments.name, arguments.agent)
        until_us = _until_us(arguments, wired)
        by = arguments.agent or arguments.name
        left = wired.store.write_now(
            lambda tx: presence.go(
                tx, wired.context, arguments.name, until_us=until_us, keep=arguments.keep, by=by
            )
        )
        asyncio.run(presence.run_due(wired.store, wired.context))
    ends_at = instants.rfc3339_from_us(left.until)
    if arguments.is_json:
        output.print_json({"name": left.name, "away": True, "until": ends_at, "tickets": left.tickets})
        return 0
    when = f" until {terminal.local_time(ends_at)}" if ends_at else ""
    terminal.say(f"{left.name} is away{when}: {_went(left.tickets, is_keeping=arguments.keep)}")
    return 0


def _went(count: int, *, is_keeping: bool) -> str:
    if is_keeping:
        return "what is theirs stays with them"
    return f"{count or 'no'} ticket{'' if count == 1 else 's'} of theirs went on"


def come_back(arguments: argparse.Namespace) -> int:
    with options.wired(arguments) as wired:
        _check(wired.context, arguments.name, arguments.agent)
        by = arguments.agent or arguments.name
        was_away = wired.store.write_now(lambda tx: presence.come_back(tx, arguments.name, by=by))
    if arguments.is_json:
        output.print_json({"name": arguments.name, "away": False, "was_away": was_away})
    else:
        terminal.say(f"{arguments.name} {'is back' if was_away else 'was not away'}")
    return 0


def set_presence(arguments: argparse.Namespace) -> int:
    """Say it, or show what holds."""
    if arguments.medium is not None and arguments.presence is None:
        raise cli.WrongInput(f"say which: {', '.join(medium_presence.PRESENCES)}")
    with options.wired(arguments) as wired:
        _check(wired.context, arguments.name, arguments.agent)
        if arguments.medium is not None:
            _say(arguments, wired)
        held = wired.store.read_now(lambda tx: medium_presence.of_agent(tx, arguments.name))
    media = {
        medium: {"presence": said.presence, "until": instants.rfc3339_from_us(said.until)}
        for medium, said in sorted(held.items())
    }
    if arguments.is_json:
        output.print_json({"name": arguments.name, "presence": media})
        return 0
    for medium, row in media.items():
        until = f" until {terminal.local_time(row['until'])}" if row["until"] else ""
        terminal.say(f"{arguments.name} is {row['presence']} for {medium}{until}")
    if not media:
        terminal.say(f"{arguments.name} is available for every medium")
    return 0


def _say(arguments: argparse.Namespace, wired: Wired) -> None:
    known = sorted({each.medium for each in wired.context.accounts.values()})
    if arguments.medium not in known:
        raise cli.WrongInput(f"no account has the medium '{arguments.medium}': {', '.join(known)}")
    until_us = _until_us(arguments, wired)
    by = arguments.agent or arguments.name
    wired.store.write_now(
        lambda tx: medium_presence.say(
            tx, arguments.name, arguments.medium, arguments.presence, by=by, until_us=until_us
        )
    )


def _check(context: Context, *names: str | None) -> None:
    """See whether the rules name them. Raises: cli.WrongInput."""
    known = list(context.rulebook.agents)
    for name in names:
        if name is not None and name not in known:
            hint = did_you_mean(name, known)
            raise cli.WrongInput(f"there is no agent '{name}' in the rules{f': {hint}' if hint else ''}")


def _until_us(arguments: argparse.Namespace, wired: Wired) -> int | None:
    """Return when it ends, as it was said. Raises: cli.WrongInput."""
    now = wired.store.now()
    if arguments.length:
        return instants.us_from_datetime(now + when_text.length(arguments.length))
    if not arguments.until:
        return None
    now_us = instants.us_from_datetime(now)
    try:
        return presence.until_us(wired.context, arguments.name, arguments.until, now_us=now_us)
    except moment_text.NoMoment as problem:
        raise cli.WrongInput(str(problem)) from None
