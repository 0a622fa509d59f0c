"""`intake rules simulate`: what happens to a ticket, each thing with its wall-clock time, and when each target is due."""

import argparse
import asyncio
import difflib
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec

from intake import cli, refs, rule_files, rulebooks
from intake.commands import deciding, messages, options, output, simulated_page
from intake.logs import escaped
from intake.settings import Settings
from intake.store import opening, sqlite
from routing import cases
from routing import rulebook as rules
from routing.case_text import Case
from routing.life import Life
from routing.rulebook import Rulebook

DAYS = 30
_ABOUT = """\
a ticket's future, step by step, with each due time and what moves it; touches nothing

  intake rules simulate mail.eml                 a mail that came now (or --at WHEN), if nobody does anything
  intake rules simulate 7KQ2M4X                  a ticket from its state now
  intake rules simulate case.json                a situation, and what people do then (its steps), as a test is written
  intake rules simulate --test "Polish VIP"      one of the tests of the rules
  intake rules simulate --tests                  the due times of all tests as a table, with their working (because:)
  intake rules simulate --tests other/rules.yaml the same for other rules
"""
_SITUATIONS = (".json", ".yaml", ".yml")


class Played(msgspec.Struct, frozen=True):
    """A ticket that went through what people do. began: when; took: when they had done all of it."""

    life: Life
    began: datetime
    took: datetime
    case: Case | None = None


def add_to(commands: Any) -> None:
    parser = options.subcommand(
        commands, "simulate", run, "a ticket's future, step by step, with each due time and what moves it"
    )
    parser.formatter_class, parser.description = argparse.RawDescriptionHelpFormatter, _ABOUT
    parser.add_argument(
        "what",
        nargs="*",
        metavar="REF|FILE|RULES",
        help="a ticket, a raw mail, or a .json or .yaml file with a message and steps; with --test and --tests: rules",
    )
    parser.add_argument("--test", metavar="NAME", help="play one of the tests of the rules")
    parser.add_argument("--tests", action="store_true", dest="is_every", help="play all of them")
    parser.add_argument(
        "--days",
        type=options.count,
        metavar="N",
        help=f"how far to look; default: {DAYS}, with --tests to the last step of each",
    )
    parser.add_argument("--at", type=options.since, metavar="WHEN", help="as if a mail came then")
    options.add_json(parser)


def run(arguments: argparse.Namespace) -> int:
    if arguments.is_every or arguments.test is not None:
        return _play_tests(arguments)
    if len(arguments.what) != 1:
        raise cli.WrongInput("say what to simulate: a ticket, a file, --test NAME or --tests; see --help")
    settings = options.load_settings(arguments)
    with options.located(settings.rules):
        book = rulebooks.read(settings.rules, settings.replies).rulebook
    path = Path(arguments.what[0])
    played = (
        _of_file(arguments, settings, book, path)
        if path.is_file()
        else _alone(_of_ticket(arguments.what[0], settings, book))
    )
    _show_one(played, arguments)
    return 0


def _show_one(played: Played, arguments: argparse.Namespace) -> None:
    days = arguments.days or DAYS
    played.life.advance(played.took + timedelta(days=days))
    if arguments.is_json:
        for each in simulated_page.objects(played.life):
            output.print_json(each)
    else:
        lines = simulated_page.lines(played.life, played.began, days=days)
        print("\n".join(escaped(line) for line in lines))


# -- the tests of the rules -----------------------------------------------------------------------------------------------


def _play_tests(arguments: argparse.Namespace) -> int:
    books = [(str(path), _untested(path, path.parent / "replies")) for path in map(Path, arguments.what)]
    if not books:
        settings = options.load_settings(arguments)
        books = [(str(settings.rules), _untested(settings.rules, settings.replies))]
    if arguments.test is None:
        for file, book in books:
            _show_all(file, book, arguments)
        return 0
    named = {case.name: (book, case) for _, book in books for case in book.tests}
    if arguments.test not in named:
        close = difflib.get_close_matches(arguments.test, named, n=1)
        hint = f": did you mean '{close[0]}'?" if close else ""
        raise cli.WrongInput(f"the rules have no test '{arguments.test}'{hint}")
    book, case = named[arguments.test]
    if case.because and not arguments.is_json:
        print(escaped(f"{case.name}: {case.because}"))
    _show_one(played_of(book, case), arguments)
    return 0


def _untested(path: Path, replies: Path) -> Rulebook:
    """Read rules whose tests may fail: to see why is what they are played for."""
    if not path.exists():
        raise cli.WrongInput(f"there are no rules {path}")
    with options.located(path):
        sources = rule_files.read(path, replies)
        return rules.load(sources.files, lists=sources.lists, calendars=sources.calendars)


def _show_all(file: str, book: Rulebook, arguments: argparse.Namespace) -> None:
    every = [played_of(book, case) for case in book.tests]
    for each in every:
        each.life.advance(each.took + timedelta(days=arguments.days or 0))
    if not arguments.is_json:
        simulated_page.print_table(file, [(each.case, each.life) for each in every if each.case])
        return
    for each in every:
        assert each.case is not None  # noqa: S101 - made of one
        for told in simulated_page.objects(each.life):
            output.print_json({"test": each.case.name, "because": each.case.because, **told})


def played_of(book: Rulebook, case: Case) -> Played:
    """Play a test to its last step."""
    life = cases.begun(book, case, detect_language=deciding.language_of)
    began = took = case.situation.facts.at
    for step in case.steps:
        cases.take(life, step, start=began, detect_language=deciding.language_of)
        took = began + timedelta(seconds=step.offset_s)
    return Played(life, began, took, case)


# -- one ticket -----------------------------------------------------------------------------------------------------------


def _alone(life: Life) -> Played:
    """Nobody does anything."""
    return Played(life, life.now, life.now)


def _of_file(arguments: argparse.Namespace, settings: Settings, book: Rulebook, path: Path) -> Played:
    if path.suffix in _SITUATIONS:
        return played_of(book, deciding.case(options.read_text(str(path)), file=str(path), rulebook=book))
    source = messages.source_of(settings, "email")
    at = arguments.at or datetime.now(UTC)
    body = path.read_bytes()
    message = asyncio.run(messages.first(source, body, received_at=at))
    seen = deciding.facts_of(settings, book, source.raw(body, received_at=at), message, at=at)
    return _alone(Life(book, seen))


def _of_ticket(what: str, settings: Settings, book: Rulebook) -> Life:
    from intake import resuming, tickets

    ref = refs.normalized(what)
    unknown = cli.WrongInput(f"there is neither a file nor a ticket '{what}'")
    if ref is None or not (settings.store or (settings.folder / sqlite.FILE).exists()):
        raise unknown
    store = opening.open_store(settings.store, settings.folder)

    def look(tx: Any) -> Life | None:
        ticket = tickets.load_by_ref(tx, ref)
        return None if ticket is None else resuming.resumed(tx, deciding.context_of(book), ticket)

    try:
        life = store.read_now(look)
    except LookupError as error:
        raise cli.Failed(f"ticket {ref} cannot be followed: {error.args[0]}") from None
    finally:
        store.close()
    if life is None:
        raise unknown
    return life
