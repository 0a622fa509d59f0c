"""`intake rules test`: the tests that stand in the rules, expected and actual side by side, and what no test touches."""

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape, quoteattr

import msgspec

from intake import cli, rule_files, terminal
from intake.commands import deciding, guard, options, output
from intake.settings import Settings
from routing import cases
from routing import rulebook as rules
from routing.cases import Judged
from routing.problems import Problem
from routing.rulebook import Rulebook

_COLUMNS = ("test", "at", "what", "expected", "actual")
# What XML 1.0 cannot carry, not even as a reference (section 2.2).
_NO_XML = dict.fromkeys((*range(9), 11, 12, *range(14, 32), *range(55296, 57344), 65534, 65535), "?")


def add_to(commands: Any) -> None:
    parser = options.subcommand(commands, "test", run, "run the tests that stand in the rules")
    parser.add_argument("--junit", type=Path, metavar="FILE", help="also write the results as JUnit XML")
    options.add_json(parser)


def run(arguments: argparse.Namespace) -> int:
    """Run them all. Returns: 0 = all pass, 1 = some fail; rules that cannot be read are wrong input."""
    settings = options.load_settings(arguments)
    book = _rulebook(settings)
    results = {case.name: _judged(settings, book, case) for case in book.tests}
    missed = untouched(book, results)
    if arguments.junit is not None:
        arguments.junit.write_text(junit(results), encoding="utf-8")
    if arguments.is_json:
        _print_json(results, missed)
    else:
        _print(results, missed)
    failed = sum(bool(each.problems) for each in results.values())
    terminal.say(f"{len(results) - failed} pass, {failed} fail", colour="red" if failed else "green")
    return cli.FAILED if failed else 0


def untouched(book: Rulebook, results: Mapping[str, Judged]) -> tuple[str, ...]:
    """Ids of rules, and "ladder/step", that no test has made do anything; in the order of the rules."""
    touched = {each for judged in results.values() for each in judged.touched}
    known = [*(rule.id for rule in book.rules), *(each.rule.id for each in book.react)]
    steps = [f"{ladder.name}/{each}" for ladder in book.ladders.values() for each in range(len(ladder.steps))]
    return tuple(each for each in (*known, *steps) if each not in touched)


def junit(results: Mapping[str, Judged]) -> str:
    """Write the results as one suite of JUnit XML: a test that fails has each thing wrong, expected and actual."""
    failed = sum(bool(each.problems) for each in results.values())
    lines = [
        '<?xml version="1.0" encoding="utf-8"?>',
        f'<testsuite name="rules" tests="{len(results)}" failures="{failed}" errors="0" skipped="0">',
    ]
    for name, judged in results.items():
        case = f'<testcase classname="rules" name={quoteattr(name.translate(_NO_XML))}'
        failures = _failure(judged)
        lines.append(f"{case}>{failures}</testcase>" if failures else f"{case}/>")
    return "\n".join([*lines, "</testsuite>", ""])


def _failure(judged: Judged) -> str:
    """One element, since readers of JUnit XML look at the first one of a test only."""
    if not judged.problems:
        return ""
    message = judged.problems[0].message.translate(_NO_XML)
    told = [
        f"{problem}\n  expected: {sides.wanted}\n  actual:   {sides.actual}"
        for problem, sides in zip(judged.problems, judged.sides, strict=True)
    ]
    body = escape("\n".join(told).translate(_NO_XML))
    return f'<failure type="failing-test" message={quoteattr(message)}>{body}</failure>'


def _rulebook(settings: Settings) -> Rulebook:
    with options.located(settings.rules):
        sources = rule_files.read(settings.rules, settings.replies)
        return rules.load(
            sources.files,
            lists=sources.lists,
            calendars=sources.calendars,
            replies=sources.replies.keys(),
        )


def _judged(settings: Settings, book: Rulebook, case: Any) -> Judged:
    folder = settings.rules if settings.rules.is_dir() else settings.rules.parent
    judged = cases.judge(book, case, detect_language=deciding.language_of)
    located = tuple(options.located_problem(each, folder) for each in judged.problems)
    return msgspec.structs.replace(judged, problems=located)


def _print_json(results: Mapping[str, Judged], missed: tuple[str, ...]) -> None:
    """One object a test, and a last one with what none of them touches."""
    for name, judged in results.items():
        output.print_json(
            {
                "test": name,
                "passed": not judged.problems,
                "problems": [_object(*each) for each in zip(judged.problems, judged.sides, strict=True)],
                "touched": sorted(judged.touched),
            }
        )
    output.print_json({"untouched": missed})


def _object(problem: Problem, sides: cases.Sides) -> dict[str, Any]:
    return {
        **msgspec.to_builtins(problem),
        "at": sides.at,
        "what": sides.what,
        "expected": sides.wanted,
        "actual": sides.actual,
    }


def _print(results: Mapping[str, Judged], missed: tuple[str, ...]) -> None:
    failures = [each for judged in results.values() for each in judged.problems]
    if failures:
        print(guard.rendered(failures))
        print()
        rows = [
            {
                "test": name,
                "at": each.at or "at once",
                "what": each.what,
                "expected": each.wanted,
                "actual": each.actual,
            }
            for name, judged in results.items()
            for each in judged.sides
        ]
        terminal.print_table(rows, _COLUMNS, stretch="test")
    if missed:
        terminal.say(f"no test touches: {', '.join(missed)}")
