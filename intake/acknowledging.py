"""Somebody says that they look at a ticket, or takes it: from the command line, by mail, by a notice's link, by phone.

Acknowledging stops what the notices of the ticket still have to say: their copies that wait in the outbox, the further
ways by which an agent would be told (intake.paging), and the next `unacknowledged` step. It never stops a clock, and without a public answer that step is due after all, as long again
after it. Whoever commits first has it, the step or the acknowledgement: both lock the ticket.

Saying it twice changes nothing. Nor does saying it when somebody else has, since the last notice and the customer's last
words: then the ticket is in good hands, and the answer says whose.
"""

from datetime import datetime, tzinfo
from typing import Any, Literal

import msgspec
from sqlalchemy import Text, bindparam, cast, exists, literal, or_, select

from intake import (
    assigning,
    clocks,
    desk,
    events,
    instants,
    looks,
    notice_text,
    paging,
    quiet,
    reactions,
    steps,
)
from intake.model import Context, Ticket
from intake.store import schema
from intake.store.engine import Tx
from intake.store.statements import Statement

How = Literal["command", "mail", "link", "text", "call"]

_t = schema.timers.c
_o = schema.outbox.c
# The copies of a notice: of each step that asks, of each that came because nobody had, and of the one that was read.
_STOP_COPIES = Statement(
    schema.outbox.update()
    .where(
        _o.ticket_id == bindparam("of_ticket"),
        _o.state == "queued",
        looks.is_escalation,
        or_(
            _o.cause == bindparam("read_cause"),
            exists(
                select(_t.id).where(
                    _t.ticket_id == bindparam("asked_ticket"),
                    or_(_t.is_reached.is_not(None), _t.kind == steps.ACK),
                    _o.cause == literal("timer:") + cast(_t.id, Text),
                )
            ),
        ),
    )
    .values(state="dropped", next_at=None)
)
_CAUSE = Statement(
    select(_o.cause).where(_o.id == bindparam("outbox_id"), _o.ticket_id == bindparam("ticket_id"))
)


class Said(msgspec.Struct, frozen=True, kw_only=True):
    """Where an agent says it. notice: the outbox id of the notice they read, None = they name none."""

    agent: str
    how: How = "command"
    notice: int | None = None


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What came of it. ticket: as it is now. is_done: false = it had been said, or the ticket is solved or closed.

    look: who looks at it now, None = nobody, because there is nothing left to look at. held_by: whose it was before.
    """

    ticket: Ticket
    is_done: bool
    look: looks.Look | None = None
    held_by: str | None = None


def acknowledge(tx: Tx, context: Context, typed_ref: str, said: Said) -> Outcome:
    """Say that somebody looks at it. Raises: DeskError."""
    return _acknowledge(tx, context, typed_ref, said, is_mine=False)


def take(tx: Tx, context: Context, typed_ref: str, said: Said) -> Outcome:
    """Say that somebody looks at it, and give it to them. Raises: DeskError, also when they may get no more."""
    seen = _acknowledge(tx, context, typed_ref, said, is_mine=True)
    before = seen.ticket
    if not before.is_open or before.agent == said.agent:
        return seen
    after = assigning.assign(tx, context, before.ref, said.agent, agent=said.agent)
    events.of_ticket(
        tx, after, "taken_over", actor=f"agent:{said.agent}", taken_from=seen.held_by, **_where(said)
    )
    return msgspec.structs.replace(seen, ticket=after, is_done=True)


def _acknowledge(tx: Tx, context: Context, typed_ref: str, said: Said, *, is_mine: bool) -> Outcome:
    """Say that somebody looks at it. is_mine: whoever else does, from now on it is the agent who says it."""
    desk.check_agent(context, said.agent)
    ticket = desk.find(tx, typed_ref)
    if not ticket.is_open:
        return Outcome(ticket=ticket, is_done=False, held_by=ticket.agent)
    look, asked = looks.standing(tx, ticket), steps.acknowledge(tx, ticket)
    is_known = look is not None and (look.agent == said.agent or not is_mine)
    if is_known and not asked:
        return Outcome(ticket=ticket, is_done=False, look=look, held_by=ticket.agent)
    after = _note(tx, context, ticket, said, asked)
    return Outcome(ticket=after, is_done=True, look=looks.Look(said.agent, tx.now), held_by=ticket.agent)


def sentence(outcome: Outcome, agent: str, *, now: datetime, zone: tzinfo | None = None) -> str:
    """Say what came of it, after the ticket's ref. zone: of whoever reads it, None = the machine's."""
    ticket, look = outcome.ticket, outcome.look
    if not ticket.is_open:
        return f"is {ticket.status}: there is nothing left to look at, and nothing was changed"
    if outcome.is_done and ticket.agent == agent and outcome.held_by != agent:
        before = f"; it was with {outcome.held_by}" if outcome.held_by else ""
        return f"is yours now{before}"
    if outcome.is_done or look is None:
        return "is acknowledged: you look at it, and no clock stops by that"
    since = notice_text.clock_time(instants.datetime_from_us(look.at), now=now, zone=zone)
    who = "you look" if look.agent == agent else f"{look.agent} looks"
    return f"was acknowledged before: {who} at it since {since}, and nothing was changed"


def to_json(outcome: Outcome) -> dict[str, Any]:
    """JSON values: ref, status, agent, done, looked_at {by, since}, taken_from."""
    look, ticket = outcome.look, outcome.ticket
    since = None if look is None else {"by": look.agent, "since": instants.rfc3339_from_us(look.at)}
    taken_from = outcome.held_by if outcome.held_by != ticket.agent else None
    return {
        "ref": ticket.ref,
        "status": ticket.status,
        "agent": ticket.agent,
        "done": outcome.is_done,
        "looked_at": since,
        "taken_from": taken_from,
    }


def _note(tx: Tx, context: Context, ticket: Ticket, said: Said, asked: tuple[str, ...]) -> Ticket:
    """Write down that somebody looks at it, with all that follows. asked: keys of the steps whose notices asked for it."""
    stopped = tx.run(
        _STOP_COPIES, of_ticket=ticket.id, asked_ticket=ticket.id, read_cause=_cause_of(tx, ticket, said)
    )
    paging.stop(tx, ticket)
    events.of_ticket(
        tx,
        ticket,
        "acknowledged",
        actor=f"agent:{said.agent}",
        stopped=stopped,
        steps=asked,
        **_where(said),
    )
    clocks.look_again(tx, ticket)
    cause = desk.cause_of(tx, said.agent)
    after = reactions.react(tx, context, ticket, "acknowledged", cause=cause).ticket
    quiet.follow(tx, context, after)
    return after


def _cause_of(tx: Tx, ticket: Ticket, said: Said) -> str:
    """Return the cause of the notice that was read: its copies share it; "" = none was named."""
    row = None if said.notice is None else tx.one(_CAUSE, outbox_id=said.notice, ticket_id=ticket.id)
    return "" if row is None else str(row[0])


def _where(said: Said) -> dict[str, str]:
    named = {} if said.notice is None else {"notice": str(said.notice)}
    return {"how": said.how, **named}
