"""The rules: run their own tests, and explain what they decided for a ticket."""

import argparse
import sys
from pathlib import Path

import msgspec

from intake import terminal
from intake.commands import backtesting, options, rules_hits, rules_stored, simulating, testing, why
from routing import json_schema


def configure(parser: argparse.ArgumentParser) -> None:
    commands = options.subcommands(parser)
    testing.add_to(commands)
    why.add_to(commands)
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
    rules_hits.configure(commands)


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
