"""What actions change of the simulated ticket itself: an action and its function here."""

from collections.abc import Callable
from datetime import datetime

from routing.actions import Action
from routing.simulated import Simulated, instant_from


def _set_status(ticket: Simulated, action: Action, at: datetime) -> None:
    if action.value != ticket.status:
        ticket.set_status(action.value, at)


def _close(ticket: Simulated, action: Action, at: datetime) -> None:
    if ticket.status != "closed":
        ticket.set_status("closed", at)


def _spam(ticket: Simulated, action: Action, at: datetime) -> None:
    ticket.drop(at)


def _set_priority(ticket: Simulated, action: Action, at: datetime) -> None:
    if action.value != ticket.priority:
        ticket.set_priority(action.value, at)


def _set_policy(ticket: Simulated, action: Action, at: datetime) -> None:
    if action.value != ticket.sla:
        ticket.set_policy(action.value, at)


def _set_nature(ticket: Simulated, action: Action, at: datetime) -> None:
    ticket.nature = action.value


def _set_language(ticket: Simulated, action: Action, at: datetime) -> None:
    ticket.language = action.value


def _tag(ticket: Simulated, action: Action, at: datetime) -> None:
    ticket.tags = tuple(dict.fromkeys((*ticket.tags, *(action.value or ()))))


def _untag(ticket: Simulated, action: Action, at: datetime) -> None:
    ticket.tags = tuple(tag for tag in ticket.tags if tag not in action.value)


def _promise(ticket: Simulated, action: Action, at: datetime) -> None:
    value = action.value
    ticket.set_promise(None if value is None else instant_from(value, now=at), at)


def _snooze(ticket: Simulated, action: Action, at: datetime) -> None:
    value = action.value
    ticket.snooze(None if value is None else instant_from(value, now=at), at)


def set_field(ticket: Simulated, action: Action) -> None:
    """`field.NAME`: written, or emptied."""
    name = action.kind.removeprefix("field.")
    ticket.fields = {key: value for key, value in ticket.fields.items() if key != name}
    if action.value is not None:
        ticket.fields[name] = action.value


DOERS: dict[str, Callable[[Simulated, Action, datetime], None]] = {
    "status": _set_status,
    "close": _close,
    "spam": _spam,
    "priority": _set_priority,
    "sla": _set_policy,
    "nature": _set_nature,
    "language": _set_language,
    "tags": _tag,
    "untag": _untag,
    "promise": _promise,
    "snooze": _snooze,
}
