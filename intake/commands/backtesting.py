"""`intake rules backtest`: other rules over what was decided; tells what would change, sends and writes nothing."""

import argparse
import shutil
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from intake import cli, rulebooks, terminal
from intake.commands import options, output
from intake.logs import escaped
from intake.settings import Settings
from intake.store import opening, sqlite


def add_to(commands: Any) -> None:
    parser = options.subcommand(
        commands, "backtest", run, "what other rules would have made of the tickets there are; writes nothing"
    )
    parser.add_argument("rules", type=Path, metavar="RULES", help="the new rules: a file, or a folder")
    options.add_since(parser)
    parser.add_argument("--html", type=Path, metavar="FILE", help="also write it as a page with charts")
    parser.add_argument(
        "--jobs", type=options.count, metavar="N", help="processes to use; default: one for each core"
    )
    options.add_json(parser)


def run(arguments: argparse.Namespace) -> int:
    from intake.backtest import page, report, running, text

    settings = options.load_settings(arguments)
    with options.located(arguments.rules):
        new = rulebooks.read(arguments.rules, settings.replies).rulebook
    _check_store(settings)
    store = opening.open_store(settings.store, settings.folder)
    until = datetime.now(UTC)
    try:
        since_us = options.since_us(arguments) or 0
        bar = terminal.Progress("decisions", total=running.total(store, since_us=since_us))
        try:
            found = running.run(
                store,
                new,
                place=(settings.store, settings.folder),
                since_us=since_us,
                until=until,
                jobs=arguments.jobs,
                step=bar.step,
            )
        finally:
            bar.close()
    except running.BacktestFailed as error:
        raise cli.Failed(str(error)) from None
    finally:
        store.close()
    told = report.told(found, new, file=str(arguments.rules), since=arguments.since, until=until)
    if arguments.html is not None:
        arguments.html.write_text(page.html(told), encoding="utf-8")
    if arguments.is_json:
        output.print_json(told)
    else:
        width = shutil.get_terminal_size((100, 24)).columns if sys.stdout.isatty() else 100
        print("\n".join(escaped(line) for line in text.lines(told, width=width)))
    return 0


def _check_store(settings: Settings) -> None:
    """Raises: cli.WrongInput when there is nothing to look at yet: a question makes no store."""
    if not settings.store and not (settings.folder / sqlite.FILE).exists():
        raise cli.WrongInput(f"there is no store in {settings.folder} yet: nothing was decided")
