"""What the mails of a hand-over say: the notice of a ticket that nobody acknowledged, and the list of a shift."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from zoneinfo import ZoneInfo

import msgspec
from sqlalchemy import bindparam, select

from intake import instants, threads
from intake.model import OPEN_STATUSES, Context, Ticket
from intake.pages import Left, Page
from intake.store import schema
from intake.store.engine import Tx
from intake.store.statements import Statement, values_of
from routing.people import Team
from routing.schedule import Schedule

LISTED_MAX = 50
SUBJECT_MAX_CHARACTERS = 60

_encode = msgspec.json.Encoder().encode
_t = schema.tickets.c
_PROMISED = Statement(
    select(_t.ref, _t.subject, _t.agent, _t.promised_at)
    .where(
        _t.promised_at.is_not(None),
        _t.promised_at <= bindparam("until"),
        _t.status.in_(values_of("statuses")),
        _t.team.in_(values_of("teams")),
    )
    .order_by(_t.promised_at, _t.id)
    .limit(bindparam("most"))
)
_HELD = Statement(
    select(_t.id, _t.ref, _t.subject, _t.status, _t.priority)
    .where(
        _t.agent == bindparam("agent"),
        _t.solved_at.is_(None),
        _t.status.in_(values_of("statuses")),
        _t.team.in_(values_of("teams")),
        _t.level.in_(values_of("levels")),
    )
    .order_by(_t.id)
    .limit(bindparam("most"))
)
_OPEN = _encode(sorted(OPEN_STATUSES)).decode()


class Promised(msgspec.Struct, frozen=True):
    """An open ticket whose customer waits for a moment. at_us: microseconds UTC."""

    ref: str
    subject: str
    agent: str | None
    at_us: int


class Held(msgspec.Struct, frozen=True):
    """An open ticket that stays with who had the shift."""

    id: int
    ref: str
    subject: str
    status: str
    priority: str


class Listed(msgspec.Struct, frozen=True, kw_only=True):
    """A hand-over, for both. until: the next one, None = there is none. note: why the new one has it, "" = their turn."""

    schedule: Schedule
    before: str | None
    after: str | None
    at: datetime
    until: datetime | None
    is_late: bool
    note: str
    left: tuple[Left, ...]
    held: tuple[Held, ...]
    promises: tuple[Promised, ...]


def headline(ticket: Ticket, before: str | None, page: Page) -> str:
    """Say why the new one gets the notice."""
    whose = f"{before} was" if before else "nobody was"
    return (
        f"You are on call now, and nobody has acknowledged the notice about ticket {ticket.ref} "
        f"(rule {page.rule}): {whose} on call then."
    )


def words(tx: Tx, ticket: Ticket) -> str:
    """Return what the customer wrote last."""
    last = threads.load(tx, ticket.id).last_words
    return last.text if last is not None else ""


def promises(tx: Tx, context: Context, rota: Schedule, *, until: datetime | None) -> tuple[Promised, ...]:
    """Return the promises of the schedule's teams that fall due until the next hand-over, overdue ones too."""
    if until is None:
        return ()
    rows = tx.all(
        _PROMISED,
        until=instants.us_from_datetime(until),
        statuses=_OPEN,
        teams=_encode([team.name for team in _teams(context, rota)]).decode(),
        most=LISTED_MAX,
    )
    return tuple(Promised(*row) for row in rows)


def held(
    tx: Tx, context: Context, rota: Schedule, agent: str | None, left: Iterable[Left]
) -> tuple[Held, ...]:
    """Return the open tickets of the level that is on call which stay with an agent, and of which no notice was sent."""
    teams, told = _teams(context, rota), {each.ticket.id for each in left}
    levels = {level for team in teams for level, name in team.on_call.items() if name == rota.name}
    rows = tx.all(
        _HELD,
        agent=agent or "",
        statuses=_OPEN,
        teams=_encode([team.name for team in teams]).decode(),
        levels=_encode(sorted(levels)).decode(),
        most=LISTED_MAX,
    )
    return tuple(found for row in rows if (found := Held(*row)).id not in told)


