"""How often each rule matched, when last, and what is wrong with it."""

import argparse
from collections.abc import Mapping
from typing import Any

from intake import rule_hits, rule_lines, terminal
from intake.commands import options, output
from intake.logs import escaped

_SAID = {"live": "", "never": "not in 30 days", "hidden": "cannot match"}


def configure(commands: Any) -> None:
    shown = options.subcommand(
        commands, "hits", hits, "how often each rule matched in a day, a week and 30 days, and when last"
    )
    shown.add_argument("--never", action="store_true", help="only rules that did not match in 30 days")
    options.add_json(shown)


def hits(arguments: argparse.Namespace) -> int:
    with options.wired(arguments) as wired:
        tallies = rule_hits.Hits().look_now(wired.store)
        book = wired.context.rulebook
        found = wired.store.read_now(lambda tx: rule_lines.lines(tx, book, tallies))
    output.print_rows(
        (each.to_json() for each in found if not arguments.never or each.state != "live"),
        is_json=arguments.is_json,
        columns=("rule", "stage", "24h", "7d", "30d", "last", "ticket", "problem"),
        cells=_cells,
        stretch="problem",
        nothing="every rule has matched within 30 days",
    )
    return 0


def _cells(row: Mapping[str, Any]) -> dict[str, str]:
    said = [*row["problems"], _SAID[row["state"]] if row["stage"] != "gone" else "no longer written"]
    if row["errors"]:
        said.insert(0, f"broke {row['errors']} times: {escaped(row['last_error'] or '')}")
    return {
        "rule": row["rule"],
        "stage": row["stage"],
        **{window: str(number) for window, number in row["hits"].items()},
        "last": terminal.local_time(row["last_at"]),
        "ticket": row["last_ticket"] or "",
        "problem": "; ".join(filter(None, said)),
    }
