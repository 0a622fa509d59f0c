"""Shows what would happen to a message, and why: the decision of the rules in the files now. Touches nothing.

FILE is a raw mail (--kind email), or one JSON object like a rule's test without name and expectations (--kind json).
"""

import argparse
import asyncio
import sys
from datetime import UTC, datetime
from pathlib import Path

from intake import rulebooks
from intake.commands import deciding, messages, options, output, telling


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", metavar="FILE", help='"-" is stdin')
    parser.add_argument("--kind", default="email", metavar="KIND", help="email (default) or json")
    parser.add_argument(
        "--explain",
        action="store_true",
        help="also why not: each other rule, the agents, the steps of the ladder",
    )
    parser.add_argument("--at", type=options.since, metavar="WHEN", help="as if it came then (not with json)")
    options.add_config(parser)
    options.add_json(parser)


def run(arguments: argparse.Namespace) -> int:
    found = options.load_settings(arguments)
    with options.located(found.rules):
        loaded = rulebooks.read(found.rules, found.replies)
    book = loaded.rulebook
    if arguments.kind == "json":
        text = options.read_text(arguments.file)
        book, seen = deciding.situation(text, file=arguments.file, rulebook=book)
    else:
        source = messages.source_of(found, arguments.kind)
        body = sys.stdin.buffer.read() if arguments.file == "-" else Path(arguments.file).read_bytes()
        at = arguments.at or datetime.now(UTC)
        message = asyncio.run(messages.first(source, body, received_at=at))
        seen = deciding.facts_of(found, book, source.raw(body, received_at=at), message, at=at)
    decision, due = deciding.decided(book, seen)
    value = deciding.public(book, seen, decision, due, has_why_not=arguments.explain)
    if arguments.is_json:
        output.print_json(value)
    else:
        telling.show(telling.decision_lines(value))
    return 0
