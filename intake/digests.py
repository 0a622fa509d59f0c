"""Notices beyond what an agent can read come in one mail: a digest that names every ticket, and how late each is.

`limits.notices_per_minute` notices that rules, ladders and timers ask for go to one address in a minute, each in a mail
of its own. What is more is a row, and goes out a minute after the first of them in one digest, at most one a minute.
That counts as told: a step whose notice stands in a digest has reached somebody. Nothing else waits: breaches,
priorities and moves are made at once. Notices about mail that has come in are not held for that: they carry the customer's
words. Outside an agent's hours what can wait (intake.silent_hours) is held until those begin, and comes in one digest then;
one that goes out before, because of too many, tells it along.

Exactly once: a notice is a mail or a row, decided in the transaction of its cause. The rows of an address are counted,
and a digest is written in the transaction that notes up to which of them is told: that costs the same for ten and for
a hundred thousand.
"""

import msgspec
from sqlalchemy import BigInteger, and_, bindparam, case, cast, exists, func, or_, select

from channels.contract import Address
from intake import counters, digest_text, events, failpoints, outgoing
from intake.digest_text import Digest, Item
from intake.model import OPEN_STATUSES, Context, Ticket
from intake.outbound import Draft
from intake.store import schema
from intake.store.engine import Store, Tx
from intake.store.statements import Statement, upsert, values_of

KIND = "digest"
COUNTER = "agent_notices"
MINUTE_US = 60 * 1_000_000
LOOKED_AT_MAX = 1_000  # rows that are read for one digest; `intake digests show` shows all
_ASKED_FOR, _TIMERS = "notify:escalated:", "timer:"  # by a rule or a step; by any notice that a timer causes

_encode = msgspec.json.Encoder().encode
_OPEN = _encode(sorted(OPEN_STATUSES)).decode()

_b = schema.digest_boxes.c
_d = schema.digest_items.c
_e = schema.events.c
_g = schema.digests.c
_o = schema.outbox.c
_t = schema.tickets.c
_IS_MAIL = Statement(
    select(_o.id).where(_o.cause == bindparam("cause"), _o.action == bindparam("action")).limit(1)
)
_IS_HELD = Statement(
    select(_d.id).where(_d.cause == bindparam("cause"), _d.action == bindparam("action")).limit(1)
)
_HOLDS = Statement(select(_d.id).where(_d.cause == bindparam("cause")).limit(1))
_has_sooner = and_(_b.send_at.is_not(None), _b.send_at <= bindparam("send_at", type_=BigInteger()))
_COUNT = Statement(
    upsert(schema.digest_boxes)
    .values(
        address=bindparam("address"),
        agent=bindparam("agent"),
        held=1,
        send_at=bindparam("send_at"),
        is_quiet=bindparam("is_quiet"),
    )
    .on_conflict_do_update(
        index_elements=[_b.address],
        set_={
            "agent": bindparam("agent"),
            "held": _b.held + 1,
            "send_at": case((_has_sooner, _b.send_at), else_=bindparam("send_at", type_=BigInteger())),
            "is_quiet": case((_has_sooner, _b.is_quiet), else_=bindparam("is_quiet", type_=BigInteger())),
        },
    )
    .returning(_b.held, _b.send_at)
)
# Later than a minute from now, and not until somebody's hours begin: it was held before the clock was set back.
_is_mistimed = and_(_b.is_quiet == 0, _b.send_at > bindparam("latest", type_=BigInteger()))
_NEXT = Statement(
    select(func.min(case((_is_mistimed, bindparam("now", type_=BigInteger())), else_=_b.send_at))).where(
        _b.send_at.is_not(None)
    )
)
_UPCOMING = Statement(select(_b.address, _b.send_at).where(_b.send_at.is_not(None)))
_DUE = Statement(
    select(_b.address)
    .where(_b.send_at.is_not(None), or_(_b.send_at <= bindparam("now"), _is_mistimed))
    .order_by(_b.send_at, _b.address)
)
_BOX = Statement(select(_b.agent, _b.held, _b.told, _b.is_quiet).where(_b.address == bindparam("address")))
_TOLD = Statement(
    schema.digest_boxes.update()
    .where(_b.address == bindparam("of_address"))
    .values(
        told=bindparam("last"),
        send_at=case((_b.held > bindparam("last"), bindparam("later")), else_=None),
        is_quiet=0,
    )
)
# Somebody has acknowledged it or answered since, or it is done: nobody has to be told any more.
_is_settled = case(
    (
        or_(
            _t.status.not_in(values_of("open")),
            and_(_t.agent_replied_at.is_not(None), _t.agent_replied_at >= _d.held_at),
            exists(
                select(_e.id).where(
                    _e.ticket_id == _d.ticket_id, _e.kind == "acknowledged", _e.at >= _d.held_at
                )
            ),
        ),
        1,
    ),
    else_=0,
)
_ITEMS = Statement(
    select(_d.id, _d.rule, _d.due_at, _t.id, _t.ref, _t.subject, _t.priority, _is_settled)
    .select_from(schema.digest_items.join(schema.tickets, _t.id == _d.ticket_id))
    .where(_d.address == bindparam("address"), _d.place > bindparam("after"), _d.place <= bindparam("last"))
    .order_by(_d.place)
    .limit(bindparam("most"))
)
_DIGEST = Statement(
    select(_g.address, _g.told_after, _g.told_to).where(_g.id == cast(bindparam("id"), BigInteger()))
)
_DIGESTS = Statement(
    select(_g.id, _g.state, _g.address, _g.agent, _g.told_to - _g.told_after, _g.written_at).order_by(_g.id)
)
_BOXES = Statement(
    select(_b.address, _b.agent, _b.held - _b.told, _b.send_at)
    .where(_b.send_at.is_not(None))
    .order_by(_b.send_at)
)


