"""Rows of `calls`: one for each call, with its timeline and what that comes to."""

from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import bindparam, select

from channels.contract import Happened
from intake import call_timeline, instants
from intake.call_timeline import State
from intake.store import schema
from intake.store.engine import Row, Tx
from intake.store.statements import Statement, upsert

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


def _us(at: datetime | None) -> int | None:
    return None if at is None else instants.us_from_datetime(at)
