"""`intake rules simulate`: what happens to a ticket when nobody does anything, each step with its wall-clock time."""

import argparse
import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from intake import cli, refs, rulebooks
from intake.commands import deciding, messages, options, output
from intake.logs import escaped
from intake.settings import Settings
from intake.store import opening, sqlite
from routing.actions import Action
from routing.life import Happening, Life
from routing.rulebook import Rulebook

DAYS = 30


def add_to(commands: Any) -> None:
    parser = options.subcommand(
        commands,
        "simulate",
        run,
        "a ticket's future when nobody does anything, step by step; touches nothing",
    )
    parser.add_argument(
        "what", metavar="REF|FILE", help="a ticket, a raw mail, or a .json file as `intake route` takes it"
    )
    parser.add_argument(
        "--days", type=options.count, default=DAYS, metavar="N", help=f"how far to look; default: {DAYS}"
    )
    parser.add_argument("--at", type=options.since, metavar="WHEN", help="as if a mail came then")
    options.add_json(parser)


def run(arguments: argparse.Namespace) -> int:
    settings = options.load_settings(arguments)
    with options.located(settings.rules):
        book = rulebooks.read(settings.rules, settings.replies).rulebook
    path = Path(arguments.what)
    life = (
        _of_file(arguments, settings, book, path) if path.is_file() else _of_ticket(arguments, settings, book)
    )
    began = life.now
    life.advance(began + timedelta(days=arguments.days))
    zone = life.ticket.calendar.zone
    if arguments.is_json:
        for each in life.happenings:
            output.print_json(_object(each, each.at.astimezone(zone)))
    else:
        print("\n".join(escaped(line) for line in _lines(life, began, days=arguments.days)))
    return 0


def _of_file(arguments: argparse.Namespace, settings: Settings, book: Rulebook, path: Path) -> Life:
    if path.suffix == ".json":
        book, seen = deciding.situation(options.read_text(str(path)), file=str(path), rulebook=book)
        return Life(book, seen)
    source = messages.source_of(settings, "email")
    at = arguments.at or datetime.now(UTC)
    body = path.read_bytes()
    message = asyncio.run(messages.first(source, body, received_at=at))
    return Life(book, deciding.facts_of(settings, book, source.raw(body, received_at=at), message, at=at))


def _of_ticket(arguments: argparse.Namespace, settings: Settings, book: Rulebook) -> Life:
    from intake import resuming, tickets

    ref = refs.normalized(arguments.what)
    unknown = cli.WrongInput(f"there is neither a file nor a ticket '{arguments.what}'")
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


def _object(happening: Happening, at: datetime) -> dict[str, Any]:
    action = happening.action
    return {
        "at": at.isoformat(timespec="seconds"),
        "action": action.kind,
        "value": action.value,
        "rule": action.rule,
        "why": happening.why,
    }


def _lines(life: Life, began: datetime, *, days: int) -> Iterator[str]:
    ticket, zone = life.ticket, life.ticket.calendar.zone
    state = ", ".join(filter(None, (ticket.team, ticket.level, ticket.agent or "nobody")))
    if life.is_ignored:
        yield "no ticket: the message is kept and ignored"
        return
    yield f"{began.astimezone(zone):%a %Y-%m-%d %H:%M %z}  begins; times are those of {zone}"
    for each in life.happenings:
        local = each.at.astimezone(zone)
        after = _elapsed(each.at - began)
        yield f"{local:%a %Y-%m-%d %H:%M}  {after:>9}  {_said(each.action)}{f' ({each.why})' if each.why else ''}"
    yield f"after {days} days: {ticket.status}, {ticket.priority}, {state}"
    if life.is_cut:
        yield "it does too much to be followed further"


def _said(action: Action) -> str:
    is_text = isinstance(action.value, str)
    value = action.value if is_text else "" if action.value is None else deciding.shortened(action.value)
    by = f" [{action.rule}]" if action.rule else ""
    return f"{action.kind} {value}".rstrip() + by


def _elapsed(time: timedelta) -> str:
    """So much later: "+2d 3h", "+45m"."""
    minutes = int(time.total_seconds() // 60)
    days, hours, rest = minutes // 1440, minutes // 60 % 24, minutes % 60
    parts = [f"{number}{unit}" for number, unit in ((days, "d"), (hours, "h"), (rest, "m")) if number]
    return "+" + (" ".join(parts[:2]) or "0m")
