"""Who must not be written to: one row for each change, the last one of an identity and scope is what holds.

A row with scope "" covers every medium that reaches the identity: a number's texts, WhatsApp messages and calls. Rows
with the state `suggested` are guesses from what somebody wrote (intake.opt_out_hints), `refused` what an agent said to
one; neither holds anything back. Nothing is ever deleted here, or written over, but the day by which a suggestion has to
be decided, which is gone then: this is what we show when we are asked since when we knew.
"""

from collections.abc import Iterable
from typing import Any, Literal

import msgspec
from sqlalchemy import bindparam, func, select

from channels.contract import Identity
from intake import reached_names
from intake.store import schema
from intake.store.engine import Row, Tx
from intake.store.statements import Statement, values_of

State = Literal["out", "in", "suggested", "refused"]
SMS, WHATSAPP, VOICE, EMAIL = "sms", "whatsapp", "voice", "email"
PHONE_MEDIA = frozenset({SMS, WHATSAPP, VOICE})
ROWS_MAX = (
    1_000  # of one identity or customer: who says STOP and START by turns is not worth reading for ever
)
_GAP = 1_000_003

_encode = msgspec.json.Encoder().encode
_o = schema.opt_outs.c
_COLUMNS = (
    _o.id, _o.kind, _o.value, _o.customer_id, _o.scope, _o.state, _o.how, _o.said, _o.account, _o.message_id,
    _o.at, _o.due_at,
)  # fmt: skip
_OF_IDENTITY = Statement(
    select(*_COLUMNS)
    .where(_o.kind == bindparam("kind"), _o.value == bindparam("value"))
    .order_by(_o.id.desc())
    .limit(ROWS_MAX)
)
_HELD = (_o.state == "out") | (_o.state == "in")
# What holds is the last row of each scope, however many suggestions came since.
_STANDING = Statement(
    select(*_COLUMNS).where(
        _o.state == "out",
        _o.id.in_(
            select(func.max(_o.id))
            .where(_o.kind.in_(values_of("kinds")), _o.value.in_(values_of("values")), _HELD)
            .group_by(_o.kind, _o.value, _o.scope)
        ),
    )
)
_OF_CUSTOMER = Statement(
    select(*_COLUMNS)
    .where(
        _o.state == "out",
        _o.id.in_(
            select(func.max(_o.id))
            .where(_o.customer_id == bindparam("customer_id"), _HELD)
            .group_by(_o.kind, _o.value, _o.scope)
        ),
    )
    .order_by(_o.id.desc())
    .limit(ROWS_MAX)
)
_BY_ID = Statement(select(*_COLUMNS).where(_o.id == bindparam("id")))
_OF_MESSAGE = Statement(select(_o.id).where(_o.message_id == bindparam("message_id")).limit(1))
_i = schema.identities.c
_IDENTITIES = Statement(select(_i.kind, _i.value).where(_i.customer_id == bindparam("customer_id")))
_CUSTOMER = Statement(
    select(_i.customer_id).where(_i.kind == bindparam("kind"), _i.value == bindparam("value"))
)
_MARK = Statement(
    schema.customers.update()
    .where(schema.customers.c.id == bindparam("customer_id"))
    .values(opted_out_at=bindparam("since"))
)
_LAST = select(func.max(_o.id)).where(_HELD).group_by(_o.kind, _o.value, _o.scope)
_LIST = Statement(
    select(*_COLUMNS)
    .where(_o.id > bindparam("after"), _o.id.in_(_LAST), _o.state == "out")
    .order_by(_o.id)
    .limit(bindparam("most"))
)
_SUGGESTED = Statement(
    select(*_COLUMNS)
    .where(_o.id > bindparam("after"), _o.state == "suggested", _o.due_at.is_not(None))
    .order_by(_o.id)
    .limit(bindparam("most"))
)
_CLOSE = Statement(
    schema.opt_outs.update()
    .where(_o.id == bindparam("id"), _o.state == "suggested", _o.due_at.is_not(None))
    .values(due_at=None)
)
_q = schema.outbox.c
_BRING_FORWARD = Statement(
    schema.outbox.update()
    .where(_q.state == "queued", _q.recipient.in_(values_of("recipients")))
    .values(next_at=bindparam("now"))
)
_LAST_ID = Statement(
    select(func.max(_o.id)).where(_o.kind == bindparam("kind"), _o.value == bindparam("value"))
)


class OptOut(msgspec.Struct, frozen=True, kw_only=True):
    """One row. kind, value: the identity. scope: "" = all that reaches it, else the one medium.

    how: "word", "provider", "complaint", "agent:NAME". said: in whose words. message_id: of the conversation's message
    that it was found in, None = none. at, due_at: microseconds UTC; due_at: by when a suggestion has to be decided, None = it is
    none, or has been.
    """

    id: int
    kind: str
    value: str
    customer_id: int | None
    scope: str
    state: State
    how: str
    said: str
    account: str | None
    message_id: int | None
    at: int
    due_at: int | None

    @property
    def identity(self) -> Identity:
        return Identity(self.kind, self.value)

    def covers(self, medium: str) -> bool:
        return self.scope in ("", medium)


def history(tx: Tx, identity: Identity) -> list[OptOut]:
    """Return what was ever noted about an identity, the newest first."""
    return [_row(row) for row in tx.all(_OF_IDENTITY, kind=identity.kind, value=identity.value)]


