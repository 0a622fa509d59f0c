"""Two tickets that turn out to be one: the messages of one go into the other, and whoever writes to either lands there.

The ticket merged stays, closed and empty, and its ref leads to the other one. What moved is kept in its event `merged`,
so that a merge can be taken back. Of the two the clocks of the older go on while its customer waits, and the more urgent
priority, so that nothing is due later than it was.
"""

from typing import Any

import msgspec
from sqlalchemy import BigInteger, bindparam, func, select

from intake import clocks, desk, events, merged_clocks, quiet, reactions, seating, tickets, whatsapp_nudges
from intake.desk import DeskError
from intake.model import Context, Ticket
from intake.reactions import Cause
from intake.store import schema
from intake.store.engine import Tx
from intake.store.statements import Statement, values_of
from routing.targets import PRIORITIES

MESSAGES_MAX = 2_000  # more would hold up everybody else for too long

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder().decode
_t, _m, _j, _o = schema.tickets.c, schema.messages.c, schema.journal.c, schema.outbox.c
_MESSAGES = Statement(select(_m.id).where(_m.ticket_id == bindparam("ticket_id")).limit(MESSAGES_MAX + 1))
_MOVE_MESSAGES = Statement(
    schema.messages.update()
    .where(_m.id.in_(values_of("ids", BigInteger())), _m.ticket_id == bindparam("from_ticket"))
    .values(ticket_id=bindparam("to_ticket"))
)
_MOVE_JOURNAL = Statement(
    schema.journal.update()
    .where(_j.ticket_id == bindparam("from_ticket"), _j.message_id.in_(values_of("ids", BigInteger())))
    .values(ticket_id=bindparam("to_ticket"))
)
_MOVE_OUTBOX = Statement(
    schema.outbox.update()
    .where(_o.ticket_id == bindparam("from_ticket"), _o.message_id.in_(values_of("ids", BigInteger())))
    .values(ticket_id=bindparam("to_ticket"))
)
_c = schema.calls.c
_MOVE_CALLS = Statement(
    schema.calls.update()
    .where(_c.ticket_id == bindparam("from_ticket"), _c.message_id.in_(values_of("ids", BigInteger())))
    .values(ticket_id=bindparam("to_ticket"))
)
_COUNT = Statement(
    schema.tickets.update()
    .where(_t.id == bindparam("at_id"))
    .values(
        messages=select(func.count())
        .select_from(schema.messages)
        .where(_m.ticket_id == bindparam("of_ticket"), _m.direction == "in", _m.automatic.is_(None))
        .scalar_subquery()
    )
)
_LEAVE = Statement(
    schema.participants.delete().where(
        schema.participants.c.ticket_id == bindparam("ticket_id"),
        schema.participants.c.kind == bindparam("kind"),
        schema.participants.c.value == bindparam("value"),
    )
)
_LAST_MERGE = Statement(
    select(schema.events.c.details)
    .where(schema.events.c.ticket_id == bindparam("ticket_id"), schema.events.c.kind == "merged")
    .order_by(schema.events.c.id.desc())
    .limit(1)
)


class Merge(msgspec.Struct, frozen=True):
    """What a merge did, kept to be undone. into: the id, as text, of the ticket that has the messages. messages: ids.

    participants: (kind, value) of those it did not have before. status: of the ticket that was merged. priority: the other
    one's before it became as urgent, None = it was.
    """

    into: str
    messages: tuple[str, ...]
    participants: tuple[tuple[str, str], ...]
    status: str
    clocks: merged_clocks.Kept
    priority: str | None = None


def merge(tx: Tx, context: Context, typed_ref: str, typed_into: str, *, agent: str) -> Ticket:
    """Move everything said in one ticket into another; the other, as it is then. Raises: DeskError."""
    source, into = (desk.find(tx, each, is_locked=False) for each in (typed_ref, typed_into))
    desk.check_agent(context, agent)
    return merge_locked(tx, context, both_locked(tx, source.id, into.id), agent=agent)


def merge_locked(tx: Tx, context: Context, both: tuple[Ticket, Ticket], *, agent: str) -> Ticket:
    """See merge. both: as `both_locked` gives them. Raises: DeskError."""
    source, into = both
    moved = [row[0] for row in tx.all(_MESSAGES, ticket_id=source.id)]
    _check(source, into, len(moved))
    actor = f"agent:{agent}"
    _move(tx, moved, source, into)
    new = _join_participants(tx, source, into)
    closed = tickets.stamp(tx, source, merged_into=into.id)
    tickets.change(
        tx, closed, actor=actor, status="closed"
    )  # first: its agent may need the room for the other
    cause = f"merge:{source.id}:{tx.new_id()}"
    after = _awaited(tx, context, source, into, actor, cause)
    is_raised = source.is_open and _rank(source) > _rank(into)
    if is_raised:
        after = tickets.change(tx, after, actor=actor, priority=source.priority)
    kept = merged_clocks.go_on(tx, source, into, after)
    if is_raised and not kept.is_exchanged:
        clocks.follow(tx, msgspec.structs.replace(after, priority=into.priority), after)
    before = into.priority if is_raised else None
    done = Merge(str(into.id), tuple(map(str, moved)), new, source.status, kept, before)
    events.of_ticket(tx, source, "merged", actor=actor, into=into.ref, undo=msgspec.to_builtins(done))
    events.of_ticket(tx, into, "took_in", actor=actor, ref=source.ref, messages=len(moved))
    whatsapp_nudges.look_again(tx, context, after)
    return _tell_rules(tx, context, into, after, Cause(name=cause))


