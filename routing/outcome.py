"""What the admin's tests can ask for: of the ticket at a moment, and of what was done up to it."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec

from routing import sla
from routing.case_text import ACTION_KINDS, Expectation, spoken
from routing.life import Happening, Life

STATES = ("team", "level", "agent", "priority", "sla", "nature", "language", "status")
EFFECTS = (
    "reply", "notify", "note", "hand_off", "webhook", "rating", "incident", "route", "reopen", "ignore", "spam",
    "block", "close",
)  # fmt: skip
"""What is done to the world; an exact test names each of them."""

_LISTED = ("notify", "note", "untag", "breach")
_ALSO_DONE = ("untag", "breach")


class Mark(msgspec.Struct, frozen=True):
    """A moment of a life, from which on something is looked at: how much had been done by then."""

    happenings: int = 0
    applied: int = 0


def mark(life: Life) -> Mark:
    return Mark(len(life.happenings), len(life.applied))


def outcome(life: Life, since: Mark) -> dict[str, Any]:
    """Field -> value, of everything that a test can ask for; what is not, or was not done, is None or empty."""
    ticket = life.ticket
    found: dict[str, Any] = {name: getattr(ticket, name) for name in STATES}
    found["rule"] = life.routed.rule
    found["matched"] = list(dict.fromkeys(each for each in life.applied[since.applied :] if "/" not in each))
    found["tags"] = list(ticket.tags)
    found["skills"] = list(ticket.skills.need) if ticket.skills else []
    found["promise"], found["snooze"] = _utc(ticket.promise), _utc(ticket.snoozed_until)
    found["joins"] = life.joins
    found |= {f"field.{name}": value for name, value in ticket.fields.items()}
    found |= {f"due.{target}": None for target in sla.TARGETS}
    found |= {f"due.{clock.target}": _utc(sla.instant(clock)) for clock in ticket.clocks}
    return found | done(life.happenings[since.happenings :])


def done(happenings: Sequence[Happening]) -> dict[str, Any]:
    """Kind -> what was done of it: a list of what may happen more than once, else the value, None = it was not done."""
    values: dict[str, list[Any]] = {kind: [] for kind in (*EFFECTS, *_ALSO_DONE)}
    for each in happenings:
        if each.action.kind in values:
            value = each.action.value
            values[each.action.kind].extend(value if isinstance(value, list | tuple) else [value])
    return {kind: found if kind in _LISTED else _single(found) for kind, found in values.items()}


def is_met(expected: Expectation, found: dict[str, Any], *, exactly: bool) -> bool:
    """Lists are partial unless the test is exact; `none` = nothing, `any` = something."""
    wanted, actual = expected.value, found.get(expected.field)
    if wanted in ("none", "any"):
        return (actual is not None and actual != []) is (wanted == "any")
    if isinstance(actual, list):
        listed = wanted if isinstance(wanted, list) else [wanted]
        return sorted(listed) == sorted(actual) if exactly else set(listed) <= set(actual)
    if isinstance(wanted, bool):
        return actual is wanted or (not wanted and actual is None and expected.field != "reopen")
    return bool(wanted == actual)


def is_there(unwanted: Expectation, found: dict[str, Any]) -> bool:
    """Whether what must never be is there."""
    wanted, actual = unwanted.value, found.get(unwanted.field)
    if wanted == "any":
        return actual is not None and actual != []
    if isinstance(actual, list):
        listed = wanted if isinstance(wanted, list) else [wanted]
        return bool(set(listed) & set(actual)) or (wanted == "none" and not actual)
    if wanted == "none":
        return actual is None
    return actual in wanted if isinstance(wanted, list) else bool(wanted == actual)


def texts(happening: Happening) -> tuple[str, ...]:
    """A happening as timelines name it; () for what no timeline can name."""
    action = happening.action
    if action.kind not in ACTION_KINDS and not action.kind.startswith("field."):
        return ()
    return spoken(action.kind, action.value)


def shown(value: Any) -> str:
    if isinstance(value, list) and value:
        return "[" + ", ".join(str(each) for each in value) + "]"
    if isinstance(value, bool):
        return str(value).lower()
    return "nothing" if value in (None, []) else str(value)


def _single(values: list[Any]) -> Any:
    return None if not values else values[0] if len(values) == 1 else values


def _utc(at: datetime | None) -> str | None:
    return None if at is None else at.astimezone(UTC).isoformat()
