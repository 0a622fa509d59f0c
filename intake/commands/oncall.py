"""Who is on call: now and next, with the days ahead; hours are taken, swapped and given back.

`intake oncall` alone shows it. What is changed here counts at once, also in a daemon that runs, and needs no reload; it
stands beside the rules, as `overrides:` in a schedule do. Times are those of the schedule's zone: "2026-11-28T09:00",
"sat 09:00", "18:00" or "+4h"; with an offset or a Z behind, any zone's.
"""

import argparse
import sys
from collections.abc import Callable
from typing import Any

from intake import cli, feed_links, oncall_view, rule_files, terminal, when_text
from intake.commands import oncall_pages, options, output
from intake.model import Context
from intake.oncall_view import Shown
from intake.shifts import Changed
from intake.store.engine import Tx
from routing import rulebook as rules
from routing.problems import did_you_mean
from routing.rulebook import Rulebook

DAYS = 7


def configure(parser: argparse.ArgumentParser) -> None:
    parser.set_defaults(run_subcommand=show)
    parser.add_argument("--at", metavar="WHEN", help="as it is then, not now; in this machine's zone")
    parser.add_argument(
        "--days",
        type=options.count,
        default=DAYS,
        metavar="N",
        help=f"how many days are drawn and looked at; default: {DAYS}",
    )
    options.add_config(parser)
    options.add_json(parser)
    commands = parser.add_subparsers(metavar="COMMAND")
    taken = _changing(
        commands, "take", take, "have hours: from now until the next hand-over, if nothing is said"
    )
    _add_hours(taken, has_length=True)
    taken.add_argument(
        "--instead-of", metavar="AGENT", help="whose hours they are: needed for hours that were taken"
    )
    swapped = _changing(
        commands,
        "swap",
        swap,
        "exchange hours: the next turn of each, or all of both between --from and --until",
    )
    swapped.add_argument("--with", dest="other", required=True, metavar="AGENT", help="the colleague")
    _add_hours(swapped)
    released = _changing(commands, "release", release, "give back what was taken or swapped and is not over")
    released.add_argument("--from", dest="start", metavar="WHEN", help="the hours that begin then")
    released.add_argument("--all", dest="is_every", action="store_true", help="all of one's own")
    oncall_pages.configure(commands, _subcommand)
    printed = _subcommand(commands, "ics", ics, "the shifts as a calendar (iCalendar), on standard output")
    printed.add_argument("name", nargs="?", metavar="SCHEDULE|AGENT")
    printed.add_argument("--as", dest="agent", metavar="AGENT", help="one's own shifts")
    linked = _subcommand(commands, "link", link, "the address of a calendar to subscribe to")
    linked.add_argument("name", metavar="SCHEDULE|AGENT")
    linked.add_argument(
        "--renew", action="store_true", help="end the addresses given out so far, and make another"
    )
    _add_json(linked)


run = options.run_subcommand


def _subcommand(commands: Any, name: str, run_it: options.Command, text: str) -> argparse.ArgumentParser:
    """Add a command below this one; what is said before it (-c, --json) counts unless said again."""
    parser: argparse.ArgumentParser = commands.add_parser(
        name, help=text, description=text, allow_abbrev=False
    )
    parser.set_defaults(run_subcommand=run_it)
    parser.add_argument(
        "-c", "--config", default=argparse.SUPPRESS, metavar="FILE", help="as of every command"
    )
    return parser


def _add_json(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--json", action="store_true", dest="is_json", default=argparse.SUPPRESS, help="print JSON"
    )


def _changing(commands: Any, name: str, run_it: options.Command, text: str) -> argparse.ArgumentParser:
    parser = _subcommand(commands, name, run_it, text)
    parser.add_argument("schedule", metavar="SCHEDULE")
    parser.add_argument(
        "--as", dest="agent", required=True, metavar="AGENT", help="who does it: a name of the rules"
    )
    _add_json(parser)
    return parser


def _add_hours(parser: argparse.ArgumentParser, *, has_length: bool = False) -> None:
    parser.add_argument("--from", dest="start", metavar="WHEN", help="when they begin")
    ends = parser.add_mutually_exclusive_group()
    ends.add_argument("--until", dest="end", metavar="WHEN", help="when they end")
    if has_length:
        ends.add_argument("--for", dest="length", metavar="LENGTH", help="how long, like 4h or 2d")


# -- looking ------------------------------------------------------------------------------------------------------------


