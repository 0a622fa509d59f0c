"""Hours of a schedule change hands: an agent takes them, two swap them, and what was changed is given back.

Each is rows and an event in one transaction, under the schedule's lock, and counts at once. Hours that the desk has
changed are changed again only by who says whose they are (`instead_of`), or after they were given back: of two who
reach for the same hours at the same moment one gets them, and the other is told whose they are now.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

import msgspec

from intake import events, instants, oncall, oncall_letters, turns
from intake.desk import DeskError, check_agent
from intake.model import Context
from intake.oncall import Change
from intake.store import schema
from intake.store.engine import Tx
from routing import schedule as schedules_of
from routing.problems import did_you_mean
from routing.schedule import Schedule, Shift

LONGEST = timedelta(days=366)
LOOKED_AHEAD = timedelta(days=366)
NAMED_MAX = 5


class Changed(msgspec.Struct, frozen=True):
    """What a take, a swap or a release did: the hours that changed hands, in order. late: some of them are over."""

    schedule: Schedule
    pieces: tuple[Change, ...]


def take(
    tx: Tx,
    context: Context,
    name: str,
    *,
    agent: str,
    start: datetime | None = None,
    end: datetime | None = None,
    instead_of: str | None = None,
) -> Changed:
    """Give hours to an agent. start: None = now; end: None = until the next hand-over.

    instead_of: whose hours they must be, so that even hours that the desk has changed may be taken. Raises: DeskError.
    """
    rota = _locked(tx, context, name, agent)
    first = max(start, _now(tx)) if start else _now(tx)
    last = end or schedules_of.next_handover(rota, first)
    if last is None:
        raise DeskError(f"nobody hands '{name}' over after {rota.said(first)}: say until when")
    _check_span(rota, first, last)
    found = [each for each in schedules_of.hours(rota, first, last) if each.duty.agent != agent]
    if not found:
        raise DeskError(f"{agent} is on call for '{name}' then already")
    _check_free(tx, rota, found, instead_of)
    pieces = _write(tx, name, [(each, agent) for each in found], kind="taken", by=agent)
    _tell(tx, context, rota, pieces, "oncall_taken", by=agent)
    return Changed(rota, pieces)


def swap(
    tx: Tx,
    context: Context,
    name: str,
    *,
    agent: str,
    other: str,
    start: datetime | None = None,
    end: datetime | None = None,
) -> Changed:
    """Exchange what two agents have between two instants: where the one is on call the other is.

    Without an end: the first turn of each from start on (None = now), a turn that runs from then. Raises: DeskError.
    """
    check_agent(context, other)
    rota = _locked(tx, context, name, agent)
    if agent == other:
        raise DeskError(f"{agent} cannot swap with {agent}: name a colleague")
    first = max(start, _now(tx)) if start else _now(tx)
    if end is None:
        found = [*_first_turn(rota, agent, first), *_first_turn(rota, other, first)]
        found.sort(key=lambda piece: piece.start)
    else:
        _check_span(rota, first, end)
        found = [each for each in schedules_of.hours(rota, first, end) if each.duty.agent in (agent, other)]
    if not found:
        until = f"until {rota.said(end)}" if end else "in the year ahead"
        raise DeskError(
            f"neither {agent} nor {other} is on call for '{name}' from {rota.said(first)} {until}"
        )
    _check_free(tx, rota, found, None)
    partner = {agent: other, other: agent}
    pieces = _write(
        tx, name, [(each, partner[each.duty.agent or ""]) for each in found], kind="swapped", by=agent
    )
    _tell(tx, context, rota, pieces, "oncall_swapped", by=agent)
    return Changed(rota, pieces)


def release(
    tx: Tx,
    context: Context,
    name: str,
    *,
    agent: str,
    start: datetime | None = None,
    is_every: bool = False,
) -> Changed:
    """Give hours back that an agent took or swapped, also those of the partner of a swap; what is over stays.

    start: when the hours begin, where there are several; is_every: all of them. Raises: DeskError.
    """
    before = _locked(tx, context, name, agent)
    own = [each for each in oncall.changes(tx) if each.schedule == name and not each.is_void]
    mine = {each.change_id for each in own if agent in (each.agent, each.made_by, _partner(each))}
    groups = {number: [each for each in own if each.change_id == number] for number in sorted(mine)}
    if start is not None:
        begins = before.said(start)  # to the minute, as it is shown
        groups = {
            number: each
            for number, each in groups.items()
            if any(before.said(_at(one.start_at)) == begins for one in each)
        }
    if not groups:
        when = f" that begin {before.said(start)}" if start else ""
        raise DeskError(f"{agent} has taken or swapped no hours of '{name}'{when} that are not over")
    if len(groups) > 1 and not is_every:
        begins = ", ".join(before.said(_at(each[0].start_at)) for each in list(groups.values())[:NAMED_MAX])
        raise DeskError(f"{agent} has several hours of '{name}': say which with --from ({begins}), or --all")
    pieces = tuple(each for group in groups.values() for each in group)
    for each in pieces:
        tx.update(
            schema.oncall_changes,
            {"id": each.id},
            end_at=max(each.start_at, tx.now),
            released_at=tx.now,
            released_by=agent,
        )
    given_back = tuple(msgspec.structs.replace(each, start_at=max(each.start_at, tx.now)) for each in pieces)
    _tell(tx, context, before, given_back, "oncall_released", by=agent)
    return Changed(before, given_back)


def _partner(change: Change) -> str | None:
    """Return the other one of a swap."""
    return change.instead_of if change.kind == "swapped" else None


def _locked(tx: Tx, context: Context, name: str, agent: str) -> Schedule:
    """Return the schedule in force as nobody else can change it until the end of the transaction. Raises: DeskError."""
    check_agent(context, agent)
    known = context.rulebook.schedules
    if name not in known:
        hint = did_you_mean(name, known)
        raise DeskError(f"there is no schedule '{name}' in the rules{f': {hint}' if hint else ''}")
    tx.lock("schedule", name)
    return oncall.schedules(tx, context)[name]


def _check_span(rota: Schedule, start: datetime, end: datetime) -> None:
    if end <= start:
        raise DeskError(f"the hours end ({rota.said(end)}) before they begin ({rota.said(start)})")
    if end - start > LONGEST:
        raise DeskError(f"hours change hands for {LONGEST.days} days at most: write a layer into the rules")


def _check_free(tx: Tx, rota: Schedule, pieces: Sequence[Shift], instead_of: str | None) -> None:
    """Refuse hours that the desk has changed already, or that are not whose they are said to be. Raises: DeskError."""
    if instead_of is not None:
        wrong = next((each for each in pieces if each.duty.agent != instead_of), None)
        if wrong is not None:
            has = wrong.duty.agent or "nobody"
            raise DeskError(
                f"{has} is on call for '{rota.name}' from {rota.said(wrong.start)}, not {instead_of}"
            )
        return
    for each in pieces:
        held = next((one for one in reversed(oncall.changes(tx)) if _covers(one, rota.name, each)), None)
        if held is not None:
            raise DeskError(_taken_already(rota, held))


def _covers(change: Change, name: str, piece: Shift) -> bool:
    assert piece.end is not None  # noqa: S101 - the hours between two instants end
    first, last = instants.us_from_datetime(piece.start), instants.us_from_datetime(piece.end)
    return change.schedule == name and change.overlaps(first, last)


def _taken_already(rota: Schedule, held: Change) -> str:
    until, begin = rota.said(_at(held.end_at)), rota.said(_at(held.start_at))
    how = "taken" if held.kind == "taken" else f"swapped with {held.instead_of}"
    return (
        f"{held.agent} has '{rota.name}' from {begin} until {until} already ({how}): "
        f"have it released first, or take it with --instead-of {held.agent}"
    )


def _first_turn(rota: Schedule, agent: str, after: datetime) -> Iterable[Shift]:
    """Return the pieces of the first turn of an agent that is not over."""
    for turn in schedules_of.turns(rota, after, after + LOOKED_AHEAD):
        if turn.duty.agent == agent and turn.end is not None:
            return list(schedules_of.hours(rota, turn.start, turn.end))
    return []


def _write(
    tx: Tx, name: str, given: Sequence[tuple[Shift, str]], *, kind: str, by: str
) -> tuple[Change, ...]:
    change_id = tx.new_id()
    made = []
    for piece, agent in given:
        assert piece.end is not None  # noqa: S101 - the hours between two instants end
        end_at = instants.us_from_datetime(piece.end)
        change = Change(
            id=tx.new_id(),
            change_id=change_id,
            schedule=name,
            start_at=instants.us_from_datetime(piece.start),
            end_at=end_at,
            until_at=end_at,
            agent=agent,
            instead_of=piece.duty.agent,
            kind=kind,
            made_by=by,
            made_at=tx.now,
        )
        tx.insert(schema.oncall_changes, **msgspec.structs.asdict(change))
        made.append(change)
    return tuple(made)


def _tell(tx: Tx, context: Context, rota: Schedule, pieces: Sequence[Change], kind: str, *, by: str) -> None:
    """Write the event, tell everybody whose hours they were or are but who did it, and have the hand-over looked at."""
    told = [
        {
            "agent": each.agent,
            "instead_of": each.instead_of,
            "from": instants.rfc3339_from_us(each.start_at),
            "until": instants.rfc3339_from_us(each.until_at),
        }
        for each in pieces
    ]
    events.record(tx, kind, actor=f"agent:{by}", schedule=rota.name, hours=told)
    for name in dict.fromkeys(who for each in pieces for who in (each.agent, each.instead_of)):
        if name is not None and name != by:
            oncall_letters.changed(tx, context, rota, name, pieces, kind=kind, by=by)
    turns.look_again(tx, rota.name)


def _now(tx: Tx) -> datetime:
    return instants.datetime_from_us(tx.now)


def _at(at_us: int) -> datetime:
    return instants.datetime_from_us(at_us)
