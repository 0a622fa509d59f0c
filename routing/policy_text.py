"""How SLA policies and ladders are written: YAML nodes -> policies and ladders."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from routing.action_text import read_writes
from routing.action_values import Vocabulary
from routing.actions import Action
from routing.calendar import Calendar
from routing.durations import Span, offset_from, read_seconds, span_from
from routing.ladder import Ladder, Step, When
from routing.naming import Status, check_name
from routing.problems import Problem, did_you_mean
from routing.rules import Write
from routing.sla import PRIORITIES, TARGETS, Policy, Target
from routing.typed import convert, said
from routing.yaml_text import Node

ROUND_LIMIT = 100
_AT = re.compile(r"(\w+)\s+(\S+)\Z")
_PERCENT = re.compile(r"(\d{1,3})%\Z")
_UNACKNOWLEDGED = "unacknowledged"
_OWN = ("at", "repeat")
_STEP_FIELDS = ("notify", "level", "priority", "tags")


class _PolicyNode(msgspec.Struct, frozen=True):
    calendar: Node
    first_response: Node | None = None
    next_response: Node | None = None
    resolution: Node | None = None
    update: Node | None = None
    promise: Node | None = None
    pause: tuple[Status, ...] = ()
    ladder: Node | None = None


class _RepeatNode(msgspec.Struct, frozen=True):
    every: Node
    times: Node


def read_policy(
    name: str,
    node: Node,
    calendars: Mapping[str, Calendar | None],
    ladders: Iterable[str],
    problems: list[Problem],
) -> Policy | None:
    """`{calendar: office, first_response: {urgent: 30m, normal: 4h}, resolution: 3 working days, pause: [pending]}`."""
    written = convert(
        node, _PolicyNode, problems=problems, partial=True, hints={"calendar": "like calendar: NAME"}
    )
    if written is None:
        return None
    calendar = check_name(written.calendar, calendars, "calendar", problems)
    ladder = check_name(written.ladder, ladders, "ladder", problems) if written.ladder else None
    targets = {}
    for target in TARGETS:
        child = getattr(written, target)
        if child is None:
            continue
        if target == "promise":
            _check_promise(child, problems)
        else:
            targets[target] = Target(_read_spans(child, calendars.get(calendar or ""), problems))
    if not targets and written.promise is None:
        problems.append(
            node.problem("missing-key", f"policy '{name}' has no target", "add first_response or resolution")
        )
    return Policy(name, calendar or "", targets, written.pause, ladder)


def _check_promise(node: Node, problems: list[Problem]) -> None:
    """Only `true`: its moment is agreed with each customer, so that it is no part of a policy's lengths."""
    if node.value is not True:
        message = f"'promise' has no length, its moment is agreed with the customer; got {said(node)}"
        problems.append(node.problem("wrong-type", message, "write promise: true"))


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


def read_ladder(name: str, node: Node, words: Vocabulary, problems: list[Problem]) -> Ladder | None:
    """A list of `{at: first_response 80%, notify: assignee}`."""
    if not node.is_list or not node.value:
        problems.append(node.problem("wrong-type", f"a ladder is a list of steps, got {said(node)}"))
        return None
    steps: list[Step] = []
    for number, each in enumerate(node.value):
        step = _read_step(each, f"{name}/{number}", words, problems)
        if step is None:
            continue
        if step.when.kind == _UNACKNOWLEDGED and not any(earlier.ack_within_s for earlier in steps):
            message = "no step before this one asks for an acknowledgement"
            problems.append(
                each.value["at"].problem("bad-step", message, "add ack_within: 10m to its notify")
            )
        steps.append(step)
    return Ladder(name, tuple(steps))


def _read_step(node: Node, rule: str, words: Vocabulary, problems: list[Problem]) -> Step | None:
    """rule: what its actions are known by."""
    if not isinstance(node.value, dict):
        hint = "like {at: first_response breach, notify: lead}"
        problems.append(node.problem("wrong-type", f"a step is a mapping, got {said(node)}", hint))
        return None
    at, repeat = node.value.get("at"), node.value.get("repeat")
    if at is None:
        problems.append(node.problem("missing-key", "'at' is missing", "like at: first_response breach"))
    when = _read_at(at, problems) if at else None
    every_s, times = _read_repeat(repeat, problems) if repeat else (None, 1)
    if repeat and when and when.kind == _UNACKNOWLEDGED:
        message = "a step that follows a notice nobody acknowledged happens once"
        hint = "give it ack_within, and add another unacknowledged step"
        problems.append(node.keys["repeat"].problem("bad-step", message, hint))
    if set(node.value) <= set(_OWN):
        hint = "add notify, level, priority, tags or another action"
        problems.append(node.problem("missing-key", "this step does nothing", hint))
        return None
    writes = read_writes(node, "ladder", words, problems, beside=_OWN)
    if at is None or when is None:
        return None
    return _step(at.text, when, writes, rule, every_s=every_s, times=times)


def _step(
    at: str, when: When, writes: tuple[Write, ...], rule: str, *, every_s: int | None, times: int
) -> Step:
    written = {write.field: write for write in writes}
    values = {field: write.value for field, write in written.items()}
    notice = written["notify"].options if "notify" in written else {}
    return Step(
        at,
        when,
        notify=values.get("notify") or (),
        level=values.get("level") or (),
        priority=values.get("priority"),
        tags=values.get("tags") or (),
        every_s=every_s,
        times=times,
        by=notice.get("by"),
        ack_within_s=notice.get("ack_within_s"),
        actions=tuple(
            Action(write.field, _plain(write), rule, write.options)
            for write in writes
            if write.field not in _STEP_FIELDS
        ),
    )


def _plain(write: Write) -> Any:
    """The value as JSON gives it back; of a note its text."""
    if write.field == "note":
        return write.value[0] if write.value else None
    return list(write.value) if isinstance(write.value, tuple) else write.value


def _read_at(node: Node, problems: list[Problem]) -> When | None:
    if node.value == _UNACKNOWLEDGED:
        return When("", "unacknowledged")
    written = _AT.match(node.value) if isinstance(node.value, str) else None
    if not written:
        hint = (
            "write it like 'first_response 80%', 'first_response breach', 'resolution +15m' or unacknowledged"
        )
        problems.append(node.problem("bad-step", f"no instant of a step {said(node)}", hint))
        return None
    target, text = written.groups()
    if target not in TARGETS:
        hint = did_you_mean(target, TARGETS)
        problems.append(node.problem("unknown-target", f"no target '{target}'", hint))
        return None
    when = _when(target, text)
    if when is None:
        problems.append(node.problem("bad-step", f"no instant '{text}'", "write 80%, breach, +15m or -10m"))
    return when


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
    every_s = read_seconds(written.every, problems, hint="write it like 15m")
    times = written.times.value
    if not isinstance(times, int) or isinstance(times, bool) or not 1 <= times <= ROUND_LIMIT:
        problems.append(
            written.times.problem("bad-value", f"'times' is 1 to {ROUND_LIMIT}, got {said(written.times)}")
        )
        return None, 1
    return every_s, times
