"""Checks the configuration and the rules without starting anything, and runs the rules' own tests.

Every problem is told at once, as file:line:column with what to do. Exit 0: fine (warnings allowed unless --strict);
2: something is wrong.
"""

import argparse
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import msgspec

from channels import loading
from intake import cli, rulebooks, terminal
from intake.commands import guard, options, output
from intake.rulebooks import Loaded
from intake.settings import Settings
from routing import problems as trouble
from routing import yaml_text
from routing.problems import ConfigError, Problem


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--strict", action="store_true", help="warnings count as errors")
    options.add_config(parser)
    options.add_json(parser)


def run(arguments: argparse.Namespace) -> int:
    found, loaded = examine(arguments)
    if arguments.is_json:
        for problem in found:
            output.print_json(msgspec.to_builtins(problem))
    elif found:
        print(guard.rendered(found))
    is_bad = any(
        each.severity == "error" or (arguments.strict and each.severity == "warning") for each in found
    )
    if not is_bad and loaded is not None:
        book = loaded.rulebook
        terminal.say(f"fine: {len(book.rules)} rules, {len(book.tests)} tests pass", colour="green")
    elif is_bad:
        errors = sum(each.severity == "error" for each in found)
        terminal.say(f"{errors} errors, {len(found) - errors} warnings", colour="red")
    return cli.WRONG_INPUT if is_bad else 0


def examine(arguments: argparse.Namespace) -> tuple[tuple[Problem, ...], Loaded | None]:
    """Give every problem of configuration, rules, templates and channels, and the rules when they can be used."""
    try:
        settings = options.load_settings(arguments)
    except ConfigError as error:
        return error.problems, None
    found = _channel_problems(settings)
    loaded = None
    try:
        with options.located(settings.rules):
            loaded = rulebooks.read(settings.rules, settings.replies)
    except ConfigError as error:
        found += error.problems
    else:
        found += _located_warnings(settings, loaded.rulebook.warnings)
        found += _alarm_problems(settings, loaded)
    return trouble.in_order(found), loaded


def _located_warnings(settings: Settings, warnings: Iterable[Problem]) -> list[Problem]:
    folder = settings.rules if settings.rules.is_dir() else settings.rules.parent
    return [options.located_problem(each, folder) for each in warnings]


def _channel_problems(settings: Settings) -> list[Problem]:
    """Ask each channel what is wrong with how it is set up, and place it at the account's line."""
    found = []
    accounts = _top_level(settings, "channels").keys
    for name, channel in settings.channels.items():
        made: Any = loading.module_for(channel.kind).Channel(name, channel.options)
        for said in made.check() if hasattr(made, "check") else ():
            where = accounts[name]
            found.append(
                Problem(
                    where.file, where.line, where.column, said.severity, "channel", said.message, said.hint
                )
            )
    return found


def _alarm_problems(settings: Settings, loaded: Loaded) -> list[Problem]:
    alarm, calendars = settings.silence_alarm, loaded.rulebook.calendars
    if alarm is None or not alarm.calendar or alarm.calendar in calendars:
        return []
    hint = trouble.did_you_mean(alarm.calendar, calendars)
    node = _top_level(settings, "silence_alarm").value["calendar"]
    return [node.problem("unknown-calendar", f"the rules have no calendar '{alarm.calendar}'", hint)]


def _top_level(settings: Settings, key: str) -> yaml_text.Node:
    """Read again where a key of intake.yaml stands."""
    text = Path(settings.path).read_text(encoding="utf-8-sig")
    node: yaml_text.Node = yaml_text.read(text, file=str(settings.path)).value[key]
    return node
