"""Notices beyond what an agent can read come in one mail: a digest that names every ticket, and how late each is.

`limits.notices_per_minute` notices that rules, ladders and timers ask for go to one address in a minute, each in a mail
of its own. What is more is a row, and goes out a minute after the first of them in one digest, at most one a minute.
That counts as told: a step whose notice stands in a digest has reached somebody. Nothing else waits: breaches,
priorities and moves are made at once. Notices about mail that has come in are not held: they carry the customer's words.

Exactly once: a notice is a mail or a row, decided in the transaction of its cause, and a digest is written in the
transaction that marks its rows.
"""

import msgspec
from sqlalchemy import and_, bindparam, case, distinct, exists, func, or_, select

from channels.contract import Address
from intake import counters, digest_text, events, failpoints, outgoing
from intake.digest_text import Digest, Item
from intake.model import OPEN_STATUSES, Context, Ticket
from intake.outgoing import Draft
from intake.store import schema
from intake.store.engine import Store, Tx
from intake.store.statements import Statement, upsert, values_of

KIND = "digest"
COUNTER = "agent_notices"
MINUTE_US = 60 * 1_000_000
LOOKED_AT_MAX = 1_000  # rows that are read for one digest; all of them are marked
_ASKED_FOR, _TIMERS = "notify:escalated:", "timer:"  # by a rule or a step; by any notice that a timer causes

_encode = msgspec.json.Encoder().encode
_OPEN = _encode(sorted(OPEN_STATUSES)).decode()

_d = schema.digest_items.c
_t = schema.tickets.c
_w = schema.timers.c
_HOLD = Statement(
    upsert(schema.digest_items)
    .values(
        {
            name: bindparam(name)
            for name in (
                "id",
                "cause",
                "action",
                "ticket_id",
                "customer_id",
                "address",
                "agent",
                "rule",
                "due_at",
                "held_at",
                "send_at",
            )
        }
    )
    .on_conflict_do_nothing(index_elements=[_d.cause, _d.action])
)
_o = schema.outbox.c
_IS_MAIL = Statement(
    select(_o.id).where(_o.cause == bindparam("cause"), _o.action == bindparam("action")).limit(1)
)
_WAITING = Statement(
    select(func.min(_d.send_at)).where(_d.state == "held", _d.address == bindparam("address"))
)
_HOLDS = Statement(select(_d.id).where(_d.cause == bindparam("cause")).limit(1))
_NEXT = Statement(select(func.min(_d.send_at)).where(_d.state == "held"))
_DUE = Statement(
    select(_d.address, func.min(_d.send_at))
    # Later than a minute from now: it was held before the clock was set back.
    .where(_d.state == "held", or_(_d.send_at <= bindparam("now"), _d.send_at > bindparam("latest")))
    .group_by(_d.address)
    .order_by(func.min(_d.send_at), _d.address)
)
_UPCOMING = Statement(select(_d.address, func.min(_d.send_at)).where(_d.state == "held").group_by(_d.address))
# Somebody has acknowledged it or answered since, or it is done: nobody has to be told any more.
_is_settled = case(
    (
        or_(
            _t.status.not_in(values_of("open")),
            and_(_t.agent_replied_at.is_not(None), _t.agent_replied_at >= _d.held_at),
            exists(
                select(_w.id).where(
                    _w.ticket_id == _d.ticket_id,
                    _w.acknowledged_at.is_not(None),
                    _w.acknowledged_at >= _d.held_at,
                )
            ),
        ),
        1,
    ),
    else_=0,
)
_ITEM_COLUMNS = (_d.id, _d.agent, _d.rule, _d.due_at, _t.id, _t.ref, _t.subject, _t.priority, _is_settled)
_with_ticket = schema.digest_items.join(schema.tickets, _t.id == _d.ticket_id)
_HELD = Statement(
    select(*_ITEM_COLUMNS)
    .select_from(_with_ticket)
    .where(_d.state == "held", _d.address == bindparam("address"))
    .order_by(_d.id)
    .limit(bindparam("most"))
)
_SUMMARIES = Statement(
    select(
        _d.outbox_id,
        _d.state,
        _d.address,
        func.max(_d.agent),
        func.count(),
        func.count(distinct(_d.ticket_id)),
        func.max(_d.send_at),
    )
    .group_by(_d.outbox_id, _d.state, _d.address)
    .order_by(func.min(_d.id))
)
_OF_DIGEST = Statement(
    select(*_ITEM_COLUMNS)
    .select_from(_with_ticket)
    .where(_d.outbox_id == bindparam("outbox_id"))
    .order_by(_d.id)
)
_COUNT = Statement(
    select(func.count(), func.count(distinct(_d.ticket_id)), func.max(_d.id)).where(
        _d.state == "held", _d.address == bindparam("address")
    )
)
_MARK = Statement(
    schema.digest_items.update()
    .where(_d.state == "held", _d.address == bindparam("of_address"), _d.id <= bindparam("last"))
    .values(state=bindparam("new_state"), outbox_id=bindparam("digest"))
)