def show(arguments: argparse.Namespace) -> int:
    with options.opened(arguments) as (settings, store):
        with options.located(settings.rules):
            book = _rulebook(settings)
        now = store.now()
        at = when_text.read(arguments.at, zone=None, now=now) if arguments.at else now
        shown = store.read_now(lambda tx: oncall_view.look(tx, book, at=at, days=arguments.days))
    if arguments.is_json:
        for each in shown:
            output.print_json(oncall_view.as_json(each))
        return 0
    if not shown:
        terminal.say("the rules have no schedules: nobody is on call")
    for place, each in enumerate(shown):
        _print(each, is_first=place == 0)
    return 0


def _rulebook(settings: Any) -> Rulebook:
    sources = rule_files.read(settings.rules, settings.replies)
    return rules.load(sources.files, lists=sources.lists, calendars=sources.calendars)


def _print(shown: Shown, *, is_first: bool) -> None:
    if not is_first:
        print()
    for line in oncall_view.lines(shown):
        colour = "red" if line.is_gap else "bold" if line.is_head else ""
        print(terminal.coloured(line.text, colour, sys.stdout) if colour else line.text)


def ics(arguments: argparse.Namespace) -> int:
    from intake import oncall_feed

    with options.wired(arguments) as wired:
        context = wired.context
        feed = _feed(context.rulebook, arguments.agent or arguments.name)
        text = wired.store.read_now(lambda tx: oncall_feed.text(tx, context, feed))
    sys.stdout.write((text or "").replace("\r\n", "\n"))
    return 0


def link(arguments: argparse.Namespace) -> int:
    with options.wired(arguments) as wired:
        context = wired.context
        feed = _feed(context.rulebook, arguments.name)

        def made(tx: Tx) -> str:
            if arguments.renew:
                feed_links.renew(tx, feed.kind, feed.name)
            return feed_links.path(tx, context.keys, feed.kind, feed.name)

        path = wired.store.write_now(made)
    if not context.public_url:
        terminal.say("http.public_url is not set in intake.yaml: put the address you are reached at in front")
    if arguments.is_json:
        output.print_json({"kind": feed.kind, "name": feed.name, "url": f"{context.public_url}{path}"})
    else:
        print(f"{context.public_url}{path}")
    return 0


def _feed(book: Rulebook, name: str | None) -> feed_links.Feed:
    if name is None and len(book.schedules) == 1:
        name = next(iter(book.schedules))
    if name is None:
        raise cli.WrongInput(f"say whose shifts: a schedule ({', '.join(book.schedules)}) or an agent")
    for kind, known in (("schedule", book.schedules), ("agent", book.agents)):
        if name in known:
            return feed_links.Feed(kind, name)
    hint = did_you_mean(name, [*book.schedules, *book.agents])
    raise cli.WrongInput(f"there is no schedule or agent '{name}' in the rules{f': {hint}' if hint else ''}")


# -- changing -----------------------------------------------------------------------------------------------------------


def take(arguments: argparse.Namespace) -> int:
    from intake import shifts

    def change(tx: Tx, context: Context) -> Changed:
        start, end = when_text.hours(tx, context, arguments)
        return shifts.take(
            tx,
            context,
            arguments.schedule,
            agent=arguments.agent,
            start=start,
            end=end,
            instead_of=arguments.instead_of,
        )

    return _change(arguments, change)


def swap(arguments: argparse.Namespace) -> int:
    from intake import shifts

    def change(tx: Tx, context: Context) -> Changed:
        start, end = when_text.hours(tx, context, arguments)
        return shifts.swap(
            tx,
            context,
            arguments.schedule,
            agent=arguments.agent,
            other=arguments.other,
            start=start,
            end=end,
        )

    return _change(arguments, change)


def release(arguments: argparse.Namespace) -> int:
    from intake import shifts

    def change(tx: Tx, context: Context) -> Changed:
        start, _ = when_text.hours(tx, context, arguments)
        return shifts.release(
            tx,
            context,
            arguments.schedule,
            agent=arguments.agent,
            start=start,
            is_every=arguments.is_every,
        )

    return _change(arguments, change, is_back=True)


def _change(
    arguments: argparse.Namespace, change: Callable[[Tx, Context], Changed], *, is_back: bool = False
) -> int:
    from intake import agents, desk

    with options.wired(arguments) as wired:
        try:
            changed, state = wired.store.write_now(
                lambda tx: (change(tx, wired.context), agents.state(tx, arguments.agent))
            )
        except desk.DeskError as error:
            raise cli.WrongInput(str(error)) from None
    if arguments.is_json:
        for each in oncall_view.changed_as_json(changed):
            output.print_json(each)
        return 0
    for line in oncall_view.changed_lines(changed, is_back=is_back):
        terminal.say(line)
    if state.is_away and not is_back:
        name = arguments.agent
        terminal.say(f"{name} is away, and who is away is not called: intake agents back {name} ends it")
    return 0
