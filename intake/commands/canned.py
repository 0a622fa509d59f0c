"""Canned replies: which there are, and what one would say on a ticket."""

import argparse
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from intake import cli, terminal
from intake.commands import options, output

if TYPE_CHECKING:
    from intake.canned import Canned, Text
    from intake.wiring import Wired

COLUMNS = ("name", "language", "title", "teams", "shortcut")


def configure(parser: argparse.ArgumentParser) -> None:
    commands = options.subcommands(parser)
    listed = options.subcommand(commands, "list", list_texts, "every canned reply in every language")
    options.add_json(listed)
    shown = options.subcommand(commands, "show", show, "one canned reply, filled in for a ticket")
    shown.add_argument("name", metavar="NAME")
    shown.add_argument("--for", dest="ref", metavar="REF", help="fill in what this ticket says")
    shown.add_argument("--language", metavar="CODE", help="default: the ticket's, else English")
    options.add_json(shown)


run = options.run_subcommand


def list_texts(arguments: argparse.Namespace) -> int:
    from intake import canned

    settings = options.load_settings(arguments)
    found = canned.read(settings.canned)
    _complain(found)
    output.print_rows(
        (_row(each) for each in found),
        is_json=arguments.is_json,
        columns=COLUMNS,
        cells=_cells,
        stretch="title",
        nothing=f"{settings.canned} has no canned replies: NAME.LANGUAGE.md",
    )
    return 0


def show(arguments: argparse.Namespace) -> int:
    from intake import canned, desk

    texts = canned.read(options.load_settings(arguments).canned)
    _complain(texts)
    try:
        if arguments.ref is None:
            text = texts.named(arguments.name, language=arguments.language)
            _print(arguments, _row(text) | {"text": text.source}, text.source)
            return 0
        with options.wired(arguments) as wired:
            filled = _filled(arguments, wired, texts)
    except desk.DeskError as error:
        raise cli.WrongInput(str(error)) from None
    _print(arguments, filled, filled.text)
    for each in filled.gaps:
        terminal.complain(f"{each} is empty on this ticket: fill in [[{each}]] before it is sent")
    return 0


def _filled(arguments: argparse.Namespace, wired: "Wired", texts: "Canned") -> Any:
    from intake import canned, desk

    def look(tx: Any) -> Any:
        ticket = desk.find(tx, arguments.ref, is_locked=False)
        text = texts.named(arguments.name, language=arguments.language or ticket.language)
        return canned.fill(tx, wired.context, ticket, text)

    return wired.store.read_now(look)


def _complain(texts: "Canned") -> None:
    for each in texts.faults:
        terminal.complain(f"{each.file}:{each.line}: {each.message}; it was left out")


def _print(arguments: argparse.Namespace, value: Any, text: str) -> None:
    if arguments.is_json:
        output.print_json(value)
    else:
        print(text.rstrip("\n"))


def _row(text: "Text") -> dict[str, Any]:
    return {
        "name": text.name,
        "language": text.language,
        "title": text.title,
        "teams": text.teams,
        "shortcut": text.shortcut,
    }


def _cells(row: Mapping[str, Any]) -> dict[str, str]:
    return {name: ", ".join(row[name]) if name == "teams" else str(row[name]) for name in COLUMNS}
