"""Agents who are told of a notice way after way: a call, then a text, then a mail, in their own order.

A summons is the row of one agent and one notice. The first way is gone with the notice, the next when that one has
failed, or when nobody has acknowledged it in time (`oncall.next_way_minutes`); each try is a row of the outbox, decided
once, and the wait for the next way is a timer of the ticket, so a crash loses neither and does nothing twice. An
acknowledgement, by whatever way, ends every summons of its ticket; it stops no clock.

    summon -> open -> acknowledged | passed_on | done (answered meanwhile) | failed (none of the ways could be gone)

Tests (`intake oncall page --test`) are about no ticket: each of their summonses has one way.
"""

import msgspec
from sqlalchemy import bindparam, or_, select

from channels import page_calls
from channels.contract import Address, OutboundMessage
from channels.page_calls import Paged
from intake import counters, events, looks, notice_letters, outgoing, page_text, reaching, tickets
from intake.due import Due
from intake.model import Account, Context, Ticket
from intake.notice_letters import Written
from intake.notice_page import Notice, Page
from intake.outgoing import Draft
from intake.reaching import CALL, MAIL, Reached
from intake.store import schema
from intake.store.engine import Row, Tx
from intake.store.statements import Statement, upsert

TIMER = "way"  # the kind of the timer that goes the next way
TEST = "test"
SUMMONS = "summons"  # in OutboundMessage.extra: the id of the summons that a try is of
COUNTER = "agent_phone"
MINUTE_US = 60 * 1_000_000

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
_ALARM = Statement(
    upsert(schema.timers)
    .values(
        {
            name: bindparam(name)
            for name in ("id", "ticket_id", "customer_id", "kind", "policy", "step", "due_at")
        }
    )
    .on_conflict_do_nothing(index_elements=[_t.ticket_id, _t.policy, _t.step, _t.due_at])
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
_IS_QUEUED = Statement(select(_o.id).where(_o.id == bindparam("outbox_id"), _o.state == "queued"))
_PAYLOAD = Statement(select(_o.payload).where(_o.id == bindparam("outbox_id")))


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


def is_for(person: Reached) -> bool:
    """Whether somebody is told by a summons: not by a single mail, which needs none."""
    return person.ways != (MAIL,)


def summon(tx: Tx, context: Context, ticket: Ticket, page: Page, person: Reached) -> bool:
    """Begin to tell an agent of a notice; false when none of their ways could be gone, or it has been begun before."""
    number, notice = tx.new_id(), page.notice
    is_first = tx.run(
        _BEGIN,
        id=number,
        cause=notice.cause,
        kind=notice.kind,
        agent=person.name,
        ticket_id=ticket.id,
        customer_id=ticket.customer_id,
        ways=_encode(person.ways).decode(),
        notice=_encode(notice).decode(),
        created_at=tx.now,
    )
    begun = load(tx, number) if is_first else None
    return begun is not None and _go(tx, context, ticket, begun, page, first=0)


def next_way(tx: Tx, context: Context, ticket: Ticket, timer: Due) -> Ticket:
    """Go the next way of a summons that nobody has acknowledged in time."""
    summons = load(tx, timer.since_us)
    if summons is None or summons.state != "open":
        return ticket
    if (ticket.agent_replied_at or 0) >= summons.created_at:
        close(tx, summons, "done")
        return ticket
    _go_on(tx, context, ticket, summons)
    return ticket


def failed(tx: Tx, context: Context, ticket: Ticket, outbox_id: int) -> bool:
    """Go the next way at once, because this one has failed; false when the try was none of ours, or no way is left."""
    summons = of_try(tx, outbox_id)
    if summons is None or summons.state != "open" or not ticket.is_open:
        return False
    tx.run(_CANCEL, of_ticket=summons.ticket_id, of_policy=summons.policy)
    return _go_on(tx, context, ticket, summons)


def _go_on(tx: Tx, context: Context, ticket: Ticket, summons: Summons) -> bool:
    others = tuple(sorted({row[0] for row in tx.all(_OF_CAUSE, cause=summons.cause)}))
    page = Page.of(tx, context, ticket, summons.notice, others=others)
    return _go(tx, context, ticket, summons, page, first=summons.place + 1)


def _go(tx: Tx, context: Context, ticket: Ticket, summons: Summons, page: Page, *, first: int) -> bool:
    """Go the first way from a place on that can be gone; the one after it waits."""
    for place in range(first, len(summons.ways)):
        way = summons.ways[place]
        written = _try(tx, context, ticket, page, summons, way)
        if written is None:
            continue
        tx.update(schema.summonses, {"id": summons.id}, place=place, outbox_id=written.outbox_id)
        if place + 1 < len(summons.ways):
            _wait(tx, context, ticket, summons, summons.ways[place + 1])
        events.of_ticket(
            tx,
            ticket,
            "paged",
            agent=summons.agent,
            way=way,
            cause=summons.cause,
            outbox=None if written.outbox_id is None else str(written.outbox_id),
            way_number=place + 1,
            of=len(summons.ways),
        )
        return True
    close(tx, summons, "failed")
    return False


def _wait(tx: Tx, context: Context, ticket: Ticket, summons: Summons, way: str) -> None:
    """Set the timer of the next way."""
    due_us = tx.now + round(context.oncall.next_way_minutes * MINUTE_US)
    tx.run(
        _ALARM,
        id=tx.new_id(),
        ticket_id=ticket.id,
        customer_id=ticket.customer_id,
        kind=TIMER,
        policy=summons.policy,
        step=f"{summons.agent}/{way}",
        due_at=due_us,
    )
    tx.signal("timers", due_us)


# -- one try ----------------------------------------------------------------------------------------------------------


def _try(tx: Tx, context: Context, ticket: Ticket, page: Page, summons: Summons, way: str) -> Written | None:
    """Write the outbox row of one way; None when it cannot be gone: the rules or the accounts have changed since."""
    person = context.rulebook.agents.get(summons.agent)
    where = reaching.leads_to(person, way) if person is not None else None
    if where is None or way not in reaching.ways(context):
        return None
    if way == MAIL:
        written = notice_letters.write(tx, context, ticket, page, where, summons.agent)
    else:
        written = _send(tx, context, ticket, _draft(context, page, summons, way, where))
    if written is None or (written.outbox_id is not None and not _is_on_its_way(tx, written.outbox_id)):
        return None
    return written


def _is_on_its_way(tx: Tx, outbox_id: int) -> bool:
    """Whether a row waits to be sent: one that is withheld reaches nobody."""
    return tx.one(_IS_QUEUED, outbox_id=outbox_id) is not None


def _draft(context: Context, page: Page, summons: Summons, way: str, number: str) -> Draft:
    says = page_text.sentence if way == CALL else page_text.text
    return Draft(
        cause=summons.cause,
        action=f"notify:{summons.kind}:{way}:{number}",
        to=Address(number, summons.agent),
        subject="",
        text=says(page, summons.agent),
        author="system",
        automatic="auto-generated",
        is_public=False,
        medium=reaching.MEDIA[way],
        account=account_for(context, way),
        extra=extra_of(context, way, summons),
    )


def extra_of(context: Context, way: str, summons: Summons) -> dict[str, object]:
    """Return what a channel and the outbox have to know of a try: which summons it is of, and how long it rings."""
    told: dict[str, object] = {SUMMONS: str(summons.id)}
    return {**told, "call": "page", "ring_s": context.oncall.ring_s} if way == CALL else told


def account_for(context: Context, way: str) -> str | None:
    """Return the account that the configuration names for a way; None = it names none that can."""
    named = context.accounts.get(context.oncall.calls if way == CALL else context.oncall.texts)
    return named.name if named is not None and _can(named, way) else None


def _can(account: Account, way: str) -> bool:
    return account.can_deliver and account.medium == reaching.MEDIA[way]


def _send(tx: Tx, context: Context, ticket: Ticket, draft: Draft) -> Written | None:
    """Write the row; not more of them than an agent can bear in a minute."""
    most = context.limits.notices_per_minute
    if not counters.take(tx, COUNTER, draft.to.address, limit=most, window_us=MINUTE_US):
        return None
    outbox_id = outgoing.send(tx, context, ticket, draft)
    return None if outbox_id is None else Written(outbox_id)


# -- what ends it -----------------------------------------------------------------------------------------------------


def stop(tx: Tx, ticket: Ticket) -> int:
    """End every summons of a ticket, because somebody looks at it: no further way is gone; how many."""
    ended = [summons for summons in open_ones(tx, ticket.id) if close(tx, summons, "acknowledged")]
    for summons in ended:
        # The first way is a copy of the notice: whether it still goes out is said where copies are.
        if summons.place:
            drop_tries(tx, summons)
    return len(ended)


def close(tx: Tx, summons: Summons, state: str) -> bool:
    """End a summons, with the timer of its next way; false when it has ended before."""
    is_ended = tx.run(_CLOSE, summons_id=summons.id, to=state, now=tx.now) > 0
    if is_ended and summons.ticket_id is not None:
        tx.run(_CANCEL, of_ticket=summons.ticket_id, of_policy=summons.policy)
    return is_ended


def mark_passed_on(tx: Tx, summons: Summons) -> None:
    """Note that its agent has passed it on, also when all its ways were gone before."""
    tx.update(schema.summonses, {"id": summons.id}, state="passed_on")


def drop_tries(tx: Tx, summons: Summons) -> None:
    """Send no try of it any more that still waits: the one under way, and earlier ones that could not be handed over."""
    for outbox_id, payload in tx.all(_WAITING, cause=summons.cause):
        is_its_own = _decode_outbound(payload).extra.get(SUMMONS) == str(summons.id)
        if is_its_own or outbox_id == summons.outbox_id:
            tx.run(_DROP, outbox_id=outbox_id)


# -- looking ----------------------------------------------------------------------------------------------------------


def load(tx: Tx, summons_id: int) -> Summons | None:
    row = tx.one(_BY_ID, id=summons_id)
    return None if row is None else _summons(row)


def of_try(tx: Tx, outbox_id: int) -> Summons | None:
    """Return the summons whose try under way an outbox row is."""
    row = tx.one(_BY_TRY, outbox_id=outbox_id)
    return None if row is None else _summons(row)


def open_ones(tx: Tx, ticket_id: int) -> list[Summons]:
    return [_summons(row) for row in tx.all(_OPEN, ticket_id=ticket_id)]


def newest(tx: Tx, agent: str, *, since_us: int, most: int = 20) -> list[Summons]:
    """Return what an agent was told of since an instant, the newest first."""
    return [_summons(row) for row in tx.all(_NEWEST, agent=agent, since=since_us, most=most)]


def is_told(tx: Tx, notice: Notice, agent: str) -> bool:
    """Whether an agent is, or was, told of a notice by some way."""
    return bool(agent) and told_of(tx, notice.cause).get(agent, "failed") != "failed"


def told_of(tx: Tx, cause: str) -> dict[str, str]:
    """Return agent -> state of the summonses of a cause."""
    return dict(tx.all(_OF_CAUSE, cause=cause))


def paged(tx: Tx, session: str | None) -> Paged | None:
    """Return what the session of a page call tells an agent of, as it is now; None = it is no such session."""
    page = page_calls.page_of(session)
    found = of_page(tx, int(page)) if page is not None else None
    if page is None or found is None:
        return None
    outbound, summons = found
    outcome, by = outcome_of(tx, summons)
    return Paged(page=page, said=outbound.text, outcome=outcome, by=by)


def of_page(tx: Tx, outbox_id: int) -> tuple[OutboundMessage, Summons] | None:
    """Return a call or a text to an agent with its summons, also when a later way is under way; None = it is none."""
    row = tx.one(_PAYLOAD, outbox_id=outbox_id)
    if row is None:
        return None
    outbound = _decode_outbound(row[0])
    summons = load(tx, int(outbound.extra.get(SUMMONS, 0)))
    return None if summons is None else (outbound, summons)


def outcome_of(tx: Tx, summons: Summons) -> tuple[page_calls.Outcome, str]:
    """Return what has become of a summons, and who looks at its ticket, "" = nobody, or the one who is told."""
    if summons.state == "passed_on":
        return "passed_on", ""
    if summons.ticket_id is None:
        return ("yours" if summons.state == "acknowledged" else ""), ""
    ticket = tickets.load(tx, summons.ticket_id)
    if ticket is None or not tickets.final(tx, ticket).is_open:
        return "over", ""
    ticket = tickets.final(tx, ticket)
    look = looks.last(tx, ticket.id) if summons.state == "acknowledged" else looks.standing(tx, ticket)
    if look is None:
        return "", ""
    return ("yours", "") if look.agent == summons.agent else ("theirs", look.agent)


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
