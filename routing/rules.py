"""Rules: what holds, and what is then written."""

from typing import Any, Literal

import msgspec

from routing.conditions import ALWAYS, Condition

Stage = Literal["enrich", "route", "default"]


class Write(msgspec.Struct, frozen=True):
    """One field of a decision, or one effect, that a rule asks for. value: JSON; None = `none`, empty on purpose."""

    field: str
    value: Any


class Rule(msgspec.Struct, frozen=True, eq=False):
    """line: in its file, from 1. writes: in the order written."""

    id: str
    stage: Stage
    when: Condition
    then: tuple[Write, ...]
    file: str
    line: int
    column: int = 1


NOTHING = Rule("default", "default", ALWAYS, (), "", 0)
