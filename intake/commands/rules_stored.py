"""Rulebooks against the store: move open tickets to a policy as it is now, list the rulebooks there have been."""

import argparse
from typing import Any

import msgspec
from sqlalchemy import func, select

from intake import cli, instants, terminal
from intake.commands import options, output
from intake.store import schema
from intake.store.statements import Statement
from routing.problems import did_you_mean

_r = schema.rulebooks.c
_d = schema.decisions.c
_HISTORY = Statement(
    select(_r.hash, _r.loaded_at, func.count(_d.id))
    .outerjoin(schema.decisions, _d.rulebook == _r.hash)
    .group_by(_r.hash, _r.loaded_at)
    .order_by(_r.loaded_at, _r.hash)
)


def configure(commands: Any) -> None:
    rearmed = options.subcommand(
        commands, "rearm", rearm, "give open tickets of a policy the policy as it is now; time used counts"
    )
    rearmed.add_argument("policy", metavar="POLICY")
    rearmed.add_argument("--dry-run", action="store_true", help="only say what would change")
    options.add_json(rearmed)
    listed = options.subcommand(commands, "history", history, "the rulebooks that decided, oldest first")
    options.add_json(listed)


def rearm(arguments: argparse.Namespace) -> int:
    from intake import rearming

    with options.wired(arguments) as wired:
        armament = wired.context.armaments.get(arguments.policy)
        if armament is None:
            hint = did_you_mean(arguments.policy, list(wired.context.armaments))
            raise cli.WrongInput(
                f"the rules have no policy '{arguments.policy}'{f': {hint}' if hint else ''}"
            )
        count = rearming.rearm(wired.store, armament, is_trial=arguments.dry_run)
    if arguments.is_json:
        output.print_json(
            {"policy": arguments.policy, "dry_run": arguments.dry_run, **msgspec.to_builtins(count)}
        )
        return 0
    would = "would be " if arguments.dry_run else ""
    terminal.say(
        f"{count.moved} tickets {would}moved, {count.unchanged} have the policy as it is now; "
        f"{count.skipped} steps that would be due already {would}skipped"
    )
    return 0


def history(arguments: argparse.Namespace) -> int:
    with options.opened(arguments) as (_, store):
        found = store.read_now(lambda tx: tx.all(_HISTORY))
    rows = [
        {"hash": digest, "loaded_at": instants.rfc3339_from_us(at), "decisions": int(count)}
        for digest, at, count in found
    ]
    output.print_rows(
        rows,
        is_json=arguments.is_json,
        columns=("hash", "loaded", "decisions"),
        cells=lambda row: {
            "hash": row["hash"][:12],
            "loaded": terminal.local_time(row["loaded_at"]),
            "decisions": str(row["decisions"]),
        },
        stretch="hash",
        nothing="no rulebook has been in force yet",
    )
    return 0
