"""Events of escalation and of calls in a ticket's history, as a person says them; every other is shown as it is kept."""

from collections.abc import Callable, Mapping
from typing import Any

Details = Mapping[str, Any]


def said(kind: str, details: Details) -> str | None:
    """Return the sentence for an event; None = there is none, or it was written by an older version."""
    write = _called if "happened_at" in details else _TEXTS.get(kind)
    try:
        return None if write is None else write(details)
    except (KeyError, TypeError):
        return None


def _called(details: Details) -> str:
    """Say what happened in a call: the word is the event's kind, the call and the instant stand elsewhere."""
    told = {name: value for name, value in details.items() if name not in ("call", "happened_at")}
    words = (", ".join(map(str, value)) if isinstance(value, list) else value for value in told.values())
    pairs = (f"{name} {word}" for name, word in zip(told, words, strict=True) if word not in (None, ""))
    return " · ".join(pairs)


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


def _paged(details: Details) -> str:
    nth = f", way {details['way_number']} of {details['of']}" if details["of"] > 1 else ""
    return f"{details['agent']} by {details['way']}{nth}"


def _page_call(details: Details) -> str:
    return f"{details['agent']}: {details['status']}"


def _passed_on(details: Details) -> str:
    to = "the next step" if details["by_ladder"] else details["to"] or "others who were told"
    return f"by {details['how']}, to {to}"


def _not_passed_on(details: Details) -> str:
    return f"by {details['how']}: {details['reason']}"


def _reachable_otherwise(details: Details) -> str:
    return ", ".join(f"{each['medium']} {each['to']}" for each in details["ways"])


def _window_closes(details: Details) -> str:
    return f"WhatsApp's 24 hours end {details['until']}, without an answer"


def _chat_left(details: Details) -> str:
    return {"customer": "by the customer", "idle": "nobody said anything more"}[details["reason"]]


def _chat_mailed(details: Details) -> str:
    return f"to {details['address']}"


def _chat_not_mailed(details: Details) -> str:
    return str(details["reason"])


_TEXTS: dict[str, Callable[[Details], str]] = {
    "escalated": _escalated,
    "notified": _notified,
    "notice_reached_nobody": _reached_nobody,
    "acknowledged": _acknowledged,
    "taken_over": _taken_over,
    "paged": _paged,
    "page_call": _page_call,
    "passed_on": _passed_on,
    "not_passed_on": _not_passed_on,
    "reachable_otherwise": _reachable_otherwise,
    "window_closes": _window_closes,
    "chat_left": _chat_left,
    "chat_mailed": _chat_mailed,
    "chat_not_mailed": _chat_not_mailed,
}
