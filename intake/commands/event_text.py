"""Events of escalation in a ticket's history, as a person says them; every other event is shown as it is kept."""

from collections.abc import Callable, Mapping
from typing import Any

Details = Mapping[str, Any]


def said(kind: str, details: Details) -> str | None:
    """Return the sentence for an event; None = there is none, or it was written by an older version."""
    write = _TEXTS.get(kind)
    try:
        return None if write is None else write(details)
    except (KeyError, TypeError):
        return None


def _escalated(details: Details) -> str:
    late = " (late)" if details["is_late"] else ""
    nth = f", notice {details['notice']} of {details['of']}" if "of" in details else ""
    return f"{details['at']}{nth}{late}: {details['why']}"


def _notified(details: Details) -> str:
    skipped = "; ".join(f"{each['agent']}: {each['reason']}" for each in details["skipped"])
    names = ", ".join(details["agents"]) or details["target"]
    return f"{details['target']}: {names}{f'; not told: {skipped}' if skipped else ''}"


def _reached_nobody(details: Details) -> str:
    return f"{details['target']}: {details['reason']}"


def _acknowledged(details: Details) -> str:
    count = details["stopped"]
    stopped = f", {count} {'copy' if count == 1 else 'copies'} of notices stopped" if count else ""
    return f"by {details['how']}{stopped}"


def _taken_over(details: Details) -> str:
    return f"from {details['taken_from'] or 'nobody'}, by {details['how']}"


_TEXTS: dict[str, Callable[[Details], str]] = {
    "escalated": _escalated,
    "notified": _notified,
    "notice_reached_nobody": _reached_nobody,
    "acknowledged": _acknowledged,
    "taken_over": _taken_over,
}
