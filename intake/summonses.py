"""Summonses as rows: an agent who is told of a notice way after way, how far that is, and how it ended.

open -> acknowledged | passed_on | done (answered meanwhile) | failed (none of the ways could be gone)
"""

import msgspec
from sqlalchemy import bindparam, or_, select

from channels.contract import OutboundMessage
from intake.model import Ticket
from intake.notice_page import Notice
from intake.store import schema
from intake.store.engine import Row, Tx
from intake.store.statements import Statement, upsert

TEST = "test"  # the kind of one that only shows that it reaches them
TIMER = "way"  # the kind of the timer that goes the next way
KEPT = "not_passed_on"  # the event: its agent has tried to pass it on, and there was nobody else
KEY = "summons"  # in OutboundMessage.extra: the id of the summons that a try is of

_encode = msgspec.json.Encoder().encode
_decode_notice = msgspec.json.Decoder(Notice).decode
_decode_outbound = msgspec.json.Decoder(OutboundMessage).decode
_decode_ways = msgspec.json.Decoder(tuple[str, ...]).decode

_s = schema.summonses.c
_t = schema.timers.c
_o = schema.outbox.c
_COLUMNS = (
    _s.id, _s.cause, _s.kind, _s.agent, _s.ticket_id, _s.ways, _s.place, _s.outbox_id, _s.state, _s.notice,
    _s.created_at,
)  # fmt: skip
_BEGIN = Statement(
    upsert(schema.summonses)
    .values(
        {
            name: bindparam(name)
            for name in (
                "id",
                "cause",
                "kind",
                "agent",
                "ticket_id",
                "customer_id",
                "ways",
                "notice",
                "created_at",
            )
        }
    )
    .on_conflict_do_nothing(index_elements=[_s.cause, _s.kind, _s.agent])
)
_BY_ID = Statement(select(*_COLUMNS).where(_s.id == bindparam("id")))
_BY_TRY = Statement(select(*_COLUMNS).where(_s.outbox_id == bindparam("outbox_id")))
_OPEN = Statement(
    select(*_COLUMNS).where(_s.ticket_id == bindparam("ticket_id"), _s.state == "open").order_by(_s.id)
)
_OF_CAUSE = Statement(select(_s.agent, _s.state).where(_s.cause == bindparam("cause")).order_by(_s.id))
_NEWEST = Statement(
    select(*_COLUMNS)
    .where(_s.agent == bindparam("agent"), _s.created_at >= bindparam("since"))
    .order_by(_s.id.desc())
    .limit(bindparam("most"))
)
_CLOSE = Statement(
    schema.summonses.update()
    .where(_s.id == bindparam("summons_id"), _s.state == "open")
    .values(state=bindparam("to"), ended_at=bindparam("now"))
)
_CANCEL = Statement(
    schema.timers.update()
    .where(
        _t.ticket_id == bindparam("of_ticket"),
        _t.policy == bindparam("of_policy"),
        or_(_t.state == "pending", _t.state == "failing"),
    )
    .values(state="cancelled")
)
_DROP = Statement(
    schema.outbox.update()
    .where(_o.id == bindparam("outbox_id"), _o.state == "queued")
    .values(state="dropped", next_at=None)
)
_WAITING = Statement(
    select(_o.id, _o.payload).where(_o.cause == bindparam("cause"), _o.state == "queued").order_by(_o.id)
)
_PAYLOAD = Statement(select(_o.payload).where(_o.id == bindparam("outbox_id")))
_e = schema.events.c
_KEPT = Statement(
    select(_e.details).where(
        _e.ticket_id == bindparam("ticket_id"), _e.kind == KEPT, _e.actor == bindparam("actor")
    )
)


class Summons(msgspec.Struct, frozen=True, kw_only=True):
    """One agent and one notice. ticket_id: None = a test. place: of the way under way; outbox_id: of its try, None = none.

    created_at: microseconds UTC.
    """

    id: int
    cause: str
    kind: str
    agent: str
    ticket_id: int | None
    ways: tuple[str, ...]
    place: int
    outbox_id: int | None
    state: str
    notice: Notice
    created_at: int

    @property
    def way(self) -> str:
        return self.ways[self.place]

    @property
    def policy(self) -> str:
        """The policy of its timers."""
        return f"{TIMER}@{self.id}"


