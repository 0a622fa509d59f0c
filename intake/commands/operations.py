"""How the daemon fares: accounts with their last message, what was set aside or given up, what is due."""

import argparse
from collections.abc import Iterator, Mapping
from typing import Any

from intake import operations, terminal, wiring
from intake.commands import options, output
from intake.logs import escaped


def configure(parser: argparse.ArgumentParser) -> None:
    options.add_config(parser)
    options.add_json(parser)


def run(arguments: argparse.Namespace) -> int:
    with options.opened(arguments) as (settings, store):
        found = operations.look(store, wiring.accounts(settings))
    if arguments.is_json:
        output.print_json(found.to_json())
        return 0
    output.print_rows(
        found.channels,
        is_json=False,
        columns=("account", "kind", "last in", "last out", "unsettled"),
        cells=_channel,
        stretch="kind",
        nothing="no channel is set up",
    )
    for line in _said(found):
        print(line)
    return 0


def _channel(row: Mapping[str, Any]) -> dict[str, str]:
    return {
        "account": row["account"],
        "kind": row["kind"],
        "last in": terminal.local_time(row["last_received_at"]) or "never",
        "last out": terminal.local_time(row["last_sent_at"]),
        "unsettled": str(row["unsettled"] or ""),
    }


def _said(found: operations.Overview) -> Iterator[str]:
    """Say what is stuck, each with the command that mends it."""
    if found.quarantine.count:
        yield f"{found.quarantine.count} messages are set aside: intake journal replay --quarantined"
    for row in found.quarantine.rows:
        yield f"  {row.told['id']} {row.told['account']} {escaped(row.told['problem'] or '')}"
    if found.dead_letters.count:
        yield f"{found.dead_letters.count} messages were given up: intake outbox retry --all"
    for row in found.dead_letters.rows:
        yield f"  {row.told['id']} {row.told['ticket'] or ''} {escaped(row.told['error'] or '')}"
    late = [row for row in found.timers.rows if row.told["is_late"]]
    if late:
        yield f"{len(late)} timers are late: intake timers list --late"
    for place in found.ledger:
        if place["missing"]:
            yield f"{place['place']} of {place['account']}: {place['missing']} are missing: intake journal ledger"
