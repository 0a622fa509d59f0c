"""Rules: what holds, and what is then written."""

from datetime import time
from typing import Any, Literal

import msgspec

from routing.conditions import ALWAYS, Condition

Stage = Literal["enrich", "route", "default", "react"]


class Write(msgspec.Struct, frozen=True):
    """One field of a decision, or one effect, that a rule asks for. value: JSON; None = `none`, empty on purpose.

    options: what stands beside it: `by` and `ack_within_s` of a notify, `once_s` of a reply.
    """

    field: str
    value: Any
    options: dict[str, Any] = {}


class Rule(msgspec.Struct, frozen=True, eq=False):
    """line: in its file, from 1. writes: in the order written."""

    id: str
    stage: Stage
    when: Condition
    then: tuple[Write, ...]
    file: str
    line: int
    column: int = 1


class Quiet(msgspec.Struct, frozen=True):
    """Nothing has happened for so long. seconds: wall clock, or open time of the calendar; since: see SINCE_EVENTS."""

    seconds: int
    since: str
    calendar: str | None = None


class Daily(msgspec.Struct, frozen=True):
    """Moments of the week on the wall clock of a calendar's zone. days: Monday is 0."""

    days: frozenset[int]
    at: time
    calendar: str


class React(msgspec.Struct, frozen=True, eq=False):
    """A rule for later events. on: event names; quiet, daily: set when on is ("quiet",) or ("clock",)."""

    rule: Rule
    on: tuple[str, ...]
    quiet: Quiet | None = None
    daily: Daily | None = None


NOTHING = Rule("default", "default", ALWAYS, (), "", 0)