def undo(tx: Tx, context: Context, typed_ref: str, *, agent: str) -> Ticket:
    """Take the last merge of a ticket back: its messages, people and clocks are its own again. Raises: DeskError."""
    desk.check_agent(context, agent)
    found = desk.find(tx, typed_ref, is_locked=False, is_followed=False)
    row = tx.one(_LAST_MERGE, ticket_id=found.id)
    if found.merged_into is None or row is None:
        raise DeskError(f"ticket {found.ref} is not merged into another")
    done = msgspec.convert(_decode(row[0])["undo"], Merge)
    source, into = both_locked(tx, found.id, int(done.into))
    if source.merged_into != into.id:
        raise DeskError(f"the merge of ticket {source.ref} was taken back already")
    if into.merged_into is not None:
        raise DeskError(f"ticket {into.ref} was merged itself meanwhile: take that back first")
    actor = f"agent:{agent}"
    _move(tx, [int(each) for each in done.messages], into, source)
    for kind, value in done.participants:
        tx.run(_LEAVE, ticket_id=into.id, kind=kind, value=value)
    parted = tickets.stamp(tx, source, merged_into=None)
    cause = f"unmerge:{source.id}:{tx.new_id()}"
    back = seating.set_status(tx, context, parted, done.status, actor=actor, cause=cause)
    back = tickets.stamp(tx, back, reopened=source.reopened)  # nobody has come back
    merged_clocks.go_back(tx, back, into, done.clocks)
    _calm(tx, into, back, done, actor)
    events.of_ticket(tx, back, "merge_undone", actor=actor, **{"from": into.ref})
    events.of_ticket(tx, into, "merge_undone", actor=actor, ref=back.ref)
    whatsapp_nudges.look_again(tx, context, back)
    quiet.follow(tx, context, back)
    return back


def both_locked(tx: Tx, first_id: int, second_id: int) -> tuple[Ticket, Ticket]:
    """Return both, locked in the order that never deadlocks."""
    locked = {each: tickets.locked(tx, each) for each in sorted((first_id, second_id), key=str)}
    return locked[first_id], locked[second_id]


def _check(source: Ticket, into: Ticket, messages: int) -> None:
    if source.id == into.id:
        raise DeskError(f"ticket {source.ref} cannot be merged into itself")
    for each in (source, into):
        if each.merged_into is not None:
            raise DeskError(f"ticket {each.ref} is merged into another already")
    if messages > MESSAGES_MAX:
        raise DeskError(
            f"ticket {source.ref} has more than {MESSAGES_MAX} messages: merge the other one into it"
        )


def _move(tx: Tx, messages: list[int], source: Ticket, into: Ticket) -> None:
    """Move messages with the journal rows that brought them, the outbox rows that they left by, the calls that they are of."""
    ids = _encode(messages).decode()
    for statement in (_MOVE_JOURNAL, _MOVE_OUTBOX, _MOVE_CALLS, _MOVE_MESSAGES):
        tx.run(statement, ids=ids, from_ticket=source.id, to_ticket=into.id)
    for each in (source, into):
        tx.run(_COUNT, at_id=each.id, of_ticket=each.id)


def _join_participants(tx: Tx, source: Ticket, into: Ticket) -> tuple[tuple[str, str], ...]:
    """Let everybody of one ticket take part in the other; those who did not yet."""
    known = tickets.participants(tx, into.id)
    new = [each for each in tickets.participants(tx, source.id) if each not in known]
    for each in new:
        tickets.add_participant(tx, into, each)
    return tuple((each.kind, each.value) for each in new)


def _awaited(tx: Tx, context: Context, source: Ticket, into: Ticket, actor: str, cause: str) -> Ticket:
    """Open the ticket where the other one's customer waits for an answer."""
    instants: dict[str, Any] = {
        name: max(filter(None, (getattr(source, name), getattr(into, name))), default=None)
        for name in ("customer_replied_at", "agent_replied_at")
    }
    after = tickets.stamp(tx, into, taken_at=into.taken_at or tx.now, **instants)
    written_at = max(each.customer_replied_at or each.created_at for each in (source, into))
    tx.update(schema.tickets, {"id": into.id}, written_at=written_at)
    if not source.is_open:
        return after
    if into.status not in ("new", "open"):
        after = seating.set_status(tx, context, after, "open", actor=actor, cause=cause)
    clocks.customer_wrote(tx, into, after, at=tx.now)
    return after


def _rank(ticket: Ticket) -> int:
    return PRIORITIES.index(ticket.priority)


def _calm(tx: Tx, into: Ticket, source: Ticket, done: Merge, actor: str) -> None:
    """Let the other ticket be as urgent as it was; one that got another priority meanwhile keeps that."""
    if done.priority is None or into.priority != source.priority:
        return
    now = tickets.load(tx, into.id) or into  # with its own policy again
    calm = tickets.change(tx, now, actor=actor, priority=done.priority)
    if not done.clocks.is_exchanged:
        clocks.follow(tx, now, calm)


def _tell_rules(tx: Tx, context: Context, before: Ticket, after: Ticket, cause: Cause) -> Ticket:
    changed = reactions.changed_by_hand(tx, context, before, after, cause=cause)
    told = reactions.react(tx, context, before, "merged", cause=cause, now=changed).ticket
    quiet.follow(tx, context, told)
    return told
