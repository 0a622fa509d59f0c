"""Lengths of time as an admin writes them: `15m`, `1h30m`, `3d`, `3 working days`."""

import re

import msgspec

from routing.problems import Problem
from routing.typed import said
from routing.yaml_text import Node

MAX_SECONDS = 3 * 366 * 86_400  # three years: longer is a slip, and arithmetic stays cheap

_UNIT_SECONDS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}
_PARTS = re.compile(r"(?:\d{1,6}[smhd])+\Z")
_PART = re.compile(r"(\d{1,6})([smhd])")
_WORKING_DAYS = re.compile(r"(\d{1,4})\s+working\s+days?\Z")


class Span(msgspec.Struct, frozen=True):
    """A target's length. seconds: of open time; working_days: days with open time; exactly one of them is not None."""

    text: str
    seconds: int | None = None
    working_days: int | None = None

    @property
    def nominal_s(self) -> int:
        """A length to compare policies by, as written; a working day counts 24 h."""
        return self.seconds if self.seconds is not None else (self.working_days or 0) * 86_400

    @property
    def has_days(self) -> bool:
        """Whether a bare `d` stands in it, which only an always open calendar understands."""
        return self.seconds is not None and "d" in self.text


def seconds_from(text: str) -> int | None:
    """Seconds of `1h30m`, `45s`, `3d`; None when it is no such length or longer than three years."""
    if not _PARTS.match(text):
        return None
    seconds = sum(int(number) * _UNIT_SECONDS[unit] for number, unit in _PART.findall(text))
    return seconds if seconds <= MAX_SECONDS else None


def span_from(text: str) -> Span | None:
    """A Span of `4h` or `3 working days`; None when it is neither, or zero."""
    days = _WORKING_DAYS.match(text)
    if days:
        count = int(days.group(1))
        return Span(text, working_days=count) if 0 < count <= 1_000 else None
    seconds = seconds_from(text)
    return Span(text, seconds=seconds) if seconds else None


def offset_from(text: str) -> int | None:
    """Signed seconds of `+15m` or `-10m`; None when it has no sign or no length."""
    if text[:1] not in ("+", "-"):
        return None
    seconds = seconds_from(text[1:])
    if seconds is None:
        return None
    return seconds if text[0] == "+" else -seconds


def read_seconds(
    node: Node,
    problems: list[Problem],
    *,
    hint: str = "write it like 15m, 2h or 3d",
    may_be_zero: bool = False,
) -> int | None:
    """Seconds of the length at a node; None when it is none, or zero and that says nothing."""
    seconds = seconds_from(node.value) if isinstance(node.value, str) else None
    if seconds or (seconds == 0 and may_be_zero):
        return seconds
    problems.append(node.problem("bad-length", f"no length of time {said(node)}", hint))
    return None
