"""Checks the configuration and the rules without starting anything, and runs the rules' own tests.

Every problem is told at once, as file:line:column with what to do. Exit 0: fine (warnings allowed unless --strict);
2: something is wrong. Hints never change the exit code.
"""

import argparse
from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from channels import loading
from intake import cli, rule_files, terminal
from intake.commands import deciding, guard, options, output
from intake.outbound import MAIL
from intake.replies import Replies, TemplateProblem
from intake.rule_files import Sources
from intake.settings import Settings
from intake.store import opening, sqlite
from routing import cases, lint, yaml_text
from routing import problems as trouble
from routing import rulebook as rules
from routing.lint import Means
from routing.problems import ConfigError, Problem
from routing.rulebook import Rulebook

CLOSED_DAYS_SHOWN = 3


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--strict", action="store_true", help="warnings count as errors")
    parser.add_argument(
        "--store", action="store_true", help="also look for words of rules that most stored messages have"
    )
    options.add_config(parser)
    options.add_json(parser)


def run(arguments: argparse.Namespace) -> int:
    found, book = examine(arguments)
    if arguments.is_json:
        for problem in found:
            output.print_json(msgspec.to_builtins(problem))
    elif found:
        print(guard.rendered(found))
    counts = Counter(each.severity for each in found)
    is_bad = bool(counts["error"] or (arguments.strict and counts["warning"]))
    if book is not None and not arguments.is_json:
        for line in closed_days(book, datetime.now(UTC)):
            terminal.say(line)
    if is_bad or book is None:
        terminal.say(_counted(counts), colour="red")
        return cli.WRONG_INPUT
    rest = f"; {_counted(counts)}" if found else ""
    terminal.say(f"fine: {_size(book)} rules, {len(book.tests)} tests pass{rest}", colour="green")
    return 0


def _size(book: Rulebook) -> int:
    return len(book.rules) + len(book.react)


def _counted(counts: Counter[Any]) -> str:
    severities = ("error", "warning", "hint")
    told = [f"{counts[each]} {each}{'' if counts[each] == 1 else 's'}" for each in severities if counts[each]]
    return ", ".join(told) or "nothing could be checked"


def closed_days(book: Rulebook, now: datetime) -> list[str]:
    """Say for each calendar the next days on which it is closed against its weekly hours, and where its files have ended."""
    lines = []
    for name, calendar in book.calendars.items():
        today = now.astimezone(calendar.zone).date()
        days = calendar.closed_days(today, count=CLOSED_DAYS_SHOWN)
        if days:
            lines.append(f"calendar {name} is closed on " + ", ".join(f"{day} ({why})" for day, why in days))
        last = calendar.files_end
        if last is not None and last < today:
            lines.append(f"calendar {name}: its files close nothing after {last}; export them again")
    return lines


def examine(arguments: argparse.Namespace) -> tuple[tuple[Problem, ...], Rulebook | None]:
    """Give every problem of configuration, rules, templates and channels, and the rules when they can be read."""
    try:
        settings = options.load_settings(arguments)
    except ConfigError as error:
        return error.problems, None
    found = _channel_problems(settings)
    found += _unmailed_chats(settings)
    found += _canned_problems(settings)
    book = None
    try:
        with options.located(settings.rules):
            sources = rule_files.read(settings.rules, settings.replies)
            found += _template_problems(settings, sources)
            found += _unwritten_texts(settings, sources)
            book = rules.load(
                sources.files,
                lists=sources.lists,
                calendars=sources.calendars,
                replies=sources.replies.keys(),
            )
    except ConfigError as error:
        found += error.problems
    else:
        found += _located(settings, book.warnings)
        found += _located(settings, _judged(book))
        found += _located(settings, lint.configured(book, _means(arguments, settings, book, sources)))
        found += _located(settings, lint.dated(book, datetime.now(UTC)))
        found += _alarm_problems(settings, book)
        found += _answer_problems(settings, book)
    return trouble.in_order(found), book


def _judged(book: Rulebook) -> Iterable[Problem]:
    """Run the rules' own tests: what fails, and hints at rules that none of them touches."""
    judged = [cases.judge(book, case, detect_language=deciding.language_of) for case in book.tests]
    touched = frozenset(each for found in judged for each in found.touched)
    return (*(problem for found in judged for problem in found.problems), *lint.untested(book, touched))


