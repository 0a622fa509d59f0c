"""An agent passes a notice on: they acknowledge nothing, and somebody else is told at once.

Who: whom the ladder names next, by its `unacknowledged` step, which is due now. Where nothing follows, or it would tell
the same agent again, the same notice goes to the next of those who share the hours on call, else to somebody of a higher
level of the ticket's team; who is on duty comes first. Where nobody else can be told it stays with the agent, who hears
so: their further ways go on, and it is loud.
"""

from collections.abc import Iterator
from typing import Literal

import msgspec
from sqlalchemy import bindparam, or_, select

from intake import (
    agents,
    armaments,
    clocks,
    events,
    looks,
    notices,
    outbound,
    reaching,
    steps,
    summonses,
)
from intake.model import Context, Ticket
from intake.store import schema
from intake.store.engine import Tx
from intake.store.statements import Statement
from intake.summonses import Summons
from routing import duty, ladder
from routing.people import Team

Passed = Literal["passed", "nobody", "nothing"]
PASSED: Passed = "passed"
NOBODY: Passed = "nobody"  # there is nobody else to tell: it stays where it is
NOTHING: Passed = "nothing"  # it is done, somebody looks at it, or they have passed it on before

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
_STEP = Statement(select(_t.step).where(_t.id == bindparam("timer_id")))
_o = schema.outbox.c
_TOLD = Statement(
    select(_o.recipient).where(
        _o.cause == bindparam("cause"),
        _o.action > bindparam("first"),
        _o.action < bindparam("last"),
        outbound.STANDS,
    )
)


def pass_on(tx: Tx, context: Context, ticket: Ticket, summons: Summons, *, how: str) -> Passed:
    """Do so, and say what came of it."""
    if not ticket.is_open or summons.state in ("passed_on", "acknowledged") or looks.standing(tx, ticket):
        return NOTHING
    is_followed = _follow(tx, context, ticket, summons)
    other = None if is_followed else _tell_somebody_else(tx, context, ticket, summons)
    told = {"actor": f"agent:{summons.agent}", "how": how, "cause": summons.cause}
    if not is_followed and other is None and not _is_somebody_told(tx, context, summons):
        events.of_ticket(tx, ticket, summonses.KEPT, reason="there is nobody else to tell", **told)
        tx.signal("told", [("page_not_passed_on", {"ticket": ticket.ref, "agent": summons.agent})])
        return NOBODY
    summonses.close(tx, summons, "passed_on")
    summonses.mark_passed_on(tx, summons)
    summonses.drop_tries(tx, summons)
    events.of_ticket(tx, ticket, "passed_on", to=other, by_ladder=is_followed, **told)
    return PASSED


# -- by the ladder ----------------------------------------------------------------------------------------------------


def _follow(tx: Tx, context: Context, ticket: Ticket, summons: Summons) -> bool:
    """Make the step that follows the notice due now; false when none does, or it tells nobody else."""
    timer_id = summons.cause.removeprefix("timer:")
    if timer_id == summons.cause or not timer_id.isdecimal():
        return False
    if not _tells_another(tx, context, ticket, summons, int(timer_id)):
        return False
    if not tx.run(_PASSED, timer_id=int(timer_id), of_ticket=ticket.id):
        return False
    clocks.look_again(tx, ticket)
    return tx.one(_FOLLOWS_NOW, ticket_id=ticket.id, now=tx.now) is not None


def _tells_another(tx: Tx, context: Context, ticket: Ticket, summons: Summons, timer_id: int) -> bool:
    """Whether the step that follows a notice reaches somebody else; one that notifies nobody does what it does."""
    row = tx.one(_STEP, timer_id=timer_id)
    key = ladder.parsed_key(row[0]) if row is not None else None
    steps_of = armaments.load(tx, ticket.armament).ladder if ticket.armament is not None else None
    after = ladder.follower(steps_of, key.step) if key is not None and steps_of is not None else None
    if steps_of is None or after is None:
        return False
    step = steps_of.steps[after]
    reaches = (reaching.reached(tx, context, ticket, each, by=step.by) for each in step.notify)
    named = {(person.name, *person.where.values()) for reach in reaches for person in reach.people}
    return not step.notify or any(each[0] != summons.agent for each in named)


# -- by hand ----------------------------------------------------------------------------------------------------------


def _tell_somebody_else(tx: Tx, context: Context, ticket: Ticket, summons: Summons) -> str | None:
    """Tell the first who is there, has not been told of it and can be told; None = there is nobody."""
    notice = msgspec.structs.replace(
        summons.notice,
        headline=f"{summons.agent} has passed on ticket {ticket.ref}: please look at it.",
        told=None,
        by=summons.notice.by or reaching.URGENT,
    )
    for name in _others(tx, context, ticket, summons):
        reach = reaching.reached(tx, context, ticket, name, by=notice.by)
        if reach.people and notices.send(tx, context, ticket, name, notice):
            return name
    return None


def _others(tx: Tx, context: Context, ticket: Ticket, summons: Summons) -> list[str]:
    """Return who may be told, each once: who is on duty first."""
    team = context.rulebook.teams.get(ticket.team or "")
    if team is None:
        return []
    told, loads = summonses.told_of(tx, summons.cause), agents.loads(tx)
    people = agents.people(tx, context, loads=loads)
    named = (each for each in _in_turn(team, ticket, summons.agent) if each in people.agents)
    found = [each for each in dict.fromkeys(named) if each not in told and not people.load(each).away]
    return sorted(found, key=lambda each: not duty.is_on_duty(each, people, teams=(team,)))


def _in_turn(team: Team, ticket: Ticket, agent: str) -> Iterator[str]:
    """Give the others on call in turn, then whoever stands above the ticket's level, from the front line up."""
    for level in team.on_call:
        names = team.levels[level]
        start = names.index(agent) + 1 if agent in names else 0
        yield from (*names[start:], *names[:start])
    levels = list(team.levels)
    above = levels.index(ticket.level) + 1 if ticket.level in levels else 0
    for level in levels[above:]:
        yield from team.levels[level]


def _is_somebody_told(tx: Tx, context: Context, summons: Summons) -> bool:
    """Whether somebody else was told of the same notice and has not passed it on: way after way, or by a single mail."""
    told = summonses.told_of(tx, summons.cause)
    if any(state in ("open", "acknowledged") for name, state in told.items() if name != summons.agent):
        return True
    theirs = [each for each in context.rulebook.agents.values() if each.name in told]
    known = {where for each in theirs for where in (each.email, each.phone)}
    rows = tx.all(_TOLD, cause=summons.cause, first="notify:", last="notify;")
    return any(row[0] not in known for row in rows)
