"""Shows what raw messages say: their normal form, one JSON object a line in the order given. Touches nothing.

Reads with the options of the first account of that kind where there is a configuration, else with the defaults.
"""

import argparse
import asyncio
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from channels import contract
from intake import cli, terminal
from intake.commands import messages, output


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("files", nargs="+", metavar="FILE", help='"-" is stdin')
    parser.add_argument(
        "--kind", default="email", metavar="KIND", help="email (default), or an account's kind"
    )
    parser.add_argument(
        "-c", "--config", metavar="FILE", help="take the options of this configuration's account"
    )
    parser.add_argument("--json", action="store_true", help="the output is JSON either way")


def run(arguments: argparse.Namespace) -> int:
    source = messages.source_for(arguments.kind, config=arguments.config)
    unreadable: list[str] = []
    asyncio.run(_print_all(source, _bodies(arguments.files, unreadable)))
    return cli.WRONG_INPUT if unreadable else 0


async def _print_all(source: messages.Source, bodies: Iterator[bytes]) -> None:
    async for message in messages.read(source, bodies, received_at=datetime.now(UTC)):
        output.print_json(public(message))


def _bodies(names: list[str], unreadable: list[str]) -> Iterator[bytes]:
    """Read each file; one that cannot be read is told, noted and left out."""
    for name in names:
        try:
            yield sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()
        except OSError as error:
            terminal.complain(f"{name}: {error.strerror}")
            unreadable.append(name)


def public(message: contract.Message) -> dict[str, Any]:
    """Give the keys that the command line promises, and no others."""
    value: dict[str, Any] = msgspec.to_builtins(message)
    for key in ("sender", "headers", "feedback", "forwarded", "also", "call"):
        value.pop(key, None)
    for key in ("arc", "vouched_by", "has_single_sender"):
        value["trust"].pop(key, None)
    for attachment in value["attachments"]:
        attachment.pop("part", None)
    return value