def standing(tx: Tx, identities: Iterable[Identity]) -> list[OptOut]:
    """Return the opt-outs that hold of these names and no others, in the order of the names, one for each scope."""
    wanted = list(dict.fromkeys(identities))
    rows = tx.all(
        _STANDING,
        kinds=_encode(sorted({each.kind for each in wanted})).decode(),
        values=_encode(sorted({each.value for each in wanted})).decode(),
    )
    found = [each for each in map(_row, rows) if each.identity in wanted]
    return sorted(found, key=lambda each: (wanted.index(each.identity), each.scope))


def holding(tx: Tx, identities: Iterable[Identity], medium: str) -> OptOut | None:
    """Return the opt-out that keeps a medium from reaching whoever has one of these names; None = nobody has said stop."""
    names = reached_names.of(tx, identities)
    return next((each for each in standing(tx, names) if each.covers(medium)), None)


def of_customer(tx: Tx, customer_id: int) -> list[OptOut]:
    """Return the opt-outs of a customer that hold, the newest first."""
    return [_row(row) for row in tx.all(_OF_CUSTOMER, customer_id=customer_id)]


def load(tx: Tx, opt_out_id: int) -> OptOut | None:
    row = tx.one(_BY_ID, id=opt_out_id)
    return None if row is None else _row(row)


def is_noted(tx: Tx, message_id: int) -> bool:
    """Whether a message has led to a row before: a second look at it changes nothing."""
    return tx.one(_OF_MESSAGE, message_id=message_id) is not None


def current(tx: Tx, *, after: int = 0, most: int = ROWS_MAX) -> list[OptOut]:
    """Return the opt-outs that hold, the oldest first, from behind an id on."""
    return [_row(row) for row in tx.all(_LIST, after=after, most=most)]


def suggested(tx: Tx, *, after: int = 0, most: int = ROWS_MAX) -> list[OptOut]:
    """Return what nobody has decided yet, the oldest first, from behind an id on."""
    return [_row(row) for row in tx.all(_SUGGESTED, after=after, most=most)]


def note(tx: Tx, identity: Identity, state: State, **about: Any) -> int:
    """Write a change down, and whether its customer has opted out; the row's id. about: as `write`.

    Holds the locks on the identity and its customer.
    """
    tx.lock("sender", locked_as(identity))
    opt_out_id = write(tx, identity, state, **about)
    customer_id = customer_of(tx, identity)
    if customer_id is not None:
        tx.lock("customer", customer_id)
        follow(tx, customer_id)
    return opt_out_id


def write(
    tx: Tx,
    identity: Identity,
    state: State,
    *,
    how: str,
    scope: str = "",
    said: str = "",
    account: str | None = None,
    message_id: int | None = None,
    due_at: int | None = None,
    at: int | None = None,
) -> int:
    """Write a change down; the row's id. The caller holds the lock on the identity, and follows up.

    at: when it was said, microseconds UTC, None = now.
    """
    last = tx.one(_LAST_ID, kind=identity.kind, value=identity.value)
    opt_out_id = tx.new_id()
    if last and last[0] is not None and last[0] >= opt_out_id:
        # The last one holds, whatever another daemon's clock says. The id next to it may be another name's.
        opt_out_id = last[0] + 1 + opt_out_id % _GAP
    tx.insert(
        schema.opt_outs,
        id=opt_out_id,
        kind=identity.kind,
        value=identity.value,
        customer_id=customer_of(tx, identity),
        scope=scope,
        state=state,
        how=how,
        said=said[:500],
        account=account,
        message_id=message_id,
        at=tx.now if at is None else at,
        due_at=due_at,
    )
    return opt_out_id


def follow(tx: Tx, customer_id: int) -> None:
    """Keep beside the customer since when they have opted out of something; None = of nothing."""
    found = of_customer(tx, customer_id)
    tx.run(_MARK, customer_id=customer_id, since=min((each.at for each in found), default=None))


def bring_forward(tx: Tx, identities: Iterable[Identity]) -> None:
    """Bring what is queued for somebody to the gate now, whatever it waits for (intake.admitting)."""
    names = {value for each in identities for value in (each.value, f"{WHATSAPP}:{each.value}")}
    if tx.run(_BRING_FORWARD, recipients=_encode(sorted(names)).decode(), now=tx.now):
        tx.signal("outbox", tx.now)


def locked_as(identity: Identity) -> str:
    return f"{identity.kind}:{identity.value}"


def close(tx: Tx, suggestion: OptOut) -> bool:
    """Count a suggestion as decided; false when somebody has decided it."""
    return tx.run(_CLOSE, id=suggestion.id) > 0


def names_of(tx: Tx, customer_id: int, kinds: Iterable[str]) -> list[Identity]:
    """Return what a customer is known by, of these kinds."""
    wanted = frozenset(kinds)
    return [Identity(*row) for row in tx.all(_IDENTITIES, customer_id=customer_id) if row[0] in wanted]


def customer_of(tx: Tx, identity: Identity) -> int | None:
    """Return whose an identity is; None = nobody's."""
    row = tx.one(_CUSTOMER, kind=identity.kind, value=identity.value)
    return None if row is None else int(row[0])


def _row(row: Row) -> OptOut:
    names = OptOut.__struct_fields__
    return OptOut(**dict(zip(names, row, strict=True)))
