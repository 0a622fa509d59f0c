"""Lists that rules ask for: show them, and change those that are kept at the desk. A change counts from the next message on."""

import argparse
from collections.abc import Mapping
from typing import Any

from intake import cli, lists, rule_files, terminal
from intake.commands import options, output
from intake.store.engine import Store
from routing import rulebook as rules
from routing.problems import did_you_mean
from routing.rulebook import Rulebook


def configure(parser: argparse.ArgumentParser) -> None:
    commands = options.subcommands(parser)
    shown = options.subcommand(commands, "show", show, "the values of a list, or of all of them")
    shown.add_argument("name", nargs="?", metavar="NAME")
    options.add_json(shown)
    for name, run_it, text in (
        ("add", add, "put values into a list kept at the desk"),
        ("remove", remove, "take values out of a list kept at the desk"),
    ):
        changed = options.subcommand(commands, name, run_it, text)
        changed.add_argument("name", metavar="NAME")
        changed.add_argument("values", nargs="+", metavar="VALUE")
        changed.add_argument("--as", dest="agent", metavar="AGENT", help="who does it: a name of the rules")
        options.add_json(changed)


run = options.run_subcommand


def show(arguments: argparse.Namespace) -> int:
    with options.opened(arguments) as (settings, store):
        book = _rulebook(settings)
        names = sorted({*book.kept, *book.lists})
        if arguments.name is not None and arguments.name not in names:
            hint = did_you_mean(arguments.name, names)
            raise cli.WrongInput(f"the rules have no list '{arguments.name}'{f': {hint}' if hint else ''}")
        wanted = names if arguments.name is None else [arguments.name]
        rows = [row for name in wanted for row in _rows(store, book, name)]
    output.print_rows(
        rows,
        is_json=arguments.is_json,
        columns=("list", "value", "added by", "added"),
        cells=_cells,
        stretch="value",
        nothing="no values",
    )
    return 0


def _rulebook(settings: Any) -> Rulebook:
    with options.located(settings.rules):
        sources = rule_files.read(settings.rules, settings.replies)
        return rules.load(sources.files, lists=sources.lists, calendars=sources.calendars)


def _rows(store: Store, book: Rulebook, name: str) -> list[dict[str, Any]]:
    if name in book.kept:
        return [{"list": name, **row} for row in store.read_now(lambda tx: lists.values(tx, name))]
    return [{"list": name, "value": each, "added_by": "", "added_at": None} for each in book.lists[name]]


def _cells(row: Mapping[str, Any]) -> dict[str, str]:
    added = terminal.local_time(row["added_at"]) if row["added_at"] else ""
    return {"list": row["list"], "value": row["value"], "added by": row["added_by"], "added": added}


def add(arguments: argparse.Namespace) -> int:
    return _change(arguments, lists.add, "added")


def remove(arguments: argparse.Namespace) -> int:
    return _change(arguments, lists.remove, "removed")


def _change(arguments: argparse.Namespace, change: Any, done: str) -> int:
    with options.opened(arguments) as (settings, store):
        book = _rulebook(settings)
        agent = arguments.agent
        if agent is not None and agent not in book.agents:
            hint = did_you_mean(agent, list(book.agents))
            raise cli.WrongInput(f"there is no agent '{agent}' in the rules{f': {hint}' if hint else ''}")
        actor = f"agent:{agent}" if agent is not None else "system"
        try:
            lists.check_kept(book, arguments.name)
            changed = store.write_now(lambda tx: change(tx, arguments.name, arguments.values, actor=actor))
        except lists.ListProblem as problem:
            raise cli.WrongInput(str(problem)) from None
    if arguments.is_json:
        output.print_json({"list": arguments.name, done: list(changed)})
    else:
        terminal.say(f"{arguments.name}: {len(changed)} {done}")
    return 0
