"""What a provider tells of calls becomes a row of `calls`, its timeline, and a ticket (intake.call_tickets).

Told in any order, in parts or twice, it comes to the same (intake.call_timeline). The row is written with each thing that
is told; the ticket as soon as the caller has said what it is about, so that the rules have placed it before anybody rings,
or at the end of a call that never came so far.
"""

from typing import Any

import msgspec
from sqlalchemy import bindparam, select

from channels.contract import CallEvent, Happened
from intake import call_tickets, call_timeline, holds, instants, journal
from intake.call_timeline import State
from intake.model import Account, Context, Received
from intake.store import schema
from intake.store.engine import Row, Tx
from intake.store.statements import Statement, upsert

NAMELESS = "it names no call"

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(tuple[Happened, ...]).decode
_c = schema.calls.c
_COLUMNS = (
    _c.id, _c.account, _c.call, _c.session, _c.direction, _c.caller, _c.own, _c.customer_id, _c.ticket_id, _c.message_id,
    _c.language, _c.timeline,
)  # fmt: skip
_FIELDS = tuple(column.name for column in _COLUMNS)
_LOAD = Statement(select(*_COLUMNS).where(_c.account == bindparam("account"), _c.call == bindparam("call")))
_BY_ID = Statement(select(*_COLUMNS).where(_c.id == bindparam("id")))
_NAMES = (
    "id", "account", "call", "session", "direction", "caller", "own", "customer_id", "ticket_id", "message_id", "language",
    "choices", "agent", "outcome", "timeline", "started_at", "answered_at", "ended_at", "price",
)  # fmt: skip
_KEY = frozenset(("id", "account", "call"))
_SAVE = Statement(
    upsert(schema.calls)
    .values({name: bindparam(name) for name in _NAMES})
    .on_conflict_do_update(
        index_elements=[_c.account, _c.call],
        set_={name: bindparam(name) for name in _NAMES if name not in _KEY},
    )
)


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """One row of `calls`. call: the provider's id; caller: E.164, None = hidden, or not told yet; own: our number.

    language: that it was led in, as long as nobody has chosen one.
    """

    id: int
    account: str
    call: str
    direction: str
    session: str | None = None
    caller: str | None = None
    own: str = ""
    customer_id: int | None = None
    ticket_id: int | None = None
    message_id: int | None = None
    language: str | None = None
    timeline: tuple[Happened, ...] = ()

    @property
    def state(self) -> State:
        state = call_timeline.state(self.timeline, direction=self.direction)
        return state if state.language else msgspec.structs.replace(state, language=self.language)


def settle(tx: Tx, context: Context, received: Received, event: CallEvent) -> None:
    """Add what is told to the call and do what follows; settled again it changes nothing."""
    if not event.call:
        journal.close(tx, received.id, "ignored", problem=NAMELESS)
        return
    account = received.raw.account
    tx.lock("sender", f"call:{account}:{event.call}")
    known = load(tx, account=account, call=event.call)
    before = known or _fresh(tx, received, event)
    after = _told(before, received, event)
    if known is None or after != before:
        save(tx, after)
    # Told again without a ticket it was ignored: by a replay, rules that have changed may see it otherwise.
    if after != before or after.ticket_id is None:
        after = call_tickets.follow(tx, context, received, _account(context, received), before, after)
    if after.session is not None and after.state.ended_at is not None:
        holds.let_go(tx, after.session)  # the session has, unless its callbacks were lost
    _close(tx, received, after)


def load(tx: Tx, *, account: str, call: str) -> Call | None:
    row = tx.one(_LOAD, account=account, call=call)
    return None if row is None else call_from_row(row)


def load_by_id(tx: Tx, call_id: int) -> Call | None:
    row = tx.one(_BY_ID, id=call_id)
    return None if row is None else call_from_row(row)


def save(tx: Tx, call: Call) -> None:
    """Write the row of a call, with what its timeline comes to."""
    state = call.state
    tx.run(
        _SAVE,
        **{name: getattr(call, name) for name in _NAMES if name in _OWN},
        language=state.language,
        choices=_encode(state.choices).decode(),
        agent=state.agent,
        outcome=state.outcome,
        timeline=_encode(call.timeline).decode(),
        started_at=_us(state.started_at) or tx.now,
        answered_at=_us(state.connected_at),
        ended_at=_us(state.ended_at),
        price=state.price,
    )


_OWN = frozenset(Call.__struct_fields__) - {"timeline", "language"}


def call_from_row(row: Row) -> Call:
    """Return a call from a row of its columns, in their order."""
    values: dict[str, Any] = dict(zip(_FIELDS, row, strict=True))
    return Call(**values | {"timeline": _decode(values["timeline"])})


def _fresh(tx: Tx, received: Received, event: CallEvent) -> Call:
    return Call(id=tx.new_id(), account=received.raw.account, call=event.call, direction=event.direction)


def _told(call: Call, received: Received, event: CallEvent) -> Call:
    """Return the call with what an event tells. What an agent's leg leaves out is kept as it is known."""
    session = received.raw.envelope.get("session")
    caller = event.caller.value if event.caller is not None and event.caller.kind == "phone" else None
    return msgspec.structs.replace(
        call,
        session=call.session or (session if isinstance(session, str) else None),
        caller=call.caller or caller,
        own=call.own or event.own,
        timeline=call_timeline.merged(call.timeline, event.happened),
        language=call.language or event.language,
    )


def _close(tx: Tx, received: Received, call: Call) -> None:
    """Say what became of the journal row, unless the ticket that was opened by it has said so."""
    if journal.outcome(tx, received.id).state != "pending":
        return
    state = "ticket" if call.ticket_id is not None else "automatic"
    journal.close(
        tx,
        received.id,
        state,
        customer_id=call.customer_id,
        ticket_id=call.ticket_id,
        message_id=call.message_id,
    )


def _account(context: Context, received: Received) -> Account:
    """Return the account; a stand-in for one that is not configured any more."""
    raw = received.raw
    return context.accounts.get(raw.account) or Account(raw.account, raw.kind, "voice")


def _us(at: Any) -> int | None:
    return None if at is None else instants.us_from_datetime(at)
