"""The store: bring it to this version, back it up, restore it, verify a backup, and make the search's index anew."""

import argparse
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec

from intake import cli, terminal
from intake.commands import options, output


def configure(parser: argparse.ArgumentParser) -> None:
    commands = options.subcommands(parser)
    upgraded = options.subcommand(
        commands, "upgrade", upgrade, "bring an older store to this version, a backup first"
    )
    options.add_json(upgraded)
    for name, run, text in (
        ("backup", backup, "write store, large mails and keys into one file; the daemon may run"),
        ("restore", restore, "put a backup back into an empty data folder"),
        ("verify", verify, "read all of a backup and compare every hash"),
    ):
        parser = options.subcommand(commands, name, run, text)
        parser.add_argument("file", type=Path, metavar="FILE")
        options.add_json(parser)
    made_anew = options.subcommand(
        commands, "reindex", reindex, "make the words that tickets are found by anew; the daemon may run"
    )
    options.add_json(made_anew)


run = options.run_subcommand


def upgrade(arguments: argparse.Namespace) -> int:
    from intake.store import opening

    settings = options.load_settings(arguments)
    done = opening.upgrade(settings.store, settings.folder)
    if arguments.is_json:
        output.print_json(msgspec.to_builtins(done, enc_hook=str))
    elif done is None:
        terminal.say("the store is of this version already")
    else:
        kept = f"; a backup is in {done.backup}" if done.backup else ""
        terminal.say(f"the store went from version {done.before} to {done.after}{kept}")
    return 0


def backup(arguments: argparse.Namespace) -> int:
    from intake.store import archive

    with options.opened(arguments) as (settings, store), _bar("backing up") as progress:
        manifest = archive.backup(store, settings.folder, arguments.file, progress=progress)
    _tell(arguments, manifest, f"{arguments.file} holds")
    return 0


def restore(arguments: argparse.Namespace) -> int:
    from intake.store import archive

    settings = options.load_settings(arguments)
    with _bar("restoring") as progress:
        manifest = archive.restore(arguments.file, settings.folder, progress=progress)
    _tell(arguments, manifest, f"restored into {settings.folder}:")
    return 0


def reindex(arguments: argparse.Namespace) -> int:
    from intake import search_index

    with options.opened(arguments) as (_, store), _bar("reading messages") as progress:
        count = search_index.reindex(store, progress=progress)
    if arguments.is_json:
        output.print_json({"messages": count})
    else:
        terminal.say(f"{count} messages are found by their words")
    return 0


def verify(arguments: argparse.Namespace) -> int:
    from intake.store import archive

    found = archive.verify(arguments.file)
    if arguments.is_json:
        output.print_json({"file": str(arguments.file), "sound": not found, "problems": found})
    for sentence in found:
        terminal.complain(sentence)
    if not found:
        terminal.say(f"{arguments.file} is sound")
    return cli.FAILED if found else 0


@contextmanager
def _bar(label: str) -> Iterator[Any]:
    """Give a function (bytes done, bytes in all) that draws."""
    bar = terminal.Progress(label, total=0)

    def draw(done: int, total: int) -> None:
        bar.total = total
        bar.step(done - bar.done)

    try:
        yield draw
    finally:
        bar.close()


def _tell(arguments: argparse.Namespace, manifest: Any, head: str) -> None:
    if arguments.is_json:
        output.print_json(msgspec.to_builtins(manifest))
        return
    counts = ", ".join(f"{count} {name}" for name, count in manifest.counts.items() if count)
    terminal.say(f"{head} {counts or 'nothing yet'}")
