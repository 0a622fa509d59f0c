"""What each event of a ticket does to its clocks: what starts, pauses, meets and breaks each target.

`after` is the whole story: it takes the clocks before an event and gives those after it, and whoever keeps clocks (rows,
or a ticket in memory) needs nothing else to move them.

first_response runs from created to a person's first public answer, is never paused and never starts again once met.
next_response runs, after the first answer, from the oldest unanswered customer message to a person's public answer or
solved. resolution runs from created to solved and is paused in the policy's statuses. update runs from each public
word of a person and stands still unless the ticket is open or on hold. promise is an agreed instant on the wall clock.
"""

from datetime import datetime

from routing.calendar import Calendar
from routing.clock import (
    begin_promise,
    breach,
    instant_at_used,
    left_s,
    measure,
    meet,
    pause,
    rearm,
    reopen,
    resume,
    retarget,
    start_target,
    stop,
    take_back,
    used_s,
)
from routing.clock_moves import FROM_THE_START, clocks_after
from routing.targets import (
    OPEN_STATUSES,
    PRIORITIES,
    TARGETS,
    Change,
    Clock,
    Clocks,
    Past,
    Policy,
    State,
    Target,
)

__all__ = [
    "OPEN_STATUSES", "PRIORITIES", "TARGETS", "Change", "Clock", "Clocks", "Past", "Policy", "State", "Target",
    "after", "begin_promise", "breach", "due", "fact", "instant", "instant_at_used", "left_s", "measure", "meet",
    "newly_breached", "pause", "rearm", "reopen", "resume", "retarget", "start", "start_target", "stop", "take_back",
    "used_s",
]  # fmt: skip


def after(policy: Policy, clocks: Clocks, change: Change, *, calendar: Calendar) -> Clocks:
    """The clocks after an event, in the order of TARGETS; equal to those before when nothing moved.

    First the event itself, then its change of status: an answer that also solves meets first_response.
    A clock that this found late is breached now: see `newly_breached`. Raises: NeverOpen; ValueError for an undelivered
    answer without `past` and `taken_back`.
    """
    moved = clocks_after(policy, {clock.target: clock for clock in clocks}, change, calendar=calendar)
    return tuple(moved[target] for target in TARGETS if target in moved)


def newly_breached(before: Clocks, now: Clocks) -> Clocks:
    """The clocks that an event found late before anybody had noted it: each is a breach to tell."""
    noted = {(clock.target, clock.run) for clock in before if clock.breached_at is not None}
    return tuple(
        clock for clock in now if clock.breached_at is not None and (clock.target, clock.run) not in noted
    )


def start(policy: Policy, *, priority: str, at: datetime, calendar: Calendar) -> Clocks:
    """The running clocks of a ticket created at an instant, first_response before resolution. Raises: NeverOpen."""
    return tuple(
        start_target(name, policy=policy, priority=priority, at=at, calendar=calendar)
        for name in FROM_THE_START
        if name in policy.targets
    )


def instant(clock: Clock) -> datetime | None:
    """When it is, or was, due; None = it is paused, idle, or was given up before it was late."""
    is_given_up = clock.state == "stopped" and clock.breached_at is None
    return None if is_given_up else clock.due_at


def due(clocks: Clocks) -> dict[str, datetime]:
    """Target -> due instant, of those that have one."""
    return {clock.target: clock.due_at for clock in clocks if clock.due_at is not None}


def fact(clock: Clock, *, is_warned: bool = False) -> str | None:
    """What rules see as `ticket.sla.TARGET`: breached for ever once it was late, else met, paused, warned or running.

    None = it does not count (stopped, or nobody waits yet). is_warned: a step before the breach has fired.
    """
    if clock.breached_at is not None:
        return "breached"
    if clock.state == "running":
        return "warned" if is_warned else "running"
    return clock.state if clock.state in ("paused", "met") else None