class Summary(msgspec.Struct, frozen=True):
    """A digest. id: its outbox row's, None = it has not been written. send_at: microseconds UTC."""

    id: int | None
    state: str
    address: str
    agent: str
    notices: int
    tickets: int
    send_at: int


class Held(msgspec.Struct, frozen=True):
    """A notice that goes into a digest. cause, action: as its outbox row would have; due_at: of its timer, None = none."""

    cause: str
    action: str
    address: str
    agent: str
    rule: str
    due_at: int | None


def takes(tx: Tx, context: Context, ticket: Ticket, held: Held) -> bool:
    """Keep a notice for the next digest of its address when that has had its mails of this minute; true when it is kept."""
    if not held.action.startswith(_ASKED_FOR) and not held.cause.startswith(_TIMERS):
        return False
    address, most = held.address.lower(), context.limits.notices_per_minute
    if counters.take(tx, COUNTER, address, limit=most, window_us=MINUTE_US):
        return False
    if tx.one(_IS_MAIL, cause=held.cause, action=held.action) is not None:
        return False  # meant twice, as assignee and as lead, and told already
    row = tx.one(_WAITING, address=address)
    send_at = tx.now + MINUTE_US if row is None or row[0] is None else int(row[0])
    tx.run(
        _HOLD,
        id=tx.new_id(),
        cause=held.cause,
        action=held.action,
        ticket_id=ticket.id,
        customer_id=ticket.customer_id,
        address=address,
        agent=held.agent,
        rule=held.rule,
        due_at=held.due_at,
        held_at=tx.now,
        send_at=send_at,
    )
    tx.signal("timers", send_at)
    return True


def holds(tx: Tx, cause: str) -> bool:
    """Whether a notice of this cause stands in a digest, or will."""
    return tx.one(_HOLDS, cause=cause) is not None


def next_due(tx: Tx) -> int | None:
    """Return when the next digest goes out, microseconds UTC; None = nothing waits for one."""
    row = tx.one(_NEXT)
    if row is None or row[0] is None:
        return None
    return int(row[0]) if row[0] <= tx.now + MINUTE_US else tx.now


def upcoming(tx: Tx) -> list[tuple[str, int]]:
    """Return the addresses that a digest goes out to, and when each does, microseconds UTC."""
    return [(row[0], row[1]) for row in tx.all(_UPCOMING)]


async def run_due(store: Store, context: Context) -> int:
    """Write every digest that is due, each once; how many. Raises: StoreError."""
    due = await store.read(lambda tx: tx.all(_DUE, now=tx.now, latest=tx.now + MINUTE_US))
    for address, _ in due:
        await store.write(lambda tx, address=address: send(tx, context, address))  # type: ignore[misc]
        failpoints.reach("digests.after_commit")
    return len(due)


def send(tx: Tx, context: Context, address: str) -> int | None:
    """Write the digest of an address; its outbox id, None = nobody has to be told any more, or nothing can carry it."""
    tx.lock("agent", f"digest:{address}")
    count, tickets, last = tx.one(_COUNT, address=address) or (0, 0, None)
    if not count:
        return None
    items = [Item(*row) for row in tx.all(_HELD, address=address, most=LOOKED_AT_MAX, open=_OPEN)]
    failpoints.reach("digests.in_transaction")
    state, outbox_id = "settled", None
    if count > len(items) or not all(item.is_settled for item in items):
        told = Digest(address, items, count=count, tickets=tickets, now_us=tx.now)
        outbox_id = _write(tx, context, told, cause=f"digest:{last}")
        state = "unsent" if outbox_id is None else "sent"
    tx.run(_MARK, of_address=address, last=last, new_state=state, digest=outbox_id)
    return outbox_id


def _write(tx: Tx, context: Context, told: Digest, *, cause: str) -> int | None:
    """Write the mail's row, and the event that says so."""
    draft = Draft(
        cause=cause,
        action=f"digest:{told.address}",
        to=Address(told.address, told.agent),
        subject=digest_text.subject(told),
        text="",
        author="system",
        automatic="auto-generated",
        is_public=False,
    )
    outbox_id = outgoing.send_apart(
        tx, context, draft, lambda number: digest_text.text(told, context, digest_id=number)
    )
    if outbox_id is not None:
        events.record(
            tx,
            "digest_sent",
            agent=told.agent,
            address=told.address,
            notices=told.count,
            tickets=told.tickets,
            outbox=str(outbox_id),
        )
    return outbox_id


def items_of(tx: Tx, outbox_id: int) -> list[Item]:
    """Return all that a digest tells, in the order in which it was asked for; empty = there is no such digest."""
    return [Item(*row) for row in tx.all(_OF_DIGEST, outbox_id=outbox_id, open=_OPEN)]


def summaries(tx: Tx) -> list[Summary]:
    """Return every digest that was written or waits, oldest first."""
    return [Summary(*row) for row in tx.all(_SUMMARIES)]
