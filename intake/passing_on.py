"""An agent passes a notice on: they acknowledge nothing, and somebody else is told at once.

Who: whom the ladder names next, by its `unacknowledged` step, which is due now. Where nothing follows, the same notice
goes to the next of those who share the hours on call, else to somebody of a higher level of the ticket's team.
"""

from collections.abc import Iterator

import msgspec
from sqlalchemy import bindparam, or_, select

from intake import agents, clocks, events, looks, notices, reaching, steps, summonses
from intake.model import Context, Ticket
from intake.store import schema
from intake.store.engine import Tx
from intake.store.statements import Statement
from intake.summonses import Summons

_t = schema.timers.c
_PASSED = Statement(
    schema.timers.update()
    .where(
        _t.id == bindparam("timer_id"),
        _t.ticket_id == bindparam("of_ticket"),
        _t.is_reached < steps.OVER,
        _t.acknowledged_at.is_(None),
    )
    .values(is_reached=steps.NOBODY)
)
_FOLLOWS_NOW = Statement(
    select(_t.id)
    .where(
        _t.ticket_id == bindparam("ticket_id"),
        _t.kind == steps.ACK,
        or_(_t.state == "pending", _t.state == "failing"),
        _t.due_at <= bindparam("now"),
    )
    .limit(1)
)


def pass_on(tx: Tx, context: Context, ticket: Ticket, summons: Summons, *, how: str) -> bool:
    """Do so; false when there is nothing to pass on: it is done, somebody looks at it, or they have passed it on before."""
    if not ticket.is_open or summons.state in ("passed_on", "acknowledged") or looks.standing(tx, ticket):
        return False
    summonses.close(tx, summons, "passed_on")
    summonses.mark_passed_on(tx, summons)
    summonses.drop_tries(tx, summons)
    is_followed = _follow(tx, ticket, summons)
    other = None if is_followed else _somebody_else(tx, context, ticket, summons)
    events.of_ticket(
        tx,
        ticket,
        "passed_on",
        actor=f"agent:{summons.agent}",
        how=how,
        cause=summons.cause,
        to=other,
        by_ladder=is_followed,
    )
    if other is not None:
        _tell(tx, context, ticket, summons, other)
    return True


def _follow(tx: Tx, ticket: Ticket, summons: Summons) -> bool:
    """Make the step that follows the notice due now; false when none does."""
    timer_id = summons.cause.removeprefix("timer:")
    is_timers = timer_id != summons.cause and timer_id.isdecimal()
    if not is_timers or not tx.run(_PASSED, timer_id=int(timer_id), of_ticket=ticket.id):
        return False
    clocks.look_again(tx, ticket)
    return tx.one(_FOLLOWS_NOW, ticket_id=ticket.id, now=tx.now) is not None


def _somebody_else(tx: Tx, context: Context, ticket: Ticket, summons: Summons) -> str | None:
    """Return who is told instead: the first who is there and has not been told of it; None = there is nobody."""
    told, loads = summonses.told_of(tx, summons.cause), agents.loads(tx)
    for name in _others(context, ticket, summons.agent):
        if name not in told and name in context.rulebook.agents and not (name in loads and loads[name].away):
            return name
    return None


def _others(context: Context, ticket: Ticket, agent: str) -> Iterator[str]:
    """Give the others on call in turn, then whoever stands above the ticket's level, from the front line up."""
    team = context.rulebook.teams.get(ticket.team or "")
    if team is None:
        return
    for level in team.on_call:
        names = team.levels[level]
        start = names.index(agent) + 1 if agent in names else 0
        yield from (*names[start:], *names[:start])
    levels = list(team.levels)
    above = levels.index(ticket.level) + 1 if ticket.level in levels else 0
    for level in levels[above:]:
        yield from team.levels[level]


def _tell(tx: Tx, context: Context, ticket: Ticket, summons: Summons, other: str) -> None:
    notice = msgspec.structs.replace(
        summons.notice,
        headline=f"{summons.agent} has passed on ticket {ticket.ref}: please look at it.",
        told=None,
        by=summons.notice.by or reaching.URGENT,
    )
    notices.send(tx, context, ticket, other, notice)
