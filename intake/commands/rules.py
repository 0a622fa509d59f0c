"""The rules: run their own tests, and explain what they decided for a ticket."""

import argparse
import sys
from pathlib import Path
from typing import Any
from xml.sax.saxutils import quoteattr

import msgspec
from sqlalchemy import bindparam, select

from intake import cli, refs, rule_files, terminal
from intake.commands import backtesting, deciding, guard, options, output, rules_stored, simulating
from intake.logs import escaped
from intake.store import schema
from intake.store.engine import Tx
from intake.store.statements import Statement
from routing import cases, explain, json_schema
from routing import rulebook as rules
from routing.facts import Facts
from routing.problems import Problem
from routing.rulebook import Rulebook

_d = schema.decisions.c
_m = schema.messages.c
_DECISION = Statement(
    select(
        _d.decision, _d.facts, _d.rulebook, _m.subject, _m.body, _m.visible_text, schema.rulebooks.c.source
    )
    .join(schema.tickets, schema.tickets.c.id == _d.ticket_id)
    .outerjoin(schema.messages, _m.id == _d.message_id)
    .join(schema.rulebooks, schema.rulebooks.c.hash == _d.rulebook)
    .where(schema.tickets.c.ref == bindparam("ref"))
    .order_by(_d.id.desc())
    .limit(1)
)


def configure(parser: argparse.ArgumentParser) -> None:
    commands = options.subcommands(parser)
    tested = options.subcommand(commands, "test", run_tests, "run the tests that stand in the rules")
    tested.add_argument("--junit", type=Path, metavar="FILE", help="also write the results as JUnit XML")
    options.add_json(tested)
    explained = options.subcommand(
        commands, "explain", explain_ticket, "why a ticket went where it went, and not elsewhere"
    )
    explained.add_argument("ref", metavar="REF")
    options.add_json(explained)
    backtesting.add_to(commands)
    simulating.add_to(commands)
    shown = options.subcommand(
        commands,
        "schema",
        print_schema,
        "the rule language as JSON Schema, for editors; names only `check` knows",
    )
    shown.add_argument("--out", type=Path, metavar="FILE", help="write it there instead of printing it")
    rules_stored.configure(commands)


run = options.run_subcommand


def print_schema(arguments: argparse.Namespace) -> int:
    """Write the schema: beside rules.yaml, where its first line finds it, it makes an editor complete and check."""
    text = msgspec.json.format(msgspec.json.encode(json_schema.schema()), indent=1).decode() + "\n"
    if arguments.out is None:
        sys.stdout.write(text)
    else:
        arguments.out.write_text(text, encoding="utf-8")
        terminal.say(
            f"{arguments.out} is written; the first line of the rules names it: # yaml-language-server: $schema=…"
        )
    return 0


def run_tests(arguments: argparse.Namespace) -> int:
    settings = options.load_settings(arguments)
    with options.located(settings.rules):
        sources = rule_files.read(settings.rules, settings.replies)
        book = rules.load(sources.files, lists=sources.lists, replies=sources.replies.keys())
    folder = settings.rules if settings.rules.is_dir() else settings.rules.parent
    results = {
        case.name: [
            options.located_problem(each, folder)
            for each in cases.run_case(book, case, detect_language=deciding.language_of)
        ]
        for case in book.tests
    }
    if arguments.junit is not None:
        arguments.junit.write_text(junit(results), encoding="utf-8")
    failures = [each for found in results.values() for each in found]
    if arguments.is_json:
        for name, found in results.items():
            output.print_json({"test": name, "passed": not found, "problems": msgspec.to_builtins(found)})
    elif failures:
        print(guard.rendered(failures))
    failed = sum(map(bool, results.values()))
    terminal.say(f"{len(results) - failed} pass, {failed} fail", colour="red" if failed else "green")
    return cli.FAILED if failed else 0


def junit(results: dict[str, list[Problem]]) -> str:
    """Write the results as one suite of JUnit XML."""
    failed = sum(map(bool, results.values()))
    lines = [
        '<?xml version="1.0" encoding="utf-8"?>',
        f'<testsuite name="rules" tests="{len(results)}" failures="{failed}">',
    ]
    for name, found in results.items():
        failures = "".join(f"<failure message={quoteattr(str(each))}/>" for each in found)
        lines.append(f'<testcase classname="rules" name={quoteattr(name)}>{failures}</testcase>')
    return "\n".join([*lines, "</testsuite>", ""])


def explain_ticket(arguments: argparse.Namespace) -> int:
    """Tell the stored decision, and try every other rule of its rulebook on the facts of that moment."""
    ref = refs.normalized(arguments.ref)
    with options.opened(arguments) as (_, store):
        found = None if ref is None else store.read_now(lambda tx: _explained(tx, ref))
    if found is None:
        raise cli.WrongInput(
            f"no decision is known for ticket '{arguments.ref}': intake tickets list shows the refs"
        )
    if arguments.is_json:
        output.print_json(found)
    else:
        print("\n".join(escaped(line) for line in deciding.lines(found)))
    return 0


def _explained(tx: Tx, ref: str) -> dict[str, Any] | None:
    row = tx.one(_DECISION, ref=ref)
    if row is None:
        return None
    decision, stored, _, subject, body, visible_text, source = row
    seen = msgspec.json.decode(stored, type=Facts)
    if body is not None:  # what was routed again keeps the text of all messages itself
        body = body if visible_text is None else visible_text
        seen = msgspec.structs.replace(seen, subject=subject, body=body)
    book: Rulebook = rules.from_text(source)
    value: dict[str, Any] = msgspec.json.decode(decision)
    value["why_not"] = msgspec.to_builtins(explain.why_not(book, seen))
    return value