class Held(msgspec.Struct, frozen=True):
    """A notice that goes into a digest. cause, action: as its outbox row would have; due_at: of its timer, None = none.

    quiet_until: when the reader's hours begin, microseconds UTC, None = they read it now.
    """

    cause: str
    action: str
    address: str
    agent: str
    rule: str
    due_at: int | None
    quiet_until: int | None = None


class Summary(msgspec.Struct, frozen=True):
    """A digest. id: None = it has not been written. at: when it was, or is to be, microseconds UTC."""

    id: int | None
    state: str
    address: str
    agent: str
    notices: int
    at: int


def takes(tx: Tx, context: Context, ticket: Ticket, held: Held) -> bool:
    """Keep a notice for the next digest of its address when that has had its mails of this minute; true when it is kept.

    So is one whose reader is not there, until they are.
    """
    if held.quiet_until is not None:
        return _takes_quietly(tx, ticket, held)
    if not held.action.startswith(_ASKED_FOR) and not held.cause.startswith(_TIMERS):
        return False
    address, most = held.address.lower(), context.limits.notices_per_minute
    if counters.take(tx, COUNTER, address, limit=most, window_us=MINUTE_US):
        return False
    if tx.one(_IS_MAIL, cause=held.cause, action=held.action) is not None:
        return False  # meant twice, as assignee and as lead, and told already
    if tx.one(_IS_HELD, cause=held.cause, action=held.action) is None:
        _hold(tx, ticket, held, address)
    return True


def _takes_quietly(tx: Tx, ticket: Ticket, held: Held) -> bool:
    named = {"cause": held.cause, "action": held.action}
    if tx.one(_IS_MAIL, **named) is not None:
        return False
    if tx.one(_IS_HELD, **named) is None:
        _hold(tx, ticket, held, held.address.lower())
    return True


