"""`intake oncall page --test`: a notice that only shows whether notices reach people: by mail, by text, by a call.

Phones are rung and texted at once, so only where a daemon runs that can do it; what happens is said while it happens.
"""

import argparse
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from intake import cli, terminal
from intake.commands import options, output
from intake.model import Context
from intake.store.engine import Store, Tx
from routing.people import Agent
from routing.problems import did_you_mean

if TYPE_CHECKING:
    from intake.page_tests import Step, Tried

MAIL = "email"
PHONE = ("sms", "call")
WAIT_S = 90.0
LOOK_S = 0.3
_NO_DAEMON = "no daemon is running, and a phone that rings later shows nothing"


def configure(commands: Any, subcommand: Callable[..., argparse.ArgumentParser]) -> None:
    parser = subcommand(
        commands, "page", page, "send a test notice to whoever is on call, by every way they have"
    )
    parser.add_argument(
        "name", nargs="?", metavar="SCHEDULE|AGENT", help="default: whoever is on call of each schedule"
    )
    parser.add_argument(
        "--test", action="store_true", help="say that it is a test: nothing else can be sent by hand"
    )
    parser.add_argument("--to", metavar="AGENT", help="an agent, on call or not")
    parser.add_argument(
        "--by",
        action="append",
        choices=("email", *PHONE),
        help="by this way only; as often as you like",
    )
    parser.add_argument(
        "--wait",
        type=_seconds,
        default=WAIT_S,
        metavar="SECONDS",
        help=f"how long to wait for the 1 of whoever is rung or texted; default: {WAIT_S:.0f}",
    )
    parser.add_argument("--as", dest="agent", metavar="AGENT", help="who asks for it")
    parser.add_argument(
        "--json", action="store_true", dest="is_json", default=argparse.SUPPRESS, help="print JSON"
    )


def _seconds(text: str) -> float:
    try:
        found = float(text)
    except ValueError:
        found = -1.0
    if not 0 <= found <= 3_600:
        raise argparse.ArgumentTypeError(f"'{text}' is no number of seconds from 0 to 3600")
    return found


def page(arguments: argparse.Namespace) -> int:
    """Send them, watch those by phone, say what became of each. Exit 1 when one by phone was not acknowledged."""
    from intake import page_tests
    from intake.store import lockfile

    if not arguments.test:
        raise cli.WrongInput("only test notices are sent by hand: say intake oncall page --test")
    with options.wired(arguments) as wired:
        is_running = lockfile.is_daemon_running(wired.settings.folder)
        after = wired.store.read_now(page_tests.newest_event)
        rows, tests = wired.store.write_now(
            lambda tx: _send(tx, wired.context, arguments, can_ring=is_running)
        )
        told = watch(wired.store, tests, after=after, wait_s=arguments.wait)
        _note_ends(wired.store, rows, tests, told)
    output.print_rows(
        rows,
        is_json=arguments.is_json,
        columns=("agent", "way", "sent", "became", "why not"),
        cells=_cells,
        stretch="why not",
        nothing="nobody is on call now: nobody was sent anything",
    )
    if any(row["way"] == MAIL and row["sent"] for row in rows):
        terminal.say(
            "a running daemon sends the mail now, else the next start does; intake outbox list shows it"
        )
    return 0 if _is_good(rows, arguments.by) else cli.FAILED


def _is_good(rows: Sequence[Mapping[str, Any]], asked: Sequence[str] | None) -> bool:
    """Whether everything that was rung or texted was acknowledged, and what was asked for by name was sent."""
    rung = [row for row in rows if row["sent"] and row["way"] in PHONE]
    named = [row for row in rows if asked and row["way"] in asked]
    return (
        any(row["sent"] for row in rows)
        and all(row["acknowledged"] for row in rung)
        and all(row["sent"] for row in named)
    )


