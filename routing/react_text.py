"""How the rules for later events are written: YAML nodes -> react rules, with what they wait for."""

from collections.abc import Collection, Mapping

import msgspec

from routing.action_text import read_writes
from routing.action_values import Vocabulary
from routing.calendar import Calendar
from routing.condition_text import read_condition
from routing.conditions import ALWAYS
from routing.durations import read_seconds
from routing.facts import EVENTS, SINCE_EVENTS
from routing.naming import check_name, read_names
from routing.problems import Problem, has_error
from routing.rule_text import read_id
from routing.rules import Daily, Quiet, React, Rule
from routing.schedule_text import moments_from
from routing.typed import convert, said
from routing.value_text import Names
from routing.yaml_text import Node

_MISSING = {
    "id": "a rule has a short name of its own",
    "on": "like on: customer_replied",
    "then": "like then: {notify: lead}",
    "for": "like for: 3d",
    "since": "like since: agent_replied",
    "at": 'like at: "mon-fri 08:00"',
    "in": "like in: CALENDAR, whose time zone counts",
}
_BELONGS = {"for": ("quiet",), "since": ("quiet",), "at": ("clock",), "in": ("quiet", "clock")}
_NEEDS = {"quiet": ("for", "since"), "clock": ("at", "in")}
Calendars = Mapping[str, Calendar | None]


class _ReactNode(msgspec.Struct, frozen=True, rename={"for_": "for", "in_": "in"}):
    id: Node | None = None
    on: Node | None = None
    for_: Node | None = None
    since: Node | None = None
    at: Node | None = None
    in_: Node | None = None
    when: Node | None = None
    then: Node | None = None


def read_react(
    nodes: Collection[Node], words: Vocabulary, names: Names, seen: dict[str, Node], calendars: Calendars
) -> tuple[React, ...]:
    """The rules for later events, in file order. seen: ids of the rules before, extended.

    calendars: name -> None for one that could not be read.
    """
    rules: list[React] = []
    names.stage = "react"
    for node in nodes:
        if not node.is_list:
            names.problems.append(node.problem("wrong-type", f"'react' is a list of rules, got {said(node)}"))
            continue
        rules.extend(rule for each in node.value if (rule := _read_rule(each, words, names, seen, calendars)))
    names.stage, names.on = "", ()
    return tuple(rules)


def _read_rule(
    node: Node, words: Vocabulary, names: Names, seen: dict[str, Node], calendars: Calendars
) -> React | None:
    problems = names.problems
    before = len(problems)
    written = convert(node, _ReactNode, problems=problems, partial=True)
    if written is None:
        return None
    for key in ("id", "on", "then"):
        if getattr(written, key) is None:
            problems.append(node.problem("missing-key", f"'{key}' is missing", _MISSING[key]))
    identity = read_id(written.id, seen, problems) if written.id else None
    on = _read_on(written.on, problems) if written.on else ()
    _check_keys(node, on, problems)
    quiet = _read_quiet(written, calendars, problems) if on == ("quiet",) else None
    daily = _read_daily(written, calendars, problems) if on == ("clock",) else None
    names.on = on
    when = read_condition(written.when, names) if written.when else ALWAYS
    then = read_writes(written.then, "react", words, problems) if written.then else ()
    if written.then and on:
        _check_reopen(written.then, on, problems)
    if has_error(problems[before:]) or identity is None:
        return None
    return React(Rule(identity, "react", when, then, node.file, node.line, node.column), on, quiet, daily)


def _read_on(node: Node, problems: list[Problem]) -> tuple[str, ...]:
    """One event or several; passing time stands alone."""
    if node.is_list and not node.value:
        problems.append(node.problem("wrong-type", "the list of events is empty"))
    on = tuple(dict.fromkeys(read_names(node, EVENTS, "event", problems)))
    alone = next((event for event in on if event in _NEEDS), None)
    if alone and len(on) > 1:
        message = f"'{alone}' can't stand beside other events"
        problems.append(node.problem("bad-value", message, "write a rule of its own for it"))
        return ()
    return on


def _check_keys(node: Node, on: tuple[str, ...], problems: list[Problem]) -> None:
    """What an event needs is there, and nothing stands beside it that belongs to another."""
    if not on:
        return
    for key, events in _BELONGS.items():
        if key in node.value and on[0] not in events:
            belongs = " or ".join(f"on: {event}" for event in events)
            message = f"'{key}' says nothing with on: {', '.join(on)}"
            problems.append(node.keys[key].problem("wrong-place", message, f"it belongs to {belongs}"))
    for key in _NEEDS.get(on[0], ()):
        if key not in node.value:
            message = f"on: {on[0]} needs '{key}'"
            problems.append(node.problem("missing-key", message, _MISSING[key]))


def _read_quiet(written: _ReactNode, calendars: Calendars, problems: list[Problem]) -> Quiet | None:
    """Elapsed time, in which `3d` are 72 hours; of a calendar's open time a bare day could mean two things."""
    seconds = read_seconds(written.for_, problems) if written.for_ else None
    since = check_name(written.since, SINCE_EVENTS, "since-event", problems) if written.since else None
    name = check_name(written.in_, calendars, "calendar", problems) if written.in_ else None
    calendar = calendars[name] if name else None
    if calendar is not None and not calendar.is_always_open and seconds and written.for_:
        text = written.for_.text
        if "d" in text:
            message = (
                f"'{text}' could mean 24 hours or a day's open hours: calendar '{name}' is not always open"
            )
            hint = "write hours, or take 'in' away: then days are elapsed days"
            problems.append(written.for_.problem("bare-day", message, hint))
    return Quiet(seconds, since, name) if seconds and since else None


def _read_daily(written: _ReactNode, calendars: Calendars, problems: list[Problem]) -> Daily | None:
    calendar = check_name(written.in_, calendars, "calendar", problems) if written.in_ else None
    if written.at is None:
        return None
    moments = moments_from(written.at.value) if isinstance(written.at.value, str) else None
    if moments is None:
        hint = 'write "mon-fri 08:00", "mon 17:00" or "08:00" for every day'
        problems.append(written.at.problem("bad-value", f"no time of the week {said(written.at)}", hint))
        return None
    return Daily(*moments, calendar) if calendar else None


def _check_reopen(then: Node, on: tuple[str, ...], problems: list[Problem]) -> None:
    if isinstance(then.value, dict) and "reopen" in then.value and "customer_replied" not in on:
        message = f"'reopen' says what a customer's reply does, and this is on: {', '.join(on)}"
        hint = "write on: customer_replied, or status: open to open the ticket"
        problems.append(then.keys["reopen"].problem("wrong-place", message, hint))