def _hold(tx: Tx, ticket: Ticket, held: Held, address: str) -> None:
    is_quiet = held.quiet_until is not None
    send_at = held.quiet_until or tx.now + MINUTE_US
    row = tx.one(_COUNT, address=address, agent=held.agent, send_at=send_at, is_quiet=int(is_quiet))
    assert row is not None  # noqa: S101 - RETURNING of an upsert
    tx.insert(
        schema.digest_items,
        id=tx.new_id(),
        cause=held.cause,
        action=held.action,
        ticket_id=ticket.id,
        customer_id=ticket.customer_id,
        address=address,
        place=row[0],
        rule=held.rule,
        due_at=held.due_at,
        held_at=tx.now,
    )
    tx.signal("timers", row[1])


def holds(tx: Tx, cause: str) -> bool:
    """Whether a notice of this cause stands in a digest, or will."""
    return tx.one(_HOLDS, cause=cause) is not None


def next_due(tx: Tx) -> int | None:
    """Return when the next digest goes out, microseconds UTC; None = nothing waits for one."""
    row = tx.one(_NEXT, now=tx.now, latest=tx.now + MINUTE_US)
    return None if row is None or row[0] is None else int(row[0])


def upcoming(tx: Tx) -> list[tuple[str, int]]:
    """Return the addresses that a digest goes out to, and when each does, microseconds UTC."""
    return [(row[0], row[1]) for row in tx.all(_UPCOMING)]


async def run_due(store: Store, context: Context) -> int:
    """Write every digest that is due, each once; how many. Raises: StoreError."""
    due = await store.read(lambda tx: tx.all(_DUE, now=tx.now, latest=tx.now + MINUTE_US))
    for (address,) in due:
        await store.write(lambda tx, address=address: send(tx, context, address))  # type: ignore[misc]
        failpoints.reach("digests.after_commit")
    return len(due)


def send(tx: Tx, context: Context, address: str) -> int | None:
    """Write the digest of an address; its id, None = nobody has to be told any more, or nothing can carry it."""
    tx.lock("agent", f"digest:{address}")
    agent, held, told, is_quiet = tx.one(_BOX, address=address) or ("", 0, 0, 0)
    if held == told:
        return None
    items = _items(tx, address, told, held, most=LOOKED_AT_MAX)
    failpoints.reach("digests.in_transaction")
    outbox_id, state = None, "settled"
    if held - told > len(items) or not all(item.is_settled for item in items):
        outbox_id = _write(
            tx,
            context,
            Digest(address, agent, items, held - told, tx.now, is_quiet=bool(is_quiet)),
            cause=f"{told}:{held}",
        )
        state = "unsent" if outbox_id is None else "sent"
    tx.insert(
        schema.digests,
        id=outbox_id or tx.new_id(),
        address=address,
        agent=agent,
        state=state,
        told_after=told,
        told_to=held,
        written_at=tx.now,
    )
    tx.run(_TOLD, of_address=address, last=held, later=tx.now + MINUTE_US)
    return outbox_id


def _write(tx: Tx, context: Context, told: Digest, *, cause: str) -> int | None:
    """Write the mail's row, and the event that says so."""
    draft = Draft(
        cause=f"digest:{told.address}:{cause}",
        action="digest",
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
            outbox=str(outbox_id),
        )
    return outbox_id


def items_of(tx: Tx, digest_id: int) -> list[Item]:
    """Return all that a digest tells, in the order in which it was held; empty = there is no such digest."""
    row = tx.one(_DIGEST, id=digest_id)
    return [] if row is None else _items(tx, row[0], row[1], row[2], most=row[2] - row[1])


def _items(tx: Tx, address: str, after: int, last: int, *, most: int) -> list[Item]:
    rows = tx.all(_ITEMS, address=address, after=after, last=last, most=most, open=_OPEN)
    return [Item(*row) for row in rows]


def summaries(tx: Tx) -> list[Summary]:
    """Return every digest that was written, oldest first, and after them those that wait."""
    written = [Summary(*row) for row in tx.all(_DIGESTS)]
    return [*written, *(Summary(None, "held", *row) for row in tx.all(_BOXES))]