def _send(
    tx: Tx, context: Context, arguments: argparse.Namespace, *, can_ring: bool
) -> tuple[list[dict[str, Any]], dict[int, "Tried"]]:
    """Write the test pages; a row for each way, and place of the row -> the test by phone."""
    from intake import desk, page_tests

    if arguments.agent is not None:
        try:
            desk.check_agent(context, arguments.agent)
        except desk.DeskError as error:
            raise cli.WrongInput(str(error)) from None
    rows: list[dict[str, Any]] = []
    tests: dict[int, Tried] = {}
    for name in _named(tx, context, arguments.to or arguments.name):
        person = context.rulebook.agents[name]
        sent: dict[str, bool] = {}
        for way in arguments.by or _ways(person):
            test = page_tests.send(tx, context, name, way) if can_ring and way in PHONE else None
            if test is not None:
                tests[len(rows)] = test
            sent[way] = test is not None or (way == MAIL and _mailed(tx, context, name, arguments))
            rows.append(_row(tx, context, person, way, was_sent=sent[way], can_ring=can_ring))
        page_tests.note(tx, name, by=arguments.agent, ways=sent)
    return rows, tests


def _mailed(tx: Tx, context: Context, name: str, arguments: argparse.Namespace) -> bool:
    from intake import oncall_letters

    return oncall_letters.test(tx, context, name, by=arguments.agent)


def _named(tx: Tx, context: Context, name: str | None) -> list[str]:
    """Return who gets it: the agent of that name, or whoever is on call."""
    from intake import oncall

    book = context.rulebook
    if name in book.agents:
        return [name]
    if name is not None and name not in book.schedules:
        hint = did_you_mean(name, [*book.schedules, *book.agents])
        raise cli.WrongInput(
            f"there is no schedule or agent '{name}' in the rules{f': {hint}' if hint else ''}"
        )
    asked = [name] if name is not None else list(book.schedules)
    on_call = (oncall.duty(tx, context, each).agent for each in asked)
    return list(dict.fromkeys(each for each in on_call if each is not None))


def _ways(person: Agent) -> tuple[str, ...]:
    """Return mail, and the agent's own ways when it is urgent."""
    return tuple(dict.fromkeys((MAIL, *person.urgent, *(PHONE if person.phone else ()))))


# -- watching ---------------------------------------------------------------------------------------------------------


def watch(
    store: Store,
    tests: Mapping[int, "Tried"],
    *,
    after: int,
    wait_s: float,
    pause: Callable[[float], None] = time.sleep,
    clock: Callable[[], float] = time.monotonic,
) -> list["Step"]:
    """Say what happens to the tests by phone until each is over, or the time is; all that happened."""
    from intake import page_tests

    mine = {test.outbox_id: test for test in tests.values()}
    told: list[Step] = []
    until = clock() + wait_s
    while mine:
        for step in store.read_now(partial(page_tests.steps, after=after)):
            after = step.event
            test = mine.get(step.outbox_id)
            if test is not None:
                told.append(step)
                terminal.say(f"{test.agent} by {test.way}: {step.what}")
        seen = store.read_now(lambda tx: [page_tests.look(tx, test) for test in mine.values()])
        if all(each.is_over for each in seen) or clock() >= until:
            break
        pause(LOOK_S)
    return told


def _note_ends(
    store: Store, rows: list[dict[str, Any]], tests: Mapping[int, "Tried"], told: list["Step"]
) -> None:
    """Put into each row by phone what became of it."""
    from intake import page_tests

    for place, test in tests.items():
        seen = store.read_now(lambda tx, test=test: page_tests.look(tx, test))  # type: ignore[misc]
        rows[place] |= page_tests.as_json(test, seen, told)
        rows[place]["why_not"] = seen.why or None


def _row(
    tx: Tx, context: Context, person: Agent, way: str, *, was_sent: bool, can_ring: bool
) -> dict[str, Any]:
    why = None if was_sent else _why_not(context, person, way, can_ring=can_ring)
    return {
        "agent": person.name,
        "way": way,
        "sent": was_sent,
        "why_not": why,
        "state": None,
        "acknowledged": None,
        "steps": [],
    }


def _why_not(context: Context, person: Agent, way: str, *, can_ring: bool) -> str:
    from intake import reaching

    here = reaching.ways(context)
    if way == MAIL and way not in here:
        return "no channel here sends mail"
    if way in PHONE and way in here and person.phone and not can_ring:
        return _NO_DAEMON
    return reaching.why_not(person, (way,), here)


def _cells(row: Mapping[str, Any]) -> dict[str, str]:
    return {
        "agent": row["agent"],
        "way": row["way"],
        "sent": "yes" if row["sent"] else "no",
        "became": row["state"] or "",
        "why not": row["why_not"] or "",
    }
