"""How a customer and their history are written in the admin's tests, and the instants there."""

from datetime import UTC, date, datetime, time, timedelta

import msgspec

from routing.durations import seconds_from
from routing.facts import CustomerFacts
from routing.problems import Problem
from routing.typed import said
from routing.yaml_text import Node

WHEN_NOT_SAID = datetime(2026, 1, 7, 12, 0, tzinfo=UTC)  # a Wednesday
_MAX_TICKETS = 100


class CustomerNode(msgspec.Struct, frozen=True):
    organization: str | None = None
    tags: tuple[str, ...] = ()
    tier: str | None = None
    language: str | None = None
    open_tickets: int = 0
    tickets: Node | None = None
    last_rating: int | None = None
    opted_out: bool = False
    first_contact: bool | None = None
    known_since: Node | None = None
    fields: dict[str, str] = {}
    agent: str | None = None
    answered: Node | None = None


def read_instant(node: Node, problems: list[Problem]) -> datetime:
    """An instant with its time zone, as UTC; WHEN_NOT_SAID when it is none."""
    at = _instant(str(node.value))
    if at is None:
        hint = "write it like 2026-11-10T17:30+01:00"
        problems.append(node.problem("bad-instant", f"no instant with its time zone {said(node)}", hint))
        return WHEN_NOT_SAID
    return at


def _instant(text: str) -> datetime | None:
    """An instant with its time zone, as UTC."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return None
    return None if at.tzinfo is None else at.astimezone(UTC)


def offset_s_of(node: Node, start: datetime, problems: list[Problem]) -> int | None:
    """Seconds after the start of `+3d1h`, or of an instant with its time zone; None when it is neither, or before it."""
    written = node.text
    if written.startswith("+"):
        offset_s = seconds_from(written[1:])
    else:
        at = _instant(written)
        offset_s = None if at is None else int((at - start).total_seconds())
    if offset_s is not None and offset_s >= 0:
        return offset_s
    message = f"no offset {said(node)}" if offset_s is None else f"{written} comes before the message"
    hint = "write it like +1h or +3d1h, or as an instant like 2026-11-10T17:30+01:00"
    problems.append(node.problem("bad-length", message, hint))
    return None


def customer_from(written: CustomerNode, *, at: datetime, problems: list[Problem]) -> CustomerFacts:
    """The customer; not new when anything of theirs is known from before.

    agent: who answered them last; answered: how long ago, or when; not said = just now.
    """
    tickets = _tickets(written.tickets, at=at, problems=problems)
    is_known = bool(tickets or written.open_tickets or written.last_rating or written.agent)
    given = {**msgspec.structs.asdict(written), "tickets": tickets}
    for name in ("known_since", "agent", "answered"):
        del given[name]
    if written.agent is not None:
        answered = written.answered
        given["answered_by"] = written.agent
        given["answered_at"] = instant_before(answered, at=at, problems=problems) if answered else at
    if written.first_contact is None:
        given["first_contact"] = not is_known
    return CustomerFacts(**given)


def _tickets(node: Node | None, *, at: datetime, problems: list[Problem]) -> tuple[datetime, ...]:
    """`3`: so many of the last hour; `[2d, 5h, 2026-01-02]`: how long ago, or when. Newest first."""
    if node is None:
        return ()
    if isinstance(node.value, int) and not isinstance(node.value, bool) and 0 <= node.value <= _MAX_TICKETS:
        return tuple(at - timedelta(seconds=30 * (each + 1)) for each in range(node.value))
    if not node.is_list:
        hint = "like 2, or [3h, 2d, 2026-01-02T09:00Z]"
        problems.append(
            node.problem("wrong-type", f"'tickets' wants earlier tickets, got {said(node)}", hint)
        )
        return ()
    found = (instant_before(each, at=at, problems=problems) for each in node.value)
    return tuple(sorted(found, reverse=True))


def instant_before(node: Node, *, at: datetime, problems: list[Problem]) -> datetime:
    """`2d` before, an instant, or a date, whose midnight is UTC's."""
    seconds = seconds_from(str(node.value))
    if seconds is not None:
        return at - timedelta(seconds=seconds)
    try:
        return datetime.combine(date.fromisoformat(str(node.value)), time(), tzinfo=UTC)
    except ValueError:
        return read_instant(node, problems)
