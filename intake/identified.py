"""Customers whom the site vouches for: a chat that nobody was named in becomes theirs, on proof alone, and can be taken back.

Who somebody is at the site is an identity of its own, `chat_user` with "<account>:<subject>". Whose it is already gets the chat;
else who has the address that the site vouches for; else a new customer. What a visitor without a name had said before, in
this chat, goes over with all its tickets: nobody else can have had a part in it, for a session is one browser's secret. A
customer who is known by anything else than chats is never moved.
"""

from typing import Any

import msgspec
from sqlalchemy import BigInteger, Select, Table, bindparam, select

from channels.contract import Identity
from intake import events
from intake.store import schema
from intake.store.engine import Row, Tx
from intake.store.statements import Statement, values_of

SITE, CHAT, EMAIL = "chat_user", "chat", "email"
# Tables that name the customer of a ticket, and are found by it.
BY_TICKET = (
    schema.calls, schema.decisions, schema.digest_items, schema.drafts, schema.events, schema.fetches, schema.messages,
    schema.outbox, schema.pages, schema.participants, schema.promises, schema.summonses, schema.timers,
)  # fmt: skip
# Tables that are found by the session.
BY_SESSION = (schema.feeds, schema.visitors, schema.agreements)
# journal: read for erasure, by its ticket; opt_outs: of numbers and addresses, which move with their identity.
LEFT = (schema.journal, schema.opt_outs, schema.identities, schema.tickets)

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder().decode
_i, _t, _e = schema.identities.c, schema.tickets.c, schema.events.c
_OWNER = Statement(
    select(_i.id, _i.customer_id).where(_i.kind == bindparam("kind"), _i.value == bindparam("value"))
)
_NAMES = Statement(
    select(_i.kind, _i.value).where(_i.customer_id == bindparam("customer_id")).order_by(_i.id)
)
_TICKETS = Statement(select(_t.id).where(_t.customer_id == bindparam("customer_id")).order_by(_t.id))
_MERGED = Statement(
    select(_e.customer_id, _e.details).where(_e.id == bindparam("id"), _e.kind == "customer_merged")
)


def _moving(table: Table, column: Any, given: Select[Any]) -> Statement:
    own = (column.in_(given), table.c.customer_id == bindparam("of_customer"))
    return Statement(table.update().where(*own).values(customer_id=bindparam("to")))


_tickets = values_of("tickets", BigInteger())
_sessions = values_of("sessions")
_MOVE_TICKETS = [
    _moving(schema.tickets, _t.id, _tickets),
    *(_moving(each, each.c.ticket_id, _tickets) for each in BY_TICKET),
]
_MOVE_SESSIONS = [
    _moving(schema.identities, _i.value, _sessions),
    *(_moving(each, each.c.session, _sessions) for each in BY_SESSION),
]


class Vouched(msgspec.Struct, frozen=True, kw_only=True):
    """What the site says of a visitor. email: proven, "" = none."""

    account: str
    subject: str
    email: str
    name: str

    @property
    def identity(self) -> Identity:
        return Identity(SITE, f"{self.account}:{self.subject}")


class NotMerged(Exception):
    """There is nothing to take back: one sentence."""


def take_in(tx: Tx, visitor: Identity, vouched: Vouched) -> int:
    """Return the customer whom a chat belongs to from now on. visitor: as the chat knew them before.

    Takes the locks on all names of theirs; none that comes after the sender's may be held.
    """
    names = [vouched.identity, visitor, *([Identity(EMAIL, vouched.email.lower())] if vouched.email else [])]
    for each in sorted(names, key=_locked_as):
        tx.lock("sender", _locked_as(each))
    owners = {each.kind: tx.one(_OWNER, kind=each.kind, value=each.value) for each in names}
    target = _target(tx, owners, vouched)
    for each in names:
        row = owners[each.kind]
        if row is None:
            _name(tx, target, each, vouched)
        elif each.kind == EMAIL and row[1] == target:
            tx.update(schema.identities, {"id": row[0]}, is_verified=1)
    before = owners[visitor.kind]
    if before is not None and before[1] != target:
        _adopt(tx, int(before[1]), target, vouched)
    return target