def begin(tx: Tx, ticket: Ticket | None, agent: str, ways: tuple[str, ...], notice: Notice) -> Summons | None:
    """Write the row of an agent and a notice; None = it has been begun before. ticket: None = a test."""
    number = tx.new_id()
    is_first = tx.run(
        _BEGIN,
        id=number,
        cause=notice.cause,
        kind=notice.kind,
        agent=agent,
        ticket_id=None if ticket is None else ticket.id,
        customer_id=None if ticket is None else ticket.customer_id,
        ways=_encode(ways).decode(),
        notice=_encode(notice).decode(),
        created_at=tx.now,
    )
    return load(tx, number) if is_first else None


def note_try(tx: Tx, summons: Summons, *, place: int, outbox_id: int | None) -> None:
    """Note which way is under way. outbox_id: of its try, None = it stands in a digest."""
    tx.update(schema.summonses, {"id": summons.id}, place=place, outbox_id=outbox_id)


def load(tx: Tx, summons_id: int) -> Summons | None:
    row = tx.one(_BY_ID, id=summons_id)
    return None if row is None else _summons(row)


def of_try(tx: Tx, outbox_id: int) -> Summons | None:
    """Return the summons whose try under way an outbox row is."""
    row = tx.one(_BY_TRY, outbox_id=outbox_id)
    return None if row is None else _summons(row)


def of_page(tx: Tx, outbox_id: int) -> tuple[OutboundMessage, Summons] | None:
    """Return a call or a text to an agent with its summons, also when a later way is under way; None = it is none."""
    row = tx.one(_PAYLOAD, outbox_id=outbox_id)
    if row is None:
        return None
    outbound = _decode_outbound(row[0])
    summons = load(tx, int(outbound.extra.get(KEY, 0)))
    return None if summons is None else (outbound, summons)


def open_ones(tx: Tx, ticket_id: int) -> list[Summons]:
    return [_summons(row) for row in tx.all(_OPEN, ticket_id=ticket_id)]


def newest(tx: Tx, agent: str, *, since_us: int, most: int = 20) -> list[Summons]:
    """Return what an agent was told of since an instant, the newest first."""
    return [_summons(row) for row in tx.all(_NEWEST, agent=agent, since=since_us, most=most)]


def told_of(tx: Tx, cause: str) -> dict[str, str]:
    """Return agent -> state of the summonses of a cause."""
    return dict(tx.all(_OF_CAUSE, cause=cause))


def is_told(tx: Tx, notice: Notice, agent: str) -> bool:
    """Whether an agent is, or was, told of a notice by some way."""
    return bool(agent) and told_of(tx, notice.cause).get(agent, "failed") != "failed"


def close(tx: Tx, summons: Summons, state: str) -> bool:
    """End a summons, with the timer of its next way; false when it has ended before."""
    is_ended = tx.run(_CLOSE, summons_id=summons.id, to=state, now=tx.now) > 0
    if is_ended:
        cancel_next_way(tx, summons)
    return is_ended


def cancel_next_way(tx: Tx, summons: Summons) -> None:
    """Let its timer not fire: it has ended, or goes on without waiting."""
    tx.run(_CANCEL, of_ticket=summons.ticket_id, of_policy=summons.policy)


def mark_passed_on(tx: Tx, summons: Summons) -> None:
    """Note that its agent has passed it on, also when all its ways were gone before."""
    tx.update(schema.summonses, {"id": summons.id}, state="passed_on")


def is_kept(tx: Tx, summons: Summons) -> bool:
    """Whether its agent has tried to pass it on, and there was nobody else."""
    told = tx.all(_KEPT, ticket_id=summons.ticket_id, actor=f"agent:{summons.agent}")
    return any(msgspec.json.decode(row[0]).get("cause") == summons.cause for row in told)


def drop_tries(tx: Tx, summons: Summons) -> None:
    """Send no try of it any more that still waits: the one under way, and earlier ones that could not be handed over."""
    for outbox_id, payload in tx.all(_WAITING, cause=summons.cause):
        is_its_own = _decode_outbound(payload).extra.get(KEY) == str(summons.id)
        if is_its_own or outbox_id == summons.outbox_id:
            tx.run(_DROP, outbox_id=outbox_id)


def _summons(row: Row) -> Summons:
    number, cause, kind, agent, ticket_id, ways, place, outbox_id, state, notice, created_at = row
    return Summons(
        id=number,
        cause=cause,
        kind=kind,
        agent=agent,
        ticket_id=ticket_id,
        ways=_decode_ways(ways),
        place=place,
        outbox_id=outbox_id,
        state=state,
        notice=_decode_notice(notice),
        created_at=created_at,
    )