def _teams(context: Context, rota: Schedule) -> list[Team]:
    return [team for team in context.rulebook.teams.values() if rota.name in team.on_call.values()]


def subject(listed: Listed) -> str:
    late = "Late: " if listed.is_late else ""
    return f"{late}{listed.schedule.name} goes from {listed.before or 'nobody'} to {listed.after or 'nobody'}"


def text(listed: Listed, *, zone: ZoneInfo) -> str:
    """Write the list for somebody of a zone."""
    waiting = [each for each in listed.left if each.is_waiting]
    seen = [each for each in listed.left if each.ticket.is_open and not each.is_waiting]
    done = [each for each in listed.left if not each.ticket.is_open]
    handed = f": {listed.after} got a notice of each" if listed.after else ""
    parts = [
        _head(listed, zone),
        _section(f"Nobody has acknowledged{handed}", (_lines(each, zone) for each in waiting)),
        _section("Acknowledged or answered, and still open", (_lines(each, zone) for each in seen)),
        _section(f"Open, and still with {listed.before}", (_held(each) for each in listed.held)),
        _section("Done meanwhile", (_lines(each, zone) for each in done)),
        _section(_due_until(listed, zone), (_promise(each, zone) for each in listed.promises)),
    ]
    if not (listed.left or listed.held or listed.promises):
        parts.append(["", "Nothing is left open, and no promise falls due."])
    return "\n".join([*(line for part in parts for line in part), ""])


def local(at: datetime | int, zone: ZoneInfo) -> str:
    """Write an instant (aware, or microseconds UTC) on a person's clock: "Mon 2026-11-02 09:00 CET"."""
    moment = instants.datetime_from_us(at) if isinstance(at, int) else at
    return f"{moment.astimezone(zone):%a %Y-%m-%d %H:%M %Z}"


def _head(listed: Listed, zone: ZoneInfo) -> list[str]:
    note = f" ({listed.note})" if listed.note else ""
    until = f" until {local(listed.until, zone)}" if listed.until else ""
    at = local(listed.at, zone)
    lines = [
        f"Schedule  {listed.schedule.name}",
        f"Until     {at}: {listed.before or 'nobody'}",
        f"From then {listed.after or 'nobody'}{note}{until}",
    ]
    if listed.is_late:
        lines += ["", f"This comes late: nothing was running at {at}."]
    return lines


def _section(title: str, entries: Iterable[Iterable[str]]) -> list[str]:
    found = list(entries)
    if not found:
        return []
    more = len(found) - LISTED_MAX
    lines = [line for entry in found[:LISTED_MAX] for line in entry]
    return ["", f"{title} ({len(found)}):", "", *lines, *([f"  and {more} more"] if more > 0 else [])]


def _due_until(listed: Listed, zone: ZoneInfo) -> str:
    until = f" until {local(listed.until, zone)}" if listed.until else ""
    return f"Promises to customers that fall due{until}"


def _lines(left: Left, zone: ZoneInfo) -> Iterator[str]:
    ticket = left.ticket
    whose = f"with {ticket.agent}" if ticket.agent else "with nobody"
    yield f"  {ticket.ref}  {ticket.priority}, {ticket.status}, {whose}  {_cut(ticket.subject)}"
    for page in left.pages:
        yield f"           {local(page.sent_at, zone)}  {page.rule}, with {page.agent or 'nobody'} on call"
    if left.look is not None:
        yield f"           {local(left.look.at, zone)}  {left.look.agent} looks at it"


def _held(held: Held) -> Iterator[str]:
    yield f"  {held.ref}  {held.priority}, {held.status}  {_cut(held.subject)}"


def _promise(promised: Promised, zone: ZoneInfo) -> Iterator[str]:
    yield f"  {promised.ref}  {local(promised.at_us, zone)}, {promised.agent or 'nobody'}  {_cut(promised.subject)}"


def _cut(said: str) -> str:
    return said if len(said) <= SUBJECT_MAX_CHARACTERS else said[: SUBJECT_MAX_CHARACTERS - 1] + "…"
