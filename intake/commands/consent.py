"""Who has said STOP: look it up, note it, take it back, and decide what was only suggested."""

import argparse
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from intake import cli, opt_outs, opt_outs_view, terminal
from intake.commands import options, output
from intake.store.engine import Store, Tx

COLUMNS = ("id", "address", "state", "media", "how", "at", "decide by", "said")
PAGE = 500


def configure(parser: argparse.ArgumentParser) -> None:
    commands = options.subcommands(parser)
    listed = options.subcommand(commands, "list", list_opt_outs, "who must not be written to")
    listed.add_argument(
        "--suggested",
        action="store_true",
        dest="is_suggested",
        help="what reads like a wish to be left alone, and nobody has decided",
    )
    options.add_json(listed)
    shown = options.subcommand(commands, "show", show, "all that was ever noted about an address")
    shown.add_argument("address", metavar="ADDRESS", help="a number, a mail address, or whatsapp:NAME")
    options.add_json(shown)
    out = options.subcommand(commands, "out", out_, "somebody has told you that they want nothing more")
    out.add_argument("address", metavar="ADDRESS")
    out.add_argument(
        "--medium", default="", choices=("sms", "whatsapp", "voice", "email"), help="only by this"
    )
    back = options.subcommand(commands, "in", in_, "somebody has told you that they may be written to again")
    back.add_argument("address", metavar="ADDRESS")
    for changed in (out, back):
        changed.add_argument("--said", default="", metavar="WORDS", help="how they put it")
    decided = options.subcommand(commands, "decide", decide, "decide a suggestion")
    decided.add_argument("id", metavar="ID")
    choice = decided.add_mutually_exclusive_group(required=True)
    choice.add_argument("--out", action="store_true", dest="is_out", help="they want nothing more")
    choice.add_argument("--refuse", action="store_false", dest="is_out", help="they meant something else")
    for changed in (out, back, decided):
        changed.add_argument(
            "--as", dest="agent", required=True, metavar="AGENT", help="who does it: a name of the rules"
        )
        options.add_json(changed)


run = options.run_subcommand


def list_opt_outs(arguments: argparse.Namespace) -> int:
    read = opt_outs.suggested if arguments.is_suggested else opt_outs.current
    with options.opened(arguments) as (_, store):
        _print(_paged(store, read), arguments, nothing="nobody")
    return 0


def show(arguments: argparse.Namespace) -> int:
    from intake import consent_decisions, reached_names

    identity = _wanted(lambda: consent_decisions.identity_of(arguments.address))
    with options.opened(arguments) as (_, store):
        rows = store.read_now(
            lambda tx: [row for each in reached_names.twins(identity) for row in opt_outs.history(tx, each)]
        )
    _print(
        iter(sorted(rows, key=lambda row: row.id)),
        arguments,
        nothing=f"nothing was ever noted about {identity.value}",
    )
    return 0


def out_(arguments: argparse.Namespace) -> int:
    from intake import consent_decisions

    def change(tx: Tx, context: Any) -> list[opt_outs.OptOut]:
        return [
            consent_decisions.opt_out(
                tx,
                context,
                arguments.address,
                agent=arguments.agent,
                medium=arguments.medium,
                said=arguments.said,
            )
        ]

    return _change(arguments, change)


def in_(arguments: argparse.Namespace) -> int:
    from intake import consent_decisions

    def change(tx: Tx, context: Any) -> list[opt_outs.OptOut]:
        return consent_decisions.opt_in(
            tx, context, arguments.address, agent=arguments.agent, said=arguments.said
        )

    return _change(arguments, change)


def decide(arguments: argparse.Namespace) -> int:
    suggestion_id = options.row_id(arguments.id)

    from intake import consent_decisions

    def change(tx: Tx, context: Any) -> list[opt_outs.OptOut]:
        return [
            consent_decisions.decide(
                tx, context, suggestion_id, agent=arguments.agent, is_out=arguments.is_out
            )
        ]

    return _change(arguments, change)


def _change(arguments: argparse.Namespace, change: Callable[[Tx, Any], list[opt_outs.OptOut]]) -> int:
    with options.wired(arguments) as parts:
        rows = _wanted(lambda: parts.store.write_now(lambda tx: change(tx, parts.context)))
        untouched = parts.store.read_now(lambda tx: _untouched(tx, rows))
    _print(iter(rows), arguments, nothing="")
    for address in untouched:
        terminal.say(f"{address} may still be texted and called: intake consent out {address} --as NAME")
    return 0


def _untouched(tx: Tx, rows: list[opt_outs.OptOut]) -> list[str]:
    """Return the numbers of whoever has opted out of mail alone: they may have meant those."""
    from intake import reached_names

    of_mail = [each for each in rows if each.state == "out" and each.scope == opt_outs.EMAIL]
    names = [
        name
        for each in of_mail
        if each.customer_id is not None
        for name in opt_outs.names_of(tx, each.customer_id, reached_names.KINDS)
    ]
    free = (each for each in names if opt_outs.holding(tx, (each,), opt_outs.SMS) is None)
    return list(dict.fromkeys(each.value for each in free if reached_names.number_of(each) is not None))


def _wanted(ask: Callable[[], Any]) -> Any:
    from intake.desk import DeskError

    try:
        return ask()
    except DeskError as error:
        raise cli.WrongInput(str(error)) from None


def _paged(store: Store, read: Callable[..., list[opt_outs.OptOut]]) -> Iterator[opt_outs.OptOut]:
    after = 0
    while True:
        page = store.read_now(lambda tx, after=after: read(tx, after=after, most=PAGE))  # type: ignore[misc]
        yield from page
        if len(page) < PAGE:
            return
        after = page[-1].id


def _print(rows: Iterator[opt_outs.OptOut], arguments: argparse.Namespace, *, nothing: str) -> None:
    output.print_rows(
        map(opt_outs_view.public, rows),
        is_json=arguments.is_json,
        columns=COLUMNS,
        cells=_cells,
        stretch="said",
        nothing=nothing,
    )


def _cells(row: Mapping[str, Any]) -> dict[str, str]:
    return {
        "id": row["id"],
        "address": row["address"],
        "state": row["state"],
        "media": ", ".join(row["media"]),
        "how": row["how"],
        "at": terminal.local_time(row["at"]),
        "decide by": terminal.local_time(row["due_at"]) if row["due_at"] else "",
        "said": row["said"],
    }