def _means(arguments: argparse.Namespace, settings: Settings, book: Rulebook, sources: Sources) -> Means:
    from intake import means

    known = means.of(settings, sources.replies.keys())
    if not arguments.store:
        return known
    if not settings.store and not (settings.folder / sqlite.FILE).exists():
        raise cli.WrongInput(f"there is no store in {settings.folder} yet: leave --store away")
    store = opening.open_store(settings.store, settings.folder)
    try:
        return store.read_now(lambda tx: means.with_counts(known, book, tx))
    finally:
        store.close()


def _canned_problems(settings: Settings) -> list[Problem]:
    from intake import canned

    return [
        Problem(str(settings.canned / each.file), each.line, 1, "error", "bad-canned-reply", each.message)
        for each in canned.read(settings.canned).faults
    ]


def _template_problems(settings: Settings, sources: Sources) -> list[Problem]:
    try:
        Replies(sources.replies)
    except TemplateProblem as problem:
        return [
            Problem(str(settings.replies / each.file), each.line, 1, "error", "bad-template", each.message)
            for each in problem.faults
        ]
    return []


def _located(settings: Settings, problems: Iterable[Problem]) -> list[Problem]:
    folder = settings.rules if settings.rules.is_dir() else settings.rules.parent
    return [options.located_problem(each, folder) for each in problems]


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


def _unmailed_chats(settings: Settings) -> list[Problem]:
    """Find chats that mail answers to visitors who have left, where no account sends mail."""
    kinds = {name: loading.module_for(channel.kind) for name, channel in settings.channels.items()}
    if any(each.MEDIUM == MAIL and hasattr(each.Channel, "deliver") for each in kinds.values()):
        return []
    waits = {name: getattr(each.options, "leaving", None) for name, each in settings.channels.items()}
    accounts = _top_level(settings, "channels").keys if any(waits.values()) else {}
    message = "visitors who leave are to have their answer by mail, and no account sends mail"
    hint = "add an account of kind email, or set leaving: {mail_after_minutes: 0}"
    return [
        accounts[name].warning("no-mail", message, hint)
        for name, leaving in waits.items()
        if leaving is not None and leaving.mail_after_minutes
    ]


def _unwritten_texts(settings: Settings, sources: Sources) -> list[Problem]:
    """Find texts that customers are to have, and that nobody has written."""
    known = {name for name, _ in sources.replies}
    named: list[tuple[tuple[str, ...], str]] = [
        (("channels", name, "closed_text"), getattr(channel.options, "closed_text", ""))
        for name, channel in settings.channels.items()
    ]
    named.append((("phone", "whatsapp_nudge_reply"), settings.phone.whatsapp_nudge_reply))
    found = []
    for (section, *keys), template in named:
        if template and template not in known:
            node = _top_level(settings, section)
            for key in keys:
                node = node.value[key]
            hint = trouble.did_you_mean(template, known)
            found.append(node.problem("unknown-template", f"there is no reply template '{template}'", hint))
    return found


def _alarm_problems(settings: Settings, book: Rulebook) -> list[Problem]:
    alarm, calendars = settings.silence_alarm, book.calendars
    if alarm is None or not alarm.calendar or alarm.calendar in calendars:
        return []
    hint = trouble.did_you_mean(alarm.calendar, calendars)
    node = _top_level(settings, "silence_alarm").value["calendar"]
    return [node.problem("unknown-calendar", f"the rules have no calendar '{alarm.calendar}'", hint)]


def _answer_problems(settings: Settings, book: Rulebook) -> list[Problem]:
    """Find agents and teams that what stands around answers is meant for, and that the rules do not have."""
    found = []
    both = {**book.teams, **book.agents}
    for key, what, known in (("names", "agent", book.agents), ("signatures", "agent or team", both)):
        if not getattr(settings.answers, key):
            continue
        node = _top_level(settings, "answers").value[key]
        for name in [each for each in node.value if each not in known]:
            hint = trouble.did_you_mean(name, known)
            found.append(
                node.keys[name].problem(
                    f"unknown-{what.rpartition(' ')[2]}", f"the rules have no {what} '{name}'", hint
                )
            )
    return found


def _top_level(settings: Settings, key: str) -> yaml_text.Node:
    """Read again where a key of intake.yaml stands."""
    text = Path(settings.path).read_text(encoding="utf-8-sig")
    node: yaml_text.Node = yaml_text.read(text, file=str(settings.path)).value[key]
    return node