def _target(tx: Tx, owners: dict[str, Row | None], vouched: Vouched) -> int:
    """Return whose it is: the subject's, else the address's, else the nameless visitor's own, who is named now."""
    for kind in (SITE, EMAIL):
        row = owners.get(kind)
        if row is not None:
            return int(row[1])
    row = owners[CHAT]
    if row is not None and is_nameless(tx, int(row[1])):
        customer_id = int(row[1])
        if vouched.name:
            tx.update(schema.customers, {"id": customer_id}, name=vouched.name)
        return customer_id
    customer_id = tx.new_id()
    tx.insert(schema.customers, id=customer_id, name=vouched.name, created_at=tx.now)
    return customer_id


def is_nameless(tx: Tx, customer_id: int) -> bool:
    """Whether a customer is known by chats alone."""
    return all(kind == CHAT for kind, _ in tx.all(_NAMES, customer_id=customer_id))


def _name(tx: Tx, customer_id: int, identity: Identity, vouched: Vouched) -> None:
    evidence = {"by": "signed identity", "account": vouched.account, "subject": vouched.subject}
    tx.insert(
        schema.identities,
        id=tx.new_id(),
        kind=identity.kind,
        value=identity.value,
        customer_id=customer_id,
        is_verified=1,
        evidence=_encode(evidence).decode(),
        created_at=tx.now,
    )


def _adopt(tx: Tx, nameless: int, target: int, vouched: Vouched) -> None:
    """Give all that a nameless customer has to another; who has any other name keeps everything."""
    if not is_nameless(tx, nameless):
        other, account = str(nameless), vouched.account
        events.record(tx, "identity_conflict", customer_id=target, other=other, account=account)
        return
    _lock_customers(tx, nameless, target)
    sessions = [value for _, value in tx.all(_NAMES, customer_id=nameless)]
    moved = [row[0] for row in tx.all(_TICKETS, customer_id=nameless)]
    _move(tx, nameless, target, tickets=moved, sessions=sessions)
    events.record(
        tx,
        "customer_merged",
        customer_id=target,
        merged=str(nameless),
        sessions=sessions,
        tickets=[str(each) for each in moved],
        why="signed identity",
        account=vouched.account,
    )


def take_back(tx: Tx, event_id: int, *, agent: str) -> int:
    """Undo a merge, by its event; the customer who has their own again. Raises: NotMerged."""
    row = tx.one(_MERGED, id=event_id)
    if row is None:
        raise NotMerged(f"event {event_id} is no merge of customers")
    target, details = int(row[0]), _decode(row[1])
    merged = int(details["merged"])
    _lock_customers(tx, merged, target)
    tickets = [int(each) for each in details["tickets"]]
    _move(tx, target, merged, tickets=tickets, sessions=details["sessions"])
    actor = f"agent:{agent}"
    events.record(
        tx, "customer_parted", customer_id=target, actor=actor, merged=str(merged), event=str(event_id)
    )
    return merged


def _lock_customers(tx: Tx, *ids: int) -> None:
    for each in sorted(map(str, ids)):
        tx.lock("customer", each)


def _move(tx: Tx, before: int, after: int, *, tickets: list[int], sessions: list[str]) -> None:
    for each in sorted(map(str, tickets)):
        tx.lock("ticket", each)
    for statement in _MOVE_TICKETS:
        tx.run(statement, of_customer=before, to=after, tickets=_encode(tickets).decode())
    for statement in _MOVE_SESSIONS:
        tx.run(statement, of_customer=before, to=after, sessions=_encode(sessions).decode())


def _locked_as(identity: Identity) -> str:
    return f"{identity.kind}:{identity.value}"
