"""How SLA policies and ladders are written: YAML nodes -> policies and ladders."""

import re
from collections.abc import Iterable, Mapping

import msgspec

from routing.calendar import Calendar
from routing.durations import Span, offset_from, seconds_from, span_from
from routing.ladder import Ladder, Step, When
from routing.naming import (
    Priority,
    Status,
    Targets,
    check_name,
    read_names,
    read_notify,
    read_tags,
    without_later,
)
from routing.problems import Problem, did_you_mean
from routing.sla import PRIORITIES, TARGETS, Policy, Target
from routing.typed import convert, said
from routing.yaml_text import Node

LATER_TARGETS = ("next_response", "update", "promise")
ROUND_LIMIT = 100
_AT = re.compile(r"(\w+)\s+(\S+)\Z")
_PERCENT = re.compile(r"(\d{1,3})%\Z")


class _PolicyNode(msgspec.Struct, frozen=True):
    calendar: Node
    first_response: Node | None = None
    resolution: Node | None = None
    pause: tuple[Status, ...] = ()
    ladder: Node | None = None


class _RepeatNode(msgspec.Struct, frozen=True):
    every: Node
    times: Node


class _StepNode(msgspec.Struct, frozen=True):
    at: Node
    notify: Node | None = None
    level: Node | None = None
    priority: Priority | None = None
    tags: Node | None = None
    repeat: Node | None = None


def read_policy(
    name: str,
    node: Node,
    calendars: Mapping[str, Calendar | None],
    ladders: Iterable[str],
    problems: list[Problem],
) -> Policy | None:
    """`{calendar: office, first_response: {urgent: 30m, normal: 4h}, resolution: 3 working days, pause: [pending]}`."""
    written = convert(
        without_later(node, LATER_TARGETS, problems), _PolicyNode, problems=problems, partial=True
    )
    if written is None:
        return None
    calendar = check_name(written.calendar, calendars, "calendar", problems)
    ladder = check_name(written.ladder, ladders, "ladder", problems) if written.ladder else None
    targets = {}
    for target in TARGETS:
        child = getattr(written, target)
        if child is not None:
            targets[target] = Target(_read_spans(child, calendars.get(calendar or ""), problems))
    if not targets:
        problems.append(
            node.problem("missing-key", f"policy '{name}' has no target", "add first_response or resolution")
        )
    return Policy(name, calendar or "", targets, written.pause, ladder)


def _read_spans(node: Node, calendar: Calendar | None, problems: list[Problem]) -> dict[str, Span]:
    if not isinstance(node.value, dict):
        return {"": _read_span(node, calendar, problems)}
    spans = {}
    for priority, child in node.value.items():
        if priority not in PRIORITIES:
            hint = did_you_mean(priority, PRIORITIES)
            problems.append(
                node.keys[priority].problem("unknown-priority", f"no priority '{priority}'", hint)
            )
        spans[priority] = _read_span(child, calendar, problems)
    if not spans:
        problems.append(
            node.problem("wrong-type", "a target wants a length like 4h, or one for each priority")
        )
    return spans


def _read_span(node: Node, calendar: Calendar | None, problems: list[Problem]) -> Span:
    span = span_from(node.value) if isinstance(node.value, str) else None
    if span is None:
        hint = "write it like 30m, 4h or 3 working days"
        problems.append(node.problem("bad-length", f"no length of time {said(node)}", hint))
        return Span("")
    if span.has_days and calendar is not None and not calendar.is_always_open:
        message = f"'{span.text}' could mean 24 hours or a day's open hours: calendar '{calendar.name}' is not always open"
        problems.append(
            node.problem("bare-day", message, f"write '{_days_in(span.text)} working days', or hours")
        )
    return span


def _days_in(text: str) -> str:
    return text.partition("d")[0]


def read_ladder(name: str, node: Node, targets: Targets, problems: list[Problem]) -> Ladder | None:
    """A list of `{at: first_response 80%, notify: assignee}`."""
    if not node.is_list or not node.value:
        problems.append(node.problem("wrong-type", f"a ladder is a list of steps, got {said(node)}"))
        return None
    steps = [_read_step(each, targets, problems) for each in node.value]
    return Ladder(name, tuple(step for step in steps if step is not None))


def _read_step(node: Node, targets: Targets, problems: list[Problem]) -> Step | None:
    written = convert(
        without_later(node, ("by", "ack_within"), problems), _StepNode, problems=problems, partial=True
    )
    if written is None:
        return None
    when = _read_at(written.at, problems)
    every_s, times = _read_repeat(written.repeat, problems) if written.repeat else (None, 1)
    step = Step(
        written.at.text,
        when or When("", "breach"),
        read_notify(written.notify, targets, problems) if written.notify else (),
        read_names(written.level, targets.levels, "level", problems) if written.level else (),
        written.priority,
        read_tags(written.tags, problems) if written.tags else (),
        every_s,
        times,
    )
    if not (written.notify or written.level or written.priority or written.tags):
        problems.append(
            node.problem("missing-key", "this step does nothing", "add notify, level, priority or tags")
        )
    return step if when else None


def _read_at(node: Node, problems: list[Problem]) -> When | None:
    written = _AT.match(node.value) if isinstance(node.value, str) else None
    if node.value == "unacknowledged":
        problems.append(node.problem("not-supported", "'unacknowledged' is not supported yet"))
        return None
    if not written:
        hint = "write it like 'first_response 80%', 'first_response breach' or 'resolution +15m'"
        problems.append(node.problem("bad-step", f"no instant of a step {said(node)}", hint))
        return None
    target, text = written.groups()
    if target not in TARGETS:
        problems.append(_unknown_target(node, target))
        return None
    when = _when(target, text)
    if when is None:
        problems.append(node.problem("bad-step", f"no instant '{text}'", "write 80%, breach, +15m or -10m"))
    return when


def _unknown_target(node: Node, target: str) -> Problem:
    if target in LATER_TARGETS:
        return node.problem("not-supported", f"the target '{target}' is not supported yet")
    return node.problem("unknown-target", f"no target '{target}'", did_you_mean(target, TARGETS))


def _when(target: str, text: str) -> When | None:
    if text == "breach":
        return When(target, "breach")
    percent = _PERCENT.match(text)
    if percent and 0 < int(percent[1]) < 100:
        return When(target, "percent", float(percent[1]))
    offset = offset_from(text)
    return When(target, "offset", float(offset)) if offset else None


def _read_repeat(node: Node, problems: list[Problem]) -> tuple[int | None, int]:
    if isinstance(node.value, dict) and "every" in node.value and "times" not in node.value:
        problems.append(node.problem("unbounded-ladder", "this step repeats for ever", "add times: 3"))
        return None, 1
    written = convert(node, _RepeatNode, problems=problems)
    if written is None:
        return None, 1
    every_s = seconds_from(written.every.value) if isinstance(written.every.value, str) else None
    if not every_s:
        problems.append(
            written.every.problem(
                "bad-length", f"no length of time {said(written.every)}", "write it like 15m"
            )
        )
    times = written.times.value
    if not isinstance(times, int) or isinstance(times, bool) or not 1 <= times <= ROUND_LIMIT:
        problems.append(
            written.times.problem("bad-value", f"'times' is 1 to {ROUND_LIMIT}, got {said(written.times)}")
        )
        return None, 1
    return every_s, times
