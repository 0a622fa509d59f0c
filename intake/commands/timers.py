"""What is due, and when."""

import argparse
from collections.abc import Mapping
from typing import Any

from intake import terminal, traffic
from intake.commands import options, output


def configure(parser: argparse.ArgumentParser) -> None:
    commands = options.subcommands(parser)
    listed = options.subcommand(commands, "list", list_timers, "what is due, soonest first")
    options.add_limit(listed)
    options.add_json(listed)


run = options.run_subcommand


def list_timers(arguments: argparse.Namespace) -> int:
    with options.opened(arguments) as (_, store):
        output.print_rows(
            traffic.timers(store, limit=arguments.limit),
            is_json=arguments.is_json,
            columns=("due at", "ticket", "kind", "step", "policy"),
            cells=_cells,
            stretch="step",
            nothing="nothing is due",
        )
    return 0


def _cells(row: Mapping[str, Any]) -> dict[str, str]:
    return {
        "due at": terminal.local_time(row["due_at"]),
        **{name: str(row[name] or "") for name in ("ticket", "kind", "step", "policy")},
    }
