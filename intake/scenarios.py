"""A scenario file -> channels.twilio.simulator.scenario.Scenario, every problem at its line, with what to do.

name: A caller who presses 2 is put through to billing
people: {jan: "+48600100200"}
phones: {ewa: {number: "+48600000002", answers: 4, presses: "1"}}
steps:
  - call: {from: jan, does: [{hear: press 2, press: "2"}]}
  - expect: {calls: [{of: jan, outcome: answered, owner: ewa}]}
"""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from channels.twilio.simulator import scenario
from channels.twilio.simulator.scenario import Scenario
from routing import durations, typed, yaml_text
from routing.problems import ConfigError, Problem, did_you_mean, in_order
from routing.yaml_text import Node

_HINTS = {
    "name": 'name: "A caller presses 2"',
    "steps": "steps: [{call: {from: jan}}]",
    "from": "from: jan, a name of people:, or a number",
    "of": "of: jan, a name of people:, or a number",
}


def read(path: Path) -> Scenario:
    """Read a file. Raises: ConfigError with every problem, OSError."""
    return from_text(path.read_text(encoding="utf-8-sig"), file=str(path))


def from_text(text: str, *, file: str) -> Scenario:
    """Read a text. file: the name that problems carry. Raises: ConfigError."""
    node = yaml_text.read(text, file=file)
    problems: list[Problem] = []
    found: Scenario | None = typed.convert(node, Scenario, problems=problems, hints=_HINTS)
    if found is not None:
        problems += _problems(node, found)
    if found is None or problems:
        raise ConfigError(in_order(problems))
    return found


def wait_s(step: scenario.Step) -> float:
    """How long a `wait` is: `30m`, or seconds."""
    value = step.wait
    if isinstance(value, str):
        return float(durations.seconds_from(value) or 0)
    return float(value or 0)


def _problems(node: Node, found: Scenario) -> Iterator[Problem]:
    steps = node.value["steps"].value
    for place, (each, step) in enumerate(zip(steps, found.steps, strict=True)):
        given = scenario.given(step)
        if len(given) != 1:
            said = " and ".join(given) or "nothing"
            yield each.problem(
                "bad-step", f"step {place + 1} has {said}", "a step does one thing: write several"
            )
            continue
        inside = each.value[given[0]]
        if step.wait is not None and not wait_s(step):
            yield inside.problem("bad-time", f"'{inside.text}' is no time", "write 20s, 30m or 2h")
        yield from _unknown_people(inside, found)
        yield from _acts(inside)
    yield from _phones(node, found)
    if found.at and not _is_instant(found.at):
        at = node.value["at"]
        yield at.problem("bad-time", f"'{found.at}' is no instant", "write 2026-11-10T09:30:00+01:00")


def _unknown_people(inside: Node, found: Scenario) -> Iterator[Problem]:
    """Find names that nobody has; a number is nobody's name."""
    for child in _people_of(inside):
        name = child.value
        if isinstance(name, str) and name and name[0] not in "+0123456789" and name not in _names(found):
            hint = did_you_mean(name, list(_names(found))) or "name them under people:"
            yield child.problem("unknown-person", f"'{name}' is nobody of this scenario", hint)


def _names(found: Scenario) -> set[str]:
    return {*found.people, *found.phones}


_PERSON_KEYS = ("from", "of", "ticket_of")


def _people_of(inside: Node) -> Iterator[Node]:
    if inside.is_list:
        for each in inside.value:
            yield from _people_of(each)
    if not inside.is_mapping:
        return
    for key, child in inside.value.items():
        if key in _PERSON_KEYS:
            yield child
        elif key in ("calls", "tickets", "texts"):
            yield from _people_of(child)


def _acts(inside: Node) -> Iterator[Problem]:
    """Find acts that do more than one thing, or nothing."""
    does = inside.value.get("does") if inside.is_mapping else None
    for each in does.value if does is not None and does.is_list else ():
        said = [name for name in ("press", "say", "leave", "silence") if name in each.value]
        if len(said) > 1:
            hint = "one after the other: write an act for each"
            yield each.problem("bad-act", f"an act does one thing, not {' and '.join(said)}", hint)
        if not said and "hang_up" not in each.value:
            hint = "press, say, leave, silence or hang_up"
            yield each.problem("bad-act", "this act does nothing", hint)


def _phones(node: Node, found: Scenario) -> Iterator[Problem]:
    for name, phone in found.phones.items():
        if not phone.number:
            where = node.value["phones"].keys[name]
            yield where.problem("missing-key", f"'{name}' has no number", 'number: "+48600000001"')


def _is_instant(text: str) -> bool:
    try:
        return datetime.fromisoformat(text).tzinfo is not None
    except ValueError:
        return False
